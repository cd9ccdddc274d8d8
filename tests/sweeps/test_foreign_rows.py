"""A row of another clinic, or of another patient, is refused by every way in: page, API and admin (SQL: test_relations.py).

The table names for each relation the forms, bodies and admin pages that write it; a relation without one is written by
the server alone and stands in `BY_THE_SERVER`. A new relation fails the first test until it has its line.
"""

import json
from uuid import uuid4

import pytest
from django.apps import apps
from django.urls import reverse

from clinic.models import Patient
from tests.clinic.test_patients import edit_form
from tests.program import Program
from tests.sweeps.test_relations import RELATIONS
from treatment.models import Goal, Procedure

pytestmark = pytest.mark.wide

# Set from the page's own patient, the request's actor, or the record that a verb works on; no form or body names them.
BY_THE_SERVER = {
    "Draft.patient", "Finding.provider", "PerioTooth.exam",
    "Appointment.series", "Block.offer", "ContactAttempt.appointment", "ContactAttempt.patient", "FreedSlot.appointment",
    "FreedSlot.operatory", "FreedSlot.provider", "Offer.entry", "Offer.slot",
    "AccessEvent.patient", "Account.holder", "ApiToken.membership", "ApiToken.patient", "Document.file",
    "Document.back", "MembershipRole.membership", "OfferLetter.link", "OfferLetter.offer", "PatientLink.patient",
    "Reminder.appointment", "Reminder.link", "TimeWish.appointment",
    "HandedOver.origin", "HandedOver.patient", "Unmerge.patient", "Unmerge.survivor",
    "Patient.merged_into", "PortalAccess.patient", "PortalInvitation.access", "PortalLetter.invitation",
    "PortalLetter.link", "ProviderTime.appointment", "StoredFile.drawn_from",
    "VisitStep.appointment",
    "PlanVersion.patient", "PlanVersion.plan", "Phase.plan", "Procedure.patient", "Procedure.phase", "Procedure.procedure_code",
    "Procedure.finding", "Consent.patient", "Consent.plan_version", "Consent.signature", "ConsentedProcedure.patient",
    "ConsentedProcedure.consent", "ConsentWithdrawal.patient", "Goal.patient", "GoalProgress.patient", "GoalIntervention.patient",
    "SessionIntervention.patient", "PlanReview.patient", "ProcedureNote.patient", "ProcedureSession.patient",
    "ProcedureSession.procedure", "ProcedureSession.appointment", "ReviewReminder.plan",
    "MilestoneAlert.patient", "MilestoneAlert.milestone", "MilestoneSnooze.milestone", "NewsMessage.milestone", "NewsMessage.link",
    "Adjustment.patient", "Adjustment.plan", "Adjustment.appointment", "Milestone.patient", "Milestone.template",
    "Task.patient", "TaskUpdate.patient", "TimeEntry.patient", "TimeWithdrawal.patient", "Evidence.patient", "Evidence.attachment",
    "Comment.patient", "Approval.patient", "Approval.milestone",  # by the patient alone
}  # fmt: skip
PLAN, GOAL = {"title": "x", "start_date": "2026-12-01"}, {"goal_type": "short_term", "description": "x"}
PROOF = {"evidence_type": "document", "title": "x", "url": "https://scans.example"}
CONSENT = {"signed_by": "patient", "signature_name": "Ada Lovelace", "explained": "x"}
PAGE = {
    "Patient.account": (
        "/patients/new/",
        {"first_name": "E", "last_name": "N", "date_of_birth": "1990-01-01"},
        "account",
    ),
    "Patient.primary_provider": ("/patients/{ada}/edit/", "patient", "primary_provider"),
    "Patient.primary_hygienist": ("/patients/{ada}/edit/", "patient", "primary_hygienist"),
    "PortalInvitation.patient": (
        "/patients/{foreign}/portal/", {"relationship": "proxy", "name": "x", "email": "x@x.example"}, None),
    "MilestoneNews.patient": ("/patients/{foreign}/milestones/news/", {"overdue": "email"}, None),
    "MedicalHistory.patient": ("/patients/{foreign}/medical-history/review/", {"seen_number": 0}, None),
    "Document.patient": ("/patients/{foreign}/documents/add/", {"kind": "letter"}, None),
    "PerioExam.patient": ("/patients/{foreign}/perio/save/", {"pd-3-facial": "323"}, None),
    "Finding.patient": ("/patients/{foreign}/chart/enter/", {"entry": "14 o caries"}, None),
    "ClinicalNote.patient": ("/patients/{foreign}/notes/new/", {"kind": "exam", "body": "x"}, None),
    "ClinicalNote.appointment": ("/patients/{ada}/notes/new/", {"kind": "exam", "body": "x"}, "appointment"),
    "ClinicalNote.template": ("/patients/{ada}/notes/new/", {"kind": "exam", "body": "x"}, "template"),
    "Addendum.note": ("/notes/{foreign}/addendum/", {"body": "x"}, None),
    "Appointment.patient": ("/visits/book/", "visit", "patient"),
    "Appointment.operatory": ("/visits/book/", "visit", "operatory"),
    "Appointment.provider": ("/visits/book/", "visit", "provider"),
    "Appointment.appointment_type": ("/visits/book/", "visit", "appointment_type"),
    "Feed.provider": ("/feeds/", "feed", "provider"),
    "Feed.operatory": ("/feeds/", "feed", "operatory"),
    "Series.patient": ("/visits/series/", "series", "patient"),
    "WaitlistEntry.patient": ("/waitlist/new/", "entry", "patient"),
    "WaitlistEntry.appointment_type": ("/waitlist/new/", "entry", "appointment_type"),
    "WaitlistEntry.provider": ("/waitlist/new/", "entry", "provider"),
    "WaitlistEntry.appointment": ("/waitlist/new/", "entry", "visit"),
    "Block.operatory": ("/blocks/new/", "block", "operatory"),
    "Block.provider": ("/blocks/new/", "block", "provider"),
    "TreatmentPlan.patient": ("/patients/{foreign}/plans/new/", {"title": "x"}, None),
    "TreatmentPlan.provider": ("/plans/{plan}/team/assign/", {"because": "x"}, "provider"),
    "CareTeamMember.plan": ("/plans/{foreign}/team/add/", {}, None),
    "Procedure.plan": ("/plans/{foreign}/procedures/new/", {"code": "D1110"}, None),
    "Procedure.provider": ("/plans/{plan}/procedures/new/", {"code": "D1110"}, "provider"),
    "Consent.plan": ("/plans/{foreign}/consents/new/", CONSENT, None),
    "Consent.paper": ("/plans/{plan}/consents/new/", CONSENT | {"decision": "given"}, "paper"),
    "ConsentedProcedure.procedure": ("/plans/{plan}/consents/new/", CONSENT | {"decision": "given"}, "procedures"),
    "ConsentWithdrawal.consent": ("/consents/{foreign}/withdraw/", {"because": "x"}, None),
    "Goal.plan": ("/plans/{foreign}/goals/new/", {"description": "x"}, None),
    "GoalProgress.goal": ("/goals/{foreign}/progress/", {"progress_note": "x"}, None),
    "GoalIntervention.goal": ("/goals/{foreign}/interventions/", {}, None),
    "GoalIntervention.intervention": ("/goals/{goal}/interventions/", {}, "chosen"),
    "PlanReview.plan": ("/plans/{foreign}/reviews/new/", {"summary": "x"}, None),
}
API = {
    "Patient.account": ("PATCH", "/patients/{ada}", {}, "account_id"),
    "Patient.guarantor_patient": ("PATCH", "/patients/{ada}", {}, "guarantor.patient_id"),
    "Patient.primary_provider": ("PATCH", "/patients/{ada}", {}, "primary_provider_id"),
    "MedicalHistory.patient": ("POST", "/patients/{foreign}/medical-history", {}, None),
    "PerioExam.patient": ("POST", "/patients/{foreign}/perio-exams", {}, None),
    "PerioExam.provider": ("POST", "/patients/{ada}/perio-exams", {}, "provider_id"),
    "Finding.patient": ("POST", "/patients/{foreign}/findings", {"entry": "14 o caries"}, None),
    "ClinicalNote.patient": ("POST", "/patients/{foreign}/notes", {"kind": "exam", "body": "x"}, None),
    "ClinicalNote.appointment": ("POST", "/patients/{ada}/notes", {"kind": "exam", "body": "x"}, "appointment_id"),
    "ClinicalNote.template": ("POST", "/patients/{ada}/notes", {"kind": "exam", "body": "x"}, "template_id"),
    "Addendum.note": ("POST", "/notes/{foreign}/addenda", {"body": "x"}, None),
    "Appointment.patient": ("POST", "/appointments", "visit", "patient_id"),
    "Appointment.operatory": ("POST", "/appointments", "visit", "operatory_id"),
    "Appointment.provider": ("PATCH", "/appointments/{visit}", {}, "provider_id"),
    "Appointment.appointment_type": ("PATCH", "/appointments/{visit}", {}, "appointment_type_id"),
    "ProviderTime.provider": ("PATCH", "/appointments/{visit}", {}, "provider_time"),
    "TreatmentPlan.patient": ("POST", "/patients/{foreign}/treatment-plans", PLAN, None),
    "TreatmentPlan.provider": ("POST", "/patients/{ada}/treatment-plans", PLAN, "therapist_id"),
    "Procedure.plan": ("POST", "/treatment-plans/{foreign}/procedures", {"code": "D1110"}, None),
    "Procedure.provider": ("POST", "/treatment-plans/{plan}/procedures", {"code": "D1110"}, "provider_id"),
    "Procedure.appointment": ("PATCH", "/procedures/{procedure}", {}, "appointment_id"),
    "ProcedureSession.provider": ("POST", "/procedures/{procedure}/complete", {}, "provider_id"),
    "ProcedureNote.procedure": ("POST", "/patients/{ada}/notes", {"kind": "exam", "body": "x"}, "procedure_ids"),
    "ProcedureNote.note": ("PATCH", "/notes/{foreign}", {"procedure_ids": []}, None),
    "Consent.plan": ("POST", "/treatment-plans/{foreign}/consents", CONSENT | {"procedure_ids": []}, None),
    "Consent.paper": ("POST", "/treatment-plans/{plan}/consents", CONSENT | {"procedure_ids": []}, "document_id"),
    "ConsentedProcedure.procedure": ("POST", "/treatment-plans/{plan}/consents", CONSENT, "procedure_ids"),
    "ConsentWithdrawal.consent": ("POST", "/consents/{foreign}/withdraw", {"reason": "x"}, None),
    "Goal.plan": ("POST", "/treatment-plans/{foreign}/goals", GOAL, None),
    "Goal.parent": ("POST", "/treatment-plans/{plan}/goals", GOAL, "parent_goal_id"),
    "GoalProgress.goal": ("POST", "/goals/{foreign}/progress", {"progress_note": "x"}, None),
    "GoalProgress.appointment": ("POST", "/goals/{goal}/progress", {"progress_note": "x"}, "session_id"),
    "GoalIntervention.goal": ("POST", "/goals/{foreign}/interventions", {"intervention_id": str(uuid4())}, None),
    "GoalIntervention.intervention": ("POST", "/goals/{goal}/interventions", {}, "intervention_id"),
    "SessionIntervention.appointment": (
        "POST", "/appointments/{foreign}/interventions", {"goal_intervention_id": str(uuid4())}, None),
    "SessionIntervention.goal_intervention": ("POST", "/appointments/{visit}/interventions", {}, "goal_intervention_id"),
    "PlanReview.plan": ("POST", "/treatment-plans/{foreign}/review", {"summary": "x"}, None),
    "Milestone.plan": ("POST", "/treatment-plans/{foreign}/milestones", {"milestone_name": "x"}, None),
    "Milestone.phase": ("POST", "/treatment-plans/{plan}/milestones", {"milestone_name": "x"}, "phase_id"),
    "Milestone.goal": ("POST", "/treatment-plans/{plan}/milestones", {"milestone_name": "x"}, "goal_id"),
    "Task.milestone": ("POST", "/milestones/{foreign}/tasks", {"title": "x"}, None),
    "TaskUpdate.task": ("POST", "/tasks/{foreign}/updates", {"note": "x"}, None),
    "TimeEntry.task": ("POST", "/tasks/{foreign}/time-entries", {"started_at": "2026-01-05T09:00:00Z", "minutes": 5}, None),
    "TimeWithdrawal.entry": ("POST", "/time-entries/{foreign}/withdraw", {"reason": "x"}, None),
    "Evidence.milestone": ("POST", "/milestones/{foreign}/evidence", PROOF, None),
    **{f"Evidence.{kind}": ("POST", "/milestones/{milestone}/evidence", PROOF | {"record": {"type": kind}}, "record.id")
       for kind in ("note", "perio_exam", "procedure", "document")},
    "Comment.milestone": ("POST", "/milestones/{foreign}/comments", {"body": "x"}, None),
    "Comment.parent": ("POST", "/milestones/{milestone}/comments", {"body": "x"}, "parent_id"),
}
ADMIN = {
    "WorkingHours.provider": (
        "scheduling_workinghours",
        {"weekday": 6, "starts": "18:00", "ends": "19:00"},
        "provider",
    ),
    "HoursException.provider": ("scheduling_hoursexception", {"date": "12/31/2026", "reason": "x"}, "provider"),
    "Fee.procedure_code": ("clinic_feeschedule", "fees", "fees-0-procedure_code"),
    "Fee.schedule": ("clinic_feeschedule", "foreign", None),
    "AppointmentTypeCode.procedure_code": ("scheduling_appointmenttype", "codes", "codes-0-procedure_code"),
    "AppointmentTypeCode.appointment_type": ("scheduling_appointmenttype", "foreign", None),
    "MilestoneTemplate.milestone_set": ("milestones_milestoneset", "foreign", None),
    "CodeRule.procedure_code": ("treatment_coderule", {"condition": "crown"}, "procedure_code"),
}


