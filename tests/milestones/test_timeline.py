"""The drawing: what stands where, in words too, and nothing that people typed becomes markup."""
import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from milestones.forecast import Likely
from milestones.timeline import LABELS, RIGHT, WIDTH, Course, Visited, drawn, strip

START, TODAY = date(2026, 1, 15), date(2026, 7, 1)
DONE = Course("Bonding", "achieved", date(2026, 2, 15), date(2026, 2, 10))
LATE = Course("Alignment", "late", date(2026, 5, 1), date(2026, 6, 1))
OVERDUE = Course("Closure", "overdue", date(2026, 6, 10))
OPEN = Course("Debond", "open", date(2027, 9, 1), likely=Likely(date(2027, 11, 1), date(2027, 9, 15), date(2028, 1, 5), 24))


def draw(*courses, visits=(), end=None, today=TODAY):
    return drawn("Milestones", courses, visits, start=START, end=end, today=today)


def test_it_is_well_formed_and_says_itself_in_a_sentence():
    text = draw(DONE, LATE, OVERDUE, OPEN, visits=[Visited(date(2026, 3, 1), "kept")], end=date(2027, 10, 1))
    root = ElementTree.fromstring(text)
    said = root.findtext("{http://www.w3.org/2000/svg}desc") or root.findtext("desc")
    assert said.startswith("2 of 4 milestones achieved, 1 of them late, 1 overdue.")
    assert "The table below says the same." in said


def test_everything_stands_within_the_drawing_and_in_the_order_of_time():
    text = draw(DONE, LATE, OVERDUE, OPEN)
    places = {name: float(x) for name, x in re.findall(r'<g class="course-row is-(\w+)">.*?course-target" d="M([\d.]+) ', text)}
    assert list(places) == ["achieved", "late", "overdue", "open"]
    assert LABELS < places["achieved"] < places["late"] < places["overdue"] < places["open"] < WIDTH - RIGHT
    assert 'class="course-slip"' in text
    assert 'class="course-range"' in text


@pytest.mark.parametrize("years", [0, 1, 3, 12, 60])
def test_the_scale_has_few_lines_however_long_it_takes(years):
    text = draw(DONE, Course("End", "open", date(2026 + years, 12, 1)))
    assert 2 <= text.count("course-scale") <= 14


def test_names_are_shortened_and_are_no_markup():
    text = draw(Course("<script>alert(1)</script> & a very long name of a milestone", "open", date(2026, 8, 1)))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    ElementTree.fromstring(text)


def test_without_a_day_a_milestone_has_a_row_and_no_mark():
    text = draw(Course("Sometime", "open"), DONE)
    assert text.count('class="course-row') == 2
    assert text.count("course-target") == 1


def test_without_milestones_nothing_is_drawn():
    assert draw() == ""
    assert strip([]) == ""


def test_the_small_one_has_a_dot_for_each():
    text = strip([DONE, LATE, OVERDUE, OPEN] * 10)
    assert text.count("<circle") == 40
    ElementTree.fromstring(text)


def test_a_plan_of_one_day_still_has_a_span():
    ElementTree.fromstring(drawn("x", [Course("Now", "open", START)], [], start=START, end=START, today=START + timedelta(days=0)))
