"""The entry line of the chart: "14 mod comp; 3 crown pfm; A-J unerupted; 19 caries o", and what it means.

An entry is one or several items, parted by semicolons. An item begins with its teeth: one (14), a range (A-J), a list (3,14), or
upper, lower, all, ur, ul, ll, lr for permanent teeth, and others for those of them of which nothing is known. Then, in any
order: surfaces (mod), what it is (caries), of what (comp), here or elsewhere, since 2019-05, and a note in quotes. A material
with surfaces and nothing else is a restoration. Teeth are read in the practice's own numbering.

The page, the preview and the API call `read`; nothing of it touches the database.
"""
import difflib
import re
from datetime import date
from typing import NamedTuple

from charting.conditions import BOTH, MATERIAL_WORDS, MATERIALS, Surfaces, in_words
from charting.models.finding_kind import STATUS_WORDS
from charting.teeth import PERMANENT, SURFACES, TEETH, UnknownTooth, WrongSurfaces, teeth_between, tooth_of, written
from clinic.db.keys import uuid7

LONGEST = 2000  # letters in an entry
MOST = 200  # findings of an entry
AREAS = {
    "all": PERMANENT, "upper": PERMANENT[:16], "lower": PERMANENT[16:],
    **{area: tuple(key for key in PERMANENT if TEETH[key].quadrant == area.upper()) for area in ("ur", "ul", "ll", "lr")}}
TOKEN = re.compile(r'"[^"]*"?|;|[^\s;"]+')


class Unreadable(ValueError):
    """An entry can't be read: `word` stands from `start` to `end` in the text, the sentence says why; `near`: words like it."""

    def __init__(self, sentence, word="", start=0, end=0, near=()):
        self.word, self.start, self.end, self.near = word, start, end, near
        super().__init__(sentence)


class Word(NamedTuple):
    text: str
    start: int
    end: int

    @property
    def low(self):
        return self.text.lower()

    def wrong(self, sentence, near=()):
        return Unreadable(sentence, self.text, self.start, self.end, near)


class Language(NamedTuple):
    """What a practice's entry line understands: its numbering, its words, and today."""

    numbering: str
    kinds: dict  # {code: Kind}
    today: date
    others: tuple = ()  # canonical keys that "others" means
    plans: bool = False  # whether treatment plans what is said to be planned

    def kind_of(self, word):
        return next((kind for kind in self.kinds.values() if word in kind.words), None)

    def words(self):
        """Every word that it knows, with what it means, for completion."""
        found = {word: kind.name for kind in self.kinds.values() for word in kind.words}
        found |= {word: MATERIALS[material] for word, material in MATERIAL_WORDS.items()}
        found |= {"here": "done here", "elsewhere": "done elsewhere", "since": "since 2019 or since 2019-05"}
        return found | ({"plan": "to be done, in a treatment plan"} if self.plans else {})


class Item(NamedTuple):
    """One finding as it was read; `text` is the item that it came from."""

    tooth: str
    condition: str
    surfaces: str
    material: str
    status: str
    noted_on: date | None
    note: str
    span: object
    text: str

    def values(self):
        """What `Finding.enter` takes."""
        return {name: value for name, value in self._asdict().items() if name != "text" and value not in ("", None)}


def read(text, language):
    """The Items of an entry. Unreadable, naming the word, for whatever it does not understand."""
    if len(text) > LONGEST:
        raise Unreadable(f"An entry has at most {LONGEST:,} letters.")
    items, words = [], []
    for found in [*TOKEN.finditer(text), None]:
        if found is not None and found[0] != ";":
            words.append(Word(found[0], found.start(), found.end()))
            continue
        if words:
            items += _item(words, text[words[0].start:words[-1].end], language)
        words = []
        if len(items) > MOST:
            raise Unreadable(f"That is more than {MOST} findings at once.")
    if not items:
        raise Unreadable("Nothing is typed yet.")
    return items


def _item(words, text, language):
    """The findings of one item: one for each of its teeth."""
    teeth, said = _teeth(words, language), _said(words[1:], language)
    kind, at = said["kind"], said["kind_word"]
    if kind is None and said["material"] and said["surfaces"]:
        kind, at = language.kinds["restoration"], said["material_word"]
    if kind is None:
        raise words[-1].wrong("Say what is found there: caries, crown, missing …")
    items, span = [], uuid7() if kind.is_range and len(teeth) > 1 else None
    for number, tooth in enumerate(teeth):
        code = kind.code
        if kind.code == "bridge":
            if len(teeth) == 1:
                raise at.wrong("A bridge spans several teeth: 3-5 bridge.")
            code = "bridge" if number in (0, len(teeth) - 1) else "pontic"  # abutments at its ends
        items.append(Item(
            tooth.key, code, _surfaces(said["surfaces_word"], said["surfaces"], tooth, kind, at), said["material"],
            said["status"] or kind.status, said["noted_on"], said["note"], span, text))
    return items


