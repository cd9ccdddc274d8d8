"""Both arches as SVG: own artwork, one group a tooth, drawn of a Mouth without a question to the database.

A tooth stands in a column of sixty units. It is drawn with its root upwards and its mesial side to the right, as the upper right
ones stand; the lower ones are turned over, those of the left mirrored. Its outer view shows root and crown, the middle one its
five surfaces, the inner view the lingual side. Colour tells the status, and a pattern tells it again.
"""
from collections import defaultdict
from html import escape
from typing import NamedTuple

from django.utils.safestring import mark_safe

from charting.conditions import in_words
from charting.mouth import STATES
from charting.teeth import SURFACES

COLUMN, OUTER, MIDDLE, INNER, LABEL = 60, 96, 46, 58, 20
ARCH = OUTER + MIDDLE + INNER + LABEL
WIDTH, GAP = 16 * COLUMN, 12
HEIGHT = 2 * ARCH + GAP
GUM = 58  # where crown and root meet, in the outer view
# Which status is seen where several findings share a surface.
PRECEDENCE = ("condition", "planned", "completed", "existing", "existing_other")

CROWNS = {
    "incisor": "M18 58Q30 51 42 58C44 70 47 81 47 89Q47 92 43 92L17 92Q13 92 13 89C13 81 16 70 18 58Z",
    "canine": "M19 58Q30 50 41 58C46 67 48 76 46 82L33 92Q30 94 27 92L14 82C12 76 14 67 19 58Z",
    "premolar": "M18 59Q30 54 42 59C46 67 47 76 46 83L37 90Q30 95 23 90L14 83C13 76 14 67 18 59Z",
    "molar": "M9 60Q20 55 30 59Q40 55 51 60C55 69 56 78 54 86Q48 94 40 90Q34 87 30 86Q26 87 20 90Q12 94 6 86C4 78 5 69 9 60Z",
}
NECKS = {  # class V: a band along the gum
    "incisor": "M18 58Q30 51 42 58L43 66Q30 59 17 66Z", "canine": "M19 58Q30 50 41 58L43 66Q30 58 17 66Z",
    "premolar": "M18 59Q30 54 42 59L44 67Q30 61 16 67Z", "molar": "M9 60Q20 55 30 59Q40 55 51 60L53 68Q40 63 30 66Q20 63 7 68Z",
}
ONE_ROOT = "M19 57C19 38 23 16 28 8Q30 5 32 8C37 16 41 38 41 57Q30 50 19 57Z"
ROOTS = {
    "incisor": [ONE_ROOT],
    "canine": ["M19 57C19 34 24 10 28 4Q30 1 32 4C36 10 41 34 41 57Q30 49 19 57Z"],
    "premolar": [ONE_ROOT],
    "two": ["M19 58C17 42 15 24 18 14Q20 9 23 14C27 26 29 34 30 42C31 34 33 26 37 14Q40 9 42 14C45 24 43 42 41 58Q30 53 19 58Z"],
    "molar-upper": [
        "M24 57C24 36 27 18 29 9Q30 6 31 9C33 18 36 36 36 57Z",
        "M10 59C7 42 6 26 10 16Q13 10 16 17C20 30 22 38 24 46L30 50L36 46C38 38 40 30 44 17Q47 10 50 16C54 26 53 42 50 59Q40 54 "
        "30 58Q20 54 10 59Z"],
    "molar-lower": [
        "M10 59C8 42 9 24 13 14Q16 8 19 14C23 28 26 38 30 44C34 38 37 28 41 14Q44 8 47 14C51 24 52 42 50 59Q40 54 30 58Q20 54 "
        "10 59Z"],
}
CANALS = {
    "one": ["M30 60V12"], "two": ["M30 60C26 44 22 30 20 16", "M30 60C34 44 38 30 40 16"],
    "molar-upper": ["M28 60C20 44 14 30 13 18", "M32 60C40 44 46 30 47 18", "M30 60V14"],
    "molar-lower": ["M28 60C22 44 17 28 16 16", "M32 60C38 44 43 28 44 16"],
}
# The middle view: half the width and the height of its outer edge, of its inner edge, and how far the corners are cut.
TABLES = {"incisor": (21, 12, 13, 3, 6), "canine": (19, 16, 10, 4, 7), "premolar": (20, 19, 10, 9, 7), "molar": (27, 21, 16, 11, 8)}
GROOVES = {
    "premolar": "M23 23H37", "molar": "M18 23H42M24 17L28 23L24 29M36 17L32 23L36 29", "incisor": "", "canine": ""}
