"""Series: every so many weeks, so many times; the clock on the wall decides, and all of it is booked or nothing."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.db.refusals import Stale
from scheduling.models import Appointment, Series
from scheduling.plans import Line, Plan, shifted, weekly
from scheduling.refusals import OutOfOrder, SomeTaken

ZONES = [
    "America/New_York", "America/Phoenix", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham",
    "America/Sao_Paulo",
]  # fmt: skip


def visits(cast, starts, **more):
    return [
        {"operatory": cast.operatories[0], "provider": cast.drill, "appointment_type": cast.exam, "starts_at": at, **more}
        for at in starts
    ]


@pytest.fixture
def series(cast, at):
    """Four Tuesdays at 10:00, two weeks apart."""
    starts = weekly(date(2026, 12, 1), 2, 4, time(10), cast.clinic.zone)
    return Series.book(by=cast.desk, patient=cast.ada, every_weeks=2, visits=visits(cast, starts))


def starts_of(series):
    zone = series.clinic.zone
    return [f"{row.starts_at.astimezone(zone):%Y-%m-%d %H:%M}" for row in series.standing()]


@pytest.mark.parametrize("name", ZONES)
def test_ten_oclock_stays_ten_oclock_for_two_years(name):
    zone = ZoneInfo(name)
    starts = weekly(date(2026, 11, 24), 1, 104, time(10), zone)
    assert [at.astimezone(zone).strftime("%a %H:%M") for at in starts] == ["Tue 10:00"] * 104
    assert [at.astimezone(zone).date() for at in starts] == [date(2026, 11, 24) + timedelta(weeks=n) for n in range(104)]


@pytest.mark.parametrize(
    ("name", "first", "skipped"),
    [
        ("America/New_York", date(2027, 3, 7), "03:30"),
        ("Europe/London", date(2027, 3, 21), "02:30"),
        ("Australia/Lord_Howe", date(2026, 9, 27), "02:45"),
        ("Pacific/Chatham", date(2026, 9, 20), "03:50"),
    ],
)
def test_in_the_gap_of_spring_the_visit_is_later_on_that_day_alone(name, first, skipped):
    zone = ZoneInfo(name)
    at = {"03:30": time(2, 30), "02:30": time(1, 30), "02:45": time(2, 15), "03:50": time(2, 50)}[skipped]
    shown = [f"{start.astimezone(zone):%H:%M}" for start in weekly(first, 1, 3, at, zone)]
    assert shown == [f"{at:%H:%M}", skipped, f"{at:%H:%M}"]


def test_a_time_that_comes_twice_in_autumn_is_the_first_one():
    zone = ZoneInfo("America/New_York")
    [at] = weekly(date(2027, 11, 7), 1, 1, time(1, 30), zone)
    assert at == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)  # still summer time


def test_moving_by_the_wall_keeps_the_wall_on_both_sides_of_the_change(cast, at):
    zone = cast.clinic.zone
    rows = [Appointment(starts_at=start) for start in weekly(date(2027, 2, 23), 1, 5, time(10), zone)]
    moved = list(shifted(rows, rows[0].starts_at, at("2027-02-25 15:30"), zone))
    assert [start.astimezone(zone).strftime("%a %H:%M") for start in moved] == ["Thu 15:30"] * 5


def test_all_visits_are_booked_in_one_go(cast, series):
    assert starts_of(series) == ["2026-12-01 10:00", "2026-12-15 10:00", "2026-12-29 10:00", "2027-01-12 10:00"]
    assert {row.patient for row in series.standing()} == {cast.ada}
    assert series.every_weeks == 2
    assert str(series) == "every 2 weeks"


def test_one_time_that_is_taken_books_nothing_and_is_named(cast, at):
    Appointment.book(by=cast.desk, patient=cast.grace, **visits(cast, [at("2026-12-08 10:15")])[0])
    starts = weekly(date(2026, 12, 1), 1, 3, time(10), cast.clinic.zone)
    with pytest.raises(SomeTaken) as refused:
        Series.book(by=cast.desk, patient=cast.ada, every_weeks=1, visits=visits(cast, starts))
    assert list(refused.value.taken) == [1]
    assert "Operatory 1 is taken 10:15-10:45" in str(refused.value)
    assert not Series.objects.exists()
    assert not Appointment.objects.filter(patient=cast.ada).exists()


@pytest.mark.parametrize("count", [1, 105])
def test_a_series_has_two_to_104_visits(cast, count):
    starts = weekly(date(2026, 12, 1), 1, count, time(10), cast.clinic.zone)
    with pytest.raises(ValidationError, match="2 to 104"):
        Series.book(by=cast.desk, patient=cast.ada, every_weeks=1, visits=visits(cast, starts))


def test_moving_all_by_a_whole_step_does_not_stand_in_its_own_way(cast, series):
    for days in (14, -14):
        rows = list(series.standing())
        moves = {row: {"starts_at": row.starts_at + timedelta(days=days), "version": row.version} for row in rows}
        series.move(by=cast.desk, moves=moves)
    assert starts_of(series)[0] == "2026-12-01 10:00"
    assert len(starts_of(series)) == 4


def test_a_visit_that_changed_meanwhile_stops_the_whole_move(cast, series):
    rows = list(series.standing())
    rows[2].reschedule(by=cast.desk, note="Bring the retainer")
    moves = {row: {"starts_at": row.starts_at + timedelta(hours=1), "version": 1} for row in rows}
    with pytest.raises(Stale):
        series.move(by=cast.desk, moves=moves)
    assert starts_of(series)[0] == "2026-12-01 10:00"


def test_cancelling_from_the_second_on_leaves_the_first(cast, series):
    second = series.standing()[1]
    cancelled = series.cancel_from(second, by=cast.desk, because="Moved away")
    assert len(cancelled) == 3
    assert starts_of(series) == ["2026-12-01 10:00"]
    with pytest.raises(OutOfOrder):
        series.cancel_from(second, by=cast.desk, because="Again")


def test_cancelling_one_leaves_the_others(cast, series):
    series.standing()[1].cancel(by=cast.desk, because="Ill")
    assert starts_of(series) == ["2026-12-01 10:00", "2026-12-29 10:00", "2027-01-12 10:00"]


@pytest.mark.parametrize("count", [2, 30])
def test_a_plan_takes_the_same_queries_for_any_number_of_visits(cast, at, count):
    Appointment.book(by=cast.desk, patient=cast.grace, **visits(cast, [at("2026-12-08 10:15")])[0])
    starts = weekly(date(2026, 12, 1), 1, count, time(10), cast.clinic.zone)
    lines = [Line(start, 30, cast.operatories[0], cast.drill) for start in starts]
    plan = Plan(cast.clinic, cast.ada, cast.exam, lines)
    with CaptureQueriesContext(connection) as queries:
        plan.look()
    assert len(queries) == 6  # chairs, patients, providers, blocks, hours, exceptions
    assert list(plan.taken) == [1]
    assert plan.open == 1
    assert plan.outside == set()


def posted(page):
    """The fields of the plan's form, as a browser would send them."""
    fields = {"line": re.findall(r'name="line" value="([^"]+)"', page)}
    for name in ("patient", "appointment_type", "minutes", "every_weeks", "note", "place", "once", "csrfmiddlewaretoken"):
        found = re.search(rf'name="{name}" value="([^"]*)"', page.partition('id="plan"')[2])
        if found:
            fields[name] = found[1]
    return fields


