"""The milestones of treatment plans: put in, read, change, the steps from pending to achieved, what is due, and the rates."""
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from ninja import Query, Schema, Status
from pydantic import BeforeValidator, Field

from clinic.access.rules import rule
from clinic.audit.looks import Kind, look
from clinic.models import Patient
from clinic.web.bodies import (
    Body,
    Day,
    FilledLine,
    Line,
    Listed,
    Money,
    Paging,
    Text,
    Whole,
    changes_to,
    choice,
    fields_called,
    referred,
)
from clinic.web.endpoints import Endpoints, change_by
from milestones.api.parts import ApprovalShown, CommentShown, EvidenceShown, MetricsShown, TaskShown, parts_of
from milestones.api.proof import EvidenceNew, evidence_values
from milestones.looks import find_milestone
from milestones.models import Milestone, MilestoneType
from milestones.rates import BY, rates
from treatment.looks import find_plan
from treatment.models import Goal, Phase, TreatmentPlan
from treatment.own_notes import reads_plan_notes

router = Endpoints(tags=["Milestones"])
NAMES = {"name": "milestone_name", "phase": "phase_id", "goal": "goal_id"}


class MilestoneBody(Body):
    """What a milestone says. `sequence`: its place in the plan, from 1; those behind make room."""

    milestone_name: FilledLine = Field(max_length=200)
    milestone_type: choice(MilestoneType) = MilestoneType.CUSTOM
    description: Text = Field("", max_length=2000)
    completion_criteria: Text = Field("", max_length=2000)
    notes: Text = Field("", max_length=8000)
    target_date: Day | None = None
    phase_id: UUID | None = None
    goal_id: UUID | None = None
    sequence: Whole = Field(1, ge=1, le=1000)
    requires_evidence: bool = False
    requires_approval: bool = False
    charge_amount: Money | None = Field(None, ge=0)
    status: choice(Milestone.Status) = Milestone.Status.PENDING


class MilestoneNew(MilestoneBody):
    """A milestone to put in. A standard type brings its name along; without a `sequence` it stands at the end; approval is needed
    where an amount falls due, unless it is said otherwise."""

    id: UUID | None = None
    milestone_name: FilledLine | None = Field(None, max_length=200)
    sequence: Whole | None = Field(None, ge=1, le=1000)
    requires_approval: bool | None = None


class MilestoneWhole(MilestoneBody):
    achieved_date: Day | None = None


class MilestoneShown(Schema):
    """A milestone. `is_overdue` and `days_late`: by the clinic's date of today."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    treatment_plan_id: UUID
    phase_id: UUID | None
    goal_id: UUID | None
    milestone_name: str
    milestone_type: choice(MilestoneType)
    description: str
    target_date: date | None
    achieved_date: date | None
    started_at: datetime | None
    status: choice(Milestone.Status)
    status_because: str
    completion_criteria: str
    notes: str
    sequence: int
    requires_evidence: bool
    requires_approval: bool
    charge_amount: Money | None
    is_overdue: bool
    days_late: int
    version: int
    created_at: datetime
    updated_at: datetime


class MilestoneOpened(MilestoneShown):
    """A milestone with all that hangs on it; of very many comments the newest."""

    tasks: list[TaskShown]
    evidence: list[EvidenceShown]
    comments: list[CommentShown]
    approvals: list[ApprovalShown]
    metrics: MetricsShown


class MilestoneChanges(changes_to(MilestoneWhole, MilestoneOpened, "MilestoneChanged")):
    """What to change; what is left out stays. A `status` passes the same gate as the steps; `reason`: why."""

    reason: Line = Field("", max_length=200)


def _listed(value):
    """One by itself is a list of one."""
    return [value] if isinstance(value, dict) else value


class Achieved(Body):
    """On which day, today when left out; `notes` take the place of those that stand there; `evidence` comes with it."""

    achieved_date: Day | None = None
    notes: Text | None = Field(None, max_length=8000)
    evidence: Annotated[list[EvidenceNew], BeforeValidator(_listed)] = Field([], max_length=20)


class Stepped(Body):
    """Why, where it is to be told; and the new day, of a milestone that is deferred or opened again."""

    reason: Line = Field("", max_length=200)
    target_date: Day | None = None


class Asked(Schema):
    """Which milestones; `provider`: who is responsible for the plan."""

    provider: UUID | None = None
    treatment_type: choice(TreatmentPlan.Type) | None = None
    patient: UUID | None = None

    def of(self, actor):
        rows = Milestone.objects.visible_to(actor).in_force()
        if self.patient:
            patient = Patient.objects.visible_to(actor).select_related("merged_into").filter(pk=self.patient).first()
            rows = rows.of(patient.person) if patient else rows.none()
        if self.provider:
            rows = rows.filter(plan__provider=self.provider)
        return rows.filter(plan__treatment_type=self.treatment_type) if self.treatment_type else rows


class Ahead(Schema):
    days: int = Field(30, ge=0, le=1100)


class ReportAsked(Schema):
    """Of which milestones, and `by` what: each may be left out of the groups. `from` and `to`: the days they are due on."""

    by: list[Literal[tuple(BY)]] = Field(list(BY))
    from_: Day | None = Field(None, alias="from")
    to: Day | None = None
    milestone_type: choice(MilestoneType) | None = None


class RateShown(Schema):
    """How a group of milestones went; null in what was not asked by. `month`: in which they are due, or else were achieved. `late`:
    achieved after their day; `percent`: achieved ones of all, the cancelled left out; `average_days`: that the achieved took."""

    milestone_type: choice(MilestoneType) | None
    treatment_type: choice(TreatmentPlan.Type) | None
    provider_id: UUID | None
    month: str | None
    total: int
    achieved: int
    on_time: int
    late: int
    missed: int
    percent: int
    median_days_late: float | None
    average_days: float | None


def shown(row, actor, kind=MilestoneShown, **parts):
    """A milestone as this actor reads it: its notes are the practice's own."""
    today, own = row.clinic.today(), ("treatment_plan_id", "milestone_name", "is_overdue", "days_late", "notes")
    return kind(
        **{name: getattr(row, name) for name in MilestoneShown.model_fields if name not in own},
        treatment_plan_id=row.plan_id, milestone_name=row.name, is_overdue=row.is_overdue(today), days_late=row.days_late(today),
        notes=row.notes if reads_plan_notes(actor) else "", **parts)


