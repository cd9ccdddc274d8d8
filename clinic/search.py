"""What a search text means: words, telephone digits and dates, as terms over a patient's search text.

The search text of a patient is " first last preferred chart-number phone-digits 1988-02-03 ", normalised. A term is
found anywhere in it. One word of the query may mean several terms (03/02/88 is two dates); any of them is enough.
"""
import re
from datetime import date

from clinic.db.fields import normalise

MONTHS = {name: number for number, names in enumerate((
    "january jan januar", "february feb februar", "march mar marz", "april apr", "may mai", "june jun juni",
    "july jul juli", "august aug", "september sep sept", "october oct oktober okt", "november nov",
    "december dec dezember dez"), 1) for name in names.split()}


def terms(text):
    """Groups of alternatives, one for each word, number or date: every group must match, with any of its terms."""
    text = normalise(text[:200])
    dates, text = _take_dates(text)
    groups = [[day.isoformat() for day in dates]] if dates else []
    text = re.sub(r"(?<=[\d)+])[\s().\-/]+(?=[\d(])", "", text)  # (0171) 234-567 is one number
    for word in text.split():
        digits = re.sub(r"\D", "", word)
        if digits and not re.search(r"[^\W\d_]", word):
            # A leading zero is dropped abroad: 0171… is stored as 49171…
            groups.append([digits.lstrip("0") or digits] if len(digits) > 4 else [digits])
        else:
            groups.append([word])
    return groups


CODE_DOT = re.compile(r"(?<=\b[a-z][0-9a][0-9a-z])\.")


def words(text):
    """The words of a text, normalised and without punctuation; a diagnosis code is one word: F41.1 becomes f411."""
    text = CODE_DOT.sub("", re.sub("['’]", "", normalise(text)))
    return re.sub(r"[\W_]+", " ", text).split()


def spaced(text):
    """The words of a text, each after a space: " f411 generalized anxiety ". What begins a word is found by " anx"."""
    return f" {' '.join(words(text))} "


def word_starts(text):
    """What a search text asks of a spaced text: every one of these has to be in it."""
    return [f" {word}" for word in dict.fromkeys(words(text[:200]))]


def fts_expression(groups):
    """The groups as an FTS5 query; every term is quoted, so nothing typed can be an operator."""
    quoted = (["\"{}\"".format(term.replace('"', '""')) for term in group] for group in groups)
    return " AND ".join(f"({' OR '.join(group)})" for group in quoted)


def dates_meant(text, today=None):
    """The dates that a text may mean, in the common formats; both readings of 3/2/88 when both exist."""
    return _take_dates(normalise(text), whole=True, today=today)[0]


DATE_FORMS = [
    (re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b"), "ymd"),
    (re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})\b"), "dmy"),
    (re.compile(r"\b((?:19|20)\d{2})(\d{2})(\d{2})\b"), "ymd"),
    (re.compile(r"\b(\d{1,2})\.? ([a-z]{3,9})\.?,? (\d{4}|\d{2})\b"), "named"),
    (re.compile(r"\b([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}|\d{2})\b"), "named-us"),
]


def _take_dates(text, whole=False, today=None):
    for pattern, form in DATE_FORMS:
        match = pattern.fullmatch(text) if whole else pattern.search(text)
        if not match:
            continue
        found = _read(match.groups(), form, today or date.today())
        if found:
            return found, (text[:match.start()] + " " + text[match.end():]).strip()
    return [], text


def _read(parts, form, today):
    shortened = len(parts[0] if form == "ymd" else parts[2]) == 2
    if form == "ymd":
        year, month, day = map(int, parts)
        tries = [(year, month, day)]
    elif form == "dmy":
        one, two, year = map(int, parts)
        tries = [(year, one, two), (year, two, one)]
    else:
        day, name = (parts[0], parts[1]) if form == "named" else (parts[1], parts[0])
        tries = [(int(parts[2]), MONTHS.get(name, 0), int(day))]
    found = []
    for year, month, day in tries:
        if shortened:  # a birth year of two digits lies in the last hundred years
            year += 2000 if year <= today.year % 100 else 1900
        try:
            when = date(year, month, day)
        except ValueError:
            continue
        if when not in found:
            found.append(when)
    return found
