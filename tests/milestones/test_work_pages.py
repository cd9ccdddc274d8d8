"""The work inside a milestone on its page: tasks, updates and their review, time, evidence, talk."""
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Notification
from milestones.models import Comment, Evidence, Task, TaskUpdate, TimeEntry
from tests.pictures import picture


@pytest.fixture
def drill(sign_in):
    return sign_in("dentist")


@pytest.fixture
def task(cast, milestone):
    return Task.add(by=cast.dentist, milestone=milestone, title="Take photos", assignee=cast.user("assistant"))


def test_a_task_is_added_changed_cancelled_and_opened_again(cast, drill, milestone, today):
    path = f"/milestones/{milestone.pk}/tasks/"
    bad = drill.post(path, {"title": "Take photos", "due_date": "someday", "weight": "1"})
    assert (bad.status_code, 'value="someday"' in bad.content.decode()) == (422, True)
    made = drill.post(path, {"title": "Take photos", "due_date": f"{today:%m/%d/%Y}", "weight": "2", "assignee": str(
        cast.user("assistant").pk)})
    assert made.url == f"/milestones/{milestone.pk}/#milestone"
    task = Task.objects.get(title="Take photos")
    assert (task.due_date, task.weight, task.assignee) == (today, 2, cast.user("assistant"))
    assert "Take photos" in drill.get(f"/milestones/{milestone.pk}/").content.decode()
    drill.post(f"/tasks/{task.pk}/", {"title": "Take six photos", "weight": "2", "version": task.version})
    drill.post(f"/tasks/{task.pk}/steps/cancel/", {"because": "Not needed"})
    task.refresh_from_db()
    assert (task.title, task.status, task.status_because) == ("Take six photos", "CANCELLED", "Not needed")
    drill.post(f"/tasks/{task.pk}/steps/reopen/")
    task.refresh_from_db()
    assert task.status == "OPEN"
    assert drill.post(f"/tasks/{task.pk}/steps/explode/").status_code == 404
    drill.post(f"/tasks/{task.pk}/steps/withdraw/")
    assert drill.get(f"/tasks/{task.pk}/").status_code == 404


def test_whose_task_it_is_tells_and_a_clinician_who_writes_the_plan_reviews(cast, drill, sign_in, milestone, task):
    assistant = sign_in("assistant")
    page = assistant.get(f"/milestones/{milestone.pk}/").content.decode()
    assert f"/tasks/{task.pk}/updates/" in page
    assert f"/milestones/{milestone.pk}/tasks/" not in page
    assistant.post(f"/tasks/{task.pk}/updates/", {"note": "All six taken", "percent": "100"})
    update = TaskUpdate.objects.get()
    assert assistant.post(f"/task-updates/{update.pk}/review/", {"decision": "approved"}).status_code == 403
    assert "Approve" in drill.get(f"/milestones/{milestone.pk}/").content.decode()
    drill.post(f"/task-updates/{update.pk}/review/", {"decision": "rejected", "reason": "One is blurred"})
    task.refresh_from_db()
    assert (task.status, task.percent) == ("IN_PROGRESS", 0)
    assert "One is blurred" in assistant.get(f"/milestones/{milestone.pk}/").content.decode()
    again = drill.post(f"/task-updates/{update.pk}/review/", {"decision": "approved"})
    assert (again.status_code, "already" in again.content.decode()) == (422, True)


def test_the_clinician_is_done_with_one_press(drill, milestone, task):
    drill.post(f"/tasks/{task.pk}/updates/", {"note": "Done", "percent": "100", "approve": "1"})
    task.refresh_from_db()
    assert (task.status, task.percent) == ("COMPLETED", 100)


