"""Ids in bodies of milestones: of another clinic, another patient, or another plan they are refused beside their field."""
from itertools import product
from uuid import uuid4

import pytest

from milestones.models import Milestone
from tests.program import openapi
from tests.treatment.test_foreign_ids import CLINIC, PATIENT, PLAN, ids_in
from treatment.models import Goal, Phase

pytestmark = pytest.mark.wide

WAYS = [
    ("POST", "/treatment-plans/{plan_id}/milestones"), ("PUT", "/milestones/{milestone_id}"),
    ("PATCH", "/milestones/{milestone_id}")]
FIELDS = {"phase_id", "goal_id"}


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_the_table_holds_every_id_that_a_body_names(method, path):
    schema = openapi()
    body = schema["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    assert set(ids_in(schema, body)) - {"id"} == FIELDS


@pytest.fixture
def wrong(cast, draw_up):
    """{(field, which): a row that does not belong in the plan}"""
    other = cast.outsider
    plans = {
        PLAN: (cast.dentist, draw_up("Other")), PATIENT: (cast.dentist, draw_up("Hers", patient=cast.grace)),
        CLINIC: (other.dentist, draw_up("Theirs", by=other.dentist, patient=other.ada, provider=other.drill))}
    rows = {("phase_id", which): Phase.add(by=by, plan=plan, name="Later") for which, (by, plan) in plans.items()}
    return rows | {("goal_id", which): Goal.set_out(by=by, plan=plan, goal_type="long_term", description="Bite")
                   for which, (by, plan) in plans.items()}


@pytest.mark.parametrize(("way", "field", "which"), list(product(WAYS, sorted(FIELDS), [CLINIC, PATIENT, PLAN])))
def test_an_id_of_somebody_or_something_else_is_refused_beside_its_field(dentist, plan, milestone, wrong, way, field, which):
    (method, path), key = way, str(wrong[field, which].pk)
    address = path.format(plan_id=plan.pk, milestone_id=milestone.pk)
    before = list(Milestone.objects.order_by("pk").values())
    answer = dentist.send(method, address, {"milestone_name": "x", field: key})
    assert (answer.status_code, [error["field"] for error in answer.data["errors"]]) == (422, [field])
    assert list(Milestone.objects.order_by("pk").values()) == before
    if which == CLINIC:  # it reads as one that is nowhere at all
        assert dentist.send(method, address, {"milestone_name": "x", field: str(uuid4())}).data == answer.data


def test_a_phase_that_was_withdrawn_is_not_there(cast, dentist, plan, milestone):
    phase = Phase.add(by=cast.dentist, plan=plan, name="Later").withdraw(by=cast.dentist)
    answer = dentist.patch(f"/milestones/{milestone.pk}", {"phase_id": str(phase.pk)})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "phase_id")
