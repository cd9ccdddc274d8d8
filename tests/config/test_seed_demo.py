from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError
from django.db import transaction
from django.utils import timezone

from clinic.models import Account, Clinic, MedicalHistory, Patient, User
from config.demo import checks, visits
from config.demo.passwords import DEMO_PASSWORD
from scheduling import slots
from scheduling.models import Appointment, HoursException, ProviderTime, VisitStep
from tests.config.planting import planted, run

pytestmark = pytest.mark.wide

Status = Appointment.Status


class TakenBack(Exception):
    """Rolls a planted demo back."""


def fingerprint(**values):
    """What a demo consists of; the demo itself is taken back."""
    try:
        with transaction.atomic():
            clinics = [house.clinic for house in planted(**{"patients": 20, "years": 0.3, **values}).values()]
            found = [
                sorted(map(str, model.objects.filter(clinic__in=clinics).values_list(*columns))) for model, columns in (
                    (Patient, ("id", "chart_number", "first_name", "last_name", "date_of_birth", "phone", "created_at")),
                    (Appointment, ("id", "patient", "provider__name", "starts_at", "status", "status_at", "cancel_reason")),
                    (VisitStep, ("appointment", "status", "at")), (Account, ("id", "name", "holder")),
                    (MedicalHistory, ("id", "number", "reviewed_on")), (HoursException, ("id", "date", "reason")))]
            found.append([version.content for version in MedicalHistory.objects.filter(clinic__in=clinics).order_by("pk")])
            raise TakenBack
    except TakenBack:
        return found


def test_the_same_seed_makes_the_same_people_visits_and_keys_and_another_one_others(db):
    now = timezone.now()
    found = fingerprint(now=now)
    assert found == fingerprint(now=now)
    assert found[0] != fingerprint(now=now, seed=2)[0]


@pytest.mark.parametrize("moment", [
    datetime(2026, 11, 20, 3, 30, tzinfo=UTC),
    datetime(2026, 11, 26, 13, tzinfo=UTC),  # Thanksgiving
    datetime(2026, 11, 1, 16, tzinfo=UTC),  # a Sunday on which the clocks go back
])
def test_today_is_busy_at_every_hour_of_every_day_and_shows_every_state(db, moment):
    house = planted(now=moment, patients=60, years=0.3)["harbour"]
    today = Appointment.objects.filter(clinic=house.clinic).between(
        *(slots.midnight(house.today + timedelta(days=n), house.clinic.zone) for n in (0, 1)))
    assert set(today.values_list("status", flat=True)) == set(Status.values)
    assert today.count() >= 9
    assert not today.filter(status_at__gt=moment).exists()


# The bulk shape


def columns(row, *own):
    return {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name not in own}


@pytest.mark.parametrize("verbs", [
    [], ["confirm"], ["check_in", "seat"], ["confirm", "check_in", "seat", "complete"],
    ["check_in", "seat", "complete", "check_out"], ["cancel"], ["confirm", "no_show"],
])
def test_a_visit_made_in_bulk_has_the_shape_of_a_booked_one(cast, at, verbs):
    starts_at, now = at("2026-12-01 9:00"), timezone.now().replace(microsecond=0)
    reason = {"because": "Patient is ill"} if "cancel" in verbs else {}
    booked = Appointment.book(
        by=cast.desk, patient=cast.ada, operatory=cast.operatories[0], provider=cast.holly, appointment_type=cast.cleaning,
        starts_at=starts_at, note="window seat")
    steps = [(Status.SCHEDULED, booked.status_at, cast.desk.user.pk)]
    for number, verb in enumerate(verbs):
        moment = now + timedelta(minutes=number + 1) if "check_in" not in verbs else starts_at + timedelta(minutes=12 * number)
        getattr(booked, verb)(by=cast.desk, now=moment, **(reason if verb == "cancel" else {}))
        steps.append((booked.status, moment, cast.desk.user.pk))
    as_verbs = shape(booked)

    visit, times, its_steps = visits.build(
        id=None, clinic=cast.clinic, patient_id=cast.grace.pk, operatory=cast.operatories[1], provider=cast.holly,
        appointment_type=cast.cleaning, starts_at=starts_at + timedelta(days=1), ends_at=starts_at + timedelta(days=1, hours=1),
        steps=[(status, at_ + timedelta(days=1), who) for status, at_, who in steps], doctor=cast.drill, note="window seat",
        **reason)
    visit.id = Appointment._meta.pk.get_default()
    visits.write([(visit, times, its_steps)], cast.desk)

    assert shape(visit, earlier=timedelta(days=1)) == as_verbs


def shape(visit, earlier=timedelta(0)):
    """Everything of a visit but whose it is, in which chair, and how often it was saved."""
    visit = Appointment.objects.get(pk=visit.pk)
    own = columns(visit, "id", "patient", "operatory", "version", "created_at", "updated_at")
    whole = {name: value - earlier if isinstance(value, datetime) else value for name, value in own.items()}
    times = ProviderTime.objects.filter(appointment=visit).order_by("starts_at", "provider")
    steps = VisitStep.objects.filter(appointment=visit)
    return whole, [
        (time.provider_id, time.starts_at - earlier, time.ends_at - earlier, time.is_shared) for time in times
    ], [(step.status, step.at - earlier, step.by_id) for step in steps]


# When it is refused


def test_a_database_with_a_clinic_is_left_alone(cast):
    with pytest.raises(CommandError, match="holds a clinic already"):
        run(patients=40)
    assert not Clinic.objects.filter(name="Hafenpraxis Hamburg").exists()


def test_with_demo_off_nothing_is_planted(db, settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO is off"):
        run()


def test_a_demo_user_where_demo_is_off_fails_the_system_check(cast, settings):
    user = User.objects.create_user("stray@demo.example", DEMO_PASSWORD, name="Stray", is_demo=True)
    settings.DEMO = True
    assert checks.no_demo_where_it_is_off(databases=["default"]) == []
    settings.DEMO = False
    assert [error.id for error in checks.no_demo_where_it_is_off(databases=["default"])] == ["config.E001"]
    user.disable(by=cast.system, because="No demo here")
    assert checks.no_demo_where_it_is_off(databases=["default"]) == []
