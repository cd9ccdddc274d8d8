"""The library of interventions, which of them serve a goal, and which were used in a visit."""
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Schema, Status
from pydantic import Field

from clinic.access.rules import find, rule
from clinic.web.bodies import (
    Body,
    FilledLine,
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
from scheduling.looks import find_visit
from treatment.api.goals import GoalInterventionShown, intervention_shown
from treatment.looks import find_goal, find_goal_intervention
from treatment.models import GoalIntervention, Intervention, SessionIntervention
from treatment.own_notes import reads_notes

router = Endpoints(tags=["Interventions"])
NAMES = {"goal_intervention": "goal_intervention_id", "intervention": "intervention_id"}


class InterventionNew(Body):
    """One of the practice's own, beside those of the library."""

    id: UUID | None = None
    name: FilledLine = Field(max_length=200)
    description: Text = Field("", max_length=2000)
    modality: Line = Field("", max_length=50)
    evidence_level: choice(Intervention.Evidence) | None = None


class InterventionShown(Schema):
    """`is_system`: of the library, which nobody edits. `created_by`: who defined one of the practice's own."""

    id: UUID
    name: str
    description: str
    modality: str
    evidence_level: choice(Intervention.Evidence) | None
    is_system: bool
    created_by: str | None
    created_at: datetime


class Asked(Paging):
    modality: Text = ""
    search: Text = Field("", max_length=200)


class Effectiveness(Schema):
    """`average_rating`: of all ratings of 1 to 5, given in a session or on a goal; null without any. `uses`: sessions."""

    intervention_id: UUID
    average_rating: float | None
    ratings: int
    uses: int


class Serving(Body):
    """An intervention that is to serve the goal."""

    id: UUID | None = None
    intervention_id: UUID
    frequency: Line = Field("", max_length=100)
    notes: Text = Field("", max_length=2000)


class ServingChanged(Body):
    frequency: Line = Field("", max_length=100)
    notes: Text = Field("", max_length=2000)
    effectiveness_rating: Whole | None = Field(None, ge=1, le=5)


class Used(Body):
    """An intervention that was used in this visit; said again it is the same row, with what is said now."""

    id: UUID | None = None
    goal_intervention_id: UUID
    notes: Text = Field("", max_length=2000)
    effectiveness_rating: Whole | None = Field(None, ge=1, le=5)


class UsedShown(Schema):
    id: UUID
    appointment_id: UUID
    goal_intervention_id: UUID
    goal_id: UUID
    intervention_id: UUID
    name: str
    notes: str
    effectiveness_rating: int | None
    created_at: datetime
    version: int


ServingChanges = changes_to(ServingChanged, GoalInterventionShown, "ServingChanges")


def shown(row):
    """An intervention as it is answered; of `with_author`."""
    return InterventionShown(
        **{name: getattr(row, name) for name in InterventionShown.model_fields if name not in ("evidence_level", "created_by")},
        evidence_level=row.evidence_level or None, created_by=str(row.created_by) if row.created_by else None)


def used_shown(row):
    serving = row.goal_intervention
    return UsedShown(
        goal_id=serving.goal_id, intervention_id=serving.intervention_id, name=serving.intervention.name, **{
            name: getattr(row, name) for name in (
                "id", "appointment_id", "goal_intervention_id", "notes", "effectiveness_rating", "created_at", "version")})


@router.get("/interventions", response=Listed[InterventionShown])
@rule("treatment.view_plan")
def interventions(request, asked: Query[Asked]):
    """The library and the practice's own: by `modality` (case ignored) and words of name or description."""
    rows = Intervention.objects.visible_to(request.actor).in_use().search(asked.search, asked.modality).with_author()
    found = asked.of(rows)
    return found | {"items": [shown(row) for row in found["items"]]}


@router.post("/interventions", response={201: InterventionShown})
@rule("treatment.write_plan")
def define(request, body: InterventionNew):
    """Define one of the practice's own."""
    values = body.dict() | {"evidence_level": body.evidence_level or ""}
    made = Intervention.define(by=request.actor, **values)
    return Status(201, shown(Intervention.objects.with_author().get(pk=made.pk)))


@router.get("/interventions/{uuid:intervention_id}/effectiveness", response=Effectiveness)
@rule("treatment.view_plan")
def effectiveness(request, intervention_id: UUID):
    """How well it does here, over all patients: the average rating and the number of uses. It names nobody."""
    row = find(Intervention.objects, request.actor, pk=intervention_id)
    return Effectiveness(intervention_id=row.pk, **vars(row.effect(request.actor.clinic)))


@router.post("/goals/{uuid:goal_id}/interventions", response={201: GoalInterventionShown})
@rule("treatment.write_plan")
def serve(request, goal_id: UUID, body: Serving):
    """Let an intervention serve an existing goal."""
    goal, values = find_goal(request, goal_id), body.dict(exclude={"intervention_id"})
    values["intervention"] = referred(Intervention.objects, request.actor, body.intervention_id, "intervention_id")
    with fields_called(NAMES):
        return Status(201, intervention_shown(GoalIntervention.add(by=request.actor, goal=goal, **values)))


@router.patch("/goal-interventions/{uuid:goal_intervention_id}", response=GoalInterventionShown)
@rule("treatment.write_plan")
def change(request, goal_intervention_id: UUID, body: ServingChanges, response: HttpResponse):
    """How often it is used, and how well it does."""
    row = find_goal_intervention(request, goal_intervention_id)
    refused = change_by(
        request, row, body, shown=intervention_shown, values_of=lambda given, actor: given, verb=row.revise, names=NAMES)
    response["ETag"] = f'"{row.version}"'
    return refused or intervention_shown(row)


@router.get("/appointments/{uuid:visit_id}/interventions", response=Listed[UsedShown])
@rule("treatment.view_plan")
def used(request, visit_id: UUID, paging: Query[Paging]):
    """What was used in this session."""
    visit = find_visit(request, visit_id)
    rows = SessionIntervention.objects.visible_to(request.actor).filter(appointment=visit, is_withdrawn=False)
    found = paging.of(rows.select_related("goal_intervention__intervention"))
    told = {} if reads_notes(request.actor) else {"notes": ""}
    return found | {"items": [used_shown(row).model_copy(update=told) for row in found["items"]]}


@router.post("/appointments/{uuid:visit_id}/interventions", response={201: UsedShown})
@rule("treatment.write_plan")
def tick(request, visit_id: UUID, body: Used):
    """An intervention of one of the patient's goals was used in this session."""
    visit, values = find_visit(request, visit_id), body.given()
    del values["goal_intervention_id"]
    values["goal_intervention"] = referred(
        GoalIntervention.objects.select_related("patient__merged_into", "intervention", "goal__plan"), request.actor,
        body.goal_intervention_id, "goal_intervention_id")
    with fields_called(NAMES):
        return Status(201, used_shown(SessionIntervention.tick(by=request.actor, appointment=visit, **values)))