def test_the_desk_decides_line_by_line_and_books_the_rest(cast, at, desk_client):
    Appointment.book(by=cast.desk, patient=cast.grace, **visits(cast, [at("2026-12-08 10:15")])[0])
    Appointment.book(by=cast.desk, patient=cast.grace, **visits(cast, [at("2026-12-15 10:15")])[0])
    plan = desk_client.post("/visits/book/", {
        "patient": cast.ada.pk, "appointment_type": cast.exam.pk, "provider": cast.drill.pk,
        "operatory": cast.operatories[0].pk, "day": "2026-12-01", "time": "10:00", "times": 4, "every_weeks": 1,
        "note": "Wire check"}).content.decode()  # fmt: skip
    assert "2 times are taken" in plan
    assert not Series.objects.exists()
    slot = re.search(r'name="slot" value="([^"]+)"', plan)[1]
    plan = desk_client.post("/visits/series/", {**posted(plan), "slot": slot}).content.decode()
    assert "1 time is taken" in plan
    plan = desk_client.post("/visits/series/", {**posted(plan), "leave": 2}).content.decode()
    assert "Book 3 visits" in plan
    answer = desk_client.post("/visits/series/", {**posted(plan), "book": 1})
    series = Series.objects.get()
    assert answer["Location"] == f"/series/{series.pk}/"
    assert [start[:10] for start in starts_of(series)] == ["2026-12-01", "2026-12-08", "2026-12-22"]
    assert {row.note for row in series.standing()} == {"Wire check"}
    assert desk_client.get(f"/series/{series.pk}/").content.decode().count("data-href") == 3


