"""The goals of plans: the tree, its progress, and what was written on the way."""
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from ninja import Query, Schema, Status
from pydantic import Field

from clinic.access.rules import rule
from clinic.web.bodies import (
    Body,
    Day,
    Filled,
    Line,
    Listed,
    Paging,
    Text,
    Whole,
    changes_to,
    choice,
    fields_called,
    referred,
)
from clinic.web.endpoints import Endpoints, change_by
from scheduling.models import Appointment
from treatment.course import course_of
from treatment.goal_history import history_of
from treatment.looks import find_goal, find_plan
from treatment.models import Goal, GoalIntervention, Intervention
from treatment.models.goal import SMART
from treatment.own_notes import reads_notes

router = Endpoints(tags=["Goals"])
NAMES = {"parent": "parent_goal_id", "appointment": "session_id"}
Words = Annotated[Text, Field(max_length=1000)]


class Specific(Body):
    what: Words = ""
    who: Words = ""
    where: Words = ""


class Measurable(Body):
    indicator: Words = ""
    target: Words = ""


class Achievable(Body):
    resources: Words | list[Words] = ""
    barriers: Words | list[Words] = ""


class Relevant(Body):
    alignment: Words = ""
    importance: Words = ""


class TimeBound(Body):
    deadline: Words = ""
    milestones: Words | list[Words] = ""


class InterventionChosen(Body):
    """An intervention to serve the new goal, and how often: "every session", "weekly", "as needed"."""

    intervention_id: UUID
    frequency: Line = Field("", max_length=100)


class GoalBody(Body):
    """What a goal says. `measure` binds its value to a live one: bleeding_percent, sites_ge_5, plaque_percent, kept_percent."""

    goal_type: choice(Goal.Type)
    parent_goal_id: UUID | None = None
    description: Filled = Field(max_length=2000)
    measurable_criteria: Text = Field("", max_length=2000)
    baseline_value: Line = Field("", max_length=200)
    target_value: Line = Field("", max_length=200)
    current_value: Line = Field("", max_length=200)
    measure: choice(Goal.Measure) = ""
    target_date: Day | None = None
    status: choice(Goal.Status) = Goal.Status.NOT_STARTED
    progress_percentage: Whole = Field(0, ge=0, le=100)
    priority: Whole = Field(1, ge=1, le=9)
    specific: Specific = Specific()
    measurable: Measurable = Measurable()
    achievable: Achievable = Achievable()
    relevant: Relevant = Relevant()
    time_bound: TimeBound = TimeBound()


class GoalNew(GoalBody):
    """A goal to add. A short-term goal belongs to a long-term one, an objective to a short-term one, or to none."""

    id: UUID | None = None
    interventions: list[InterventionChosen] = Field([], max_length=50)


class GoalInterventionShown(Schema):
    """That an intervention serves a goal. `effectiveness_rating`: 1 to 5."""

    id: UUID
    goal_id: UUID
    intervention_id: UUID
    name: str
    frequency: str
    notes: str
    effectiveness_rating: int | None
    created_at: datetime
    version: int


class GoalShown(Schema):
    """A goal with everything below it. `progress_percentage` is computed: of sub-goals by 1 / priority, else of the live measure,
    the latest rating, or its own figure. `source`: where a live value is from."""

    id: UUID
    plan_id: UUID
    parent_goal_id: UUID | None
    goal_type: choice(Goal.Type)
    description: str
    measurable_criteria: str
    baseline_value: str
    target_value: str
    current_value: str
    measure: choice(Goal.Measure)
    source: str
    target_date: date | None
    status: choice(Goal.Status)
    progress_percentage: int
    priority: int
    specific: dict[str, str]
    measurable: dict[str, str]
    achievable: dict[str, str | list[str]]
    relevant: dict[str, str]
    time_bound: dict[str, str | list[str]]
    interventions: list[GoalInterventionShown]
    sub_goals: list["GoalShown"]
    version: int
    created_at: datetime
    updated_at: datetime


