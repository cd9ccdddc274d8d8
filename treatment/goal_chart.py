"""How a goal went over time, drawn: ratings of 1 to 10, and values where they are numbers. Every point stands in a table too."""
from dataclasses import dataclass
from html import escape
from math import floor, log10

from django.utils.formats import date_format
from django.utils.safestring import mark_safe

from treatment.progress import number

WIDTH, HEIGHT = 640, 180
LEFT, RIGHT, TOP, BOTTOM = 44, 104, 12, 26
SPARK_WIDTH, SPARK_HEIGHT = 96, 24
HIGHEST_RATING = 10


@dataclass(frozen=True)
class Chart:
    """A drawing with its points in words: [(date, figure)]."""

    title: str
    svg: str
    points: list


def charts_of(goal, course, entries):
    """The Charts of a goal. `entries`: its GoalProgress, oldest first. One point alone shows no course, but its distance to the
    target."""
    zone = goal.clinic.zone
    days = [(entry.at.astimezone(zone).date(), entry) for entry in entries]
    ratings = [(day, entry.rating) for day, entry in days if entry.rating is not None]
    if goal.measure:
        told = course.measures.course(goal.measure, course.plan.start_date)
        title, values = goal.get_measure_display(), [(day, float(figure)) for day, figure in told]
    else:
        title, values = "Value", [
            (day, float(figure)) for day, entry in days if (figure := number(entry.progress_value)) is not None]
    lines = [(label, float(figure)) for label, text in (("Baseline", goal.baseline_value), ("Target", goal.target_value))
             if (figure := number(text)) is not None]
    found = []
    if values:
        figures = [value for _, value in (*values, *lines)]
        low, high = 0.0 - _round_up(-min(figures)), _round_up(max(figures))
        found.append(_chart(title, values, low, high if high > low else 1.0, lines))
    if ratings:
        found.append(_chart("Rating, 1 to 10", ratings, 0, HIGHEST_RATING))
    return found


def spark(ratings):
    """The course of ratings, small, for a row; nothing for fewer than two."""
    if len(ratings) < 2:
        return ""
    step = (SPARK_WIDTH - 8) / (len(ratings) - 1)
    at = [(round(4 + step * place, 1), _height(rating, 0, HIGHEST_RATING, 3, SPARK_HEIGHT - 3))
          for place, rating in enumerate(ratings)]
    said = f"Ratings: {', '.join(str(rating) for rating in ratings[-12:])}"
    return mark_safe(  # noqa: S308 (numbers of ours)
        f'<svg class="goal-spark" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" role="img" aria-label="{said}"><title>{said}</title>'
        f'<path d="M{"L".join(f"{x} {y}" for x, y in at)}"/><circle cx="{at[-1][0]}" cy="{at[-1][1]}" r="2.5"/></svg>')


def _chart(title, points, low, high, lines=()):
    first, last = points[0][0], points[-1][0]
    left, right, bottom = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    at = [(round(left + (right - left) * place, 1), _height(value, low, high, TOP, bottom))
          for place, (_, value) in zip(_places(points), points, strict=True)]
    said = f"{points[-1][1]:g} on {_day(last)}."
    if len(points) > 1:
        said = f"From {points[0][1]:g} on {_day(first)} to {said}"
    parts = [f'<svg class="goal-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
             f"<title>{escape(title)}</title><desc>{escape(said)} Every point stands in the table below.</desc>"]
    for level in (low, (low + high) / 2, high):
        y = _height(level, low, high, TOP, bottom)
        parts.append(f'<path class="grid" d="M{left} {y}H{right}"/><text class="scale" x="{left - 8}" y="{y + 4}">{level:g}</text>')
    for label, value in lines:
        y = _height(value, low, high, TOP, bottom)
        parts.append(f'<path class="is-{label.lower()}" d="M{left} {y}H{right}"/>'
                     f'<text class="mark-line" x="{right + 8}" y="{y + 4}">{label} {value:g}</text>')
    parts.append(f'<path class="course" d="M{"L".join(f"{x} {y}" for x, y in at)}"/>')
    parts += [f'<circle class="point" cx="{x}" cy="{y}" r="4"><title>{_day(day)}: {value:g}</title></circle>'
              for (x, y), (day, value) in zip(at, points, strict=True)]
    ends = ((left, first, "start"), (right, last, "end")) if last > first else (((left + right) / 2, last, "middle"),)
    parts += [f'<text class="day" x="{x}" y="{HEIGHT - 6}" text-anchor="{anchor}">{_day(day)}</text>' for x, day, anchor in ends]
    return Chart(title, mark_safe("".join(parts) + "</svg>"), points)  # noqa: S308 (numbers of ours, texts escaped)


def _round_up(figure):
    """The next figure that a scale ends at: 1, 2, 3, 5 or 10 with noughts; 0 stays 0."""
    if figure <= 0:
        return 0.0
    unit = 10.0 ** floor(log10(figure))
    return next(step * unit for step in (1, 2, 3, 5, 10) if step * unit >= figure * 0.999999)


def _places(points):
    """Where each point stands between left (0) and right (1): by its day; those of one day alone side by side."""
    first, last = points[0][0], points[-1][0]
    if last > first:
        return [(day - first).days / (last - first).days for day, _ in points]
    return [(number + 0.5) / len(points) for number in range(len(points))]


def _height(value, low, high, top, bottom):
    return round(bottom - (bottom - top) * (value - low) / (high - low), 1)


def _day(day):
    return date_format(day, "j M Y")
