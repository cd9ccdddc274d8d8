"""A milestone is overdue from the clinic's own midnight on, wherever the clinic and its server are."""
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from milestones.models import Milestone

DUE = date(2026, 4, 4)
# Beside an ordinary day each zone's own trap: days that end an hour later or earlier than the one before.
DAYS = [
    ("Pacific/Auckland", DUE), ("Pacific/Auckland", date(2026, 4, 5)), ("Pacific/Auckland", date(2026, 9, 27)),
    ("America/New_York", DUE), ("America/New_York", date(2026, 3, 8)), ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", DUE), ("Australia/Lord_Howe", date(2026, 4, 5)), ("Australia/Lord_Howe", date(2026, 10, 4))]


@pytest.fixture
def due_in(cast, draw_up):
    """`due_in("Pacific/Auckland", day)`: a milestone that is due on that day in a clinic there."""
    def make(zone, day):
        cast.clinic.change(by=cast.system, time_zone=zone)
        plan = draw_up(start_date=day - timedelta(days=30))
        return Milestone.add(by=cast.dentist, plan=plan, name="Bite opened", target_date=day)
    return make


@pytest.mark.parametrize(("zone", "day"), DAYS)
def test_overdue_flips_at_the_clinics_own_midnight(cast, program, due_in, zone, day):
    row, midnight = due_in(zone, day), datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    clerk = program("coordinator")
    for moment, late in ((midnight - timedelta(seconds=1), False), (midnight, True)):
        with time_machine.travel(moment.astimezone(UTC), tick=False):
            assert [each["id"] for each in clerk.get("/milestones/overdue").data["items"]] == [str(row.pk)] * late
            assert [each["id"] for each in clerk.get("/milestones/upcoming?days=0").data["items"]] == [str(row.pk)] * (not late)
            one = clerk.get(f"/milestones/{row.pk}").data
            assert (one["is_overdue"], one["days_late"]) == (late, int(late))
            missed = clerk.post(f"/milestones/{row.pk}/miss")
            assert missed.status_code == (200 if late else 409)


def test_two_clinics_flip_at_midnights_of_their_own(cast, draw_up):
    """At the same moment it is the next day in Auckland and still the day before in New York."""
    plan = draw_up(start_date=DUE - timedelta(days=30))
    row = Milestone.add(by=cast.dentist, plan=plan, name="Bite opened", target_date=DUE)
    with time_machine.travel(datetime(2026, 4, 5, 2, tzinfo=UTC), tick=False):  # 14:00 on the 5th there, 22:00 on the 4th here
        assert not row.is_overdue(cast.clinic.today())
        cast.clinic.time_zone = "Pacific/Auckland"
        assert row.is_overdue(cast.clinic.today())
