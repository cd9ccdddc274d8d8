"""An exam as a graph: margin and pocket lines over the roots, with what bled; and the course of the indices over the exams."""
from html import escape

from django.utils.safestring import mark_safe

from charting.drawing import COLUMN, CROWNS, ROOTS, roots_of
from charting.perio import WORSE, ToothFigures

MM = 4  # units a millimetre
BAND, NUMBERS, GUM = 96, 18, 58
ARCH = 2 * BAND + NUMBERS
WIDTH, HEIGHT, GAP = 16 * COLUMN, 2 * ARCH + 14, 14


def drawn(teeth, figures, skipped, numbering, deep, against=None):
    """The SVG. `teeth`: the Tooth at each of the 32 places; `figures`: {key: ToothFigures}; `against`: those of an earlier exam,
    for marks where a site changed by 2 mm."""
    parts = [f'<svg class="perio-graph" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Periodontal chart">'
             "<title>Periodontal chart: gingival margin and pocket depth over the roots</title>"
             "<desc>Every figure stands in the table below.</desc>"]
    for name, positions in (("upper", range(1, 17)), ("lower", range(32, 16, -1))):
        top = 0 if name == "upper" else ARCH + GAP
        outer, inner = (0, BAND + NUMBERS) if name == "upper" else (BAND + NUMBERS, 0)
        row = [teeth[position - 1] for position in positions]
        for side, offset in (("facial", outer), ("lingual", inner)):
            # Roots point away from the numbers: upwards in the band above them, downwards in the one below.
            up = offset == 0
            parts.append(f'<g transform="translate(0 {top + offset})">{_band(row, figures, skipped, side, up, deep, against)}</g>')
        y = top + BAND + 13
        parts += [f'<text class="number" x="{column * COLUMN + 30}" y="{y}">{escape(tooth.label(numbering))}</text>'
                  for column, tooth in enumerate(row)]
    parts.append("</svg>")
    return mark_safe("".join(parts))  # noqa: S308 (numbers and tables of ours)


def _band(row, figures, skipped, side, up, deep, against):
    """One side of one arch: roots, millimetre lines, margin and pocket."""
    def y(millimetres):
        """Of a height over the enamel's edge: towards the root is where recession and pockets go."""
        return (GUM - millimetres * MM) if up else (BAND - GUM + millimetres * MM)

    lines = "".join(f'<path class="grid" d="M0 {y(level)}H{WIDTH}"/>' for level in range(0, 13, 2))
    parts, margin, pocket = [lines, f'<path class="enamel" d="M0 {y(0)}H{WIDTH}"/>'], [], []
    for column, tooth in enumerate(row):
        left = column * COLUMN
        if tooth.key in skipped:
            parts.append(f'<path class="gone" d="M{left + 14} 12L{left + 46} 84M{left + 46} 12L{left + 14} 84"/>')
            margin, pocket = _ended(parts, margin, pocket)
            continue
        flip = "" if up else f" matrix(1 0 0 -1 0 {BAND})"
        mirror = "" if tooth.is_right else f" matrix(-1 0 0 1 {COLUMN} 0)"
        parts.append(
            f'<g class="behind" transform="translate({left} 0){flip}{mirror}">'
            + "".join(f'<path class="root" d="{path}"/>' for path in ROOTS[roots_of(tooth)])
            + f'<path class="crown" d="{CROWNS[tooth.kind]}"/></g>')
        found = figures.get(tooth.key) or ToothFigures()
        for place, site in enumerate(_sites(tooth, side)):
            x = left + 12 + place * 18
            depth, edge = found.pd[site], found.gm[site]
            at_margin = y(edge or 0)
            if depth is None:
                margin, pocket = _ended(parts, margin, pocket)
                parts += _marks(found, site, x, at_margin)
                continue
            at_floor = y((edge or 0) + depth)
            if edge is None:  # not measured is not nought: the depth hangs from the enamel's edge, and no margin is drawn
                margin, _ = _ended(parts, margin, [])
            else:
                margin.append((x, at_margin))
            pocket.append((x, at_floor))
            parts.append(f'<path class="depth{" is-deep" if depth >= deep else ""}" d="M{x} {at_margin}V{at_floor}"/>')
            parts += _marks(found, site, x, at_margin)
            if against:
                parts.append(_changed(against.get(tooth.key), depth, site, x, at_floor, up))
    _ended(parts, margin, pocket)
    return "".join(parts)


def _marks(found, site, x, y):
    if found.suppuration[site]:
        yield f'<rect class="pus" x="{x - 4}" y="{y - 4}" width="8" height="8"/>'
    if found.bleeding[site]:
        yield f'<circle class="blood" cx="{x}" cy="{y}" r="3.4"/>'


def _ended(parts, margin, pocket):
    """Draw what the two lines have so far, and begin new ones: an unmeasured site is a gap in them."""
    for name, points in (("margin", margin), ("pocket", pocket)):
        if points:
            parts.append(f'<path class="{name}" d="M{"L".join(f"{x} {y}" for x, y in points)}"/>')
    return [], []


def _changed(before, depth, site, x, at_floor, up):
    old = before.pd[site] if before else None
    if old is None or abs(depth - old) < WORSE:
        return ""
    sign, name = ("▼", "worse") if depth > old else ("▲", "better")
    return f'<text class="change is-{name}" x="{x}" y="{at_floor + (-4 if up else 12)}">{sign}{abs(depth - old)}</text>'


def _sites(tooth, side):
    order = (0, 1, 2) if tooth.is_right else (2, 1, 0)
    return order if side == "facial" else [site + 3 for site in order]


TREND = (("bleeding_percent", "Bleeding", "%"), ("plaque_percent", "Plaque", "%"), ("mean_pd", "Mean depth", "mm"),
         ("sites_ge_5", "Sites of 5 mm and more", ""))


def trends(exams):
    """[(label, unit, svg, [(date, value)])] of the indices over these exams, oldest first; none with fewer than two exams."""
    found = []
    for name, label, unit in TREND if len(exams) > 1 else ():
        points = [(exam.exam_date, getattr(exam.indices, name)) for exam in exams]
        known = [(day, float(value)) for day, value in points if value is not None]
        if len(known) > 1:
            found.append((label, unit, _spark(known, label, unit), points))
    return found


def _spark(points, label, unit):
    days = [day.toordinal() for day, _ in points]
    span, most = max(days) - min(days) or 1, max(value for _, value in points) or 1
    at = [(round(6 + 188 * (day - min(days)) / span, 1), round(46 - 38 * value / most, 1))
          for day, (_, value) in zip(days, points, strict=True)]
    said = ", ".join(f"{day:%b %Y} {value:g}" for day, value in points)
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="3"/>' for x, y in at)
    return mark_safe(  # noqa: S308 (numbers of ours)
        f'<svg class="spark" viewBox="0 0 200 52" role="img" aria-label="{escape(label)}: {said} {unit}">'
        f'<path d="M{"L".join(f"{x} {y}" for x, y in at)}"/>{dots}</svg>')
