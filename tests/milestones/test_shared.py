"""A plan as patient and provider share it: who opens it, what it tells, the figures, how it stands; and what it costs."""
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Patient
from milestones.health import State, endangered, health_of
from milestones.metrics import metrics_of
from milestones.models import Comment, Evidence, Milestone, Task, TaskUpdate
from treatment.models import CareTeamMember, TreatmentPlan


@pytest.fixture
def health(plan, today):
    """`health()`: how the plan stands, after it was loaded anew; the list of plans at risk says the same."""
    def ask(now=None):
        plan.refresh_from_db()
        told = health_of([plan], today, now)[plan.pk]
        at_risk = endangered(TreatmentPlan.objects.filter(pk=plan.pk), today, now)
        assert at_risk == ([] if told.state == "on_track" else [(plan, told)])
        return told
    return ask


# Who opens it


def test_it_opens_for_the_provider_the_care_team_the_manager_and_the_patient(cast, program, plan):
    CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("assistant"))  # reads, and is of the team all the same
    path = f"/secure-milestones/{plan.pk}"
    found = {role: program(role).get(path).status_code for role in (
        "dentist", "assistant", "manager", "patient", "receptionist", "coordinator", "hygienist", "biller", "coach")}
    assert found == {"dentist": 200, "assistant": 200, "manager": 200, "patient": 200, "receptionist": 404, "coordinator": 404,
                     "hygienist": 404, "biller": 404, "coach": 403}
    CareTeamMember.objects.get(plan=plan, user=cast.user("assistant")).end(by=cast.manager)
    assert program("assistant").get(path).status_code == 404


def test_it_opens_for_no_other_patient_and_no_other_clinic(cast, program, draw_up):
    hers = draw_up("Hers", patient=cast.grace).activate(by=cast.dentist)
    for reader, key in ((program("patient"), hers.pk), (program("dentist"), uuid4())):
        answer = reader.get(f"/secure-milestones/{key}")
        assert answer.status_code == 404
    theirs = draw_up("Theirs", by=cast.outsider.dentist, patient=cast.outsider.ada, provider=cast.outsider.drill)
    assert program("manager").get(f"/secure-milestones/{theirs.pk}").status_code == 404
    for path in ("milestone-comments", "milestone-approvals", "time-entries"):
        assert program("manager").get(f"/{path}/{theirs.pk}").status_code == 404


def test_of_a_draft_the_patient_sees_nothing(cast, program, draw_up):
    draft = draw_up("Draft")
    assert program("patient").get(f"/secure-milestones/{draft.pk}").status_code == 404
    assert program("dentist").get(f"/secure-milestones/{draft.pk}").data["milestones"] == []


def test_a_name_of_another_patient_never_appears(cast, program, draw_up, plan):
    planted = Patient.register(by=cast.desk, first_name="Zebra-Token", last_name="Zebra-Token", date_of_birth="1990-01-01")
    other = draw_up("Zebra-Token", patient=planted).activate(by=cast.dentist)
    milestone = Milestone.add(by=cast.dentist, plan=other, name="Zebra-Token")
    Comment.write(by=cast.dentist, milestone=milestone, body="Zebra-Token")
    Task.add(by=cast.dentist, milestone=milestone, title="Zebra-Token")
    patient = program("patient")
    for path in ("/secure-milestones/{}", "/milestone-comments/{}", "/milestone-approvals/{}"):
        for key, status in ((plan.pk, 200), (other.pk, 404)):
            answer = patient.get(path.format(key))
            assert answer.status_code == status
            assert b"Zebra-Token" not in answer.content


@pytest.mark.parametrize(("role", "may"), [
    ("dentist", {"create", "update", "review", "comment", "comment_internally"}),
    ("manager", {"create", "update", "comment", "comment_internally"}),
    ("assistant", {"comment", "comment_internally"}), ("patient", {"comment", "approve"})])
