"""Teeth, surfaces and numbering systems, as data. Facts of the field, no rows: the source is `domain.md` of the design.

A tooth is stored by one canonical key, the Universal notation: "1" to "32" permanent, "A" to "T" primary, and beside a tooth
a supernumerary one, permanent plus fifty ("51" to "82") or primary plus S ("AS" to "TS"). What people read and type is
converted at the edges, in the practice's own system only: 55 is a supernumerary tooth in the one and a primary molar in the other.
"""
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

UPPER_RIGHT, UPPER_LEFT, LOWER_LEFT, LOWER_RIGHT = "UR", "UL", "LL", "LR"
QUADRANTS = {UPPER_RIGHT: "Upper right", UPPER_LEFT: "Upper left", LOWER_LEFT: "Lower left", LOWER_RIGHT: "Lower right"}
ARCHES = {"U": "Upper", "L": "Lower"}
SEXTANTS = ((1, 5), (6, 11), (12, 16), (17, 21), (22, 27), (28, 32))
PRIMARY_LETTERS = "ABCDEFGHIJKLMNOPQRST"
SUPERNUMERARY = 50  # is added to the number of the permanent tooth beside it; a primary one gets an S

# Marks in the order in which they are written. V is class V, at the gum: drawn apart, and billed as B or F.
SURFACE_ORDER = "MOIDBFVL"
SURFACES = {
    "M": "mesial", "O": "occlusal", "I": "incisal", "D": "distal", "B": "buccal", "F": "facial", "V": "cervical (class V)",
    "L": "lingual"}
# The six sites of a tooth at which a probe measures, in the order of the API: facial first, each from distal to mesial.
SITES = ("DB", "B", "MB", "DL", "L", "ML")


class Numbering(StrEnum):
    """How a practice calls teeth."""

    UNIVERSAL = "universal"
    FDI = "fdi"
    PALMER = "palmer"


class UnknownTooth(ValueError):
    """A text is no tooth in the practice's numbering, said in a sentence."""


class WrongSurfaces(ValueError):
    """Letters that are no surfaces of this tooth, said in a sentence; `letters` are those at fault."""

    def __init__(self, sentence, letters):
        self.letters = letters
        super().__init__(sentence)


