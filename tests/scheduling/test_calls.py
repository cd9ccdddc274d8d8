"""Whom to call: who cancelled or missed a visit, and who was here long ago; nothing is booked for either."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from scheduling.models import Appointment
from tests.factories import PatientFactory


def people(cast, count):
    return [PatientFactory(by=cast.desk) for _ in range(count)]


@pytest.fixture
def were_here(cast):
    """`were_here(200, grace)`: a kept visit of each so many days ago; with `status`, one that was cancelled or missed."""

    def make(days, *patients, status="checked_out"):
        return [
            Appointment.take_over(
                by=cast.system, because="x", patient=patient, operatory=cast.operatories[0], provider=cast.bridge,
                appointment_type=cast.exam, starts_at=timezone.now() - timedelta(days=days, hours=place), status=status,
                cancel_reason="Ill" if status == "cancelled" else "")
            for place, patient in enumerate(patients)]  # fmt: skip

    return make


@pytest.mark.parametrize("status", ["no_show", "cancelled"])
def test_who_is_called_about_a_missed_visit_is_not_called_about_the_one_before(cast, were_here, status):
    were_here(200, cast.ada, cast.grace)
    were_here(10, cast.grace, status=status)
    missed, seen = Appointment.objects.to_rebook(timezone.now()), Appointment.objects.last_seen(timezone.now())
    assert [visit.patient for visit in missed] == [cast.grace]
    assert [visit.patient for visit in seen] == [cast.ada]


def test_a_visit_that_was_missed_long_ago_keeps_nobody_off_the_list(cast, were_here):
    were_here(300, cast.grace)
    were_here(150, cast.grace, status="no_show")
    assert [visit.patient for visit in Appointment.objects.last_seen(timezone.now())] == [cast.grace]


def test_the_lists_of_calls_name_what_they_show_on_the_screen_and_in_the_file(cast, were_here, sign_in):
    desk = sign_in("manager")
    were_here(200, cast.ada)
    were_here(10, cast.grace, status="no_show")
    were_here(20, *people(cast, 1), status="cancelled")
    for tab, column, values in (("missed", "Why", ["no-show", "Ill"]), ("unscheduled", "With", ["Dr. Bridge"])):
        page = desk.get(f"/waitlist/{tab}/").content.decode()
        lines = list(csv.DictReader(io.StringIO(desk.get(f"/waitlist/{tab}/?format=csv").getvalue().decode("utf-8-sig"))))
        assert f'<th scope="col">{column}</th>' in page
        assert [line[column.lower()] for line in lines] == values
        assert all(value in page for value in values)


@pytest.mark.parametrize("count", [1, 30])
def test_the_lists_of_calls_take_the_same_queries_for_any_number(cast, were_here, sign_in, count):
    desk = sign_in("receptionist")
    were_here(200, *people(cast, count))
    were_here(10, *people(cast, count), status="no_show")
    for tab in ("missed", "unscheduled"):
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(f"/waitlist/{tab}/").content.count(b"data-href") == count
        assert len(queries) == 4