def name_of(model, field):
    return f"{model.__name__}.{field.name}"


def test_every_relation_has_its_line():
    assert {name_of(*each) for each in RELATIONS} == BY_THE_SERVER | set(PAGE) | set(API) | set(ADMIN)


class House:
    """Two furnished clinics, and what the forms would send."""

    def __init__(self, cast, visit):
        self.cast, self.visit = cast, visit

    def foreign(self, name):
        _model, field = next(each for each in RELATIONS if name_of(*each) == name)
        return field.related_model._base_manager.filter(clinic=self.cast.outsider.clinic).last()

    def pointing(self, name, foreign):
        """How many rows of our clinic point to that foreign row."""
        model, field = next(each for each in RELATIONS if name_of(*each) == name)
        return model._base_manager.filter(clinic=self.cast.clinic, **{field.name: foreign}).count()

    def address(self, path, foreign):
        own = self.cast.ada
        work = Procedure.objects.get(patient=own, status="in_progress")
        goal = Goal.objects.get(patient=own, goal_type="short_term")
        return path.format(
            ada=own.pk, visit=self.visit.pk, foreign=foreign.pk, plan=work.plan_id, procedure=work.pk, goal=goal.pk,
            milestone=work.plan.milestones.last().pk)

    def data(self, kind):
        cast = self.cast
        made = {
            "patient": lambda: edit_form(Patient.objects.get(pk=cast.ada.pk)),
            "visit": lambda: {
                "patient": cast.grace.pk, "operatory": cast.operatories[0].pk, "provider": cast.drill.pk,
                "appointment_type": cast.exam.pk, "day": "2026-12-03", "time": "9:00"},
            "series": lambda: {
                "appointment_type": cast.exam.pk, "every_weeks": 1, "book": 1, "line": [
                    f"2027-03-{day}T15:00:00+00:00|30|{cast.operatories[0].pk}|{cast.drill.pk}||in||" for day in (10, 17)]},
            "entry": lambda: {"patient": cast.grace.pk, "appointment_type": cast.cleaning.pk, "notice_hours": 2},
            "feed": lambda: {"name": "x"},
            "block": lambda: {"title": "x", "day": "2026-12-03", "starts": "9:00", "ends": "10:00"},
        }  # fmt: skip
        return made[kind]() if isinstance(kind, str) else dict(kind)

    def body(self, kind):
        if not isinstance(kind, str):
            return dict(kind)
        cast = self.cast
        return {
            "patient_id": str(cast.grace.pk), "operatory_id": str(cast.operatories[0].pk),
            "provider_id": str(cast.drill.pk), "appointment_type_id": str(cast.exam.pk),
            "starts_at": "2026-12-03T09:00:00-05:00"}  # fmt: skip