@dataclass(frozen=True)
class Tooth:
    """One place in a mouth where a tooth can be. `position`: 1 to 32, of the permanent tooth that stands or will stand there."""

    key: str
    position: int
    is_primary: bool
    is_supernumerary: bool

    @cached_property
    def is_upper(self):
        return self.position <= 16

    @cached_property
    def arch(self):
        return "U" if self.is_upper else "L"

    @cached_property
    def is_right(self):
        """Of the patient's right side, which is drawn on the left."""
        return self.position <= 8 or self.position >= 25

    @cached_property
    def quadrant(self):
        return (UPPER_RIGHT, UPPER_LEFT, LOWER_LEFT, LOWER_RIGHT)[(self.position - 1) // 8]

    @cached_property
    def sextant(self):
        """1 to 6, in the order of the positions."""
        return next(number for number, (first, last) in enumerate(SEXTANTS, 1) if first <= self.position <= last)

    @cached_property
    def from_midline(self):
        """1 for a central incisor to 8 for a third molar."""
        return 9 - self.position if self.position <= 8 else self.position - 8 if self.is_upper else (
            25 - self.position if self.position <= 24 else self.position - 24)

    @cached_property
    def column(self):
        """0 to 15 from left to right, as the mouth is drawn: the patient's right first."""
        return self.position - 1 if self.is_upper else 32 - self.position

    @cached_property
    def kind(self):
        """incisor, canine, premolar or molar. Primary teeth have no premolars: those places hold molars."""
        if self.from_midline <= 2:
            return "incisor"
        if self.from_midline == 3:
            return "canine"
        return "premolar" if self.from_midline <= 5 and not self.is_primary else "molar"

    @cached_property
    def is_anterior(self):
        return self.from_midline <= 3

    @cached_property
    def surfaces(self):
        """The letters that this tooth has, in the order in which they are written."""
        return "MIDFVL" if self.is_anterior else "MODBVL"

    @cached_property
    def facial(self):
        """The letter of its outer side: B behind, F in front."""
        return "F" if self.is_anterior else "B"

    @cached_property
    def furcations(self):
        """Where its roots part, the sides from which a probe can enter; none on a tooth with one root."""
        if self.kind == "molar":
            return ("B", "M", "D") if self.is_upper else ("B", "L")
        return ("M", "D") if self.kind == "premolar" and self.is_upper and self.from_midline == 4 else ()

    @cached_property
    def name(self):
        """In words: "upper right first molar"."""
        place = QUADRANTS[self.quadrant].lower()
        if self.kind == "incisor":
            which = ("central", "lateral")[self.from_midline - 1] + " incisor"
        elif self.kind == "canine":
            which = "canine"
        elif self.kind == "premolar":
            which = ("first", "second")[self.from_midline - 4] + " premolar"
        else:
            which = ("first", "second", "third")[self.from_midline - (4 if self.is_primary else 6)] + " molar"
        more = ("supernumerary at " if self.is_supernumerary else "") + ("primary " if self.is_primary else "")
        return f"{more}{place} {which}"

    def has_mucogingival_line(self, site):
        """The palate has none."""
        return not (self.is_upper and site in ("DL", "L", "ML"))

    def label(self, numbering):
        """What the practice calls it."""
        return LABELS[numbering][self.key]

    def __str__(self):
        return self.key


def _teeth():
    for position in range(1, 33):
        yield Tooth(str(position), position, False, False)
    for position in range(1, 33):
        yield Tooth(str(position + SUPERNUMERARY), position, False, True)
    for index, letter in enumerate(PRIMARY_LETTERS):
        yield Tooth(letter, index + 4 if index < 10 else index + 10, True, False)
    for index, letter in enumerate(PRIMARY_LETTERS):
        yield Tooth(f"{letter}S", index + 4 if index < 10 else index + 10, True, True)


TEETH = {tooth.key: tooth for tooth in _teeth()}
PERMANENT = tuple(str(position) for position in range(1, 33))
PRIMARY = tuple(PRIMARY_LETTERS)


def _fdi(tooth):
    quadrant = (UPPER_RIGHT, UPPER_LEFT, LOWER_LEFT, LOWER_RIGHT).index(tooth.quadrant) + (5 if tooth.is_primary else 1)
    return f"{quadrant}{tooth.from_midline}{'S' if tooth.is_supernumerary else ''}"


def _palmer(tooth):
    within = "ABCDE"[tooth.from_midline - 1] if tooth.is_primary else str(tooth.from_midline)
    return f"{tooth.quadrant}{within}{'S' if tooth.is_supernumerary else ''}"


LABELS = {
    Numbering.UNIVERSAL: {key: key for key in TEETH},
    Numbering.FDI: {key: _fdi(tooth) for key, tooth in TEETH.items()},
    Numbering.PALMER: {key: _palmer(tooth) for key, tooth in TEETH.items()},
}
KEYS = {numbering: {label: key for key, label in labels.items()} for numbering, labels in LABELS.items()}


def tooth_of(text, numbering):
    """The Tooth that a text names in this numbering, letters in either case; UnknownTooth for any other text."""
    key = KEYS[numbering].get(str(text).strip().upper())
    if key is None:
        example = {"universal": "1 to 32 or A to T", "fdi": "11 to 48 or 51 to 85", "palmer": "UR8 or URE"}[numbering]
        raise UnknownTooth(f"“{str(text).strip()[:20]}” is no tooth here: {example}.")
    return TEETH[key]


def in_order(by_key):
    """[(Tooth, value)] of {canonical key: value}, in the order of the mouth."""
    return sorted(((TEETH[key], value) for key, value in by_key.items()), key=lambda row: (row[0].position, row[0].key))


def teeth_between(first, last):
    """The teeth from one to another along the arch, both included; they must be of one row: permanent or primary."""
    rows = (PERMANENT, PRIMARY, tuple(f"{key}S" for key in PRIMARY), tuple(str(int(key) + SUPERNUMERARY) for key in PERMANENT))
    row = next((row for row in rows if first.key in row), ())
    if last.key not in row:
        raise UnknownTooth("A range runs within the permanent teeth or within the primary ones.")
    start, end = sorted((row.index(first.key), row.index(last.key)))
    return [TEETH[key] for key in row[start:end + 1]]


def written(tooth, letters):
    """The surfaces in the order in which they are written: "dom" on a molar is "MOD". WrongSurfaces for any other letter, or twice
    the same."""
    given = letters.strip().upper()
    foreign = [letter for letter in given if letter not in tooth.surfaces]
    if foreign:
        known = [letter for letter in foreign if letter in SURFACES]
        where = "front" if tooth.is_anterior else "back"
        said = f"A {where} tooth has no {' or '.join(SURFACES[letter] for letter in known)} surface" if known else (
            f"“{foreign[0]}” is no surface")
        raise WrongSurfaces(f"{said}: {', '.join(tooth.surfaces)}.", "".join(foreign))
    if len(set(given)) < len(given):
        twice = next(letter for letter in given if given.count(letter) > 1)
        raise WrongSurfaces(f"{twice} stands there twice.", twice)
    return "".join(letter for letter in SURFACE_ORDER if letter in given)


def billed_surfaces(tooth, surfaces):
    """The surfaces as they count for a restoration's code: V is B or F, so that "DBV" is the two-surface "DB"."""
    counted = {tooth.facial if letter == "V" else letter for letter in surfaces}
    return "".join(letter for letter in SURFACE_ORDER if letter in counted)