def _teeth(words, language):
    """The teeth that an item begins with."""
    first = words[0]
    if first.low in AREAS:
        return [TEETH[key] for key in AREAS[first.low]]
    if first.low == "others":
        if not language.others:
            raise first.wrong("Something is known of every tooth already.")
        return [TEETH[key] for key in language.others]
    teeth = []
    try:
        for part in first.text.split(","):
            start, dash, end = part.partition("-")
            if dash:
                teeth += teeth_between(tooth_of(start, language.numbering), tooth_of(end, language.numbering))
            else:
                teeth.append(tooth_of(part, language.numbering))
    except UnknownTooth as error:
        raise first.wrong(str(error)) from error
    if len({tooth.key for tooth in teeth}) < len(teeth):
        raise first.wrong("A tooth stands there twice.")
    return teeth


def _said(words, language):
    """What the words after the teeth say, each at most once."""
    said = dict.fromkeys(("surfaces", "material", "status", "note"), "") | dict.fromkeys(
        ("kind", "noted_on", "kind_word", "material_word", "surfaces_word"))

    def tell(name, value, word):
        if said[name] not in ("", None):
            raise word.wrong(f"“{word.text}” is one too many: {_twice(name)} is said already.")
        said[name] = value

    words = iter(words)
    for word in words:
        low = word.low
        if low.startswith('"'):
            tell("note", word.text.strip('"').strip(), word)
        elif low == "since":
            when = next(words, None)
            tell("noted_on", _since(when or word, language.today), word)
        elif kind := language.kind_of(low):
            tell("kind", kind, word)
            said["kind_word"] = word
        elif low in MATERIAL_WORDS:
            tell("material", MATERIAL_WORDS[low], word)
            said["material_word"] = word
        elif low in STATUS_WORDS:
            status = STATUS_WORDS[low]
            if status == "completed" or (status == "planned" and not language.plans):
                raise word.wrong("What is planned or completed is written by a treatment plan.")
            tell("status", status, word)
        elif set(word.text.upper()) <= set(SURFACES):
            tell("surfaces", word.text, word)
            said["surfaces_word"] = word
        else:
            near = _nearest(low, language)
            hint = f"; did you mean {' or '.join(near)}" if near else ""
            raise word.wrong(f"“{word.text[:30]}” means nothing here{hint}.", near)
    material = said["material_word"]
    if said["kind"] is None and material and material.low in BOTH:
        said["kind"], said["kind_word"] = language.kinds[BOTH[material.low]], material
    return said


def _surfaces(word, letters, tooth, kind, at):
    """The surfaces of one tooth as they are written, or why not."""
    if not letters:
        if kind.surfaces == Surfaces.REQUIRED:
            raise at.wrong(f"{kind.name} is charted on surfaces: {', '.join(tooth.surfaces)}.")
        return kind.usual_of(tooth)
    if kind.surfaces == Surfaces.NONE:
        raise word.wrong(f"{kind.name} is of the whole tooth; leave the surfaces out.")
    try:
        return written(tooth, letters)
    except WrongSurfaces as error:
        raise word.wrong(str(error)) from error


def _since(word, today):
    """2019, 2019-05 or 2019-05-17: the first day of what is said."""
    found = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", word.text)
    try:
        day = date(int(found[1]), int(found[2] or 1), int(found[3] or 1)) if found else None
    except ValueError:
        day = None
    if day is None or day.year < 1900:
        raise word.wrong("Since when: a year, 2019-05, or 2019-05-17.")
    if day > today:
        raise word.wrong("It can't have been seen after today.")
    return day


def _twice(name):
    return {"kind": "what it is", "noted_on": "since when", "material": "of what"}.get(name, f"the {name}")


def _nearest(low, language):
    """Words that somebody who typed this may have meant, at most three: they begin so, or are most like it."""
    words = language.words() if len(low) > 1 else {}
    return _begun(low, words)[:3] or difflib.get_close_matches(low, words, n=3)


def _begun(low, words):
    """The words that begin so, the shortest first."""
    return sorted((word for word in words if word.startswith(low)), key=lambda word: (len(word), word))


def completions(text, language, fault=None):
    """[(word, what it means)] for the word at the end of a text, none while teeth are typed; after a fault for the word at fault:
    what begins so, else what is like it."""
    item = (text[:fault.end] if fault else text).rpartition(";")[2].lstrip()
    if " " not in item or item.endswith(" ") or '"' in item:
        return []
    words, low = language.words(), item.rpartition(" ")[2].lower()
    found = _begun(low, words)[:6] or (fault.near if fault else ())
    return [(word, words[word]) for word in found]


def told(item, language):
    """An Item in words, for the preview."""
    return in_words(language.kinds[item.condition], item.surfaces, item.material, item.status)
