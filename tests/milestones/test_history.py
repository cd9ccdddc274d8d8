"""The past of milestones: on the patient's history page, and in constant queries."""
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from milestones.models import Approval, Comment, Evidence, Task, TaskUpdate, TimeEntry
from milestones.panels import milestone_changes, work_changes


def test_each_step_stands_in_the_patients_history_with_its_reason(cast, dentist, milestone):
    dentist.post(f"/milestones/{milestone.pk}/defer", {"reason": "Broke a leg"})
    newest = milestone_changes(cast.dentist, cast.ada)[0]
    assert (newest.what, newest.why) == ("Milestone Bite opened", "Broke a leg")
    assert ("Status", "Pending", "Deferred") in newest.fields
    assert milestone_changes(cast.coach, cast.ada) == []
    assert milestone_changes(cast.outsider.dentist, cast.ada) == []


def test_the_history_asks_the_same_for_one_and_for_30(cast, put_in):
    def queries():
        with CaptureQueriesContext(connection) as found:
            milestone_changes(cast.dentist, cast.ada)
        return len(found)

    put_in()
    few = queries()
    for number in range(30):
        put_in(str(number))
    assert queries() == few


def work_in(cast, milestone, number):
    """A task that is told of and reviewed, time taken back, evidence, talk and an approval."""
    task = Task.add(by=cast.dentist, milestone=milestone, title=f"Call {number}")
    TaskUpdate.tell(by=cast.dentist, task=task, note="Called", percent=100).review(
        by=cast.dentist, decision="rejected", reason="Nobody answered")
    TimeEntry.log(by=cast.dentist, task=task, started_at=timezone.now(), minutes=7).withdraw(by=cast.dentist, because="Twice")
    Evidence.add(by=cast.dentist, milestone=milestone, evidence_type="metric", title="Overjet", value=2).withdraw(
        by=cast.dentist, because="Misread")
    Comment.write(by=cast.portal, milestone=milestone, body="A secret")
    Approval.give(by=cast.portal, milestone=milestone, decision="changes_requested")


def test_what_hangs_on_milestones_stands_in_the_patients_history(cast, put_in):
    work_in(cast, put_in("Bite opened", requires_approval=True), 1)
    told = {(each.what, each.why, each.who) for each in work_changes(cast.dentist, cast.ada)}
    assert {
        ("Task Call 1 (new)", "", "Dentist Test"), ("Update of task Call 1", "Nobody answered", "Dentist Test"),
        ("7 minutes on task Call 1 taken back: Twice", "", "Dentist Test"), ("Evidence Overjet", "Misread", "Dentist Test"),
        ("Comment on Bite opened", "", "Ada Lovelace"), ("Changes wished: Bite opened", "", "Ada Lovelace")} <= told
    assert not any("secret" in " ".join(each) for each in told)
    assert work_changes(cast.coach, cast.ada) == work_changes(cast.outsider.dentist, cast.ada) == []


def test_the_history_of_work_asks_the_same_for_one_and_for_30(cast, put_in):
    found = []
    for numbers in (range(1), range(1, 30)):
        for number in numbers:
            work_in(cast, put_in(str(number), requires_approval=True), number)
        with CaptureQueriesContext(connection) as queries:
            assert len(work_changes(cast.dentist, cast.ada)) >= 8 * len(numbers)
        found.append(len(queries))
    assert found[0] == found[1]
