"""Ids in bodies: of another clinic, another patient, or another plan where that is wrong, they are refused beside their field.

The table holds every id that a body of treatment's endpoints may name; the schema says which those are.
"""
from uuid import uuid4

import pytest

from clinic.models import Document
from scheduling.models import Appointment
from tests.program import Program, openapi
from treatment.models import Consent, Goal, GoalIntervention, Intervention, Phase, Procedure, TreatmentPlan

pytestmark = pytest.mark.wide

CLINIC, PATIENT, PLAN = "of another clinic", "of another patient", "of another plan"
OURS = ("/treatment-plans", "/procedures", "/goals", "/goal-interventions", "/interventions", "/consents")
CONSENT = {"signed_by": "patient", "signature_name": "Ada Lovelace", "explained": "Risks"}
GOAL = {"goal_type": "objective", "description": "Brush"}
# (method, address, field): (what else the body says, which wrong ones there are)
TABLE = {
    ("POST", "/patients/{patient_id}/treatment-plans", "therapist_id"): ({"title": "x", "start_date": "2026-12-01"}, [CLINIC]),
    ("POST", "/patients/{patient_id}/treatment-plans", "alternative_group"): (
        {"title": "x", "start_date": "2026-12-01", "status": "draft"}, [PATIENT]),
    ("PUT", "/treatment-plans/{plan_id}", "therapist_id"): ({}, [CLINIC]),
    ("PUT", "/treatment-plans/{plan_id}", "alternative_group"): ({}, [PATIENT]),
    ("PATCH", "/treatment-plans/{plan_id}", "therapist_id"): ({}, [CLINIC]),
    ("PATCH", "/treatment-plans/{plan_id}", "alternative_group"): ({}, [PATIENT]),
    ("POST", "/treatment-plans/{plan_id}/procedures", "provider_id"): ({"code": "D1110"}, [CLINIC]),
    ("POST", "/treatment-plans/{plan_id}/procedures", "appointment_id"): ({"code": "D1110"}, [CLINIC, PATIENT]),
    ("PATCH", "/procedures/{procedure_id}", "provider_id"): ({}, [CLINIC]),
    ("PATCH", "/procedures/{procedure_id}", "appointment_id"): ({}, [CLINIC, PATIENT]),
    ("POST", "/procedures/{procedure_id}/complete", "provider_id"): ({}, [CLINIC]),
    ("POST", "/treatment-plans/{plan_id}/consents", "procedure_ids"): (CONSENT, [CLINIC, PATIENT, PLAN]),
    ("POST", "/treatment-plans/{plan_id}/consents", "document_id"): (CONSENT | {"procedure_ids": []}, [CLINIC, PATIENT]),
    ("POST", "/treatment-plans/{plan_id}/goals", "parent_goal_id"): (GOAL, [CLINIC, PATIENT, PLAN]),
    ("POST", "/treatment-plans/{plan_id}/goals", "interventions.intervention_id"): (GOAL, [CLINIC]),
    ("PUT", "/goals/{goal_id}", "parent_goal_id"): ({}, [CLINIC, PATIENT, PLAN]),
    ("PATCH", "/goals/{goal_id}", "parent_goal_id"): ({}, [CLINIC, PATIENT, PLAN]),
    ("POST", "/goals/{goal_id}/interventions", "intervention_id"): ({}, [CLINIC]),
    ("POST", "/goals/{goal_id}/progress", "session_id"): ({"progress_note": "x"}, [CLINIC, PATIENT]),
    ("POST", "/goals/{goal_id}/progress", "intervention_ids"): ({"progress_note": "x"}, [CLINIC, PATIENT, PLAN]),
    ("POST", "/appointments/{visit_id}/interventions", "goal_intervention_id"): ({}, [CLINIC, PATIENT]),
}
CASES = [(*where, wrong) for where, (_, kinds) in TABLE.items() for wrong in kinds]


def ids_in(schema, node, name=""):
    """The names of the fields in a part of the schema that hold an id; "interventions.intervention_id" inside of others."""
    if "$ref" in node:
        node = schema["components"]["schemas"][node["$ref"].rpartition("/")[2]]
    if node.get("format") == "uuid":
        yield name
    for part in (*node.get("anyOf", ()), *([node["items"]] if "items" in node else ())):
        yield from ids_in(schema, part, name)
    for key, part in node.get("properties", {}).items():
        yield from ids_in(schema, part, f"{name}.{key}".lstrip("."))


def test_the_table_holds_every_id_that_a_body_of_treatment_names():
    schema = openapi()
    found = {
        (method.upper(), path, name)
        for path, methods in schema["paths"].items()
        if (path.startswith(OURS) or path.endswith(("/treatment-plans", "/interventions"))) and "milestone" not in path
        for method, operation in methods.items() if "requestBody" in operation
        for name in ids_in(schema, operation["requestBody"]["content"]["application/json"]["schema"])}
    assert {each for each in found if each[2] != "id"} == set(TABLE)  # `id`: the key that a caller makes for a new row


