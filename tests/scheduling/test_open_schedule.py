"""A new practice gets rooms, providers, hours and kinds of visits by one command, and can book at once."""
import io
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command

from clinic.access.actor import Actor
from clinic.catalogue import load_starter
from clinic.models import Clinic, Operatory, Patient, Provider
from scheduling.models import Appointment, AppointmentType, WorkingHours
from scheduling.openings import Calendar


@pytest.fixture
def new(db):
    clinic = Clinic(name="New Smiles", opened_on=date(2026, 1, 1)).record(by=Actor.system(None))
    load_starter(Actor.system(clinic))
    return clinic


def run(*arguments):
    out = io.StringIO()
    call_command("open_schedule", "--clinic", "New Smiles", *arguments, stdout=out)
    return out.getvalue()


def test_a_visit_can_be_booked_right_after(new):
    run("--dentist", "Dr. Ann Lee", "--hygienist", "Kim Roe", "--operatories", "2")
    by = Actor.system(new)
    patient = Patient.register(by=by, first_name="First", last_name="Patient", date_of_birth=date(1990, 1, 1))
    kind = AppointmentType.objects.get(clinic=new, name="Cleaning and check-up")
    assert {row.procedure_code.code for row in kind.codes.all()} == {"D1110", "D0120"}
    monday = date(2027, 3, 1)
    opening = next(Calendar(new, monday, monday + timedelta(days=1)).openings(kind, patient=patient))
    visit = Appointment.book(
        by=by,
        patient=patient,
        appointment_type=kind,
        starts_at=opening.starts_at,
        operatory=Operatory.objects.get(pk=opening.operatory_id),
        provider=Provider.objects.get(pk=opening.provider_id),
    )
    assert visit.provider_time.count() == 2


def test_running_it_again_adds_only_what_is_new(new):
    run("--dentist", "Dr. Ann Lee")
    assert "0 rows added" in run("--dentist", "Dr. Ann Lee")
    assert "11 rows added" in run("--dentist", "Dr. Ann Lee", "--hygienist", "Kim Roe")
    assert Provider.objects.filter(clinic=new).count() == 2


def test_hours_are_those_that_were_said(new):
    run("--dentist", "Dr. Ann Lee", "--hours", "7:30-12:00")
    assert {str(row) for row in WorkingHours.objects.filter(clinic=new)} == {
        f"Dr. Ann Lee {day} 07:30-12:00" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    }


@pytest.mark.parametrize("hours", ["", "9", "12:00-8:00", "8:00-12:00,11:00-13:00", "noonish-later"])
def test_hours_that_are_none_are_refused(new, hours):
    with pytest.raises(CommandError, match="are no hours"):
        run("--dentist", "Dr. Ann Lee", "--hours", hours)
    assert not Operatory.objects.filter(clinic=new).exists()


def test_an_unknown_clinic_is_said_with_the_known_ones(new):
    with pytest.raises(CommandError, match="New Smiles"):
        call_command("open_schedule", "--clinic", "Old Smiles")