def test_time_is_written_down_on_the_day_the_work_was_done_and_added_up(cast, drill, milestone, task, today):
    yesterday = today - timedelta(days=1)
    drill.post(f"/tasks/{task.pk}/time/", {"minutes": "25"})
    drill.post(f"/tasks/{task.pk}/time/", {"minutes": "10", "day": f"{yesterday:%m/%d/%Y}"})
    assert drill.post(f"/tasks/{task.pk}/time/", {"minutes": "5000"}).status_code == 422
    to_come = f"{today + timedelta(days=2):%m/%d/%Y}"
    assert drill.post(f"/tasks/{task.pk}/time/", {"minutes": "5", "day": to_come}).status_code == 422
    days = {entry.started_at.astimezone(cast.clinic.zone).date() for entry in TimeEntry.objects.all()}
    assert yesterday in days
    assert "35 min in all" in drill.get(f"/milestones/{milestone.pk}/").content.decode()


def test_evidence_is_a_file_a_figure_or_a_link_and_opens_the_gate(cast, drill, put_in):
    row = put_in(requires_evidence=True)
    path = f"/milestones/{row.pk}/evidence/"
    assert "Still missing" in drill.get(f"/milestones/{row.pk}/").content.decode()
    assert drill.post(path, {"evidence_type": "link", "title": "Scan", "url": "javascript:alert(1)"}).status_code == 422
    assert drill.post(path, {"evidence_type": "document", "title": "Photo"}).status_code == 422
    assert drill.post(path, {
        "evidence_type": "document", "title": "Photo", "file": SimpleUploadedFile("photo.png", picture())}).status_code == 302
    assert drill.post(path, {"evidence_type": "metric", "title": "Overjet, mm", "value": "2.5"}).status_code == 302
    assert drill.post(path, {"evidence_type": "link", "title": "Scan", "url": "https://scans.example/1"}).status_code == 302
    photo = Evidence.objects.get(title="Photo")
    assert drill.get(f"/evidence/{photo.pk}/file/")["Content-Type"].startswith("image/")
    assert drill.post(f"/evidence/{photo.pk}/withdraw/", {"because": "Of another day"}).status_code == 302
    page = drill.get(f"/milestones/{row.pk}/").content.decode()
    assert "Photo" not in page
    assert "Still missing" not in page


def test_what_is_written_is_internal_unless_it_is_shared_and_a_mention_tells_the_colleague(cast, drill, sign_in, milestone):
    path = f"/milestones/{milestone.pk}/comments/"
    assert 'name="internal"' in drill.get(f"/milestones/{milestone.pk}/").content.decode()
    assert drill.post(path, {"body": " ", "internal": "on"}).status_code == 422
    drill.post(path, {"body": f"@{cast.user('receptionist').name} books the next one", "internal": "on"})
    drill.post(path, {"body": "Well done so far"})
    assert [row.internal for row in Comment.objects.in_order()] == [True, False]
    assert Notification.objects.filter(user=cast.user("receptionist"), kind="milestone_mention").count() == 1
    assert "books the next one" in sign_in("receptionist").get(f"/milestones/{milestone.pk}/").content.decode()


def test_text_that_people_typed_is_shown_as_text(cast, drill, milestone, task):
    for text in ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>"):
        drill.post(f"/tasks/{task.pk}/updates/", {"note": text})
        drill.post(f"/milestones/{milestone.pk}/comments/", {"body": text})
    page = drill.get(f"/milestones/{milestone.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_the_page_costs_the_same_with_one_task_and_with_thirty(cast, drill, milestone, task):
    counts = []
    for number in range(2):
        drill.get(f"/milestones/{milestone.pk}/")
        with CaptureQueriesContext(connection) as asked:
            drill.get(f"/milestones/{milestone.pk}/")
        counts.append(len(asked))
        if not number:
            for each in range(29):
                row = Task.add(by=cast.dentist, milestone=milestone, title=f"Task {each}")
                TaskUpdate.tell(by=cast.dentist, task=row, note="x", percent=10)
                Comment.write(by=cast.dentist, milestone=milestone, body="x")
                Evidence.add(by=cast.dentist, milestone=milestone, evidence_type="metric", title=f"x {each}", value="1")
    assert counts[0] == counts[1]
