"""Planning by a line of text: what the chart's entry line understands, and codes: "14 crown pfm; 19 mo comp; d4341 ur; d1110".

An item with a code names the place that the code asks for; any other item is read by the chart's grammar, and the code follows from
its tooth, surfaces, kind and material. Nothing here writes.
"""
import re
from typing import NamedTuple

from django.core.exceptions import ValidationError

from charting import grammar
from charting.grammar import Unreadable, Word
from charting.teeth import QUADRANTS, TEETH, UnknownTooth, tooth_of
from clinic.models import ProcedureCode
from treatment.areas import Place, placed
from treatment.models import CodeRule

MOST = 40  # procedures of a line
NO_CODE = "No code is known for this. Name the code, or search for it by its words."
WORDS = re.compile(r'"[^"]*"?|[^\s;"]+')


class Planned(NamedTuple):
    """A procedure as it was read: its code, its place, the other codes that would fit, and whether this one does by its rule."""

    code: ProcedureCode
    place: Place
    others: list
    fits: bool = True

    def values(self):
        """What `Procedure.add` takes."""
        return {"procedure_code": self.code, **self.place._asdict()}


class Catalogue:
    """A practice's codes and rules, loaded once for a line: two queries."""

    def __init__(self, clinic):
        self.codes = {row.code: row for row in ProcedureCode.objects.filter(clinic=clinic, is_active=True)}
        self.rules = CodeRule.known_to(clinic)

    def planned(self, *, tooth, condition, surfaces="", material="", **more):
        """The Planned of what the chart's grammar read; None when no code is known for it."""
        asked = {"tooth": tooth, "condition": condition, "material": material}
        found = CodeRule.offered(self.rules, surfaces=surfaces, **asked) or CodeRule.offered(self.rules, **asked)
        if not found:
            return None
        code = found[0]
        return Planned(
            code, Place(tooth=tooth, surfaces=surfaces if code.treatment_area == ProcedureCode.Area.SURFACE else ""), found[1:])

    def checked(self, planned):
        """The Planned of a code that was named, with those that its rule would have offered for this tooth and these surfaces."""
        rule = next((rule for rule in self.rules if rule.procedure_code_id == planned.code.pk), None)
        place = planned.place
        if rule is None or not place.tooth or rule.fits(TEETH[place.tooth], place.surfaces):
            return planned
        return planned._replace(fits=False, others=CodeRule.offered(
            self.rules, tooth=place.tooth, surfaces=place.surfaces, condition=rule.condition, material=rule.material))


def read(text, language, catalogue):
    """[Planned] of a line. Unreadable, naming the word, for what it does not understand."""
    if len(text) > grammar.LONGEST:
        raise Unreadable(f"An entry has at most {grammar.LONGEST:,} letters.")
    found = []
    for match in re.finditer(r"[^;]+", text):
        words = [Word(word[0], match.start() + word.start(), match.start() + word.end()) for word in WORDS.finditer(match[0])]
        if not words:
            continue
        code = next((word for word in words if word.text.upper() in catalogue.codes), None)
        if code is not None:
            named = _coded(catalogue.codes[code.text.upper()], [word for word in words if word is not code], code, language)
            found += map(catalogue.checked, named)
        else:
            found += _charted(match[0], match.start(), words, language, catalogue)
        if len(found) > MOST:
            raise Unreadable(f"That is more than {MOST} procedures at once.")
    if not found:
        raise Unreadable("Nothing is typed yet.")
    return found


def _charted(text, start, words, language, catalogue):
    """An item of the chart's grammar, as procedures."""
    try:
        items = grammar.read(text, language)
    except Unreadable as fault:
        raise Unreadable(str(fault), fault.word, start + fault.start, start + fault.end, fault.near) from fault
    found = [catalogue.planned(**item.values()) for item in items]
    if None in found:
        raise words[-1].wrong(NO_CODE)
    return found


def _coded(code, words, at, language):
    """An item that names its code."""
    said, left = {}, list(words)
    area = code.treatment_area
    if left and area in (code.Area.TOOTH, code.Area.SURFACE):
        return [
            Planned(code, _placed(area, left, at, tooth=key, **_surfaces(area, left)), []) for key in _teeth(left[0], language)]
    if left and area == code.Area.TOOTH_RANGE:
        first, _, last = left[0].text.partition("-")
        said = {"tooth": _tooth(left[0], first, language), "last_tooth": _tooth(left[0], last, language) if last else ""}
    elif left and area == code.Area.QUADRANT:
        said = {"quadrant": left[0].text.upper() if left[0].text.upper() in QUADRANTS else left[0].text}
    elif left and area == code.Area.SEXTANT:
        number = left[0].low.removeprefix("s")
        said = {"sextant": int(number) if number.isdecimal() and len(number) == 1 else 0}
    elif left and area == code.Area.ARCH:
        said = {"arch": left[0].low}
    if len(left) > (1 if said else 0):
        raise left[1 if said else 0].wrong(f"{code.code} takes nothing more here.")
    return [Planned(code, _placed(area, left, at, **said), [])]


def _surfaces(area, words):
    if len(words) > (2 if area == ProcedureCode.Area.SURFACE else 1):
        raise words[-1].wrong("This is one word too many.")
    return {"surfaces": words[1].text} if len(words) > 1 else {}


def _teeth(word, language):
    return [_tooth(word, part, language) for part in word.text.split(",")]


def _tooth(word, text, language):
    try:
        return tooth_of(text, language.numbering).key
    except UnknownTooth as error:
        raise word.wrong(str(error)) from error


def _placed(area, words, at, **said):
    try:
        return placed(area, **said)
    except ValidationError as error:
        raise (words[-1] if words else at).wrong(" ".join(error.messages)) from error
