"""Live measures against cases computed by hand, and the roll-up of progress over any tree."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from scheduling.models import Appointment
from treatment.course import course_of
from treatment.measures import Measures
from treatment.models import Goal
from treatment.progress import number, roll_up, share_of_way, summary, weighted, whole


@pytest.fixture
def standing(cast, care, goal):
    """`standing(measure=…, baseline_value=…)`: (percent, value now, source) of such a goal."""

    def stands(**values):
        made = goal(**values)
        course = course_of(care)
        shown = next(row for row in course.goals if row.pk == made.pk)
        return course.percent(shown), course.now(shown), course.source(shown)

    return stands


@pytest.mark.parametrize(("measure", "baseline", "target", "percent", "now"), [
    ("bleeding_percent", "50", "0", 33, "33.33"),  # 2 of 6 sites bleed; a third of the way from 50 to 0
    ("bleeding_percent", "50 %", "10%", 42, "33.33"),  # 16.67 of 40
    ("bleeding_percent", "20", "10", 0, "33.33"),  # worse than at the start
    ("bleeding_percent", "60", "40", 100, "33.33"),  # better than was aimed at
    ("plaque_percent", "100", "0", 50, "50"),  # 3 of 6
    ("sites_ge_5", "4", "0", 75, "1"),  # one pocket is left of four
])  # fmt: skip
def test_a_goal_follows_the_newest_exam(cast, standing, examine, measure, baseline, target, percent, now):
    examine(bleeding=6, plaque=6, deep=4, days_ago=60)
    examine(bleeding=2, plaque=3, deep=1, days_ago=3)
    found = standing(measure=measure, baseline_value=baseline, target_value=target)
    assert found == (percent, now, f"periodontal exam of {cast.clinic.today() - timedelta(days=3):%Y-%m-%d}")


def test_an_exam_that_is_not_closed_tells_nothing(standing, examine):
    examine(bleeding=6, closed=False)
    assert standing(measure="bleeding_percent", baseline_value="50", target_value="0") == (0, "", "no periodontal exam yet")


def test_without_an_exam_the_goal_stands_at_its_rating_and_its_written_value(standing, goal, care):
    assert standing(
        measure="bleeding_percent", baseline_value="50", target_value="0", current_value="about half", progress_percentage=20,
    ) == (20, "about half", "no periodontal exam yet")  # fmt: skip


@pytest.mark.parametrize(
    ("baseline", "target"), [("10", "10"), ("a lot", "10"), ("50", "none"), ("", ""), ("NaN", "0"), ("1e999999999", "0")])
def test_no_way_to_go_leaves_the_figure_and_the_goals_own_progress(standing, examine, baseline, target):
    examine(bleeding=3)
    found = standing(measure="bleeding_percent", baseline_value=baseline, target_value=target, progress_percentage=30)
    assert found[:2] == (30, "50")


def test_kept_appointments_are_counted_since_the_plan_began(cast, care, book, standing, at):
    today = cast.clinic.today()
    for hour, status in ((8, "checked_out"), (10, "no_show"), (13, "checked_out"), (15, "checked_out")):
        Appointment.take_over(
            by=cast.system, patient=cast.ada, operatory=cast.operatories[0], provider=cast.drill, appointment_type=cast.exam,
            starts_at=at(f"{today - timedelta(days=5)} {hour}:00"), status=status, because="x")  # fmt: skip
    assert standing(measure="kept_percent", baseline_value="0", target_value="100") == (0, "", f"no visit since {today}")
    care.revise(by=cast.dentist, start_date=today - timedelta(days=9))
    since = today - timedelta(days=9)
    assert standing(measure="kept_percent", baseline_value="50", target_value="100") == (50, "75", f"visits since {since}")


def test_a_visit_cancelled_ahead_of_its_day_counts_on_its_day(cast, care, book, standing):
    book("2027-12-01 9:00").cancel(by=cast.desk, because="Travels")
    assert standing(measure="kept_percent", baseline_value="0", target_value="100")[1] == ""


def test_a_live_goal_is_not_moved_by_a_typed_rating(cast, goal, care, examine):
    examine(bleeding=3)
    row = goal(measure="bleeding_percent", baseline_value="100", target_value="0")
    row.record_progress(by=cast.dentist, progress_note="Says all is well", rating=10)
    assert course_of(care).percent(row) == 50


def test_the_course_of_a_measure_is_told_exam_by_exam(cast, examine):
    today = cast.clinic.today()
    examine(bleeding=6, days_ago=200)
    examine(bleeding=3, days_ago=20)
    told = Measures(cast.ada).course("bleeding_percent", today)
    assert [(day, float(figure)) for day, figure in told] == [
        (today - timedelta(days=200), 100.0), (today - timedelta(days=20), 50.0)]  # fmt: skip


def test_exams_of_a_merged_patient_count(cast, examine, care, goal):
    examine(bleeding=3)
    cast.ada.merge_into(cast.grace, by=cast.manager, because="One person")
    cast.ada.refresh_from_db()
    care.refresh_from_db()
    row = goal(measure="bleeding_percent", baseline_value="100", target_value="0")
    assert course_of(type(care).objects.get(pk=care.pk)).percent(row) == 50


@pytest.mark.parametrize(("text", "figure"), [
    ("12", 12), (" 12.5 % ", 12.5), ("12,5", 12.5), ("-3", -3), ("12 of 20", None), ("", None), ("NaN", None),
    ("1e999999999", None), ("9" * 40, None)])  # fmt: skip
def test_a_value_is_a_number_when_it_is_one_and_of_a_length_that_can_be_meant(text, figure):
    assert number(text) == figure


# The roll-up


@dataclass
class Row:
    pk: int
    parent_id: int | None
    status: str
    priority: int
    progress_percentage: int


@st.composite
def trees(draw):
    """Goals of any shape: each hangs under one before it or stands on top, or under one that is not here."""
    count = draw(st.integers(0, 25))
    return [Row(
        key, draw(st.sampled_from([None, *range(key), 999])), draw(st.sampled_from(Goal.Status.values)),
        draw(st.integers(1, 9)), draw(st.integers(0, 100))) for key in range(count)]  # fmt: skip


RATINGS = st.dictionaries(st.integers(0, 24), st.integers(1, 10))
MEASURED = st.dictionaries(st.integers(0, 24), st.fractions(0, 100))


@pytest.mark.wide
@given(trees(), RATINGS, MEASURED)
def test_no_goal_and_no_plan_leaves_0_to_100(goals, ratings, measured):
    shares = roll_up(goals, ratings, measured)
    assert set(shares) == {goal.pk for goal in goals}
    assert all(0 <= share <= 100 for share in shares.values())
    found = summary(goals, shares)
    assert 0 <= found.overall_progress <= 100
    assert found.achieved + found.in_progress + found.not_started == found.total_goals


@pytest.mark.wide
@given(trees(), RATINGS, MEASURED, st.randoms())
def test_the_order_of_goals_makes_no_difference(goals, ratings, measured, chance):
    mixed = [*goals]
    chance.shuffle(mixed)
    assert roll_up(mixed, ratings, measured) == roll_up(goals, ratings, measured)
    assert summary(mixed, roll_up(mixed, ratings, measured)) == summary(goals, roll_up(goals, ratings, measured))


@pytest.mark.wide
@given(trees(), RATINGS, MEASURED)
def test_discontinued_goals_count_nowhere(goals, ratings, measured):
    """Above them and in the whole all is as if they, and what hangs under them alone, were not there."""
    gone = {goal.pk for goal in goals if goal.status == "discontinued"}
    kept = [goal for goal in goals if goal.pk not in gone]
    without = roll_up(kept, ratings, measured)
    whole_tree = roll_up(goals, ratings, measured)
    assert {goal.pk: whole_tree[goal.pk] for goal in kept} == without
    assert summary(goals, whole_tree) == summary(kept, without)


@pytest.mark.wide
@given(st.lists(st.tuples(st.integers(1, 9), st.fractions(0, 100)), min_size=1))
def test_an_average_lies_between_its_least_and_its_most(parts):
    shares = [share for _, share in parts]
    assert min(shares) <= weighted(parts) <= max(shares)


def test_a_weight_is_one_by_the_priority():
    """By hand: 100 at priority 1 and 0 at priority 4: 100 / 1.25 = 80."""
    goals = [Row(0, None, "in_progress", 1, 0), Row(1, 0, "in_progress", 1, 100), Row(2, 0, "in_progress", 4, 0)]
    assert roll_up(goals)[0] == 80
    assert weighted([(0, Fraction(10)), (1, Fraction(20))]) == 15  # a priority below 1 counts as 1
    assert weighted([]) is None


@pytest.mark.wide
@given(st.fractions(0, 100))
def test_half_is_rounded_up_once(share):
    assert whole(share) in (int(share), int(share) + 1)
    assert whole(Fraction(1, 2)) == 1


@pytest.mark.wide
@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_any_text_gives_a_share_or_none(baseline, target, now):
    share = share_of_way(baseline, target, now)
    assert share is None or 0 <= share <= 100


@pytest.mark.wide
def test_recomputing_200_goals_costs_what_two_cost(cast, care, goal, examine):
    examine(bleeding=2)
    bound = {"measure": "bleeding_percent", "baseline_value": "50", "target_value": "0"}
    top = goal(**bound)
    goal("short_term", parent=top, **bound)
    with CaptureQueriesContext(connection) as few:
        course_of(care)
    plan = Goal.objects.filter(plan=care)
    for _ in range(66):
        below = goal("short_term", parent=top)
        goal("objective", parent=below, **bound)
        goal("objective", parent=below)
    with CaptureQueriesContext(connection) as many:
        course = course_of(care)
    assert plan.count() == len(course.goals) == 200
    assert len(many) == len(few) <= 5