def test_it_tells_what_the_caller_may_do_there(cast, program, plan, role, may):
    CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("assistant"))
    told = program(role).get(f"/secure-milestones/{plan.pk}").data["may"]
    assert set(told) == {"treatment:read"} | {f"milestone:{name}" for name in may}


# What it tells


def test_it_tells_the_plan_its_milestones_with_tasks_and_how_it_stands(cast, program, plan, put_in):
    late = put_in("Late")
    Task.add(by=cast.dentist, milestone=late, title="Call")
    plan.milestones.in_order().first().achieve(by=cast.dentist)
    put_in("Gone").withdraw(by=cast.dentist)
    data = program("dentist").get(f"/secure-milestones/{plan.pk}").data
    assert (data["booking_id"], data["plan"]["id"], data["plan"]["title"]) == (str(plan.pk), str(plan.pk), "Braces")
    assert data["progress"] == {"achieved": 1, "total": 4, "percent": 25} == data["plan"]["milestone_progress"]
    assert [row["milestone_name"] for row in data["milestones"]] == [
        "Treatment start", "Half-way review", "Treatment complete", "Late"]
    assert [task["title"] for task in data["milestones"][-1]["tasks"]] == ["Call"]
    assert data["milestones"][-1]["metrics"]["total_tasks"] == 1
    assert data["health"] == {"state": "at_risk", "reasons": ["“Late” is 1 day past its day."]}


# The figures


def test_the_figures_of_a_milestone(cast, dentist, milestone):
    start = timezone.now()
    with time_machine.travel(start - timedelta(days=12), tick=False):
        first, second, third, fourth = (Task.add(by=cast.dentist, milestone=milestone, title=str(each)) for each in range(4))
        milestone.start(by=cast.dentist)
    fourth.cancel(by=cast.dentist)
    Task.add(by=cast.dentist, milestone=milestone, title="Gone").withdraw(by=cast.dentist)
    for task, hours in ((first, 10), (second, 20)):
        done = TaskUpdate.tell(by=cast.dentist, task=task, note="x", percent=100)
        done.review(by=cast.dentist, decision="approved", now=start - timedelta(days=12) + timedelta(hours=hours))
    TaskUpdate.tell(by=cast.dentist, task=third, note="x").review(by=cast.dentist, decision="rejected")
    TaskUpdate.tell(by=cast.dentist, task=third, note="x")
    Evidence.add(by=cast.dentist, milestone=milestone, evidence_type="metric", title="x", value=1)
    told = dentist.get(f"/milestones/{milestone.pk}").data["metrics"]
    assert told == {
        "days_in_milestone": 12, "total_tasks": 4, "completed_tasks": 2, "active_tasks": 1, "avg_task_completion_time": 15.0,
        "progress_update_count": 4, "approved_updates": 2, "pending_updates": 1, "rejected_updates": 1,
        "update_approval_rate": 66.7, "evidence_count": 1}


def test_a_milestone_without_work_has_figures_too(dentist, milestone):
    assert dentist.get(f"/milestones/{milestone.pk}").data["metrics"] == {
        "days_in_milestone": 0, "total_tasks": 0, "completed_tasks": 0, "active_tasks": 0, "avg_task_completion_time": None,
        "progress_update_count": 0, "approved_updates": 0, "pending_updates": 0, "rejected_updates": 0,
        "update_approval_rate": None, "evidence_count": 0}


def test_a_milestone_begins_when_it_is_started_or_when_the_one_before_it_was_achieved(cast, draw_up, today):
    plan = draw_up(start_date=today - timedelta(days=100)).activate(by=cast.dentist)
    first, second, third = plan.milestones.in_order()
    first.achieve(by=cast.dentist, on=today - timedelta(days=70))
    second.achieve(by=cast.dentist, on=today - timedelta(days=40))
    third.start(by=cast.dentist, now=timezone.now() - timedelta(days=15))
    third.achieve(by=cast.dentist, on=today - timedelta(days=10))
    rows = list(plan.milestones.in_order().select_related("plan", "clinic"))
    assert [metrics_of(rows, today)[row.pk].days_in_milestone for row in rows] == [30, 30, 5]