@pytest.fixture
def plan_of_three(cast, desk_client):
    return desk_client.post("/visits/book/", {
        "patient": cast.ada.pk, "appointment_type": cast.exam.pk, "provider": cast.drill.pk,
        "operatory": cast.operatories[0].pk, "day": "2026-12-01", "time": "10:00", "minutes": 40, "times": 3, "every_weeks": 1,
        "note": "Wire check"}).content.decode()  # fmt: skip


def left_out(desk_client, plan, *places):
    for place in places:
        plan = desk_client.post("/visits/series/", {**posted(plan), "leave": place}).content.decode()
    return plan


def test_one_visit_that_is_left_of_a_series_is_booked_by_itself_with_all_that_was_chosen(cast, at, desk_client, plan_of_three):
    plan = left_out(desk_client, plan_of_three, 0, 2)
    assert "One visit is left." in plan
    assert 'name="book"' not in plan
    [(slot, action)] = re.findall(r'name="slot" value="([^"]+)" formaction="([^"]+)"', plan)
    answer = desk_client.post(action, {**posted(plan), "slot": slot})
    assert answer["Location"] == f"/patients/{cast.ada.pk}/"
    visit = Appointment.objects.get()
    assert (visit.starts_at, visit.minutes, visit.note, visit.series) == (at("2026-12-08 10:00"), 40, "Wire check", None)
    assert (visit.provider, visit.operatory) == (cast.drill, cast.operatories[0])


def test_fewer_than_two_visits_are_no_series_and_the_plan_stays(desk_client, plan_of_three):
    plan = left_out(desk_client, plan_of_three, 0, 2)
    answer = desk_client.post("/visits/series/", {**posted(plan), "book": 1})
    assert answer.status_code == 422
    again = answer.content.decode()
    assert "A series has 2 to 104 visits." in again
    assert posted(again)["line"] == posted(plan)["line"]
    none = left_out(desk_client, again, 1)
    assert "Every visit is left out." in none
    assert "Book" not in none.partition('id="plan"')[2].partition("Back, book nothing")[0]


def test_a_visit_beyond_five_years_is_refused_and_the_plan_stays(desk_client, plan_of_three):
    far = {**posted(plan_of_three), "book": 1}
    far["line"] = [line.replace("2026-12-08", "2099-12-08") for line in far["line"]]
    answer = desk_client.post("/visits/series/", far)
    assert answer.status_code == 422
    assert "five years ahead" in answer.content.decode()
    assert posted(answer.content.decode())["line"] == far["line"]
    assert not Series.objects.exists()


def test_a_plan_that_is_asked_for_again_by_its_address_begins_anew(series, desk_client):
    first = series.standing()[0]
    assert desk_client.get("/visits/series/")["Location"] == "/visits/book/"
    assert desk_client.get(f"/visits/{first.pk}/move-series/")["Location"] == f"/visits/{first.pk}/move/"


