"""The course of a plan, drawn over months: what was due when, what was achieved, what is late, what is likely, and the visits under
it. The table under the drawing says the same; here nothing is asked of the database."""
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from django.utils.formats import date_format
from django.utils.safestring import mark_safe

from clinic.dates import months_after

WIDTH, LABELS, RIGHT, TOP, ROW, FOOT = 1000, 236, 24, 30, 26, 34
STEPS = (1, 2, 3, 6, 12, 24, 60, 120)  # months between two lines of the scale
MOST_LINES = 13
LONGEST_NAME = 36
MARGIN = timedelta(days=10)
# A stroke for a visit that was kept, a cross for a missed one, a ring for one to come, a dot where nobody said what came of it.
VISIT = {
    "kept": "M{x} {y}m0 -5v10", "missed": "M{x} {y}m-4 -4l8 8m0 -8l-8 8", "coming": "M{x} {y}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
    "open": "M{x} {y}m-1.5 0h3"}
# What stands in the dot of a small one, so that it is told without colour too.
SIGN = {
    "achieved": "l2.4 2.6l4.4 -5.2", "late": "l2.4 2.6l4.4 -5.2m-9 7h11", "overdue": "m3 -4v5m0 2.2v.4",
    "gone": "m0 -3l6 6m0 -6l-6 6", "cancelled": "m0 -3l6 6m0 -6l-6 6"}


@dataclass(frozen=True)
class Course:
    """A milestone as it is drawn. `state`: achieved, late (achieved after its day), overdue, open, gone (missed, deferred),
    cancelled."""

    name: str
    state: str
    target: date | None = None
    achieved: date | None = None
    likely: object = None  # a forecast.Likely


@dataclass(frozen=True)
class Visited:
    """A visit under it. `state`: kept, missed, coming, open (nobody said what came of it)."""

    day: date
    state: str


def drawn(title, courses, visits, *, start, end, today, is_over=False):
    """The drawing; empty without milestones. `end`: the plan's target end, if it has one. Of a plan that is over (`is_over`),
    `today` is the day on which it ended."""
    if not courses:
        return ""
    first, last = _span(courses, visits, start, end, today)
    at = _scale(first, last)
    height = TOP + ROW * len(courses) + FOOT
    bottom = height - FOOT
    parts = [f'<svg class="course-chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
             f"<title>{escape(title)}</title><desc>{escape(_said(courses))} The table below says the same.</desc>"]
    year = None
    for day in _lines(first, last):
        x, year, said = at(day), day.year, date_format(day, "M" if day.year == year else "M Y")
        parts.append(f'<path class="course-grid" d="M{x} {TOP - 6}V{bottom}"/>'
                     f'<text class="course-scale" x="{x}" y="14">{said}</text>')
    for number, course in enumerate(courses):
        parts += _row(course, TOP + ROW * number + ROW / 2, at, today)
    if end:
        parts.append(f'<path class="course-end" d="M{at(end)} {TOP - 6}V{bottom}"><title>To end by {_day(end)}</title></path>')
    parts.append(f'<path class="course-today" d="M{at(today)} {TOP - 10}V{bottom + 8}"/>'
                 f'<text class="course-today-name" x="{at(today)}" y="{height - 2}">{"Ended" if is_over else "Today"}</text>')
    y = bottom + 12
    parts.append(f'<text class="course-name is-quiet" x="0" y="{y + 4}">Visits</text>')
    parts += [f'<path class="course-visit is-{visit.state}" d="{VISIT[visit.state].format(x=at(visit.day), y=y)}">'
              f"<title>{_day(visit.day)}, {visit.state}</title></path>" for visit in visits]
    return mark_safe("".join(parts) + "</svg>")  # noqa: S308 (numbers of ours, texts escaped)


def strip(courses):
    """All in one line, small, for the patient's page: a dot each, in order."""
    if not courses:
        return ""
    step = min(28, 440 / len(courses))
    width = round(step * len(courses) + 8)
    parts = [f'<svg class="dots" viewBox="0 0 {width} 20" role="img" aria-label="{escape(_said(courses))}">'
             f'<path d="M6 10H{width - 8}"/>']
    for number, course in enumerate(courses):
        x = round(8 + step * number, 1)
        parts.append(f'<circle class="is-{course.state}" cx="{x}" cy="10" r="6"><title>{escape(_words(course))}</title></circle>')
        if course.state in SIGN:
            parts.append(f'<path class="sign is-{course.state}" d="M{x - 3:.1f} 10{SIGN[course.state]}"/>')
    return mark_safe("".join(parts) + "</svg>")  # noqa: S308 (numbers of ours, texts escaped)


def _row(course, y, at, today):
    name = course.name if len(course.name) <= LONGEST_NAME else f"{course.name[:LONGEST_NAME - 1]}…"
    yield (f'<g class="course-row is-{course.state}"><title>{escape(_words(course))}</title>'
           f'<path class="course-base" d="M{LABELS} {y}H{WIDTH - RIGHT}"/>')
    yield f'<text class="course-name" x="0" y="{y + 4}">{escape(name)}</text>'
    reached = course.achieved or (today if course.state == "overdue" else None)
    if course.target and reached and reached > course.target:
        yield f'<path class="course-slip" d="M{at(course.target)} {y}H{at(reached)}"/>'
    if course.likely:
        if course.likely.has_range:
            yield (f'<rect class="course-range" x="{at(course.likely.first)}" y="{y - 4}" height="8" rx="4" '
                   f'width="{max(at(course.likely.last) - at(course.likely.first), 2):.1f}"/>')
        yield f'<circle class="course-likely" cx="{at(course.likely.day)}" cy="{y}" r="5"/>'
    if course.target:
        x = at(course.target)
        yield f'<path class="course-target" d="M{x} {y - 6}l6 6l-6 6l-6 -6z"/>'
    if course.achieved:
        x = at(course.achieved)
        yield f'<circle class="course-done" cx="{x}" cy="{y}" r="6.5"/><path class="course-tick" d="M{x - 3} {y}l2.2 2.4l4 -4.6"/>'
    yield "</g>"


def _span(courses, visits, start, end, today):
    days = [start, today, *(visit.day for visit in visits), *([end] if end else [])]
    for course in courses:
        days += [day for day in (course.target, course.achieved, course.likely and course.likely.day,
                                 course.likely and course.likely.last) if day]
    first, last = min(days), max(days)
    return first.replace(day=1), max(last, first + timedelta(days=60)) + MARGIN


def _scale(first, last):
    wide, days = WIDTH - LABELS - RIGHT, (last - first).days
    return lambda day: round(LABELS + wide * (day - first).days / days, 1)


def _lines(first, last):
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next((each for each in STEPS if months // each < MOST_LINES), STEPS[-1])
    return [months_after(first, number) for number in range(0, months + 1, step)]


def _said(courses):
    """In one sentence: how many are reached, late, overdue."""
    count = {state: sum(course.state == state for course in courses) for state in ("achieved", "late", "overdue", "cancelled")}
    reached = count["achieved"] + count["late"]
    said = f"{reached} of {len(courses) - count['cancelled']} milestones achieved"
    said += f", {count['late']} of them late" if count["late"] else ""
    return said + (f", {count['overdue']} overdue." if count["overdue"] else ".")


def _words(course):
    said = [course.name]
    if course.target:
        said.append(f"due {_day(course.target)}")
    if course.achieved:
        said.append(f"achieved {_day(course.achieved)}")
    if course.likely:
        said.append(f"likely {_day(course.likely.day)}")
    return ", ".join(said)


def _day(day):
    return date_format(day, "j M Y")
