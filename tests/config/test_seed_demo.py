import io
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from clinic.access.hats import hats_of
from clinic.models import Account, Clinic, MedicalHistory, Patient, PortalAccess, ProcedureCode, Provider, User
from config.demo import checks, visits
from config.demo.passwords import DEMO_PASSWORD
from config.demo.plant import plant
from scheduling import slots
from scheduling.models import Appointment, Block, HoursException, ProviderTime, VisitStep

pytestmark = pytest.mark.wide

SIGN_INS = "desk coordinator assistant hygienist dentist ortho therapist biller manager coach patient".split()
Status = Appointment.Status


class TakenBack(Exception):
    """Rolls a planted demo back."""


def planted(**values):
    return plant(**{"patients": 40, "years": 1, "seed": 1, "out": io.StringIO(), **values})


@pytest.fixture
def demo(db):
    """The three clinics by key, planted beside the cast."""
    return planted()


def fingerprint(**values):
    """What a demo consists of; the demo itself is taken back."""
    try:
        with transaction.atomic():
            clinics = [house.clinic for house in planted(**values).values()]
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
    assert fingerprint(now=now) == fingerprint(now=now)
    assert fingerprint(now=now, seed=2)[0] != fingerprint(now=now)[0]


def test_a_demo_sign_in_needs_no_second_factor(demo):
    assert {house.clinic.requires_second_factor for house in demo.values()} == {False}


def test_the_practice_is_believable(demo):
    house = demo["harbour"]
    clinic, today = house.clinic, house.today
    assert Counter(row.kind for row in Provider.objects.filter(clinic=clinic)) == {
        "dentist": 2, "hygienist": 2, "orthodontist": 1, "therapist": 1, "assistant": 1}
    assert (len(house.chairs), Patient.objects.filter(clinic=clinic).count()) == (6, 40)
    families = Counter(Patient.objects.filter(clinic=clinic).values_list("account", flat=True))
    assert max(families.values()) >= 3
    assert Patient.objects.filter(clinic=clinic, guarantor_patient__isnull=False).exists()
    days = [visit.starts_at.astimezone(clinic.zone).date() for visit in Appointment.objects.filter(clinic=clinic)]
    assert min(days) < today - timedelta(days=300)
    assert max(days) > today + timedelta(days=60)
    past = Appointment.objects.filter(clinic=clinic, starts_at__lt=house.days.instant(today, 0))
    assert set(past.values_list("status", flat=True)) == {Status.CHECKED_OUT, Status.CANCELLED, Status.NO_SHOW}
    assert Block.objects.filter(clinic=clinic).exists()
    assert HoursException.objects.filter(clinic=clinic, provider=None, reason__contains="Thanksgiving").exists()
    reviews = MedicalHistory.objects.filter(clinic=clinic)
    assert reviews.filter(number__gt=1).exists()
    newest = {version.patient_id: version for version in reviews.order_by("number")}
    assert any(version.is_due(today) for version in newest.values())


def test_every_row_passes_the_checks_that_a_form_makes(demo):
    clinics = [house.clinic for house in demo.values()]
    for patient in Patient.objects.filter(clinic__in=clinics):
        patient.full_clean(exclude=patient._unexamined())
    for visit in Appointment.objects.filter(clinic__in=clinics).select_related("appointment_type", "provider"):
        visit.full_clean(exclude=visit._unexamined())
    assert [visit for block in Block.objects.filter(clinic__in=clinics) for visit in block.visits_in_it()] == []


def test_every_row_has_its_history_and_nothing_happened_after_now(demo):
    for house in demo.values():
        for model in (Patient, Account, Appointment, ProcedureCode):
            rows, history = model.objects.filter(clinic=house.clinic), model.history.filter(clinic=house.clinic)
            assert set(rows.values_list("pk", flat=True)) == set(history.values_list("id", flat=True))
        assert not VisitStep.objects.filter(clinic=house.clinic, at__gt=timezone.now()).exists()
        for visit in Appointment.objects.filter(clinic=house.clinic).prefetch_related("steps"):
            steps = list(visit.steps.all())
            assert steps == sorted(steps, key=lambda step: step.at)
            assert (steps[0].status, steps[-1].status, steps[-1].at) == (Status.SCHEDULED, visit.status, visit.status_at)