PATTERNS = (
    '<pattern id="p-condition" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" class="ink-bg"/>'
    '<path d="M0 0L6 6M6 0L0 6" class="ink"/></pattern>'
    '<pattern id="p-existing_other" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" class="ink-bg"/><path d="M0 0V5" class="ink"/></pattern>'
    '<pattern id="p-planned" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" class="ink-bg"/>'
    '<path d="M0 1H5" class="ink"/></pattern>'
    '<pattern id="p-completed" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" class="ink-bg"/>'
    '<circle cx="3" cy="3" r="1.2" class="ink"/></pattern>')


class Legend(NamedTuple):
    status: str
    words: str


LEGEND = [
    Legend("condition", "Condition"), Legend("planned", "Planned"), Legend("existing", "Existing, done here"),
    Legend("existing_other", "Existing, elsewhere"), Legend("completed", "Completed here")]


def drawn(mouth, kinds, numbering, address="", chosen=""):
    """The whole chart. `address`: of the page that a tooth or surface leads to, ready for another parameter (it ends with ? or &);
    without one nothing can be pressed (paper)."""
    address = escape(address)
    parts = [f'<svg class="odontogram" viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="Tooth chart">'
             f"<title>Tooth chart, {mouth.dentition} teeth</title><defs>{PATTERNS}</defs>"]
    for place in mouth.places:
        parts.append(_tooth(place, kinds, numbering, address, chosen))
    parts += _spans(mouth)
    middle = WIDTH // 2
    parts.append(f'<path class="midline" d="M{middle} 0V{HEIGHT}"/></svg>')
    return mark_safe("".join(parts))  # noqa: S308 (every text in it is escaped or from the tables above)


def told(finding, kinds):
    """A finding in words; of a kind that is gone only its code."""
    kind = kinds.get(finding.condition)
    if kind is None:
        return f"{finding.surfaces} {finding.condition}".strip()
    return in_words(kind, finding.surfaces, finding.material, finding.status)


def _tooth(place, kinds, numbering, address, chosen):
    """One place: its label, three views, and the signs of what was found."""
    tooth = place.tooth
    label, left = tooth.label(numbering), tooth.column * COLUMN
    top = 0 if tooth.is_upper else ARCH + GAP
    said = "; ".join([told(finding, kinds) for finding in place.findings]) or STATES[place.state]
    link, fills = _Links(address, label, tooth, place, kinds), _fills(place, kinds)
    views = _outer(tooth, place, kinds, link, fills) + _middle(tooth, place, link, fills) + _inner(tooth, place, link, fills)
    across = "" if tooth.is_right else f' transform="matrix(-1 0 0 1 {COLUMN} 0)"'
    over = "" if tooth.is_upper else f' transform="matrix(1 0 0 -1 0 {ARCH - LABEL})"'
    letters = _letters(tooth, place, kinds)
    at = (LABEL if tooth.is_upper else 0)
    label_y = 14 if tooth.is_upper else ARCH - 6
    beside = "".join(
        f'<text class="beside" x="{COLUMN - 4}" y="{label_y}">+{other.label(numbering)}</text>' for other, _, _ in place.beside[:1])
    name = f"{label}, {tooth.name}: {said}"
    number = f'<text class="number" x="30" y="{label_y}">{escape(label)}</text>'
    if address:
        number = (f'<a href="{address}tooth={label}#tooth" data-tooth="{label}" aria-label="{escape(name)}">'
                  f'<rect class="number-back" x="8" y="{label_y - 13}" width="44" height="18" rx="4"/>{number}</a>')
    return (
        f'<g class="tooth is-{place.state}{" is-primary" if tooth.is_primary else ""}{" is-chosen" if label == chosen else ""}" '
        f'data-column="{tooth.column}" transform="translate({left} {top})"><title>{escape(name)}</title>{number}{beside}'
        f'<g transform="translate(0 {at})"><g{across}><g{over}>{views}</g></g>{letters}</g></g>')


class _Links:
    """Wraps a surface in a link that names it; on paper nothing is one."""

    def __init__(self, address, label, tooth, place, kinds):
        self.address, self.label, self.tooth = address, label, tooth
        self._said = {}
        for finding in place.findings:
            for letter in finding.surfaces:
                self._said.setdefault(letter, []).append(told(finding, kinds))

    def __call__(self, letter, shape, aside=False):
        if not self.address:
            return shape
        name = f"{self.label} {SURFACES[letter]}: {'; '.join(self._said.get(letter, ['nothing charted']))}"
        more = ' tabindex="-1" aria-hidden="true"' if aside else ""
        return (f'<a class="surface" href="{self.address}tooth={self.label}&amp;surface={letter}#tooth" data-tooth="{self.label}" '
                f'data-surface="{letter}" aria-label="{escape(name)}"{more}>{shape}</a>')