def test_the_time_in_each_type_of_milestone_is_told_across_patients(cast, dentist, draw_up, today):
    for patient, days in ((cast.ada, 10), (cast.grace, 21)):
        plan = draw_up(patient=patient, start_date=today - timedelta(days=50)).activate(by=cast.dentist)
        first = plan.milestones.in_order().first()
        first.achieve(by=cast.dentist, on=today - timedelta(days=50 - days))
    report = dentist.get("/milestones/report?by=milestone_type").data["items"]
    assert {row["milestone_type"]: row["average_days"] for row in report} == {
        "TREATMENT_START": 15.5, "CUSTOM": None, "TREATMENT_COMPLETE": None}


# How it stands


def test_a_plan_without_delays_is_on_track(health):
    assert health() == (State.ON_TRACK, [])


@pytest.mark.parametrize(("days", "state"), [(1, "at_risk"), (30, "at_risk"), (31, "late")])
def test_a_milestone_that_slips_puts_the_plan_at_risk_and_a_month_later_it_is_late(put_in, health, today, days, state):
    put_in("Bite opened", target_date=today - timedelta(days=days))
    assert health() == (state, [f"“Bite opened” is {days} day{'s' if days > 1 else ''} past its day."])


def test_a_missed_milestone_counts_until_one_after_it_is_achieved(cast, put_in, health):
    missed, later = put_in("Missed"), put_in("Later", target_date=None)
    missed.miss(by=cast.dentist)
    assert health().state == "at_risk"
    later.achieve(by=cast.dentist)
    assert health().state == "on_track"


def test_what_is_deferred_or_cancelled_delays_nothing(cast, put_in, health, today):
    put_in().defer(by=cast.dentist, because="Ill", target_date=today + timedelta(days=9))
    put_in("Other").cancel(by=cast.dentist, because="Not needed")
    assert health().state == "on_track"


def test_a_plan_whose_end_is_over_is_late(cast, plan, health, today):
    plan.revise(by=cast.dentist, start_date=today - timedelta(days=90), target_end_date=today - timedelta(days=2))
    assert (health().state, "The plan was to end 2 days ago." in health().reasons) == ("late", True)


def test_missed_visits_put_a_plan_at_risk(cast, book, at, health):
    now = at("2026-12-10 12:00")
    first = book("2026-12-01 9:00")
    assert health(now).state == "on_track"
    with time_machine.travel(at("2026-12-01 10:00"), tick=False):
        first.no_show(by=cast.desk)
    assert health(now) == ("at_risk", ["The last visit was missed or cancelled, and no other is booked."])
    second = book("2026-12-08 9:00")
    assert health(now).state == "on_track"
    with time_machine.travel(at("2026-12-08 10:00"), tick=False):
        second.no_show(by=cast.desk)
    book("2026-12-20 9:00")
    assert health(now) == ("at_risk", ["2 visits were missed in the last three months."])
    assert health(now + timedelta(days=95)).state == "on_track"


def test_overdue_tasks_put_a_plan_at_risk_when_they_are_many_or_old(cast, plan, put_in, health, today):
    Task.objects.get(title="Check that records and consent are there").cancel(by=cast.dentist)  # due before the plan began
    milestone = put_in(target_date=None)
    add = lambda days: Task.add(  # noqa: E731
        by=cast.dentist, milestone=milestone, title="x", due_date=today - timedelta(days=days))
    add(3), add(14)
    assert health() == (State.ON_TRACK, [])
    third = add(1)
    assert health() == ("at_risk", ["3 tasks are overdue, for up to 14 days."])
    third.cancel(by=cast.dentist)
    add(15)
    assert health().reasons == ["3 tasks are overdue, for up to 15 days."]