@pytest.mark.parametrize("moment", [
    datetime(2026, 11, 20, 3, 30, tzinfo=UTC), datetime(2026, 11, 20, 15, tzinfo=UTC),
    datetime(2026, 11, 22, 18, tzinfo=UTC),  # a Sunday
    datetime(2026, 11, 26, 13, tzinfo=UTC),  # Thanksgiving
    datetime(2027, 1, 1, 4, 59, tzinfo=UTC), datetime(2026, 11, 1, 16, tzinfo=UTC),  # the clocks go back
])
def test_today_is_busy_at_every_hour_of_every_day_and_shows_every_state(db, moment):
    house = planted(now=moment, patients=60, years=0.3)["harbour"]
    today = Appointment.objects.filter(clinic=house.clinic).between(
        *(slots.midnight(house.today + timedelta(days=n), house.clinic.zone) for n in (0, 1)))
    assert set(today.values_list("status", flat=True)) == set(Status.values)
    assert today.count() >= 9
    assert not today.filter(status_at__gt=moment).exists()


# Who signs in


def test_every_demo_sign_in_opens_what_it_should(demo):
    users = {name: User.objects.get(email=f"{name}@demo.example") for name in SIGN_INS}
    assert all(user.is_demo and user.check_password(DEMO_PASSWORD) for user in users.values())
    hats = {name: [(hat.hat, hat.clinic.name, set(hat.roles)) for hat in hats_of(user)] for name, user in users.items()}
    main, second, third = (house.clinic.name for house in demo.values())
    for name, role in {
            "desk": "receptionist", "coordinator": "coordinator", "assistant": "assistant", "hygienist": "hygienist",
            "dentist": "dentist", "ortho": "dentist", "therapist": "dentist", "biller": "biller"}.items():
        assert hats[name] == [("staff", main, {role})]
    assert hats["manager"] == [("staff", main, {"manager"}), ("staff", second, {"manager"})]
    assert sorted(hat[:2] for hat in hats["coach"]) == sorted(("coach", name) for name in (main, second, third))
    assert [hat[:2] for hat in hats["patient"]] == [("portal", main)]
    kinds = dict(Provider.objects.filter(user__email__endswith="@demo.example").values_list("user__email", "kind"))
    assert kinds["ortho@demo.example"] == "orthodontist"
    assert kinds["therapist@demo.example"] == "therapist"


def test_nobody_else_of_the_demo_can_sign_in(demo):
    others = User.objects.filter(is_demo=True).exclude(email__in=[f"{name}@demo.example" for name in SIGN_INS])
    assert others
    assert not any(user.has_usable_password() for user in others)


def test_the_portal_s_patient_has_been_here_and_comes_again(demo):
    patient = PortalAccess.objects.get(user__email="patient@demo.example").patient
    assert patient.appointments.filter(status=Status.CHECKED_OUT).exists()
    assert patient.appointments.upcoming(timezone.now()).exists()


def test_the_sister_clinics_live_by_other_clocks_and_one_numbers_teeth_otherwise(demo):
    clinics = [house.clinic for house in demo.values()]
    assert len({clinic.time_zone for clinic in clinics}) == 3
    assert {(clinic.country, clinic.tooth_numbering) for clinic in clinics} == {("US", "universal"), ("DE", "fdi")}
    for clinic in clinics:
        assert Appointment.objects.filter(clinic=clinic).count() > 10


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


def run(**values):
    out = io.StringIO()
    call_command("seed_demo", **values, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_database_with_a_clinic_is_left_alone(cast):
    with pytest.raises(CommandError, match="holds a clinic already"):
        run(patients=40)
    assert not Clinic.objects.filter(name="Hafenpraxis Hamburg").exists()


def test_a_demo_that_is_there_is_no_error(demo):
    assert "there already" in run(patients=40)


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