GoalChanges = changes_to(GoalBody, GoalShown, "GoalChanges")


class ProgressNew(Body):
    """How it goes. `session_id`: a visit of the same patient; `intervention_ids`: which of the goal's interventions (or their
    goal-interventions) were used in it."""

    id: UUID | None = None
    session_id: UUID | None = None
    progress_note: Filled = Field(max_length=8000)
    progress_value: Line = Field("", max_length=200)
    rating: Whole | None = Field(None, ge=1, le=10)
    intervention_ids: list[UUID] = Field([], max_length=50)


class ProgressShown(Schema):
    """An entry. `progress_note` is empty for those who read no clinical notes."""

    id: UUID
    goal_id: UUID
    session_id: UUID | None
    progress_note: str
    progress_value: str
    rating: int | None
    recorded_by: UUID | None
    recorded_at: datetime
    intervention_ids: list[UUID]


class StepShown(Schema):
    """What happened to a goal: an entry (`kind` progress, with `progress`) or a change (with `what`, by whom)."""

    kind: Literal["progress", "change"]
    at: datetime
    by: str
    what: str
    fields: list[dict[str, Any]]
    progress: ProgressShown | None


class Template(Schema):
    """The questions of the SMART form, under the names of a goal's fields."""

    specific: dict[str, str]
    measurable: dict[str, str]
    achievable: dict[str, str]
    relevant: dict[str, str]
    time_bound: dict[str, str]


def intervention_shown(row):
    return GoalInterventionShown(name=row.intervention.name, **{
        name: getattr(row, name) for name in GoalInterventionShown.model_fields if name != "name"})


def shown(goal, course, serving):
    """A goal of a Course as it is answered. `serving`: {goal's key: GoalInterventions}."""
    computed = ("parent_goal_id", "current_value", "source", "progress_percentage", "interventions", "sub_goals", *SMART)
    return GoalShown(
        **{name: getattr(goal, name) for name in GoalShown.model_fields if name not in computed},
        parent_goal_id=goal.parent_id, current_value=course.now(goal), source=course.source(goal),
        progress_percentage=course.percent(goal),
        **{name: {key: getattr(goal, name).get(key, "") for key in keys} for name, keys in SMART.items()},
        interventions=[intervention_shown(row) for row in serving.get(goal.pk, ())],
        sub_goals=[shown(row, course, serving) for row in course.below(goal)])


def serving_of(goals):
    """{goal's key: the GoalInterventions that serve it}; one query."""
    found = {}
    for row in GoalIntervention.objects.filter(goal__in=goals).serving().select_related("intervention"):
        found.setdefault(row.goal_id, []).append(row)
    return found


def tree_of(plan, course):
    """The top-level goals of a plan, each with what is below it."""
    serving = serving_of(course.goals)
    return [shown(goal, course, serving) for goal in course.below()]


def one(goal):
    """One goal as it is answered, with what is below it."""
    course = course_of(goal.plan)
    return shown(next(row for row in course.goals if row.pk == goal.pk), course, serving_of(course.goals))


def goal_for(actor, answer):
    """What this actor reads of a goal: notes on its interventions are for who reads clinical notes."""
    if reads_notes(actor):
        return answer
    return answer.model_copy(update={
        "interventions": [row.model_copy(update={"notes": ""}) for row in answer.interventions],
        "sub_goals": [goal_for(actor, goal) for goal in answer.sub_goals]})


def values_of(given, actor):
    """The verb's arguments for what was sent."""
    values = {name: {key: said for key, said in value.model_dump().items() if said} if isinstance(value, Body) else value
              for name, value in given.items()}
    if "parent_goal_id" in values:
        values["parent"] = referred(Goal.objects.select_related("plan"), actor, values.pop("parent_goal_id"), "parent_goal_id")
    return values


