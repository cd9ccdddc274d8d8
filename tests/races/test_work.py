"""Work in a milestone told by many at the same moment: an update is reviewed once, an approval given once, and nobody takes a
milestone out from under what is added to it."""
from datetime import timedelta

import pytest
from django.utils import timezone

from milestones.models import Approval, Evidence, Milestone, Task, TaskUpdate
from tests.races.client import at_once
from tests.races.program import Program
from treatment.models import TreatmentPlan

pytestmark = pytest.mark.race
ROUNDS = 6


@pytest.fixture
def plan(clone):
    by = clone.dentist
    return TreatmentPlan.draw_up(
        by=by, patient=clone.ada, title="Braces", provider=clone.drill, start_date=clone.clinic.today()).activate(by=by)


def test_of_many_who_review_an_update_one_decides(clone, live, plan):
    server, by = live(workers=2, threads=4), clone.dentist
    programs = [Program(server.url, by) for _ in range(6)]
    milestone = Milestone.add(by=by, plan=plan, name="x")
    for _ in range(ROUNDS):
        task = Task.add(by=by, milestone=milestone, title="x")
        update = TaskUpdate.tell(by=by, task=task, note="x", percent=100)
        answers = at_once([
            lambda program=program, decision=decision, key=update.pk: program.send(
                "POST", f"/task-updates/{key}/review", {"decision": decision})
            for program, decision in zip(programs, ["approved", "rejected"] * 3, strict=True)])
        assert sorted(status for status, _ in answers) == [200] + [409] * 5
        update.refresh_from_db()
        task.refresh_from_db()
        assert (task.status == "COMPLETED") is (update.status == "APPROVED")
        assert TaskUpdate.history.filter(id=update.pk).exclude(status="PENDING").count() == 1


def test_a_milestone_is_approved_once_as_it_stands(clone, live, plan):
    server, by = live(workers=2, threads=4), clone.dentist
    patients = [Program(server.url, clone.portal) for _ in range(6)]
    for _ in range(ROUNDS):
        milestone = Milestone.add(by=by, plan=plan, name="x", requires_approval=True)
        answers = at_once([
            lambda patient=patient, key=milestone.pk: patient.send(
                "POST", f"/milestones/{key}/approve", {"decision": "approved", "signature_name": "Ada"})
            for patient in patients])
        assert sorted(status for status, _ in answers) == [200] + [409] * 5
        assert Approval.objects.filter(milestone=milestone).count() == 1


def test_evidence_and_time_never_hang_on_what_is_taken_out_at_the_same_moment(clone, live, plan):
    server, by = live(workers=2, threads=4), clone.dentist
    programs = [Program(server.url, by) for _ in range(3)]
    started = (timezone.now() - timedelta(hours=1)).isoformat()
    for _ in range(ROUNDS):
        milestone = Milestone.add(by=by, plan=plan, name="x")
        task = Task.add(by=by, milestone=milestone, title="x")
        path = f"/milestones/{milestone.pk}"
        sent = [("DELETE", path, None), ("POST", f"{path}/evidence", {"evidence_type": "metric", "title": "x", "value": 1}),
                ("POST", f"/tasks/{task.pk}/time-entries", {"started_at": started, "minutes": 5})]
        answers = at_once([
            lambda program=program, one=one: program.send(*one) for program, one in zip(programs, sent, strict=True)])
        milestone.refresh_from_db()
        hangs = Evidence.objects.filter(milestone=milestone).exists() or task.time_entries.exists()
        assert milestone.is_withdrawn is not hangs
        assert all(status < 500 for status, _ in answers)
