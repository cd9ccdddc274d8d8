"""What holds for everything that is added inside a milestone: own ids, keys that do nothing twice, and the browser's way in."""
from uuid import uuid4

import pytest
from django.test import Client

from clinic.models import AccessEvent
from milestones.models import Comment, Evidence, Milestone, Task, TaskUpdate, TimeEntry

NEW = {
    "tasks": ("/milestones/{milestone}/tasks", {"title": "x"}, Task),
    "updates": ("/tasks/{task}/updates", {"note": "x"}, TaskUpdate),
    "time": ("/tasks/{task}/time-entries", {"started_at": "2026-01-05T09:00:00Z", "minutes": 5}, TimeEntry),
    "comments": ("/milestones/{milestone}/comments", {"body": "x"}, Comment),
    "evidence": ("/milestones/{milestone}/evidence", {"evidence_type": "metric", "title": "x", "value": 1}, Evidence),
}


@pytest.fixture
def add(cast, dentist, milestone):
    """`add("tasks")`: what comes of one more."""
    task = Task.add(by=cast.dentist, milestone=milestone, title="Take photos")

    def send(kind, headers=None, **more):
        path, body, _ = NEW[kind]
        return dentist.post(path.format(milestone=milestone.pk, task=task.pk), {**body, **more}, **(headers or {}))
    return send


@pytest.mark.parametrize("kind", NEW)
def test_a_caller_may_make_the_id_and_an_id_is_used_once(cast, add, put_in, kind):
    key, model = uuid4(), NEW[kind][2]
    made = add(kind, id=str(key))
    assert (made.status_code, made.data["id"]) == (201, str(key))
    again = add(kind, id=str(key))
    assert (again.status_code, "id is in use" in again.data["detail"]) == (409, True)
    theirs = add(kind, id=str(model.objects.get(pk=key).pk))
    assert theirs.data["detail"] == again.data["detail"]
    assert model.objects.filter(pk=key).count() == 1


@pytest.mark.parametrize("kind", NEW)
def test_the_same_key_does_nothing_twice(add, kind):
    model, key = NEW[kind][2], {"Idempotency-Key": str(uuid4())}
    before = model.objects.count()
    first, second = add(kind, key), add(kind, key)
    assert (first.status_code, first.data, model.objects.count()) == (201, second.data, before + 1)


@pytest.mark.parametrize("kind", NEW)
def test_what_is_not_known_is_refused_by_name(add, kind):
    for name in ("shoe_size", "clinic_id", "patient_id", "created_at"):
        answer = add(kind, **{name: "x"})
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, name)


def test_a_review_or_an_approval_that_is_sent_twice_is_one(cast, dentist, program, put_in):
    milestone = put_in(requires_approval=True)
    update = TaskUpdate.tell(by=cast.dentist, task=Task.add(by=cast.dentist, milestone=milestone, title="x"), note="x")
    for who, path, body in (
            (dentist, f"/task-updates/{update.pk}/review", {"decision": "approved"}),
            (program("patient"), f"/milestones/{milestone.pk}/approve", {"decision": "approved", "signature_name": "Ada"})):
        key = {"Idempotency-Key": str(uuid4())}
        first, second = who.post(path, body, **key), who.post(path, body, **key)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.data == second.data


def test_a_browser_sends_a_file_with_its_token_and_not_without(sign_in, milestone):
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in("dentist").cookies
    path = f"/api/milestones/{milestone.pk}/evidence"
    body = {"evidence_type": "metric", "title": "x", "value": "1"}
    assert client.post(path, body).status_code == 403
    client.get("/patients/")
    token = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.post(path, body, headers=token).status_code == 201
    assert client.post(path, body, content_type="application/json", headers=token).status_code == 201


def test_every_look_at_work_is_on_record(cast, dentist, plan, milestone):
    task = Task.add(by=cast.dentist, milestone=milestone, title="x")
    for path in (f"/secure-milestones/{plan.pk}", f"/tasks/{task.pk}", f"/tasks/{task.pk}/updates", f"/time-entries/{plan.pk}",
                 f"/milestone-comments/{plan.pk}", f"/milestone-approvals/{plan.pk}", f"/milestones/{milestone.pk}/proposals"):
        before = AccessEvent.objects.filter(patient=cast.ada, via="api").count()
        assert dentist.get(path)["Cache-Control"] == "no-store"
        assert AccessEvent.objects.filter(patient=cast.ada, via="api").count() == before + 1, path


def test_a_milestone_that_is_sent_back_as_it_was_read_changes_nothing(cast, dentist, add, milestone):
    for kind in NEW:
        add(kind)
    path = f"/milestones/{milestone.pk}"
    read = dentist.get(path)
    assert all(read.data[name] for name in ("tasks", "evidence", "comments", "metrics"))
    assert dentist.put(path, read.data).data == read.data
    assert Milestone.objects.get(pk=milestone.pk).version == milestone.version
    wrong = dentist.put(path, read.data | {"tasks": []})
    assert (wrong.status_code, wrong.data["errors"][0]["field"]) == (422, "tasks")