@pytest.fixture
def house(furnished, cast):
    return House(cast, furnished[0])


@pytest.mark.parametrize("name", sorted(PAGE))
def test_no_page_takes_a_row_of_another_clinic(house, sign_in, name):
    path, kind, field = PAGE[name]
    foreign = house.foreign(name)
    data = {**house.data(kind), "once": str(uuid4())}
    if field:
        data[field] = str(foreign.pk)
    answer = sign_in("manager").post(house.address(path, foreign), data)
    assert answer.status_code in (404, 422), answer.status_code
    assert house.pointing(name, foreign) == 0


@pytest.mark.parametrize("name", sorted(API))
def test_no_body_takes_a_row_of_another_clinic(house, name):
    method, path, kind, field = API[name]
    foreign = house.foreign(name)
    body = house.body(kind)
    if field == "provider_time":
        said = {"starts_at": "2026-12-01T09:00:00-05:00", "ends_at": "2026-12-01T09:10:00-05:00"}
        body[field] = [{"provider_id": str(foreign.pk), **said}]
    elif field and "." in field:
        outer, inner = field.split(".")
        body[outer] = {**body.get(outer, {}), inner: str(foreign.pk)}
    elif field and field.endswith("_ids"):
        body[field] = [str(foreign.pk)]
    elif field:
        body[field] = str(foreign.pk)
    program = Program(house.cast.manager)
    answer = program.send(method, house.address(path, foreign), body)
    assert answer.status_code == (422 if field else 404)
    assert str(foreign) not in json.dumps(answer.data)
    nobody = str(uuid4())
    if field:  # it reads as a row that does not exist at all
        told = program.send(
            method, house.address(path, foreign), json.loads(json.dumps(body).replace(str(foreign.pk), nobody))
        )
        assert told.data == answer.data
    assert house.pointing(name, foreign) == 0


