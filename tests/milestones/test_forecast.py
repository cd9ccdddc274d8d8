"""What is likely: by hand-computed cases, by the practice's history, and back-tested over it."""
from datetime import date, timedelta

import pytest

from milestones.forecast import FEWEST, forecast, ways_to
from milestones.models import Milestone

CASES = [{"bond": bond, "debond": bond + way} for bond, way in ((20, 600), (25, 650), (30, 700), (35, 750), (40, 800))]


def test_with_nothing_done_the_days_of_the_cases_are_taken_from_the_start():
    found = ways_to(["bond"], {}, {}, CASES, 0)["bond"]
    assert (found.days, found.cases) == (30, 5)
    assert (found.first, found.last) == (22, 38)  # tenths of 20, 25, 30, 35, 40


def test_after_the_anchor_only_the_way_from_it_counts():
    found = ways_to(["debond"], {"bond": 30}, {}, CASES, 60)["debond"]
    assert found.days == 30 + 700
    assert (found.first, found.last) == (30 + 620, 30 + 780)


def test_a_plan_that_goes_slower_is_expected_to_go_on_slower_but_its_pace_is_drawn_to_one():
    # bonded after 60 instead of 30 days: pace 2 of one milestone, against 3 that weigh for 1: (1 x 2 + 3) / 4 = 1.25
    found = ways_to(["debond"], {"bond": 60}, {}, CASES, 60)["debond"]
    assert found.days == 60 + 700 * 1.25


def test_what_other_cases_reached_faster_than_this_one_has_waited_is_left_out():
    many = [{"bond": 30, "debond": 30 + way} for way in (500, 510, 520, 700, 710, 720, 730, 740)]
    found = ways_to(["debond"], {"bond": 30}, {}, many, 30 + 600)["debond"]
    assert (found.days, found.cases) == (30 + 720, 8)  # of 700 to 740


def test_it_is_never_expected_earlier_than_today():
    found = ways_to(["debond"], {"bond": 30}, {}, CASES, 30 + 1000)["debond"]
    assert found.days == 30 + 1000


@pytest.mark.parametrize("count", range(FEWEST))
def test_with_too_few_cases_the_plans_own_days_at_its_own_pace_are_told_without_a_range(count):
    found = ways_to(["debond"], {"bond": 60}, {"bond": 30, "debond": 730}, CASES[:count], 60)["debond"]
    assert (found.first, found.last, found.cases) == (None, None, count)
    assert found.days == 60 + 700 * 1.25


def test_what_neither_cases_nor_days_tell_of_is_left_out():
    assert ways_to(["debond"], {"bond": 60}, {}, [], 60) == {}


@pytest.fixture
def history(cast, draw_up):
    """Six finished plans; each reached the second standard milestone 100 to 150 days after the first."""
    for number in range(6):
        start = cast.clinic.today() - timedelta(days=900)
        plan = draw_up(f"Case {number}", start_date=start, treatment_type="COMPREHENSIVE").activate(by=cast.dentist)
        first, second = plan.milestones.in_order()[:2]
        first.achieve(by=cast.dentist, on=start)
        second.achieve(by=cast.dentist, on=start + timedelta(days=100 + 10 * number))
        plan.complete(by=cast.dentist)


def test_the_practices_history_of_the_same_kind_is_what_it_rests_on(cast, draw_up, history, today):
    plan = draw_up(treatment_type="COMPREHENSIVE").activate(by=cast.dentist)
    rows = list(plan.milestones.in_order())
    rows[0].achieve(by=cast.dentist)
    likely = forecast(plan, list(plan.milestones.in_order()), today)
    told = likely[rows[1].pk]
    assert (told.day, told.cases) == (today + timedelta(days=125), 6)
    assert (told.first, told.last) == (today + timedelta(days=105), today + timedelta(days=145))
    assert likely[rows[2].pk].first is None  # nobody reached it yet
    assert rows[0].pk not in likely
    other = draw_up("Implant", treatment_type="IMPLANT").activate(by=cast.dentist)
    assert {each.cases for each in forecast(other, list(other.milestones.in_order()), today).values()} == {0}


def test_the_forecast_asks_one_question_however_many_cases_there_are(
        cast, draw_up, history, today, django_assert_num_queries):
    plan = draw_up(treatment_type="COMPREHENSIVE").activate(by=cast.dentist)
    rows = list(plan.milestones.in_order())
    with django_assert_num_queries(2):
        forecast(plan, rows, today)


def test_a_plan_that_does_not_run_has_no_forecast(plan, cast, today):
    plan.discontinue(by=cast.dentist)
    assert forecast(plan, list(Milestone.objects.filter(plan=plan)), today) == {}


def test_the_day_is_counted_from_the_plans_start(cast, draw_up):
    plan = draw_up(start_date=date(2026, 1, 1), treatment_type="GENERAL").activate(by=cast.dentist)
    rows = list(plan.milestones.in_order())
    likely = forecast(plan, rows, date(2026, 1, 1))
    assert [likely[row.pk].day for row in rows] == [row.target_date for row in rows]
