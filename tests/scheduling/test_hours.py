"""Days that differ: vacations, closed days, public holidays of the region; booked visits are told."""

from datetime import date, time

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scheduling.models import HoursException
from scheduling.models.hours import public_holidays
from scheduling.openings import Calendar


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


def days(rows):
    return [row.date for row in rows]


def test_a_week_away_is_five_rows_and_nobody_books_the_provider_then(cast):
    rows = HoursException.set_days(
        by=cast.manager, provider=cast.drill, first_day=date(2026, 12, 7), last_day=date(2026, 12, 11), reason="Vacation")
    assert days(rows) == [date(2026, 12, day) for day in range(7, 12)]
    calendar = Calendar(cast.clinic, date(2026, 12, 7), date(2026, 12, 12))
    openings = calendar.openings(cast.exam, provider_id=cast.drill.pk)
    free = {opening.starts_at.astimezone(cast.clinic.zone).date() for opening in openings}
    assert free == {date(2026, 12, 12)}


def test_what_is_set_anew_replaces_what_stood_there(cast):
    one = {"by": cast.manager, "provider": cast.drill, "first_day": date(2026, 12, 7), "last_day": date(2026, 12, 7)}
    HoursException.set_days(**one, reason="Vacation")
    HoursException.set_days(**one, reason="Only the morning", starts=time(8), ends=time(12))
    row = HoursException.objects.filter(clinic=cast.clinic).current().get()
    assert (row.reason, row.hours) == ("Only the morning", "8:00-12:00 only")


@pytest.mark.parametrize(("first", "last"), [(date(2026, 12, 7), date(2026, 12, 6)), (date(2026, 1, 1), date(2027, 6, 1))])
def test_days_are_in_order_and_a_year_at_most(cast, first, last):
    with pytest.raises(ValidationError):
        HoursException.set_days(by=cast.manager, first_day=first, last_day=last, reason="x")


def test_public_holidays_follow_country_and_region(cast):
    cast.clinic.change(by=cast.manager, country="US", region="")
    assert public_holidays(cast.clinic, 2027)[date(2027, 7, 5)].startswith("Independence Day")
    cast.clinic.country, cast.clinic.region = "DE", "BY"
    assert public_holidays(cast.clinic, 2027)[date(2027, 1, 6)]  # Epiphany, in Bavaria only
    cast.clinic.region = "BE"
    assert date(2027, 1, 6) not in public_holidays(cast.clinic, 2027)
    cast.clinic.region = "XX"
    assert public_holidays(cast.clinic, 2027) == {}


def test_holidays_are_kept_once(cast):
    rows = HoursException.keep_holidays(by=cast.manager, year=2027)
    assert len(rows) == len(public_holidays(cast.clinic, 2027)) > 5
    assert HoursException.keep_holidays(by=cast.manager, year=2027) == []


def test_a_manager_closes_days_and_is_told_of_visits_booked_then(cast, manager, book):
    book("2026-12-08 9:00")
    answer = manager.post("/practice/hours/", {
        "provider": cast.drill.pk, "first_day": "12/7/2026", "last_day": "12/11/2026", "reason": "Vacation"}, follow=True)
    page = answer.content.decode()
    assert "5 days set." in page
    assert "1 visit is booked on these days." in page
    assert page.count('aria-label="Take back') == 5


def test_another_providers_visits_are_not_counted(cast, manager, book):
    book("2026-12-08 9:00")
    page = manager.post("/practice/hours/", {
        "provider": cast.bridge.pk, "first_day": "12/8/2026", "reason": "Ill"}, follow=True).content.decode()
    assert "booked on these days" not in page


def test_a_day_is_taken_back(cast, manager):
    row = HoursException.set_days(
        by=cast.manager, first_day=date(2026, 12, 7), last_day=date(2026, 12, 7), reason="Inventory")[0]
    manager.post(f"/practice/hours/{row.pk}/lift/")
    assert not HoursException.objects.filter(clinic=cast.clinic).current().exists()


def test_holidays_are_added_with_one_press(cast, manager):
    page = manager.get("/practice/hours/?year=2027").content.decode()
    assert "of 2027 are not entered" in page
    page = manager.post("/practice/hours/holidays/", {"year": 2027}, follow=True).content.decode()
    assert "All of 2027 are entered." in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"first_day": "", "reason": "x"}, "required"),
        ({"first_day": "12/7/2026", "last_day": "12/6/2026", "reason": "x"}, "lies before"),
        ({"first_day": "12/7/2026", "starts": "9:00", "reason": "x"}, "both times"),
        ({"first_day": "12/7/2026", "starts": "9:00", "ends": "8:00", "reason": "x"}, "end before they start"),
    ],
)
def test_what_makes_no_sense_is_told_and_what_was_typed_stays(manager, values, said):
    answer = manager.post("/practice/hours/", values)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert 'value="x"' in answer.content.decode()


@pytest.mark.parametrize("count", [1, 30])
def test_the_year_takes_the_same_queries_for_any_number_of_days(cast, manager, count):
    HoursException.set_days(
        by=cast.manager, provider=cast.drill, first_day=date(2026, 11, 1), last_day=date(2026, 11, count), reason="Away")
    with CaptureQueriesContext(connection) as queries:
        manager.get("/practice/hours/?year=2026")
    assert len(queries) == 2 + 3  # sign-in; days that differ, the week, choices of the form
