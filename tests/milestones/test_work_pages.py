"""The work inside a milestone on its page: tasks, updates and their review, time, evidence, talk."""
import re
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from charting.models import ClinicalNote
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import Document, Notification
from milestones.models import Comment, Evidence, Task, TaskUpdate, TimeEntry
from tests.pictures import picture

pytestmark = pytest.mark.wide


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


def test_who_may_not_approve_and_tries_to_tells_nothing(sign_in, task):
    answer = sign_in("assistant").post(f"/tasks/{task.pk}/updates/", {"note": "Done", "percent": "100", "approve": "1"})
    task.refresh_from_db()
    assert (answer.status_code, TaskUpdate.objects.count(), task.status) == (403, 0, "OPEN")


def test_a_refused_update_or_time_comes_back_on_its_own_task_with_what_was_typed(cast, drill, milestone, task):
    Task.add(by=cast.dentist, milestone=milestone, title="Another one")
    answer = drill.post(f"/tasks/{task.pk}/updates/", {"note": "Half of them", "percent": "abc"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(rf'<textarea[^>]* id="update-{task.pk}_note"[^>]*>\s*Half of them</textarea>', page)
    assert (page.count("Half of them"), page.count('value="abc"')) == (1, 1)
    assert "Done, %: Enter a whole number." in page
    assert page.count('<details class="ms-tell" open>') == 1
    page = drill.post(f"/tasks/{task.pk}/time/", {"minutes": "25", "day": "someday", "note": "Called twice"}).content.decode()
    assert all(f'value="{typed}"' in page for typed in ("25", "someday", "Called twice"))
    assert f'id="time-{task.pk}_day_error"' in page
    assert page.count('<details class="ms-tell" open>') == 1
    assert not TaskUpdate.objects.exists()
    assert not TimeEntry.objects.exists()


def test_an_update_of_a_task_that_was_cancelled_meanwhile_is_not_lost(cast, drill, task):
    task.cancel(by=cast.dentist)
    answer = drill.post(f"/tasks/{task.pk}/updates/", {"note": "Half of them", "percent": "50"})
    assert (answer.status_code, "Half of them</textarea>" in answer.content.decode()) == (422, True)
    assert "Open it again to tell" in answer.content.decode()


def test_a_refused_answer_to_an_update_keeps_its_reason(cast, drill, task):
    update = TaskUpdate.tell(by=cast.dentist, task=task, note="All taken")
    answer = drill.post(f"/task-updates/{update.pk}/review/", {"decision": "perhaps", "reason": "One is blurred"})
    page = answer.content.decode()
    assert (answer.status_code, 'value="One is blurred"' in page, "Say approved or rejected." in page) == (422, True, True)
    too_long = "x" * 201
    assert f'value="{too_long}"' in drill.post(
        f"/task-updates/{update.pk}/review/", {"decision": "rejected", "reason": too_long}).content.decode()


def test_all_that_wait_for_review_are_shown_and_the_newest_of_the_rest(cast, drill, milestone, task):
    for number in range(6):
        update = TaskUpdate.tell(by=cast.dentist, task=task, note=f"Told {number}")
        if number:
            update.review(by=cast.dentist, decision="approved")
    page = drill.get(f"/milestones/{milestone.pk}/").content.decode()
    assert [number for number in range(6) if f"Told {number}" in page] == [0, 3, 4, 5]


@pytest.mark.parametrize(("model", "verb", "path", "typed"), [
    (Task, "add", "/milestones/{milestone}/tasks/", {"title": "As it was typed", "weight": "1"}),
    (Task, "revise", "/tasks/{task}/", {"title": "As it was typed", "weight": "1"}),
    (Evidence, "add", "/milestones/{milestone}/evidence/", {"evidence_type": "metric", "title": "As it was typed", "value": "2"}),
    (Evidence, "withdraw", "/evidence/{evidence}/withdraw/", {"because": "As it was typed"}),
    (Comment, "write", "/milestones/{milestone}/comments/", {"body": "As it was typed"}),
])
def test_what_was_typed_stays_when_the_state_of_things_forbids_it(
        cast, drill, milestone, task, monkeypatch, model, verb, path, typed):
    proof = Evidence.add(by=cast.dentist, milestone=milestone, evidence_type="metric", title="Overjet", value="1")
    refusals = [Refused("Something else is in the way."), NotAllowed("Not yours.")]

    def refuse(*_args, **_named):
        raise refusals.pop(0)
    monkeypatch.setattr(model, verb, refuse)
    path = path.format(milestone=milestone.pk, task=task.pk, evidence=proof.pk)
    answer = drill.post(path, typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "As it was typed" in page
    assert "Something else is in the way." in page
    assert drill.post(path, typed).status_code == 403


def test_what_the_record_no_longer_offers_is_said_on_the_page(cast, drill, milestone, task):
    answer = drill.post(f"/milestones/{milestone.pk}/evidence/confirm/", {"row": str(task.pk)})
    assert (answer.status_code, "no longer offers this" in answer.content.decode()) == (422, True)


def test_an_hour_told_just_after_midnight_is_todays(cast, sign_in, task, today):
    early = datetime.combine(today + timedelta(days=1), time(0, 10), cast.clinic.zone)
    with time_machine.travel(early.astimezone(UTC), tick=False):
        sign_in("dentist").post(f"/tasks/{task.pk}/time/", {"minutes": "60", "note": "Wrote to the lab"})
    entry = TimeEntry.objects.get()
    assert entry.started_at.astimezone(cast.clinic.zone) == datetime.combine(early.date(), time(), cast.clinic.zone)
    assert (entry.minutes, entry.note) == (60, "Wrote to the lab")


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


def test_a_comment_is_answered_below_it_and_an_answer_to_an_internal_one_is_internal(cast, drill, milestone, put_in):
    path = f"/milestones/{milestone.pk}/comments/"
    inside = Comment.write(by=cast.dentist, milestone=milestone, body="Among us", internal=True)
    Comment.write(by=cast.dentist, milestone=milestone, body="For the patient")
    drill.post(path, {"body": "Mine too", "parent": str(inside.pk)})
    answer = Comment.objects.get(parent=inside)
    assert answer.internal
    page = drill.get(f"/milestones/{milestone.pk}/").content.decode()
    assert page.index("Among us") < page.index("Mine too") < page.index("For the patient")
    assert f'id="answer-{inside.pk}_internal"' not in page
    refused = drill.post(path, {"body": "x" * 8001, "parent": str(inside.pk)}).content.decode()
    assert refused.count('<details class="ms-tell" open>') == 1
    elsewhere = Comment.write(by=cast.dentist, milestone=put_in("Another"), body="There")
    for parent in (elsewhere.pk, "nothing"):
        assert drill.post(path, {"body": "x", "parent": str(parent)}).status_code == 404


def test_no_two_fields_of_the_page_share_an_id(cast, drill, milestone, task):
    Task.add(by=cast.dentist, milestone=milestone, title="Another one")
    TaskUpdate.tell(by=cast.dentist, task=task, note="x")
    Comment.write(by=cast.dentist, milestone=milestone, body="x")
    Evidence.add(by=cast.dentist, milestone=milestone, evidence_type="metric", title="x", value="1")
    page = drill.get(f"/milestones/{milestone.pk}/").content.decode()
    ids = re.findall(r'<(?:input|textarea|select)\b[^>]*? id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {"task_title", "evidence_title", "comment_body"} < set(ids) & set(re.findall(r'<label[^>]* for="([^"]+)"', page))


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


# Out of the record


def test_evidence_is_chosen_from_what_the_record_holds_and_leads_back_to_it(cast, drill, sign_in, milestone):
    note = ClinicalNote.write(by=cast.dentist, patient=cast.ada, kind="progress", body="Brackets on")
    letter = Document.add(by=cast.dentist, patient=cast.ada, kind="letter", content=b"Dear colleague", name="letter.txt")
    grace = ClinicalNote.write(by=cast.dentist, patient=cast.grace, kind="progress", body="Hers")
    path, page = f"/milestones/{milestone.pk}/evidence/", f"/milestones/{milestone.pk}/"
    shown = drill.get(page).content.decode()
    assert f'value="note:{note.pk}"' in shown
    assert f'value="document:{letter.pk}"' in shown
    assert str(grace.pk) not in shown
    for record in ("", f"note:{grace.pk}", "note:nothing", f"user:{cast.dentist.user.pk}"):
        assert drill.post(path, {"evidence_type": "record", "record": record, "title": ""}).status_code == 422
    assert drill.post(path, {"evidence_type": "record", "record": f"note:{note.pk}", "title": ""}).status_code == 302
    proof = Evidence.objects.get()
    assert (proof.note, proof.title) == (note, f"Progress note, {cast.clinic.today()}, not signed")
    assert f'href="/notes/{note.pk}/"' in drill.get(page).content.decode()
    desk = sign_in("coordinator").get(page).content.decode()  # keeps milestones, and reads no clinical note
    assert proof.title in desk
    assert f"/notes/{note.pk}/" not in desk
    assert f'value="note:{note.pk}"' not in desk


# Time


def test_time_is_added_up_by_milestone_and_person_and_taken_back_with_a_reason(cast, drill, sign_in, plan, milestone, put_in, task):
    other = Task.add(by=cast.dentist, milestone=put_in("Another one"), title="Call", assignee=cast.user("assistant"))
    now = timezone.now()
    own = TimeEntry.log(by=cast.dentist, task=task, started_at=now, minutes=20, note="Upper arch", now=now)
    theirs = TimeEntry.log(by=cast.actor("assistant"), task=other, started_at=now, minutes=7, now=now)
    path = f"/plans/{plan.pk}/time/"
    page = drill.get(path).content.decode()
    assert "27 min in all" in page
    assert "Upper arch" in page
    only = drill.get(path, {"milestone": str(milestone.pk)}).content.decode()
    assert "20 min in all" in only
    assert "Upper arch" in only
    assert drill.post(f"/time/{own.pk}/withdraw/", {"because": " "}).status_code == 422
    assert drill.post(f"/time/{own.pk}/withdraw/", {"because": "On another plan"}).url == path
    page = drill.get(path).content.decode()
    assert "7 min in all" in page
    assert "Taken back: On another plan" in page
    assert drill.post(f"/time/{own.pk}/withdraw/", {"because": "Again"}).status_code == 422
    assert sign_in("receptionist").post(f"/time/{theirs.pk}/withdraw/", {"because": "Not mine"}).status_code == 403
    assert f"/time/{theirs.pk}/withdraw/" not in sign_in("receptionist").get(path).content.decode()
    assert sign_in("dentist", "other").get(path).status_code == 404


def test_the_page_of_time_costs_the_same_with_one_entry_and_with_thirty(cast, drill, plan, task):
    counts = []
    for number in (1, 29):
        for _ in range(number):
            TimeEntry.log(by=cast.dentist, task=task, started_at=timezone.now(), minutes=1)
        drill.get(f"/plans/{plan.pk}/time/")
        with CaptureQueriesContext(connection) as asked:
            drill.get(f"/plans/{plan.pk}/time/")
        counts.append(len(asked))
    assert counts[0] == counts[1]