def test_a_plan_that_does_not_run_is_not_late(cast, plan, put_in, health, today):
    put_in(target_date=today - timedelta(days=300))
    assert health().state == "late"
    plan.hold(by=cast.dentist)
    assert health().state == "late"
    plan.discontinue(by=cast.dentist, because="Moved")
    assert health() == (State.ON_TRACK, [])


def test_the_gravest_reason_comes_first(put_in, health, today):
    for days in (2, 60, 1):
        put_in(f"By {days}", target_date=today - timedelta(days=days))
    assert health() == ("late", [
        "“By 60” is 60 days past its day.", "“By 2” is 2 days past its day.", "“By 1” is 1 day past its day."])


# What it costs


def fill(cast, plan, milestones, tasks, comments):
    """Work in a plan, at both ends of what a practice has."""
    rows = [Milestone.add(by=cast.dentist, plan=plan, name=f"M{number}", target_date=cast.clinic.today() - timedelta(days=number))
            for number in range(milestones)]
    for number in range(tasks):
        task = Task.add(by=cast.dentist, milestone=rows[number % milestones], title=f"T{number}", assignee=cast.user("assistant"),
                        due_date=cast.clinic.today() - timedelta(days=1))
        if number % 4 == 0:
            TaskUpdate.tell(by=cast.dentist, task=task, note="x", percent=50)
    for number in range(comments):
        Comment(clinic=cast.clinic, patient=plan.patient, milestone=rows[number % milestones], body="x", by=cast.user("dentist"),
                at=timezone.now() - timedelta(minutes=number + 1)).save()
    for row in rows:
        Evidence.add(by=cast.dentist, milestone=row, evidence_type="metric", title="x", value=1)
    return rows


def counted(program, path):
    with CaptureQueriesContext(connection) as queries:
        answer = program.get(path)
    assert answer.status_code == 200
    return len(queries), answer.data


@pytest.mark.wide
def test_twenty_milestones_with_their_work_cost_what_two_do(cast, program, dentist, draw_up):
    small, large = (draw_up(f"Of {size}").activate(by=cast.dentist) for size in (2, 20))
    fill(cast, small, 2, 2, 2)
    rows = fill(cast, large, 20, 200, 500)
    for reader in (dentist, program("patient")):
        few, _ = counted(reader, f"/secure-milestones/{small.pk}")
        many, data = counted(reader, f"/secure-milestones/{large.pk}")
        assert (len(data["milestones"]), sum(len(row["tasks"]) for row in data["milestones"])) == (23, 202)
        assert few == many < 30
    few, _ = counted(dentist, f"/milestones/{small.milestones.last().pk}")
    many, data = counted(dentist, f"/milestones/{rows[0].pk}")
    assert (len(data["tasks"]), len(data["comments"]), few) == (10, 25, many)
    for path in ("milestone-comments", "milestone-approvals", "time-entries"):
        assert counted(dentist, f"/{path}/{small.pk}")[0] == counted(dentist, f"/{path}/{large.pk}")[0]


def test_the_health_of_many_plans_costs_what_that_of_one_does(cast, draw_up, book, today, django_assert_num_queries):
    plans = []
    for number in range(12):
        patient = Patient.register(by=cast.desk, first_name="P", last_name=str(number), date_of_birth="1990-01-01")
        plans.append(draw_up(patient=patient).activate(by=cast.dentist))
        Milestone.add(by=cast.dentist, plan=plans[-1], name="x", target_date=today - timedelta(days=number))
    for some in (plans[:1], plans):
        with django_assert_num_queries(4):
            assert len(health_of(some, today)) == len(some)


def test_the_midnight_of_the_clinic_decides(cast, dentist, milestone, today):
    """A task that is due today is overdue from the clinic's own midnight on."""
    task = Task.add(by=cast.dentist, milestone=milestone, title="x", due_date=today)
    midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), cast.clinic.zone)
    for moment, overdue in ((midnight - timedelta(seconds=1), False), (midnight, True)):
        with time_machine.travel(moment, tick=False):
            assert dentist.get(f"/tasks/{task.pk}").data["is_overdue"] is overdue
