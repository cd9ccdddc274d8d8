"""The schema is true: whatever a program sends, as whoever, the answer is one that the schema tells of."""

import json
import os
import sys

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from ninja import Schema
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from charting.models import ClinicalNote, PerioExam
from clinic.models import ApiToken, Document
from clinic.web.bodies import Paging
from config.api import api
from config.wsgi import application
from milestones.models import Evidence, Milestone, Task, TaskUpdate, TimeEntry
from treatment.models import Consent, Goal, GoalIntervention, Intervention, Procedure, TreatmentPlan

pytestmark = pytest.mark.wide

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ["receptionist", "dentist", "hygienist", "biller", "manager", "coach", "patient", "nobody"]
OF_PLANS = {
    "plan_id": TreatmentPlan, "procedure_id": Procedure, "goal_id": Goal, "consent_id": Consent,
    "goal_intervention_id": GoalIntervention, "booking_id": TreatmentPlan, "milestone_id": Milestone, "task_id": Task,
    "update_id": TaskUpdate, "entry_id": TimeEntry, "evidence_id": Evidence}
FULL = os.environ.get("CAMPAIGN")
BUSIEST = {"receptionist", "dentist", "manager"}  # the others are refused most


@pytest.fixture(scope="module")
def true():
    """The schema as the API tells it."""
    return api.get_openapi_schema(path_prefix="/api/v1/")


@pytest.fixture(scope="module")
def operations(true):
    schema = schemathesis.openapi.from_dict(true)
    schema.app = application
    return [each.ok() for each in schema.get_all_operations()]


@pytest.fixture
def connected(db):
    """The server's side closes its connection after each request; here it is the test's own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def rows(furnished, cast):
    """Keys of real rows, so that not every address ends in a 404."""
    visit = furnished[0]
    return {"patient_id": cast.ada.pk, "account_id": cast.ada.account_id, "visit_id": visit.pk,
            "document_id": Document.objects.get(patient=cast.ada).pk,
            "exam_id": PerioExam.objects.filter(patient=cast.ada).first().pk,
            "note_id": ClinicalNote.objects.filter(patient=cast.ada).first().pk, "number": 1,
            **{name: model.objects.filter(patient=cast.ada).first().pk for name, model in OF_PLANS.items()},
            "intervention_id": Intervention.objects.get(clinic=cast.clinic).pk}


@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_one_that_the_schema_tells_of(cast, connected, rows, operations, role):
    secret = ApiToken.issue(by=cast.actor(role), name="fuzz")[1] if role != "nobody" else "none"
    for operation in operations:
        probe(operation, secret, rows, 100 if FULL else 3 if role in BUSIEST else 1, {401} if role == "nobody" else None)


def probe(operation, secret, rows, examples, allowed=None):
    """Send what fits the schema and what does not; both must be answered as it says."""
    sensible, senseless = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @hypothesis.given(case=sensible | senseless)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    def one(case):
        for name in case.path_parameters or {}:
            case.path_parameters[name] = str(rows[name])
        answer = case.call(headers={"Authorization": f"Bearer {secret}"})
        case.validate_response(answer, checks=CHECKS)
        assert allowed is None or answer.status_code in allowed

    one()


def test_the_schema_names_each_operation_once(true):
    names = [each["operationId"] for methods in true["paths"].values() for each in methods.values()]
    assert len(names) == len(set(names))


def test_the_schema_is_there_under_both_prefixes_and_for_everybody(client, db):
    first, second = client.get("/api/openapi.json"), client.get("/api/v1/openapi.json")
    assert json.loads(first.content)["openapi"].startswith("3.1")
    assert first.content == second.content


def test_no_two_bodies_share_a_name():
    """In the schema a body is called by its name alone: a second one would quietly take the place of the first."""
    modules = {
        sys.modules[operation.view_func.__module__]
        for bound in api._get_bound_routers() for view in bound.path_operations.values() for operation in view.operations}
    names = [
        found.__name__ for module in modules for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Schema) and not issubclass(found, Paging)  # what a query asks
        and found.__module__ == module.__name__]
    assert len(modules) >= 14
    assert len(names) == len(set(names))
