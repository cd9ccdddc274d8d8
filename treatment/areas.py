"""Where a procedure is done: what its code's treatment area asks for, and what it forbids. Source: `domain.md`."""
from typing import NamedTuple

from django.core.exceptions import ValidationError

from charting.teeth import QUADRANTS, SEXTANTS, TEETH, UnknownTooth, WrongSurfaces, teeth_between, tooth_of, written
from clinic.models import ProcedureCode

Area = ProcedureCode.Area
# What each area names; everything else is refused.
NAMES = {
    Area.SURFACE: ("tooth", "surfaces"), Area.TOOTH: ("tooth",), Area.TOOTH_RANGE: ("tooth", "last_tooth"),
    Area.QUADRANT: ("quadrant",), Area.SEXTANT: ("sextant",), Area.ARCH: ("arch",), Area.MOUTH: ()}
ARCHES = ("upper", "lower")
ASKED = {
    "tooth": "Name the tooth.", "surfaces": "Name the surfaces.", "last_tooth": "Name the last tooth of the range too.",
    "quadrant": "Name the quadrant: UR, UL, LL or LR.", "sextant": "Name the sextant: 1 to 6.",
    "arch": "Name the arch: upper or lower."}
KNOWN = {"tooth": TEETH, "last_tooth": TEETH, "quadrant": QUADRANTS, "sextant": range(1, len(SEXTANTS) + 1), "arch": ARCHES}
MEANT = {
    Area.SURFACE: "surfaces of a tooth", Area.TOOTH: "a tooth", Area.TOOTH_RANGE: "a range of teeth", Area.QUADRANT: "a quadrant",
    Area.SEXTANT: "a sextant", Area.ARCH: "an arch", Area.MOUTH: "the whole mouth"}


class Place(NamedTuple):
    """A place in the mouth. Teeth by their canonical keys; what the area does not name is empty."""

    tooth: str = ""
    last_tooth: str = ""
    surfaces: str = ""
    quadrant: str = ""
    sextant: int | None = None
    arch: str = ""

    @classmethod
    def of(cls, row):
        """That of a procedure, or of one as it once was."""
        return cls(*(getattr(row, name) for name in cls._fields))

    def said(self, numbering):
        """As one reads it: "14 MOD", "3-5", "UR", "upper arch"; nothing for the whole mouth."""
        tooth = TEETH[self.tooth].label(numbering) if self.tooth else ""
        if self.last_tooth:
            tooth += f"-{TEETH[self.last_tooth].label(numbering)}"
        words = [tooth, self.surfaces, self.quadrant, f"sextant {self.sextant}" if self.sextant else "",
                 f"{self.arch} arch" if self.arch else ""]
        return " ".join(filter(None, words))


def teeth_of(text, numbering):
    """The tooth and last_tooth that a text names: "14", or "3-5" for a range; UnknownTooth for what is none."""
    first, _, last = text.partition("-")
    return {name: tooth_of(said, numbering).key if said else "" for name, said in (("tooth", first), ("last_tooth", last))}


def placed(area, **said):
    """The Place that is meant, in its written form. ValidationError by field for what the area lacks or forbids."""
    said = {name: value for name, value in said.items() if value not in ("", None)}
    wrong = {name: f"It is done on {MEANT[area]}: leave this out." for name in said if name not in NAMES[area]}
    wrong |= {name: ASKED[name] for name in NAMES[area] if name not in said}
    if wrong:
        raise ValidationError(wrong)
    for name, known in KNOWN.items():
        if name in said and said[name] not in known:
            raise ValidationError({name: ASKED[name]})
    try:
        if "surfaces" in said:
            said["surfaces"] = written(TEETH[said["tooth"]], said["surfaces"])
        if "last_tooth" in said:
            teeth = teeth_between(TEETH[said["tooth"]], TEETH[said["last_tooth"]])
            said |= {"tooth": teeth[0].key, "last_tooth": teeth[-1].key}
            if len({tooth.is_upper for tooth in teeth}) > 1:
                raise ValidationError({"last_tooth": "A range stays within one arch."})
    except WrongSurfaces as error:
        raise ValidationError({"surfaces": str(error)}) from error
    except UnknownTooth as error:
        raise ValidationError({"last_tooth": str(error)}) from error
    return Place(**said)