def roots_of(tooth):
    if tooth.kind == "molar":
        return "molar-upper" if tooth.is_upper else "molar-lower"
    return "two" if tooth.furcations else tooth.kind


def _outer(tooth, place, kinds, link, fills):
    """Root and crown from outside, with the gum's band for class V."""
    kind, signs = tooth.kind, _signs(tooth, place, kinds)
    if place.state == "hidden":
        return signs
    roots = "".join(f'<path class="root" d="{path}"/>' for path in ROOTS[roots_of(tooth)])
    if place.state in ("implant", "pontic"):
        roots = '<path class="screw" d="M24 56L36 56L34 20Q30 12 26 20ZM24 50H36M24.5 43H35.5M25 36H35M25.5 29H34.5"/>' if (
            place.state == "implant") else ""
    if any(finding.condition == "remnant" for finding in place.findings):
        return roots + signs
    crown = link(tooth.facial, f'<path class="crown{fills[tooth.facial]}" d="{CROWNS[kind]}"/>', aside=True)
    cervical = fills["V"]
    neck = link("V", f'<path class="neck{cervical}" d="{NECKS[kind]}"/>')
    return roots + crown + neck + signs


def _middle(tooth, place, link, fills):
    """The five surfaces, from above: facial on top, mesial to the right."""
    if place.state in ("hidden", "missing", "unerupted"):
        return ""
    wide, high, inner_wide, inner_high, cut = TABLES[tooth.kind]
    x, y, seam = 30, MIDDLE / 2, cut / 2
    left, right, top, bottom = x - wide, x + wide, y - high, y + high
    ileft, iright, itop, ibottom = x - inner_wide, x + inner_wide, y - inner_high, y + inner_high
    top_left, top_right = f"{left + seam} {top + seam}", f"{right - seam} {top + seam}"
    bottom_left, bottom_right = f"{left + seam} {bottom - seam}", f"{right - seam} {bottom - seam}"
    shapes = {
        tooth.facial: f"M{top_left}L{left + cut} {top}H{right - cut}L{top_right}L{iright} {itop}H{ileft}Z",
        "M": f"M{top_right}L{right} {top + cut}V{bottom - cut}L{bottom_right}L{iright} {ibottom}V{itop}Z",
        "L": f"M{bottom_left}L{left + cut} {bottom}H{right - cut}L{bottom_right}L{iright} {ibottom}H{ileft}Z",
        "D": f"M{top_left}L{left} {top + cut}V{bottom - cut}L{bottom_left}L{ileft} {ibottom}V{itop}Z",
        "I" if tooth.is_anterior else "O": f"M{ileft} {itop}H{iright}V{ibottom}H{ileft}Z",
    }
    sides = "".join(
        link(letter, f'<path class="side{fills[letter]}" d="{path}"/>') for letter, path in shapes.items())
    grooves = f'<path class="groove" d="{GROOVES[tooth.kind]}"/>' if GROOVES[tooth.kind] else ""
    ring = ""
    if crowned := _status_of(place, ("crown", "bridge", "pontic")):
        ring = (f'<rect class="ring s-{crowned}" x="{left - 2}" y="{top - 2}" width="{2 * wide + 4}" height="{2 * high + 4}" '
                f'rx="{cut}"/>')
    return f'<g transform="translate(0 {OUTER})">{sides}{grooves}{ring}</g>'


def _inner(tooth, place, link, fills):
    """The lingual side, shortened, turned over so that its crown lies at the middle view."""
    if place.state in ("hidden", "missing", "unerupted"):
        return ""
    paths = [] if place.state in ("implant", "pontic") else ROOTS[roots_of(tooth)]
    roots = "".join(f'<path class="root" d="{path}"/>' for path in paths)
    lingual = fills["L"]
    crown = link("L", f'<path class="crown{lingual}" d="{CROWNS[tooth.kind]}"/>', aside=True)
    return f'<g transform="translate(0 {OUTER + MIDDLE}) matrix(1 0 0 -0.6 0 {INNER})">{roots}{crown}</g>'


