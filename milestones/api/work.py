"""Work inside a milestone: tasks, what is told of them and reviewed, and time."""
from typing import Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from ninja import Query, Schema, Status
from pydantic import Field

from clinic.access.rules import rule
from clinic.models import User
from clinic.web.bodies import (
    Body,
    Day,
    Filled,
    FilledLine,
    Line,
    Listed,
    Moment,
    Paging,
    Reason,
    Text,
    Whole,
    changes_to,
    choice,
    fields_called,
)
from clinic.web.endpoints import Endpoints, change_by
from milestones.api.parts import TaskShown, TimeShown, UpdateShown, task_shown, time_shown, update_shown
from milestones.looks import find_milestone, find_task, find_time_entry, find_update
from milestones.models import Task, TaskUpdate, TimeEntry
from milestones.models.time_entry import LONGEST
from treatment.looks import find_plan

router = Endpoints(tags=["Work inside a milestone"])
NAMES = {"assignee": "assignee_id"}


class TaskBody(Body):
    """What a task says. `assignee_id`: somebody who works here."""

    title: FilledLine = Field(max_length=200)
    description: Text = Field("", max_length=2000)
    assignee_id: UUID | None = None
    due_date: Day | None = None
    weight: Whole = Field(1, ge=1, le=100)


class TaskNew(TaskBody):
    """A task to add; it stands behind the others."""

    id: UUID | None = None


class TaskWhole(TaskBody):
    status: choice(Task.Status)
    sequence: Whole = Field(1, ge=1, le=1000)


class TaskChanges(changes_to(TaskWhole, TaskShown, "TaskChanged")):
    """What to change; what is left out stays. A `status` of COMPLETED is given by an approved update alone; `reason`: why."""

    reason: Line = Field("", max_length=200)


class UpdateNew(Body):
    """What was done, and how far the task is by it."""

    id: UUID | None = None
    note: Filled = Field(max_length=4000)
    percent: Whole | None = Field(None, ge=0, le=100)


class Reviewed(Body):
    decision: Literal[tuple(TaskUpdate.DECISIONS)]
    reason: Line | None = Field(None, max_length=200)


class TimeNew(Body):
    """Own time, on the day on which the work was done."""

    id: UUID | None = None
    started_at: Moment
    minutes: Whole = Field(ge=1, le=LONGEST)
    note: Text | None = Field(None, max_length=2000)


class TimeOf(Schema):
    """Minutes of one milestone, or of one person."""

    id: UUID | None
    minutes: int


class TimeListed(Listed[TimeShown]):
    """The time on a plan. What is added up: all that is not withdrawn, whatever part of the list this is."""

    total_minutes: int
    by_milestone: list[TimeOf]
    by_person: list[TimeOf]


def worker(actor, key):
    """Who works here and has this key; None for None. ValidationError, the same for everybody else."""
    if key is None:
        return None
    found = User.objects.working_in(actor.clinic_id).filter(pk=key).first()
    if found is None:
        raise ValidationError({"assignee_id": "There is nobody with this id who works here."})
    return found


def values_of(given, actor):
    """The verb's arguments for what was sent."""
    values = dict(given)
    if "assignee_id" in values:
        values["assignee"] = worker(actor, values.pop("assignee_id"))
    return values


def _answer(response, task):
    response["ETag"] = f'"{task.version}"'
    return task_shown(task)


@router.post("/milestones/{uuid:milestone_id}/tasks", response={201: TaskShown})
@rule("milestone.update")
def add(request, milestone_id: UUID, body: TaskNew):
    """Add a task to a milestone."""
    found = find_milestone(request, milestone_id)
    with fields_called(NAMES):
        return Status(201, task_shown(Task.add(by=request.actor, milestone=found, **values_of(body.given(), request.actor))))


@router.get("/tasks/{uuid:task_id}", response=TaskShown)
@rule("treatment.view_plan")
def task(request, task_id: UUID, response: HttpResponse):
    """One task."""
    return _answer(response, find_task(request, task_id))


@router.patch("/tasks/{uuid:task_id}", response=TaskShown)
@rule("milestone.update")
def change(request, task_id: UUID, body: TaskChanges, response: HttpResponse):
    """Change a task: its words, who does it, until when; open it again, start or cancel it by its `status`."""
    found = find_task(request, task_id)

    def write(*, by, reason="", status=None, **values):
        if values:
            found.revise(by=by, because=reason, **values)
        if status is not None and status != found.status:
            found.move_to(status, by=by, because=reason)

    refused = change_by(request, found, body, shown=task_shown, values_of=values_of, verb=write, names=NAMES)
    return refused or _answer(response, find_task(request, task_id))


@router.delete("/tasks/{uuid:task_id}", response={204: None})
@rule("milestone.update")
def withdraw(request, task_id: UUID):
    """Take it out; one with time or an approved update is cancelled instead."""
    find_task(request, task_id).withdraw(by=request.actor)
    return Status(204, None)


@router.get("/tasks/{uuid:task_id}/updates", response=Listed[UpdateShown])
@rule("treatment.view_plan")
def updates(request, task_id: UUID, paging: Query[Paging]):
    """What was told of this task, the newest first."""
    found = paging.of(find_task(request, task_id).updates.newest_first())
    return found | {"items": [update_shown(row) for row in found["items"]]}


@router.post("/tasks/{uuid:task_id}/updates", response={201: UpdateShown})
@rule("milestone.work")
def tell(request, task_id: UUID, body: UpdateNew):
    """Tell of work on a task; it waits for review. Who keeps the milestone, and whose task it is."""
    found = find_task(request, task_id)
    return Status(201, update_shown(TaskUpdate.tell(by=request.actor, task=found, **body.given())))


@router.post("/task-updates/{uuid:update_id}/review", response=UpdateShown)
@rule("treatment.write_plan")
def review(request, update_id: UUID, body: Reviewed):
    """Approve it, and the task comes to its percent (100 completes it), or send it back. A clinician who writes the plan."""
    found = find_update(request, update_id)
    return update_shown(found.review(by=request.actor, decision=body.decision, reason=body.reason or ""))


@router.post("/tasks/{uuid:task_id}/time-entries", response={201: TimeShown})
@rule("milestone.work")
def log(request, task_id: UUID, body: TimeNew):
    """Write down own time on a task."""
    values = body.given() | {"note": body.note or ""}
    return Status(201, time_shown(TimeEntry.log(by=request.actor, task=find_task(request, task_id), **values)))


@router.post("/time-entries/{uuid:entry_id}/withdraw", response=TimeShown)
@rule("milestone.work")
def take_back(request, entry_id: UUID, body: Reason):
    """It counts no longer; it stays in the list, marked."""
    find_time_entry(request, entry_id).withdraw(by=request.actor, because=body.reason)
    return time_shown(find_time_entry(request, entry_id))


@router.get("/time-entries/{uuid:booking_id}", response=TimeListed)
@rule("treatment.view_plan")
def time_entries(request, booking_id: UUID, paging: Query[Paging]):
    """All time on a plan, the newest first, and added up by milestone and person."""
    rows = TimeEntry.objects.of_plan(find_plan(request, booking_id))
    found = paging.of(rows.select_related("task", "withdrawal"))
    totals = {name: rows.totals(name) for name in ("milestone", "person")}
    return found | {
        "items": [time_shown(row) for row in found["items"]], "total_minutes": sum(totals["milestone"].values()),
        **{f"by_{name}": [TimeOf(id=key, minutes=minutes) for key, minutes in each.items()] for name, each in totals.items()}}