@pytest.fixture
def house(furnished, cast):
    """What the addresses name, and for each field the wrong rows: {field: {which: a row, or its key}}."""
    own = {"patient": cast.ada}
    work, care = TreatmentPlan.objects.get(title="Crown on 14", **own), TreatmentPlan.objects.get(title="Less fear", **own)
    goal = Goal.objects.get(goal_type="short_term", **own)
    here, hers, elsewhere = cast.ada, cast.grace, cast.outsider.ada
    level = {"goal_type": "short_term"}
    lower = Goal.set_out(by=cast.manager, plan=care, goal_type="objective", description="Brush", parent=goal)
    other = TreatmentPlan.draw_up(
        by=cast.dentist, patient=here, title="Another", provider=cast.drill, start_date=cast.clinic.today())
    strange = Goal.set_out(by=cast.dentist, plan=other, **level, description="Sleep", interventions=[
        (Intervention.objects.get(name="Mindfulness"), "")])
    code = Procedure.objects.filter(plan=work, procedure_code__code="D1110").get().procedure_code
    in_other = Procedure.add(by=cast.dentist, plan=other, procedure_code=code)
    group = TreatmentPlan.objects.filter(patient=hers, alternative_group__isnull=False).first().alternative_group
    visits = {CLINIC: furnished[1], PATIENT: Appointment.objects.holding().filter(patient=hers).first()}
    library = {CLINIC: Intervention.objects.get(clinic=cast.outsider.clinic)}

    def theirs(model, **values):
        return {which: model.objects.filter(patient=whose, **values).first() for which, whose in (
            (CLINIC, elsewhere), (PATIENT, hers))}

    wrong = {
        "therapist_id": {CLINIC: cast.outsider.drill}, "provider_id": {CLINIC: cast.outsider.drill},
        "alternative_group": {PATIENT: group}, "appointment_id": visits, "session_id": visits, "document_id": theirs(Document),
        "procedure_ids": {**theirs(Procedure), PLAN: in_other}, "parent_goal_id": {**theirs(Goal, **level), PLAN: strange},
        "intervention_id": library, "interventions.intervention_id": library,
        "intervention_ids": {**theirs(GoalIntervention), PLAN: strange.interventions.get()},
        "goal_intervention_id": theirs(GoalIntervention)}
    keys = {
        "patient_id": here.pk, "plan_id": work.pk, "procedure_id": work.procedures.open().first().pk, "goal_id": lower.pk,
        "visit_id": furnished[0].pk}
    return keys, wrong, Program(cast.manager)


def body_of(field, key, said):
    if field == "interventions.intervention_id":
        return {**said, "interventions": [{"intervention_id": key}]}
    more = {"session_id": str(said["visit"])} if field == "intervention_ids" else {}
    said = {name: value for name, value in said.items() if name != "visit"}
    return {**said, **more, field: [key] if field.endswith("_ids") else key}


@pytest.mark.parametrize(("method", "path", "field", "which"), CASES, ids=lambda part: str(part))
def test_an_id_of_somebody_or_something_else_is_refused_beside_its_field(house, method, path, field, which):
    keys, wrong, program = house
    row = wrong[field][which]
    key = str(getattr(row, "pk", row))
    said = {**TABLE[method, path, field][0], **({"visit": keys["visit_id"]} if field == "intervention_ids" else {})}
    models = (TreatmentPlan, Procedure, Goal, GoalIntervention, Consent)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    answer = program.send(method, path.format(**keys), body_of(field, key, said))
    assert answer.status_code == 422, answer.data
    named = {error["field"] for error in answer.data["errors"]}
    assert named == {"interventions.0.intervention_id" if "." in field else field}
    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    if which == CLINIC:  # it reads as one that is nowhere at all
        nowhere = program.send(method, path.format(**keys), body_of(field, str(uuid4()), said))
        assert nowhere.data == answer.data


def test_a_phase_is_named_and_never_taken_from_another_plan(cast, house):
    keys, _, program = house
    other = TreatmentPlan.objects.get(patient=cast.ada, title="Another")
    theirs = Phase.add(by=cast.dentist, plan=other, name="Somewhere else")
    made = program.post(f"/treatment-plans/{keys['plan_id']}/procedures", {"code": "D1110", "phase": theirs.name})
    assert (made.status_code, made.data["phase"]) == (201, theirs.name)
    assert Phase.objects.get(pk=made.data["phase_id"]).plan_id == keys["plan_id"]
    assert made.data["phase_id"] != str(theirs.pk)


def test_a_group_of_another_clinic_brings_no_plan_of_theirs(cast, house):
    keys, _, program = house
    group = TreatmentPlan.objects.filter(clinic=cast.outsider.clinic, alternative_group__isnull=False).first().alternative_group
    made = program.post(f"/patients/{keys['patient_id']}/treatment-plans", {
        "title": "x", "start_date": "2026-12-01", "status": "draft", "alternative_group": str(group)})
    assert made.status_code == 201
    assert not TreatmentPlan.objects.get(pk=made.data["id"]).alternatives().exists()


def test_who_is_responsible_is_changed_by_a_manager_alone(cast, plan, dentist, program):
    path, other = f"/treatment-plans/{plan.pk}", {"therapist_id": str(cast.bridge.pk)}
    answer = dentist.patch(path, other)
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "therapist_id")
    assert dentist.patch(path, {"therapist_id": str(cast.drill.pk)}).status_code == 200  # as it was
    assert program("manager").patch(path, other).data["therapist_id"] == other["therapist_id"]
    assert dentist.patch(path, {"title": "Mine"}).status_code == 403