def _fills(place, kinds):
    """{surface: the class of what fills it}, of the findings with surfaces; what counts most wins."""
    found = {}
    for finding in place.findings:
        if finding.surfaces and _symbol(finding, kinds) != "sound":
            for letter in finding.surfaces:
                if letter not in found or PRECEDENCE.index(finding.status) < PRECEDENCE.index(found[letter]):
                    found[letter] = finding.status
    return defaultdict(str, {letter: f" s-{status}" for letter, status in found.items()})


def _symbol(finding, kinds):
    kind = kinds.get(finding.condition)
    return kind.symbol if kind else "letter"


def _status_of(place, conditions):
    found = [finding.status for finding in place.findings if finding.condition in conditions]
    return min(found, key=PRECEDENCE.index) if found else ""


def _signs(tooth, place, kinds):
    """What is drawn over root and crown, in the tooth's own direction."""
    stands_in = place.state in ("implant", "pontic")  # then that the tooth is missing goes without a cross
    return "".join(SIGNS[symbol](tooth, finding.status) for finding in place.findings
                   if (symbol := _symbol(finding, kinds)) in SIGNS and not (stands_in and symbol == "missing"))


def _stroke(path):
    return lambda tooth, status: f'<path class="sign s-{status}" d="{path}"/>'


def _crown(tooth, status):
    return f'<path class="cap s-{status}" d="{CROWNS[tooth.kind]}"/>'


def _canal(tooth, status):
    paths = CANALS.get(roots_of(tooth), CANALS["one"])
    return "".join(f'<path class="sign s-{status}" d="{path}"/>' for path in paths)


def _lesion(tooth, status):
    return f'<circle class="sign s-{status}" cx="30" cy="9" r="8"/>'


SIGNS = {
    "crown": _crown, "bridge": _crown, "pontic": _crown, "root_canal": _canal, "lesion": _lesion,
    "post": _stroke("M26 40H34L32 66H28Z"), "apicoectomy": _stroke("M18 22L42 14"),
    "missing": _stroke("M10 8L50 90M50 8L10 90"), "denture": _stroke("M6 74H54M6 80H54"),
    "closed": _stroke("M8 70L24 76L8 82M52 70L36 76L52 82"),
    "unerupted": _stroke("M30 4V30M22 22L30 30L38 22"), "impacted": _stroke("M30 48A24 26 0 1 1 29.9 48Z"),
    "erupting": _stroke("M30 70V92M22 84L30 92L38 84"), "remnant": _stroke("M16 60L44 52"),
    "fracture": _stroke("M12 70L26 78L22 84L48 90"), "wear": _stroke("M12 88L48 88M14 84L46 84"),
    "rotation": _stroke("M18 76A13 11 0 1 1 30 88M24 83L30 88L26 94"), "drift": _stroke("M14 76H46M38 68L46 76L38 84"),
    "bracket": _stroke("M23 68H37V82H23ZM23 75H37"), "band": _stroke("M10 66H50V80H10Z"), "wire": _stroke("M0 75H60"),
    "retainer": _stroke("M0 84H60"),
}
LETTERS = {"watch": "W", "sealant": "S", "sound": "✓"}


def _letters(tooth, place, kinds):
    """Signs that are read, so they are neither mirrored nor turned over: a letter at the crown."""
    found = {}
    for finding in place.findings:
        symbol = _symbol(finding, kinds)
        own = kinds[finding.condition].letter if symbol == "letter" and finding.condition in kinds else ""
        if letter := LETTERS.get(symbol, own):
            found.setdefault(letter, finding.status)
    if "✓" in found and len(place.findings) > 1:
        found.pop("✓")
    if not found and place.state == "not_examined":
        found = {"?": "none"}
    middle = (OUTER + MIDDLE / 2 if tooth.is_upper else ARCH - LABEL - OUTER - MIDDLE / 2) + 5
    text = "".join(list(found)[:3])
    status = next(iter(found.values()), "")
    return f'<text class="letters s-{status}" x="30" y="{middle}">{escape(text)}</text>' if text else ""


def _spans(mouth):
    """Lines between the teeth of one thing, such as a bridge."""
    columns = {}
    for place in mouth.places:
        for finding in place.findings:
            if finding.span and finding.condition in ("bridge", "pontic"):
                columns.setdefault((finding.span, place.tooth.is_upper, finding.status), set()).add(place.tooth.column)
    for (_, is_upper, status), found in columns.items():
        y = LABEL + OUTER + MIDDLE / 2 if is_upper else ARCH + GAP + INNER + MIDDLE / 2
        yield (f'<path class="joint s-{status}" d="M{min(found) * COLUMN + 30} {y}H{max(found) * COLUMN + 30}"/>')
