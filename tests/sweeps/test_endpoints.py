"""Every endpoint declares its rule, and every role gets exactly what it says: 403 for a role, 404 for a foreign row."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from charting.models import ClinicalNote, PerioExam
from clinic.models import AccessEvent, ApiToken, Document, Patient
from config.api import api
from config.roles import ROLES
from milestones.models import Evidence, Milestone, Task, TaskUpdate, TimeEntry
from tests.program import Program
from treatment.models import Consent, Goal, GoalIntervention, Intervention, Procedure, TreatmentPlan

PEOPLE = [*sorted(set(ROLES) - {"coach", "patient"}), "coach", "patient"]
OPERATIONS = sorted(
    (method, path, operation.view_func.rule)
    for bound in api._get_bound_routers()
    for path, view in bound.path_operations.items()
    for operation in view.operations
    for method in operation.methods
)

# What a body must say before its row is looked for at all, by the end of the address without its ids.
REASON, NOBODY = {"reason": "x"}, "0190a0a0-0000-7000-8000-000000000000"
NEEDED = {
    "/cancel": REASON, "/amend": REASON, "/void": REASON, "/withdraw": REASON, "/notes": {"kind": "phone", "body": "x"},
    "/addenda": {"body": "x"}, "/patients/treatment-plans": {"title": "x", "start_date": "2026-12-01"},
    "/treatment-plans/procedures": {"code": "D1110"}, "/treatment-plans/review": {"summary": "x"},
    "/treatment-plans/goals": {"goal_type": "objective", "description": "x"},
    "/treatment-plans/consents": {"procedure_ids": [], "signed_by": "patient", "signature_name": "x", "explained": "x"},
    "/goals/progress": {"progress_note": "x"}, "/goals/interventions": {"intervention_id": NOBODY},
    "/appointments/interventions": {"goal_intervention_id": NOBODY},
    "/milestones/tasks": {"title": "x"}, "/tasks/updates": {"note": "x"}, "/task-updates/review": {"decision": "approved"},
    "/tasks/time-entries": {"started_at": "2026-01-05T09:00:00Z", "minutes": 5}, "/milestones/comments": {"body": "x"},
    "/milestones/evidence": {"evidence_type": "metric", "title": "x", "value": 1}, "/approve": {"decision": "changes_requested"}}
# The kinds of row that are found by their clinic alone.
BY_CLINIC = {
    "note_id": ClinicalNote, "exam_id": PerioExam, "document_id": Document, "plan_id": TreatmentPlan, "procedure_id": Procedure,
    "goal_id": Goal, "consent_id": Consent, "intervention_id": Intervention, "goal_intervention_id": GoalIntervention,
    "booking_id": TreatmentPlan, "task_id": Task, "update_id": TaskUpdate, "entry_id": TimeEntry, "evidence_id": Evidence}

pytestmark = pytest.mark.wide


@pytest.fixture
def house(furnished, cast):
    """{name in the address: (own key, foreign key)}"""
    mine, theirs = furnished
    return {
        "patient_id": (cast.ada.pk, cast.outsider.ada.pk),
        "account_id": (cast.ada.account_id, cast.outsider.ada.account_id),
        "visit_id": (mine.pk, theirs.pk),
        "number": (1, 1),
        **{name: tuple(model.objects.filter(clinic=one.clinic).first().pk for one in (cast, cast.outsider))
           for name, model in BY_CLINIC.items()},
        # One that stands: the others are gone once somebody has taken them out.
        "milestone_id": tuple(
            Milestone.objects.filter(clinic=one.clinic, status="ACHIEVED").first().pk for one in (cast, cast.outsider)),
    }


def address(path, house, foreign=False):
    return re.sub(r"{[^}]*:(\w+)}", lambda match: str(house[match[1]][foreign]), path)


def may(role, rule):
    return rule == "signed_in" or rule in ROLES[role]


def test_there_are_endpoints_and_each_declares_its_rule():
    assert len(OPERATIONS) > 20
    assert {rule for _, _, rule in OPERATIONS} <= set().union(*ROLES.values()) | {"signed_in"}


@pytest.mark.parametrize("role", PEOPLE)
def test_each_role_gets_what_the_rule_says(cast, house, role):
    program, wrong = Program(cast.actor(role)), []
    for method, path, rule in OPERATIONS:
        body = None if method == "GET" else {}
        status = program.send(method, address(path, house), body).status_code
        if (status == 403) is may(role, rule) or status >= 500 or status == 401:
            wrong.append((method, path, status))
    assert wrong == []


@pytest.mark.parametrize("role", PEOPLE)
def test_a_row_of_another_clinic_is_not_there(cast, house, role):
    program, wrong = Program(cast.actor(role)), []
    for method, path, rule in OPERATIONS:
        if "{" in path:
            plain = re.sub(r"/{[^}]*}", "", path)
            needed = next((said for end, said in NEEDED.items() if plain.endswith(end)), {}) if method == "POST" else {}
            body = None if method == "GET" else needed
            there = address(path, house, foreign=True)
            takes_files = method == "POST" and path.endswith("/documents")
            letter = {"file": SimpleUploadedFile("a.txt", b"Dear Ada")} if takes_files else {}
            answer = program.form(there, letter) if takes_files else program.send(method, there, body)
            if answer.status_code != (404 if may(role, rule) else 403):
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_a_stranger_gets_nothing(cast, house):
    for method, path, _ in OPERATIONS:
        assert Program().send(method, address(path, house), None if method == "GET" else {}).status_code == 401


def test_a_refused_look_is_on_record(cast, house):
    Program(cast.actor("coach")).get("/patients")
    assert AccessEvent.objects.filter(kind="refused", via="api", route="api:patients").exists()


@pytest.mark.parametrize("role", PEOPLE)
def test_no_answer_holds_a_word_of_another_clinic_nor_the_portal_one_of_another_patient(cast, house, role):
    planted = "Zebra-Token"
    for clinic in (cast, cast.outsider) if role == "patient" else (cast.outsider,):
        other = Patient.register(by=clinic.desk, first_name=planted, last_name=planted, date_of_birth="1990-01-01")
        other.account.change(by=clinic.desk, name=planted)
    cast.outsider.ada.change(by=cast.outsider.desk, preferred_name=planted, line1=planted)
    program = Program(cast.actor(role))
    for method, path, _ in OPERATIONS:
        for body in (None,) if method == "GET" else ({}, {"shoe_size": 44}, [1], {"id": str(cast.outsider.ada.pk)}):
            answers = [program.send(method, address(path, house, foreign), body) for foreign in (True, False)]
            for answer in answers:
                assert planted not in answer.getvalue().decode(), (method, path)
            if {answer.status_code for answer in answers} == {403}:  # of the role, which comes before the body is read
                break


def test_a_token_of_one_clinic_opens_nothing_of_the_other(cast, house):
    secret = ApiToken.issue(by=cast.outsider.manager, name="theirs")[1]
    theirs = Program(secret=secret)
    assert theirs.get(f"/patients/{cast.ada.pk}").status_code == 404
    assert str(cast.ada.pk) not in theirs.get("/patients").content.decode()
