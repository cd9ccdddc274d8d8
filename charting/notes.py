"""The text of notes, and nothing else: templates filled in, what is still open in them, light structure, search, the seal.

A template is a text with two kinds of braces. `{patient}` is a field of the record (`FIELDS`) and is said when the template is
used. `{label|default|choice; choice}` is to be filled in by a person: in the note it stands as `{label: default / choice / choice}`
until somebody writes what holds. Three underscores are a blank. A note with something left open is not signed.
"""
import hashlib
import json
import re
import unicodedata
from datetime import UTC

from django.core.exceptions import ValidationError
from django.utils.html import escape
from django.utils.safestring import mark_safe

from clinic.braces import lone, no_field
from clinic.db.texts import is_unseen

BLANK = "___"
BRACES = re.compile(r"\{([^{}\n]*)\}")
OPEN = re.compile(r"\{[^{}\n:]{1,40}: [^{}\n]*\}|_{3,}")
FIELDS = {
    "patient": "First and last name of the patient",
    "first_name": "What the patient likes to be called, else the first name",
    "age": "The patient's age, in years",
    "born": "Date of birth",
    "today": "Today's date",
    "visit": "The visit that the note is about: what, and on which day",
    "provider": "The provider of that visit",
    "author": "Who writes the note",
}
HEADING = re.compile(r"(#{1,2}) +(.+)")
ITEM = re.compile(r"(?:([-*])|\d{1,3}[.)]) +(.*)")
NOTHING = "Write something first."
SEAL = 1  # the algorithm by which a signed text is sealed


# Templates


def refuse_unknown(text):
    """ValidationError for what stands in braces and is neither a field nor to be filled in; each is named."""
    wrong = []
    for inside in dict.fromkeys(BRACES.findall(text)):
        if "|" in inside:
            label = inside.partition("|")[0].strip()
            if not 1 <= len(label) <= 40 or ":" in label:
                wrong.append(f"{{{inside}}} needs a label of at most 40 letters, without a colon, before the first bar.")
        elif inside not in FIELDS:
            wrong.append(no_field(inside, FIELDS))
    wrong += lone(text, BRACES)
    if wrong:
        raise ValidationError(wrong)


def filled(text, values):
    """A template's text for one note, in one pass, so that what a value holds is never read as a field.

    A field that says nothing becomes a blank.
    """
    return BRACES.sub(lambda found: _to_fill_in(found[1]) if "|" in found[1] else (values.get(found[1]) or BLANK), text)


def _to_fill_in(inside):
    label, default, choices = (part.strip() for part in (inside + "||").split("|")[:3])
    words = [default or BLANK] + [choice.strip() for choice in choices.split(";") if choice.strip() not in ("", default)]
    return f"{{{label}: {' / '.join(words)}}}"


def left_open(text):
    """How many places of a text are still to be filled in."""
    return len(OPEN.findall(text))


# What is written


def even(text):
    """A text with one kind of line end, however it came: a browser sends another one than a program."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def refuse_unseen(text):
    """ValidationError of the field `body` for a text of which nothing can be seen; an empty one the field refuses itself."""
    if text and is_unseen(text):
        raise ValidationError({"body": NOTHING})


# Structure


def rendered(text, words=()):
    """A note as HTML: headings (`# `), lists (`- `, `1. `) and paragraphs; `words` are marked where they stand.

    Whatever else stands in it is text: each piece is escaped before structure is put around it.
    """
    parts, paragraph, rows, kind = [], [], [], ""

    def end():
        if paragraph:
            parts.append(f"<p>{'<br>'.join(paragraph)}</p>")
        if rows:
            parts.append(f"<{kind}>{''.join(f'<li>{row}</li>' for row in rows)}</{kind}>")
        paragraph.clear()
        rows.clear()

    has_heading = False
    for line in even(text).split("\n"):
        line = line.strip()
        if heading := HEADING.fullmatch(line):
            end()
            level = "h4" if len(heading[1]) == 2 and has_heading else "h3"
            has_heading = True
            parts.append(f"<{level}>{marked(heading[2], words)}</{level}>")
        elif item := ITEM.fullmatch(line):
            of = "ul" if item[1] else "ol"
            if paragraph or (rows and of != kind):
                end()
            kind = of
            rows.append(marked(item[2], words))
        elif not line:
            end()
        else:
            if rows:
                end()
            paragraph.append(marked(line, words))
    end()
    return mark_safe("\n".join(parts))  # noqa: S308 (each piece is escaped by `marked`)


def gist(text):
    """A text on one line, without the marks of its structure."""
    lines = (line.strip() for line in text.splitlines())
    bare = (found[2] if (found := HEADING.fullmatch(line) or ITEM.fullmatch(line)) else line for line in lines)
    return " · ".join(line for line in bare if line.strip("#-*_ "))


# Search


def folded(text):
    """(the text without marks and case, for each of its letters the place in the text it came from)."""
    if text.isascii():
        return text.lower(), range(len(text))
    letters, places = [], []
    for place, letter in enumerate(text):
        for each in unicodedata.normalize("NFKD", letter).casefold():
            if not unicodedata.combining(each):
                letters.append(each)
                places.append(place)
    return "".join(letters), places


def words_of(text):
    """The words of a search, folded; at most eight."""
    return tuple(dict.fromkeys(folded(text)[0].split()))[:8]


def holds(text, words):
    """Whether all words stand in a text, or begin, end or fill one of its words."""
    return all(word in folded(text)[0] for word in words)


def marked(text, words):
    """A text escaped, with each of these (folded) words in <mark>."""
    if not words:
        return escape(text)
    plain, places = folded(text)
    parts, at = [], 0
    for found in re.finditer("|".join(map(re.escape, sorted(words, key=len, reverse=True))), plain):
        start, stop = places[found.start()], places[found.end() - 1] + 1
        if start >= at:
            parts += [escape(text[at:start]), "<mark>", escape(text[start:stop]), "</mark>"]
            at = stop
    return mark_safe("".join([*parts, escape(text[at:])]))  # noqa: S308


def around(text, words=(), before=12, length=120):
    """A piece of a text on one line, from shortly before the first of these words, marked; its beginning when none is there."""
    line = gist(text)
    plain, places = folded(line)
    found = min((place for word in words if (place := plain.find(word)) >= 0), default=-1)
    start = max(0, places[found] - before) if found >= 0 else 0
    return mark_safe(("…" if start else "") + marked(line[start:start + length], words))  # noqa: S308


# The seal


def sealed(**told):
    """The hash of what is signed, with the algorithm's number: SHA-256 over JSON with sorted names, instants in UTC."""
    said = {name: value.astimezone(UTC).isoformat() if hasattr(value, "astimezone") else str(value or "")
            for name, value in told.items()}
    canonical = json.dumps({"algorithm": SEAL, **said}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"{SEAL}:{hashlib.sha256(canonical.encode()).hexdigest()}"
