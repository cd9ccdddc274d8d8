"""Ids in bodies about work in a milestone: of another clinic, another patient, or another milestone where that is wrong, they are
refused beside their field. The table holds every id that such a body may name; the schema says which those are."""
from uuid import uuid4

import pytest

from charting.models import ClinicalNote, PerioExam
from clinic.models import Document
from milestones.models import Approval, Comment, Evidence, Milestone, Task, TaskUpdate, TimeEntry
from tests.program import Program, openapi
from tests.treatment.test_foreign_ids import CLINIC, PATIENT, ids_in
from treatment.models import Procedure

pytestmark = pytest.mark.wide

OTHER = "of another milestone"
KINDS = {"note": ClinicalNote, "perio_exam": PerioExam, "procedure": Procedure, "document": Document}
PAPER = {"evidence_type": "document", "title": "x"}
RECORDS = [CLINIC, PATIENT]
# (method, address, field): which wrong ones there are
TABLE = {
    ("POST", "/milestones/{milestone_id}/achieve", "evidence.record.id"): RECORDS,
    ("POST", "/milestones/{milestone_id}/evidence", "record.id"): RECORDS,
    ("POST", "/milestones/{milestone_id}/tasks", "assignee_id"): [CLINIC],
    ("PATCH", "/tasks/{task_id}", "assignee_id"): [CLINIC],
    ("POST", "/milestones/{milestone_id}/comments", "parent_id"): [CLINIC, PATIENT, OTHER],
}
CASES = [(*where, wrong, kind) for where, kinds in TABLE.items() for wrong in kinds
         for kind in (KINDS if "record" in where[2] else [""])]
OURS = ("/milestones/{milestone_id}/", "/tasks", "/task-updates", "/time-entries", "/milestone-", "/secure-milestones")


def test_the_table_holds_every_id_that_a_body_about_work_names():
    schema = openapi()
    found = {
        (method.upper(), path, name)
        for path, methods in schema["paths"].items() if path.startswith(OURS)
        for method, operation in methods.items() if "requestBody" in operation
        for name in ids_in(schema, operation["requestBody"]["content"]["application/json"]["schema"])}
    assert {each for each in found if each[2] not in ("id", "evidence.id")} == set(TABLE)


@pytest.fixture
def house(furnished, cast):
    milestone = Milestone.objects.get(patient=cast.ada, name="Free of pain")
    keys = {"milestone_id": milestone.pk, "task_id": milestone.tasks.first().pk}

    def wrong(field, which, kind):
        whose = {CLINIC: cast.outsider.ada, PATIENT: cast.grace, OTHER: cast.ada}[which]
        if field == "assignee_id":
            return cast.outsider.user("dentist")
        return (KINDS[kind] if kind else Comment).objects.filter(patient=whose).last()
    return keys, wrong, Program(cast.manager)


def body_of(field, kind, key):
    record = PAPER | {"record": {"type": kind, "id": key}}
    return {"evidence.record.id": {"evidence": [record]}, "record.id": record}.get(
        field, {"title": "x", field: key} if field == "assignee_id" else {"body": "x", field: key})


@pytest.mark.parametrize(("method", "path", "field", "which", "kind"), CASES, ids=lambda part: str(part))
def test_an_id_of_somebody_or_something_else_is_refused_beside_its_field(house, method, path, field, which, kind):
    keys, wrong, program = house
    row = wrong(field, which, kind)
    models = (Milestone, Task, TaskUpdate, TimeEntry, Evidence, Comment, Approval)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    answer = program.send(method, path.format(**keys), body_of(field, kind, str(row.pk)))
    assert answer.status_code == 422, answer.data
    assert [error["field"] for error in answer.data["errors"]] == [field.replace("evidence.", "evidence.0.")]
    assert str(row.pk) not in answer.content.decode()
    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    if which == CLINIC:  # it reads as one that is nowhere at all
        assert program.send(method, path.format(**keys), body_of(field, kind, str(uuid4()))).data == answer.data


def test_the_portal_never_names_a_row_of_another_patient(house, cast, furnished):
    keys, _, _ = house
    patient, hers = Program(cast.portal), Comment.objects.filter(patient=cast.grace).last()
    answer = patient.post(f"/milestones/{keys['milestone_id']}/comments", {"body": "x", "parent_id": str(hers.pk)})
    assert answer.status_code == 422
    theirs = {Milestone: "/milestones/{}", Evidence: "/milestone-evidence/{}/content"}
    for model, path in theirs.items():
        assert patient.get(path.format(model.objects.filter(patient=cast.grace).last().pk)).status_code == 404