def opened(row, actor):
    """With all that hangs on it, as this actor sees it."""
    return shown(row, actor, MilestoneOpened, **parts_of(row, actor))


def values_of(given, actor):
    """The verb's arguments for what was sent."""
    values = {{"milestone_name": "name"}.get(name, name): value for name, value in given.items()}
    for name, rows in (("phase", Phase.objects.in_force()), ("goal", Goal.objects.all())):
        if f"{name}_id" in values:
            values[name] = referred(rows, actor, values.pop(f"{name}_id"), f"{name}_id")
    return values


@router.get("/treatment-plans/{uuid:plan_id}/milestones", response=Listed[MilestoneShown])
@rule("treatment.read")
def of_plan(request, plan_id: UUID, paging: Query[Paging]):
    """All of a plan in their sequence, cancelled ones included."""
    plan = find_plan(request, plan_id)
    rows = Milestone.objects.visible_to(request.actor).in_force().filter(plan=plan).in_order()
    found = paging.of(rows.select_related("clinic", "plan"))
    return found | {"items": [shown(row, request.actor) for row in found["items"]]}


@router.post("/treatment-plans/{uuid:plan_id}/milestones", response={201: MilestoneShown})
@rule("milestone.create")
def add(request, plan_id: UUID, body: MilestoneNew):
    """Put a milestone into a plan: one of its own (CUSTOM), or one of a standard type."""
    plan, given = find_plan(request, plan_id), body.given()
    if given.pop("status", Milestone.Status.PENDING) != Milestone.Status.PENDING:
        raise ValidationError({"status": "A milestone begins as PENDING."})
    if body.milestone_name is None and body.milestone_type == MilestoneType.CUSTOM:
        raise ValidationError({"milestone_name": "Write what is to be reached."})
    with fields_called(NAMES):
        row = Milestone.add(by=request.actor, plan=plan, **{
            name: value for name, value in values_of(given, request.actor).items() if value is not None})
    return Status(201, shown(row, request.actor))


def _found(request, paging, rows):
    found = paging.of(rows.select_related("clinic", "plan"))
    look(request, Kind.LIST, rows=len(found["items"]))
    return found | {"items": [shown(row, request.actor) for row in found["items"]]}


@router.get("/milestones/overdue", response=Listed[MilestoneShown])
@rule("treatment.read")
def overdue(request, paging: Query[Paging], asked: Query[Asked]):
    """Past their target date by the clinic's calendar and still PENDING or IN_PROGRESS, the oldest first."""
    return _found(request, paging, asked.of(request.actor).overdue(request.actor.clinic.today()))


@router.get("/milestones/upcoming", response=Listed[MilestoneShown])
@rule("treatment.read")
def upcoming(request, paging: Query[Paging], asked: Query[Asked], ahead: Query[Ahead]):
    """PENDING or IN_PROGRESS, and due from today to `days` from now, the soonest first."""
    today = request.actor.clinic.today()
    return _found(request, paging, asked.of(request.actor).upcoming(today, today + timedelta(days=ahead.days)))