@pytest.mark.parametrize("name", sorted(ADMIN))
def test_no_admin_page_takes_a_row_of_another_clinic(house, sign_in, name):
    kind, data, field = ADMIN[name]
    foreign, manager = house.foreign(name), sign_in("manager")
    if data == "foreign":  # the rows of a table hang on the record of the page
        answer = manager.post(reverse(f"admin:{kind}_change", args=[foreign.pk]), {"because": "x"})
        assert answer.status_code in (302, 404)
        assert house.pointing(name, foreign) == 0
        return
    address = reverse(f"admin:{kind}_add")
    if isinstance(data, str):
        prefix, first = data, {"name": "New", "since": "1/1/2027", "minutes": 30, "buffer_before": 0, "buffer_after": 0,
                               "colour": 1, "pattern": "[]", "sequence": 1, "is_active": "on"}  # fmt: skip
        data = {**first, f"{prefix}-TOTAL_FORMS": 1, f"{prefix}-INITIAL_FORMS": 0, f"{prefix}-0-amount": "1.00"}
    answer = manager.post(address, {**data, field: str(foreign.pk), "is_active": "on", "once": str(uuid4())})
    assert answer.status_code == 422
    assert str(foreign) not in answer.content.decode() or str(foreign.pk) not in answer.content.decode()
    assert house.pointing(name, foreign) == 0


def test_the_portal_reads_its_own_patient_and_no_other(house, cast, sign_in):
    client, program = sign_in("patient"), Program(cast.portal)
    for model in [model for model in apps.get_models() if hasattr(model.objects, "visible_to")]:
        for row in model.objects.visible_to(cast.portal):
            owner = row if isinstance(row, Patient) else getattr(row, "patient", None)
            assert owner is None or owner == cast.ada, row
    for path in (f"/patients/{cast.grace.pk}/", f"/visits/{house.visit.pk}/"):
        assert client.get(path).status_code == 403
    assert program.get(f"/patients/{cast.grace.pk}").status_code == 403
    assert cast.grace.last_name not in client.get("/my/").content.decode()
