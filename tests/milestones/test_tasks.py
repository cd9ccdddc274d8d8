"""Tasks of a milestone: what they say, who does them, how they are completed, and the time that they take."""
import re
from datetime import timedelta
from itertools import product

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clinic.db.refusals import NotAllowed, Refused, constraint_name
from milestones.models import Milestone, MilestoneSet, Task, TaskUpdate, TimeEntry
from milestones.refusals import WrongStep

NOBODY = "01a20000-0000-7000-8000-000000000000"  # the key of nothing
STATUSES = [str(status) for status in Task.Status]
WAY = {"OPEN": [], "IN_PROGRESS": ["start"], "COMPLETED": ["complete"], "CANCELLED": ["cancel"]}


def table():
    """{verb: (from, to)} as the docstring of Task writes it."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in Task.__doc__.splitlines() if "|" in line]
    return {row[0]: (set(re.findall(r"[A-Z_]+", row[1])), row[2]) for row in rows[2:]}


@pytest.fixture
def task(cast, milestone):
    return Task.add(by=cast.dentist, milestone=milestone, title="Take photos")


@pytest.fixture
def complete(cast):
    """`complete(task)`: by an approved update of 100 %."""
    def make(task, by=None):
        update = TaskUpdate.tell(by=by or cast.dentist, task=task, note="Done", percent=100)
        update.review(by=cast.dentist, decision="approved")
        task.refresh_from_db()
        return update
    return make


def stand(cast, task, status, complete):
    for verb in WAY[status]:
        complete(task) if verb == "complete" else getattr(task, verb)(by=cast.dentist)
    assert task.status == status


def test_a_task_is_added_as_the_contract_writes_it(cast, dentist, milestone, today):
    body = {"title": "Take photos", "description": "Five views", "assignee_id": str(cast.user("assistant").pk),
            "due_date": str(today), "weight": 3}
    answer = dentist.post(f"/milestones/{milestone.pk}/tasks", body)
    assert answer.status_code == 201
    assert {name: answer.data[name] for name in body} == body
    assert {name: answer.data[name] for name in ("milestone_id", "status", "percent", "completed_at", "sequence", "version")} == {
        "milestone_id": str(milestone.pk), "status": "OPEN", "percent": 0, "completed_at": None, "sequence": 1, "version": 1}
    assert dentist.post(f"/milestones/{milestone.pk}/tasks", {"title": "More"}).data["sequence"] == 2
    shown = dentist.get(f"/milestones/{milestone.pk}").data
    assert [task["title"] for task in shown["tasks"]] == ["Take photos", "More"]
    assert dentist.get(f"/tasks/{answer.data['id']}").data == answer.data


@pytest.mark.parametrize(("name", "value"), [
    ("title", " "), ("weight", 0), ("weight", 101), ("percent", 50), ("status", "COMPLETED"), ("clinic_id", NOBODY),
    ("due_date", "soon")])
def test_what_a_new_task_may_not_say_is_refused_by_name(dentist, milestone, name, value):
    answer = dentist.post(f"/milestones/{milestone.pk}/tasks", {"title": "x", name: value})
    assert (answer.status_code, [error["field"] for error in answer.data["errors"]]) == (422, [name])
    assert not milestone.tasks.exists()


def test_only_who_works_here_gets_a_task(cast, dentist, milestone, task):
    gone = cast.user("biller")
    gone.memberships.get().end(by=cast.manager, because="Moved")
    for user in (cast.outsider.user("dentist"), cast.user("patient"), cast.user("coach"), gone):
        for method, path in (("POST", f"/milestones/{milestone.pk}/tasks"), ("PATCH", f"/tasks/{task.pk}")):
            answer = dentist.send(method, path, {"title": "x", "assignee_id": str(user.pk)})
            assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "assignee_id")
            assert answer.data == dentist.send(method, path, {"title": "x", "assignee_id": NOBODY}).data
        with pytest.raises(ValidationError):
            Task.add(by=cast.dentist, milestone=milestone, title="x", assignee=user)


def test_who_left_keeps_the_tasks_that_they_had(cast, dentist, milestone):
    user = cast.user("biller")
    task = Task.add(by=cast.dentist, milestone=milestone, title="Call", assignee=user)
    user.memberships.get().end(by=cast.manager, because="Moved")
    answer = dentist.patch(f"/tasks/{task.pk}", {"title": "Call again", "assignee_id": str(user.pk)})
    assert (answer.status_code, answer.data["assignee_id"]) == (200, str(user.pk))


# The steps


def test_the_code_has_the_table_of_the_docstring():
    assert table() == {verb: ({*map(str, before)}, str(after)) for verb, (before, after) in Task.STEPS.items()}


@pytest.mark.parametrize(("status", "verb"), list(product(STATUSES, ["start", "cancel", "reopen"])))
def test_each_step_is_taken_from_where_the_table_says_and_from_nowhere_else(cast, task, complete, status, verb):
    stand(cast, task, status, complete)
    before, after = table()[verb]
    if status not in before:
        with pytest.raises(WrongStep):
            getattr(task, verb)(by=cast.dentist)
        task.refresh_from_db()
        assert task.status == status
    else:
        assert getattr(task, verb)(by=cast.dentist, because="So").status == after
        assert Task.objects.get(pk=task.pk).status_because == "So"


@pytest.mark.parametrize(("status", "wished"), list(product(STATUSES, STATUSES)))
def test_a_patched_status_passes_the_same_gate(cast, dentist, task, complete, status, wished):
    stand(cast, task, status, complete)
    taken = wished != "COMPLETED" and any(status in before and wished == after for before, after in table().values())
    answer = dentist.patch(f"/tasks/{task.pk}", {"status": wished, "reason": "So"})
    assert answer.status_code == (200 if taken or status == wished else 409)
    task.refresh_from_db()
    assert task.status == (wished if taken else status)


def test_what_was_completed_and_is_opened_again_begins_anew(cast, task, complete):
    complete(task)
    assert (task.percent, task.completed_at is None) == (100, False)
    task.reopen(by=cast.dentist)
    assert (task.status, task.percent, task.completed_at) == ("OPEN", 0, None)
    complete(task)
    assert task.status == "COMPLETED"


def test_of_two_who_change_a_task_the_second_sees_the_first_ones(dentist, task):
    seen = f'"{task.version}"'
    assert dentist.patch(f"/tasks/{task.pk}", {"title": "First"}, **{"If-Match": seen}).status_code == 200
    stale = dentist.patch(f"/tasks/{task.pk}", {"title": "Second"}, **{"If-Match": seen})
    assert (stale.status_code, stale.data["current"]["title"]) == (409, "First")
    read = dentist.get(f"/tasks/{task.pk}")
    assert read.headers["ETag"] == '"2"'
    assert dentist.patch(f"/tasks/{task.pk}", read.data).data == read.data  # as it was read: nothing changes
    assert dentist.patch(f"/tasks/{task.pk}", {"percent": 80}).data["errors"][0]["field"] == "percent"


def test_a_deleted_task_is_gone_and_stays_in_the_history(dentist, milestone, task):
    assert dentist.delete(f"/tasks/{task.pk}").status_code == 204
    assert dentist.get(f"/tasks/{task.pk}").status_code == 404
    assert dentist.delete(f"/tasks/{task.pk}").status_code == 404
    assert dentist.get(f"/milestones/{milestone.pk}").data["tasks"] == []
    assert Task.history.filter(id=task.pk, is_withdrawn=True).exists()


def test_what_work_was_told_of_is_cancelled_and_not_deleted(cast, dentist, milestone):
    told, timed = (Task.add(by=cast.dentist, milestone=milestone, title=title) for title in ("Told", "Timed"))
    update = TaskUpdate.tell(by=cast.dentist, task=told, note="Half", percent=50)
    assert told.ties() == []
    update.review(by=cast.dentist, decision="approved")
    entry = TimeEntry.log(by=cast.dentist, task=timed, started_at=timezone.now(), minutes=5)
    for task, why in ((told, "approved update"), (timed, "time")):
        answer = dentist.delete(f"/tasks/{task.pk}")
        assert answer.status_code == 409
        assert why in answer.data["detail"]
    entry.withdraw(by=cast.dentist, because="Wrong task")
    assert dentist.delete(f"/tasks/{timed.pk}").status_code == 204


def test_tasks_of_a_milestone_that_was_taken_out_are_gone_with_it(cast, dentist, milestone, task):
    milestone.withdraw(by=cast.dentist)
    assert dentist.get(f"/tasks/{task.pk}").status_code == 404
    assert not Task.objects.in_force().filter(pk=task.pk).exists()


# Who may


def test_tasks_are_kept_by_who_keeps_the_milestone(cast, program, milestone, task, writer):
    keepers = ("dentist", "hygienist", "coordinator", "manager")
    for number, role in enumerate((*keepers, "assistant", "receptionist", "biller", "coach", "patient"), 2):
        status = 200 if role in keepers else 403
        assert program(role).patch(f"/tasks/{task.pk}", {"weight": number}).status_code == status, role
        added = program(role).post(f"/milestones/{milestone.pk}/tasks", {"title": "x"}).status_code
        assert added == (201 if status == 200 else 403), role


def test_an_assignee_tells_of_their_own_task_and_of_no_other(cast, program, milestone, task):
    desk = program("receptionist")
    own = Task.add(by=cast.dentist, milestone=milestone, title="Call", assignee=cast.user("receptionist"))
    note, time = {"note": "Called", "percent": 100}, {"started_at": "2026-01-05T09:00:00-05:00", "minutes": 10}
    told = desk.post(f"/tasks/{own.pk}/updates", note)
    assert (told.status_code, told.data["status"], told.data["author_id"]) == (201, "PENDING", str(cast.user("receptionist").pk))
    assert desk.post(f"/tasks/{own.pk}/time-entries", time).status_code == 201
    assert desk.post(f"/tasks/{task.pk}/updates", note).status_code == 403
    assert desk.post(f"/tasks/{task.pk}/time-entries", time).status_code == 403
    assert desk.post(f"/task-updates/{told.data['id']}/review", {"decision": "approved"}).status_code == 403
    assert desk.patch(f"/tasks/{own.pk}", {"title": "Mine"}).status_code == 403


@pytest.mark.parametrize(("role", "status"), [
    ("dentist", 200), ("hygienist", 200), ("assistant", 403), ("coordinator", 403), ("manager", 403), ("receptionist", 403),
    ("biller", 403), ("coach", 403), ("patient", 403)])
def test_updates_are_reviewed_by_a_clinician_who_writes_the_plan(cast, program, task, writer, role, status):
    update = TaskUpdate.tell(by=cast.dentist, task=task, note="Half", percent=50)
    assert program(role).post(f"/task-updates/{update.pk}/review", {"decision": "approved"}).status_code == status
    task.refresh_from_db()
    assert task.percent == (50 if status == 200 else 0)


# Updates


def test_only_an_approved_update_moves_the_task_and_100_completes_it(cast, dentist, task):
    path = f"/tasks/{task.pk}"
    half = dentist.post(f"{path}/updates", {"note": "Three of five", "percent": 60})
    assert half.status_code == 201
    assert [dentist.get(path).data[name] for name in ("status", "percent")] == ["IN_PROGRESS", 0]
    back = dentist.post(f"/task-updates/{half.data['id']}/review", {"decision": "rejected", "reason": "Blurred"})
    assert [back.data[name] for name in ("status", "reason", "reviewed_by")] == [
        "REJECTED", "Blurred", str(cast.user("dentist").pk)]
    assert dentist.get(path).data["percent"] == 0
    full = dentist.post(f"{path}/updates", {"note": "All five", "percent": 100}).data
    done = dentist.post(f"/task-updates/{full['id']}/review", {"decision": "approved"}).data
    assert [done["status"], done["reviewed_at"] is not None] == ["APPROVED", True]
    now = dentist.get(path).data
    assert [now[name] for name in ("status", "percent", "completed_at")] == ["COMPLETED", 100, done["reviewed_at"]]
    assert [each["percent"] for each in dentist.get(f"{path}/updates").data["items"]] == [100, 60]


def test_an_update_is_reviewed_once(cast, dentist, task):
    update = TaskUpdate.tell(by=cast.dentist, task=task, note="Half", percent=50)
    path = f"/task-updates/{update.pk}/review"
    assert dentist.post(path, {"decision": "approved"}).status_code == 200
    for decision in ("approved", "rejected"):
        assert dentist.post(path, {"decision": decision}).status_code == 409
    assert dentist.post(path, {"decision": "perhaps"}).status_code == 422
    update.refresh_from_db()
    assert (update.status, update.note) == ("APPROVED", "Half")


def test_what_is_over_takes_no_update_and_is_not_moved_by_one(cast, dentist, task):
    first, second = (TaskUpdate.tell(by=cast.dentist, task=task, note="x", percent=percent) for percent in (100, 40))
    first.review(by=cast.dentist, decision="approved")
    second.review(by=cast.dentist, decision="approved")
    task.refresh_from_db()
    assert (task.status, task.percent) == ("COMPLETED", 100)
    assert dentist.post(f"/tasks/{task.pk}/updates", {"note": "More"}).status_code == 409


@pytest.mark.parametrize("body", [{"note": " "}, {"percent": 50}, {"note": "x", "percent": 101}, {"note": "x", "percent": -1},
                                  {"note": "x", "status": "APPROVED"}])
def test_what_no_update_says_is_a_422(dentist, task, body):
    assert dentist.post(f"/tasks/{task.pk}/updates", body).status_code == 422


def test_who_writes_the_plan_finds_what_waits_for_review(cast, task, writer):
    update = TaskUpdate.tell(by=cast.dentist, task=task, note="x")
    for role, found in (("dentist", True), ("hygienist", True), ("assistant", False), ("coordinator", False), ("manager", False)):
        assert (update in TaskUpdate.objects.to_review(cast.actor(role))) is found, role
    update.review(by=cast.dentist, decision="rejected")
    assert not TaskUpdate.objects.to_review(cast.dentist).exists()


# Time


def test_time_is_logged_and_added_up_by_milestone_plan_and_person(cast, program, dentist, plan, put_in):
    one, other = (Task.add(by=cast.dentist, milestone=put_in(name), title="x") for name in ("One", "Other"))
    start = timezone.now() - timedelta(hours=2)
    for by, task, minutes in ((cast.dentist, one, 30), (cast.actor("coordinator"), one, 15), (cast.dentist, other, 1440)):
        TimeEntry.log(by=by, task=task, started_at=start, minutes=minutes)
    wrong = TimeEntry.log(by=cast.dentist, task=one, started_at=start, minutes=60)
    assert dentist.post(f"/time-entries/{wrong.pk}/withdraw", {"reason": "Twice"}).data["is_withdrawn"] is True
    assert dentist.post(f"/time-entries/{wrong.pk}/withdraw", {"reason": "Twice"}).status_code == 409
    rows = TimeEntry.objects.of_plan(plan)
    assert rows.totals("milestone") == {one.milestone_id: 45, other.milestone_id: 1440}
    assert rows.totals("plan") == {plan.pk: 1485}
    assert rows.totals("person") == {cast.user("dentist").pk: 1470, cast.user("coordinator").pk: 15}
    assert rows.totals("task") == {one.pk: 45, other.pk: 1440}
    assert one.time_entries.minutes() == 45
    found = program("receptionist").get(f"/time-entries/{plan.pk}").data
    assert (found["count"], found["total_minutes"]) == (4, 1485)
    assert sorted(each["minutes"] for each in found["by_person"]) == [15, 1470]
    assert [each["withdrawn_because"] for each in found["items"] if each["is_withdrawn"]] == ["Twice"]


@pytest.mark.parametrize(("name", "value"), [
    ("minutes", 0), ("minutes", 1441), ("minutes", 1.5), ("started_at", "1999-12-31T23:59:00Z"),
    ("started_at", "2199-01-01T00:00:00Z"),
    ("started_at", "2026-01-05"), ("user_id", NOBODY)])
def test_time_that_was_not_spent_is_refused_by_name(dentist, task, name, value):
    answer = dentist.post(
        f"/tasks/{task.pk}/time-entries", {"started_at": "2026-01-05T09:00:00-05:00", "minutes": 10, name: value})
    assert (answer.status_code, [error["field"] for error in answer.data["errors"]]) == (422, [name])
    assert not task.time_entries.exists()


def test_time_is_taken_back_by_whose_it_is_and_by_who_keeps_the_milestone(cast, milestone):
    task = Task.add(by=cast.dentist, milestone=milestone, title="Call", assignee=cast.user("receptionist"))
    mine, his = (TimeEntry.log(by=by, task=task, started_at=timezone.now(), minutes=5) for by in (cast.desk, cast.dentist))
    with pytest.raises(NotAllowed):
        his.withdraw(by=cast.desk, because="x")
    with pytest.raises(ValidationError):
        mine.withdraw(by=cast.desk, because=" ")
    mine.withdraw(by=cast.desk, because="Wrong day")
    his.withdraw(by=cast.actor("coordinator"), because="Wrong day")
    assert task.time_entries.minutes() == 0
    with pytest.raises(Refused):
        mine.withdraw(by=cast.desk, because="x")


# What comes with the standard set


@pytest.fixture
def with_tasks(cast, draw_up):
    """`with_tasks()`: an active orthodontic plan, whose standard milestones come with tasks."""
    return lambda **values: draw_up(treatment_type="COMPREHENSIVE", **values).activate(by=cast.dentist)


def test_activating_a_plan_brings_the_tasks_of_its_milestones_once(cast, with_tasks):
    plan = with_tasks()
    rows = MilestoneSet.objects.get(clinic=cast.clinic, treatment_type="COMPREHENSIVE").rows.in_use()
    wanted = {(row.name, each["title"]): each["days_before"] for row in rows for each in row.tasks}
    wanted["Treatment start", "Check that records and consent are there"] = 0  # not before the plan starts
    tasks = Task.objects.filter(milestone__plan=plan).select_related("milestone")
    assert {(task.milestone.name, task.title): (task.milestone.target_date - task.due_date).days for task in tasks} == wanted
    assert all(task.version == 1 and task.status == "OPEN" for task in tasks)
    assert Task.history.filter(id__in=tasks.values("pk"), version=1).count() == len(wanted)
    plan.complete(by=cast.dentist)
    plan.reopen(by=cast.dentist, because="Not done")
    assert Task.objects.filter(milestone__plan=plan).count() == len(wanted)


def test_the_tasks_of_a_whole_set_are_laid_in_a_few_queries(cast, with_tasks, django_assert_max_num_queries):
    MilestoneSet.load_starter(by=cast.system)
    plan = with_tasks()
    milestones = list(plan.milestones.select_related("template", "patient"))
    with django_assert_max_num_queries(4):
        Task.lay_out(milestones, by=cast.system)


def test_tasks_move_with_their_milestone_unless_a_person_dated_them(cast, with_tasks):
    plan = with_tasks()
    untouched = Task.objects.get(milestone__plan=plan, title="Take impressions or a scan for retainers")
    dated, done = (Task.objects.filter(milestone__plan=plan, title="Take progress photos").in_order()[number] for number in (0, 1))
    day = dated.due_date + timedelta(days=3)
    dated.revise(by=cast.dentist, due_date=day)
    done.cancel(by=cast.dentist)
    stays = done.due_date
    plan.revise(by=cast.dentist, start_date=plan.start_date + timedelta(days=60))
    Milestone.shift(by=cast.dentist, plan=plan)
    for task in (untouched, dated, done):
        task.refresh_from_db()
    assert untouched.due_date == untouched.milestone.target_date - timedelta(days=14)
    assert (dated.due_date, done.due_date) == (day, stays)
    later = untouched.milestone.target_date + timedelta(days=100)
    untouched.milestone.defer(by=cast.dentist, because="Ill", target_date=later)
    untouched.refresh_from_db()
    assert untouched.due_date == later - timedelta(days=14)
    untouched.milestone.reopen(by=cast.dentist, because="Well again")
    untouched.milestone.revise(by=cast.dentist, target_date=None)
    untouched.refresh_from_db()
    assert untouched.due_date is None


# Questions


def test_what_is_overdue_says_the_same_of_one_and_of_many(cast, plan, put_in, today):
    late = {"title": "x", "due_date": today - timedelta(days=1)}
    standing, cancelled, dropped = put_in("Stands"), put_in("Dropped"), put_in("Also")
    rows = [Task.add(by=cast.dentist, milestone=milestone, **late) for milestone in (standing, standing, cancelled)]
    rows += [Task.add(by=cast.dentist, milestone=dropped, title="x", due_date=today)]
    rows[1].cancel(by=cast.dentist)
    cancelled.cancel(by=cast.dentist, because="Not needed")
    Task.objects.get(title="Check that records and consent are there").cancel(by=cast.dentist)  # due before the plan began
    found = set(Task.objects.overdue(today))
    assert found == {rows[0]}
    assert {row for row in Task.objects.all() if row.is_overdue(today)} == found
    plan.discontinue(by=cast.dentist, because="Moved")
    assert not Task.objects.overdue(today).exists()
    assert not Task.objects.get(pk=rows[0].pk).is_overdue(today)


def test_ones_own_tasks_come_by_their_day(cast, milestone, today):
    for title, due in (("Someday", None), ("Tomorrow", today + timedelta(days=1)), ("Today", today)):
        Task.add(by=cast.dentist, milestone=milestone, title=title, due_date=due, assignee=cast.user("assistant"))
    Task.add(by=cast.dentist, milestone=milestone, title="Somebody's")
    assert [task.title for task in Task.objects.of_assignee(cast.user("assistant"))] == ["Today", "Tomorrow", "Someday"]


# The database as the second judge


@pytest.mark.parametrize(("table", "change", "name"), [
    ("milestones_taskupdate", "status = 'REJECTED'", "milestones_taskupdate_reviewed_once"),
    ("milestones_taskupdate", "reason = 'x'", "milestones_taskupdate_reviewed_once"),
    ("milestones_taskupdate", "percent = 10", "milestones_taskupdate_stands"),
    ("milestones_taskupdate", "note = ''", "milestones_taskupdate_stands"),
    ("milestones_task", "status = 'OPEN'", "milestones_task_completed_at_100"),
    ("milestones_timeentry", "minutes = 5", "milestones_timeentry_append_only")])
def test_what_was_told_and_answered_stands_in_the_database(cast, task, complete, table, change, name):
    complete(task)
    TimeEntry.log(by=cast.dentist, task=task, started_at=timezone.now(), minutes=10)
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change}")
    assert constraint_name(caught.value) == name


def test_a_task_never_moves_to_another_milestone(cast, task, put_in):
    task.milestone = put_in("Elsewhere")
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        task.record(by=cast.dentist)
    assert constraint_name(caught.value) == "milestones_task_milestone_fixed"
