"""Free time: working hours less breaks, exceptions, blocks and visits; right on the days the clock changes too."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from scheduling import slots
from scheduling.models import Block, HoursException
from scheduling.offers import described, spread
from scheduling.openings import Calendar, fitting, nearest

DAY = date(2026, 12, 1)


def starts(cast, kind=None, day=DAY, **asked):
    calendar = Calendar(cast.clinic, day, day)
    return [
        row.starts_at.astimezone(cast.clinic.zone).strftime("%H:%M")
        for row in calendar.openings(kind or cast.exam, **asked)
    ]


def test_a_free_day_offers_every_ten_minutes_but_the_break(cast):
    found = starts(cast, provider_id=cast.drill.pk)
    assert found[0] == "08:00"
    assert "11:30" in found
    assert "11:40" not in found  # would run into the break at 12:00
    assert "12:00" not in found
    assert found[-1] == "16:30"


def test_only_those_who_may_do_it_are_offered(cast):
    calendar = Calendar(cast.clinic, DAY, DAY)
    assert {row.provider_id for row in calendar.openings(cast.cleaning)} == {cast.holly.pk}


def test_a_hygiene_visit_needs_a_dentists_look_too(cast, at):
    for dentist in (cast.drill, cast.bridge):
        Block.place(
            by=cast.desk,
            provider=dentist,
            starts_at=at("2026-12-01 8:00"),
            ends_at=at("2026-12-01 10:00"),
            title="Meeting",
        )
    found = starts(cast, cast.cleaning)
    assert found[0] == "09:20"  # the look at 10:00 is the first that a dentist has


def test_the_patients_own_dentist_is_offered_first(cast):
    calendar = Calendar(cast.clinic, DAY, DAY)
    cast.grace.change(by=cast.desk, primary_provider=cast.bridge)
    first = next(calendar.openings(cast.cleaning, patient=cast.grace))
    assert first.doctor_id == cast.bridge.pk


def test_buffers_keep_the_chair(cast, book):
    book("2026-12-01 9:00", appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])
    calendar = Calendar(cast.clinic, DAY, DAY)
    rooms = {
        row.starts_at.astimezone(cast.clinic.zone).strftime("%H:%M"): row.operatory_id
        for row in calendar.openings(cast.cleaning, provider_id=cast.holly.pk)
    }
    assert rooms["10:00"] != cast.operatories[2].pk  # that room is cleaned until 10:10
    assert rooms["10:10"] == cast.operatories[2].pk


def test_a_hygienist_is_offered_the_hygiene_room_first(cast):
    first = next(Calendar(cast.clinic, DAY, DAY).openings(cast.cleaning))
    assert first.operatory_id == cast.operatories[2].pk


def test_the_patients_other_visits_are_kept_free(cast, book):
    book("2026-12-01 9:00", provider=cast.bridge, operatory=cast.operatories[1])
    assert "09:00" not in starts(cast, provider_id=cast.drill.pk, patient=cast.ada)
    assert "09:00" in starts(cast, provider_id=cast.drill.pk, patient=cast.grace)


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        ({"provider": True, "reason": "Ill"}, []),
        (
            {"provider": True, "starts": time(10), "ends": time(11), "reason": "Short day"},
            ["10:00", "10:10", "10:20", "10:30"],
        ),
        ({"reason": "Holiday"}, []),
        ({"starts": time(8), "ends": time(9), "reason": "Early close"}, ["08:00", "08:10", "08:20", "08:30"]),
    ],
)
def test_exceptions_change_the_day(cast, exception, expected):
    if exception.pop("provider", False):
        exception["provider"] = cast.drill
    HoursException(date=DAY, **exception).record(by=cast.manager)
    assert starts(cast, provider_id=cast.drill.pk) == expected


def test_part_of_the_day_and_length_are_kept(cast):
    found = starts(cast, provider_id=cast.drill.pk, part_of_day="afternoon", minutes=120)
    assert (found[0], found[-1]) == ("13:00", "15:00")


def test_what_is_offered_can_be_booked(cast, book):
    book("2026-12-01 9:00")
    book("2026-12-01 13:00", patient=cast.grace, provider=cast.bridge, operatory=cast.operatories[1])
    calendar = Calendar(cast.clinic, DAY, DAY)
    for number, opening in enumerate(list(calendar.openings(cast.exam, patient=cast.ada))[::9]):
        visit = book(
            starts_at=opening.starts_at,
            provider={cast.drill.pk: cast.drill, cast.bridge.pk: cast.bridge}[opening.provider_id],
            operatory=next(row for row in cast.operatories if row.pk == opening.operatory_id),
        )
        visit.cancel(by=cast.desk, because=f"Only tried {number}")


def test_the_nearest_free_times_stand_around_the_wanted_one(cast, book, at):
    book("2026-12-01 9:00")
    found, _ = nearest(cast.clinic, cast.exam, at("2026-12-01 9:00"), provider_id=cast.drill.pk)
    assert [row.starts_at.astimezone(cast.clinic.zone).strftime("%H:%M") for row in found] == [
        "08:30",
        "09:30",
        "08:20",
    ]


def test_whoever_is_free_at_that_time_is_found(cast, book, at):
    book("2026-12-01 9:00")
    found = fitting(cast.clinic, cast.exam, at("2026-12-01 9:00"), patient=cast.grace)
    assert found.provider_id == cast.bridge.pk
    assert fitting(cast.clinic, cast.exam, at("2026-12-01 9:05"), patient=cast.grace).starts_at == at("2026-12-01 9:05")
    assert fitting(cast.clinic, cast.exam, at("2026-12-01 12:00")) is None


@pytest.mark.parametrize(("days", "queries"), [(1, 7), (7, 7), (8, 10), (30, 10)])
def test_looking_takes_seven_queries_for_a_week_and_ten_for_any_longer_time(
    cast, django_assert_num_queries, days, queries
):
    cast.clinic.zone, cast.exam  # loaded
    with django_assert_num_queries(queries):
        list(Calendar(cast.clinic, DAY, DAY + timedelta(days=days)).openings(cast.exam))


def test_a_late_afternoon_in_the_west_stands_under_its_own_day(cast):
    cast.clinic.change(by=cast.manager, time_zone="America/Los_Angeles")
    calendar = Calendar(cast.clinic, DAY, DAY)
    found = [row for row in calendar.openings(cast.exam) if row.starts_at.date() > DAY]  # by UTC it is tomorrow already
    assert found
    assert {row["starts_at"].date() for row in described(found, calendar)} == {DAY}
    with timezone.override(cast.clinic.zone):
        assert len(spread(calendar.openings(cast.exam))) == 3  # of one day


NEW_YORK = ZoneInfo("America/New_York")


def test_on_the_short_day_the_gap_is_skipped_and_nine_is_nine(cast):
    day = date(2026, 3, 8)
    assert slots.wall(day, time(2, 30), NEW_YORK).astimezone(NEW_YORK).hour == 3
    assert starts(cast, provider_id=cast.drill.pk, day=day)[0] == "08:00"


def test_on_the_long_day_the_first_of_the_doubled_hours_is_meant(cast):
    day = date(2026, 11, 1)
    assert slots.wall(day, time(1, 30), NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert starts(cast, provider_id=cast.drill.pk, day=day)[0] == "08:00"


@given(st.integers(0, (1 << 300) - 1), st.integers(1, 60))
def test_runs_of_free_ticks_are_exactly_those(free, count):
    wanted = sum(1 << n for n in range(300) if all(free >> (n + k) & 1 for k in range(count)))
    assert slots.starts_of_runs(free, count) == wanted


@given(st.integers(0, 1500), st.integers(1, 600))
def test_busy_time_is_rounded_outward_and_free_time_inward(start, length):
    origin = datetime(2026, 12, 1, tzinfo=UTC)
    span = (origin + timedelta(minutes=start), origin + timedelta(minutes=start + length))
    busy, free = slots.span_bits(*span, origin), slots.span_bits(*span, origin, outward=False)
    assert busy | free == busy
    assert list(slots.ticks_of(busy)) == list(range(start // 5, -(-(start + length) // 5)))