def test_a_time_taken_between_plan_and_booking_shows_the_plan_again(cast, at, desk_client):
    fields = {
        "patient": cast.ada.pk, "appointment_type": cast.exam.pk, "provider": cast.drill.pk,
        "operatory": cast.operatories[0].pk, "day": "2026-12-01", "time": "10:00", "times": 3, "every_weeks": 1, "note": "",
    }  # fmt: skip
    plan = desk_client.post("/visits/book/", fields).content.decode()
    Appointment.book(by=cast.desk, patient=cast.grace, **visits(cast, [at("2026-12-08 10:00")])[0])
    answer = desk_client.post("/visits/series/", {**posted(plan), "book": 1})
    assert "Operatory 1 is taken" in answer.content.decode()
    assert not Series.objects.exists()


def test_this_and_all_that_follow_move_from_the_form(cast, series, desk_client):
    second = series.standing()[1]
    plan = desk_client.post(f"/visits/{second.pk}/move/", {
        "appointment_type": cast.exam.pk, "provider": cast.drill.pk, "operatory": cast.operatories[1].pk,
        "day": "2026-12-16", "time": "14:00", "minutes": 30, "version": second.version, "scope": "all"}).content.decode()
    assert "Move 3 visits" in plan
    answer = desk_client.post(f"/visits/{second.pk}/move-series/", {**posted(plan), "book": 1})
    assert answer.status_code == 302
    assert starts_of(series) == ["2026-12-01 10:00", "2026-12-16 14:00", "2026-12-30 14:00", "2027-01-13 14:00"]
    assert [row.operatory.name for row in series.standing()] == ["Operatory 1"] + ["Operatory 2"] * 3


def test_only_this_visit_moves_when_that_is_chosen(cast, series, desk_client):
    first = series.standing()[0]
    answer = desk_client.post(f"/visits/{first.pk}/move/", {
        "appointment_type": cast.exam.pk, "provider": cast.drill.pk, "operatory": cast.operatories[0].pk,
        "day": "2026-12-02", "time": "11:00", "minutes": 30, "version": first.version, "scope": "one"})
    assert answer.status_code == 302
    assert starts_of(series) == ["2026-12-02 11:00", "2026-12-15 10:00", "2026-12-29 10:00", "2027-01-12 10:00"]


def test_this_and_all_that_follow_are_cancelled_from_the_form(cast, series, desk_client):
    third = series.standing()[2]
    answer = desk_client.post(f"/visits/{third.pk}/cancel/", {"reason": "Treatment is over", "scope": "all"})
    assert answer["Location"] == f"/series/{series.pk}/"
    assert starts_of(series) == ["2026-12-01 10:00", "2026-12-15 10:00"]


def test_lines_that_no_page_sends_are_not_found(cast, desk_client):
    fields = {"patient": cast.ada.pk, "appointment_type": cast.exam.pk}
    stranger = cast.outsider.operatories[0].pk
    for line in ("", "x|y", f"2026-12-01T15:00:00+00:00|30|{stranger}|{cast.drill.pk}||in||"):
        assert desk_client.post("/visits/series/", {**fields, "line": line}).status_code == 404
    assert desk_client.post("/visits/series/", fields).status_code == 404


def test_a_refusal_on_a_page_of_its_own_carries_its_own_number(cast, desk_client):
    line = f"2026-12-01T15:00:00+00:00|60|{cast.operatories[2].pk}|{cast.holly.pk}|{cast.holly.pk}|in||"
    answer = desk_client.post(
        "/visits/series/", {"patient": cast.ada.pk, "appointment_type": cast.cleaning.pk, "line": line})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Holly Hygiene treats here" in page
    assert "Error 422" in page


def test_a_series_without_its_weeks_is_asked_for_them(cast, desk_client):
    answer = desk_client.post("/visits/book/", {
        "patient": cast.ada.pk, "appointment_type": cast.exam.pk, "provider": cast.drill.pk,
        "operatory": cast.operatories[0].pk, "day": "2026-12-01", "time": "10:00", "times": 4})
    assert answer.status_code == 422
    assert "after how many weeks" in answer.content.decode()
