"""Rates as drawings: what became of the milestones of each group, and how long they took. Every figure stands in the table too."""
from html import escape

from django.utils.safestring import mark_safe

WIDTH, LABELS, FIGURES = 960, 250, 70  # of the drawing, of the names on its left, of the figures on its right
ROW, BAR = 26, 16
LONGEST_NAME = 34  # letters
# (what it is called, its class) in the order of a bar
PARTS = [("on time", "is-on-time"), ("late", "is-late"), ("missed", "is-missed"), ("not yet", "is-open")]


def outcomes(rows):
    """A bar for each (name, Rate): on time, late, missed, not yet, its length the number of milestones."""
    return _bars("What became of them", [
        (name, [each.on_time, each.late, each.missed, each.total - each.achieved - each.missed], f"{each.percent} %")
        for name, each in rows], PARTS)


def durations(rows):
    """A bar for each (name, Rate) whose milestones took a time: the average days."""
    return _bars("Average days", [
        (name, [each.average_days], f"{each.average_days:g}") for name, each in rows if each.average_days], [("days", "is-days")])


def _bars(title, rows, parts):
    """`rows`: [(name, [figures in the order of the parts], what is written at the end)]; empty for none."""
    longest = max((sum(figures) for _, figures, _ in rows), default=0)
    if not longest:
        return ""
    scale, drawn = (WIDTH - LABELS - FIGURES) / longest, []
    for number, (name, figures, end) in enumerate(rows):
        x, y = LABELS, number * ROW + (ROW - BAR) / 2
        said = ", ".join(f"{figure:g} {label}" for (label, _), figure in zip(parts, figures, strict=True) if figure)
        short = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME - 1]}…"
        drawn.append(f'<g><title>{escape(name)}: {said or "none"}</title>'
                     f'<text class="rate-name" x="{LABELS - 10}" y="{y + BAR - 4:g}">{escape(short)}</text>')
        for (_, kind), figure in zip(parts, figures, strict=True):
            if figure:
                drawn.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:g}" width="{figure * scale:.1f}" height="{BAR}"/>')
                x += figure * scale
        drawn.append(f'<text class="rate-figure" x="{x + 8:.1f}" y="{y + BAR - 4:g}">{end}</text></g>')
    return mark_safe(  # noqa: S308 (escaped above, numbers of ours)
        f'<svg class="rate-chart" viewBox="0 0 {WIDTH} {len(rows) * ROW}" role="img" '
        f'aria-label="{title}. The table has every figure."><title>{title}</title>{"".join(drawn)}</svg>')
