"""What stands in the demo practice, planted once for all these tests, which change nothing in it."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from charting.models import ClinicalNote, NoteTemplate
from clinic.access.hats import hats_of
from clinic.models import Account, MedicalHistory, Patient, PortalAccess, ProcedureCode, Provider, User
from config.demo.passwords import DEMO_PASSWORD
from scheduling.models import Appointment, Block, HoursException, VisitStep
from tests.config.planting import planted, run
from treatment.models import CodeRule, Consent, Procedure, TreatmentPlan

pytestmark = pytest.mark.wide

SIGN_INS = "desk coordinator assistant hygienist dentist ortho therapist biller manager coach patient".split()
Status = Appointment.Status


@pytest.fixture(scope="module")
def planted_once(django_db_setup, django_db_blocker):
    """In a transaction around those of the tests; it goes with it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield planted()
        transaction.set_rollback(True)


@pytest.fixture
def demo(db, planted_once):
    """The three clinics by key."""
    return planted_once


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


def test_visits_of_the_past_have_signed_notes_and_some_wait_for_their_author(demo):
    notes = ClinicalNote.objects.filter(clinic=demo["harbour"].clinic).select_related("appointment")
    signed = [note for note in notes if note.is_signed]
    assert len(signed) > 0.8 * len(notes) > 0
    assert all(note.is_intact and note.appointment.patient_id == note.patient_id for note in signed)
    assert any(note.cosigned_by_id for note in signed)
    assert {note.kind for note in notes} >= {"hygiene", "progress"}
    assert {row.kind for row in NoteTemplate.objects.filter(clinic=demo["harbour"].clinic)} >= {"phone", "administrative"}


def test_coded_plans_stand_at_every_step_and_all_they_say_holds(demo):
    clinic, today = demo["harbour"].clinic, demo["harbour"].clinic.today()
    plans, work = TreatmentPlan.objects.filter(clinic=clinic), Procedure.objects.filter(clinic=clinic)
    assert {"draft", "proposed", "accepted", "completed", "declined"} <= set(plans.values_list("status", flat=True))
    for row in (*plans, *work.select_related("finding", "plan", "appointment")):
        row.full_clean(exclude=row._unexamined())
    assert not work.filter(completed_on__gt=today).exists()
    assert all(row.finding.is_open for row in work if row.is_open and not row.plan.is_over)
    assert all(row.is_intact for row in Consent.objects.filter(clinic=clinic))
    assert not Consent.objects.filter(clinic=clinic, signed_at__gt=timezone.now()).exists()
    assert all(row.appointment.patient_id == row.patient_id for row in work if row.appointment_id)
    assert CodeRule.objects.filter(clinic=clinic).exists()


def test_a_demo_that_is_there_is_no_error(demo):
    assert "there already" in run(patients=40)


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