@router.get("/goals/template", response=Template)
@rule("treatment.read")
def template(request):
    """The questions that make a goal specific, measurable, achievable, relevant and time-bound."""
    return SMART


@router.post("/treatment-plans/{uuid:plan_id}/goals", response={201: GoalShown})
@rule("treatment.write_plan")
def add(request, plan_id: UUID, body: GoalNew):
    """Add a goal to a plan, with the interventions that serve it."""
    plan, values = find_plan(request, plan_id), body.dict(exclude={"interventions", *SMART})
    values |= {name: getattr(body, name) for name in SMART}
    chosen = [(referred(Intervention.objects, request.actor, each.intervention_id, f"interventions.{number}.intervention_id"),
               each.frequency) for number, each in enumerate(body.interventions)]
    with fields_called(NAMES):
        goal = Goal.set_out(by=request.actor, plan=plan, interventions=chosen, **values_of(values, request.actor))
    return Status(201, one(goal))


@router.get("/goals/{uuid:goal_id}", response=GoalShown)
@rule("treatment.read")
def goal(request, goal_id: UUID, response: HttpResponse):
    """One goal, with what is below it."""
    found = find_goal(request, goal_id)
    response["ETag"] = f'"{found.version}"'
    return goal_for(request.actor, one(found))


@router.api_operation(["PUT", "PATCH"], "/goals/{uuid:goal_id}", response=GoalShown)
@rule("treatment.write_plan")
def change(request, goal_id: UUID, body: GoalChanges, response: HttpResponse):
    """Change a goal: its words, level, parent, status or figures."""
    found = find_goal(request, goal_id)
    refused = change_by(request, found, body, shown=one, values_of=values_of, verb=found.revise, names=NAMES)
    response["ETag"] = f'"{found.version}"'
    return refused or one(found)


@router.post("/goals/{uuid:goal_id}/progress", response={201: ProgressShown})
@rule("treatment.write_plan")
def tell(request, goal_id: UUID, body: ProgressNew):
    """Write an entry. Its value becomes the goal's current one; a goal that was not started is in progress."""
    found, values = find_goal(request, goal_id), body.dict(exclude={"session_id", "intervention_ids"})
    values["appointment"] = referred(
        Appointment.objects.select_related("patient__merged_into"), request.actor, body.session_id, "session_id")
    used = _used(found, body.intervention_ids)
    with fields_called(NAMES):
        entry = found.record_progress(by=request.actor, used=used, **values)
    return Status(201, _progress(entry, [row.intervention_id for row in used]))


@router.get("/goals/{uuid:goal_id}/history", response=Listed[StepShown])
@rule("treatment.read")
def history(request, goal_id: UUID, paging: Query[Paging]):
    """Everything that happened to a goal, newest first: entries and changes in one list."""
    told = reads_notes(request.actor)
    return paging.of([_step(step, told) for step in history_of(find_goal(request, goal_id), with_notes=told)])


def _step(step, told):
    return StepShown(
        kind=step.kind, at=step.at, by=step.who, what=step.what,
        fields=[{"field": name, "before": str(before), "after": str(after)} for name, before, after in step.fields],
        progress=step.entry and _progress(step.entry, [row.intervention_id for row in step.used], told))


def _used(goal, keys):
    """The goal's own rows of these interventions; each may be named by either id."""
    rows = list(goal.interventions.serving())
    found = [row for row in rows if row.pk in keys or row.intervention_id in keys]
    if len({*(row.pk for row in found), *(row.intervention_id for row in found)} & set(keys)) < len(set(keys)):
        raise ValidationError({"intervention_ids": "Some of these interventions do not serve this goal."})
    return found


def _progress(entry, used, told=True):
    return ProgressShown(
        id=entry.pk, goal_id=entry.goal_id, session_id=entry.appointment_id, progress_note=entry.progress_note if told else "",
        progress_value=entry.progress_value, rating=entry.rating, recorded_by=entry.by_id, recorded_at=entry.at,
        intervention_ids=used)