@router.get("/milestones/report", response=Listed[RateShown])
@rule("treatment.read")
def report(request, paging: Query[Paging], asked: Query[Asked], more: Query[ReportAsked]):
    """How often milestones are achieved, on time, late or missed, by type, kind of treatment, provider and month."""
    rows = asked.of(request.actor)
    bounds = {"target_date__gte": more.from_, "target_date__lte": more.to, "milestone_type": more.milestone_type}
    rows = rows.filter(**{name: value for name, value in bounds.items() if value is not None})
    found = paging.of(list(rates(rows, more.by).items()))
    keys = ("milestone_type", "treatment_type", "provider_id", "month")
    return found | {"items": [
        RateShown(**dict(zip(keys, key, strict=True)), **vars(rate), percent=rate.percent) for key, rate in found["items"]]}


@router.get("/milestones/{uuid:milestone_id}", response=MilestoneOpened)
@rule("treatment.read")
def milestone(request, milestone_id: UUID, response: HttpResponse):
    """One milestone, with its tasks, evidence, comments, approvals and figures."""
    return _opened(request, response, milestone_id)


@router.api_operation(["PUT", "PATCH"], "/milestones/{uuid:milestone_id}", response=MilestoneOpened)
@rule("milestone.update")
def change(request, milestone_id: UUID, body: MilestoneChanges, response: HttpResponse):
    """Change a milestone; a `status` passes the same gate as the steps."""
    found = find_milestone(request, milestone_id)

    def write(*, by, reason="", status=None, **values):
        verb = Milestone.verb_to(status) if status not in (None, found.status) else ""
        step = {}
        if verb == "achieve" and (step := {"on": values.pop("achieved_date", None)})["on"] is None:
            raise ValidationError({"achieved_date": "Say on which day it was achieved."})
        if verb in DATED and "target_date" in values:
            step["target_date"] = values.pop("target_date")
        if verb == "reopen" and values.get("achieved_date", True) is None:
            del values["achieved_date"]  # it goes by itself
        values = {name: value for name, value in values.items() if value != getattr(found, name)}
        if values:
            found.revise(by=by, because=reason, **values)
        if verb:
            getattr(found, verb)(by=by, because=reason, **step)

    refused = change_by(
        request, found, body, shown=lambda row: opened(row, request.actor), values_of=values_of, verb=write, names=NAMES)
    return refused or _opened(request, response, milestone_id)


@router.delete("/milestones/{uuid:milestone_id}", response={204: None})
@rule("milestone.update")
def withdraw(request, milestone_id: UUID):
    """Take it out of the plan; what is achieved, was charged, or has something hanging on it is cancelled instead."""
    find_milestone(request, milestone_id).withdraw(by=request.actor)
    return Status(204, None)


@router.post("/milestones/{uuid:milestone_id}/achieve", response=MilestoneShown)
@rule("milestone.update")
def achieve(request, milestone_id: UUID, response: HttpResponse, body: Achieved = None):
    """It is reached, today or on an earlier day."""
    body = body or Achieved()
    found = find_milestone(request, milestone_id)
    evidence = [evidence_values(each, request.actor, f"evidence.{number}.") for number, each in enumerate(body.evidence)]
    with fields_called(lambda name: f"{name}.id" if name.endswith(".record") else name):
        found.achieve(by=request.actor, on=body.achieved_date, notes=body.notes, evidence=evidence)
    return _answer(request, response, find_milestone(request, milestone_id))


DATED = ("defer", "reopen")  # the steps that may set another day


def _step(verb, said):
    """The endpoint of one step of the gate."""
    def step(request, milestone_id: UUID, response: HttpResponse, body: Stepped = None):
        body = body or Stepped()
        if body.target_date and verb not in DATED:
            raise ValidationError({"target_date": "Only deferring and opening again set another day."})
        dated = {"target_date": body.target_date} if verb in DATED else {}
        getattr(find_milestone(request, milestone_id), verb)(by=request.actor, because=body.reason, **dated)
        return _answer(request, response, find_milestone(request, milestone_id))

    step.__name__, step.__doc__ = verb, said
    router.post(f"/milestones/{{uuid:milestone_id}}/{verb}", response=MilestoneShown)(rule("milestone.update")(step))


for verb, said in (
    ("start", "Work on it has begun: PENDING → IN_PROGRESS."),
    ("miss", "Its day went by: → MISSED. Only when the day is over by the clinic's date."),
    ("defer", "Put it off, with a reason, to a later day or to none that is known: → DEFERRED."),
    ("cancel", "It is not to be reached any more, with a reason: → CANCELLED."),
    ("reopen", "It stands where it began, with a reason: → PENDING."),
):
    _step(verb, said)


def _opened(request, response, key):
    row = find_milestone(request, key)
    response["ETag"] = f'"{row.version}"'
    return opened(row, request.actor)


def _answer(request, response, row):
    response["ETag"] = f'"{row.version}"'
    return shown(row, request.actor)
