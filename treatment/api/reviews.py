"""Reviews of a plan, its frozen copies, and the report on its progress."""
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from ninja import Query, Schema, Status
from pydantic import Field

from clinic.access.rules import rule
from clinic.audit.looks import Kind
from clinic.web.bodies import Body, Day, Filled, Listed, Paging, Text, Whole, choice
from clinic.web.endpoints import Endpoints
from treatment.api.plans import SummaryShown
from treatment.looks import find_plan
from treatment.models import Goal, PlanReview, PlanVersion, TreatmentPlan
from treatment.own_notes import reads_plan_notes, without_plan_notes
from treatment.report import Report

router = Endpoints(tags=["Reviews"])
PDF = "application/pdf"


class ReviewNew(Body):
    """A review. Goals that are not counted are counted from the tree; the next one comes after the plan's number of days."""

    id: UUID | None = None
    summary: Filled = Field(max_length=8000)
    review_date: Day | None = None
    goals_reviewed: Whole | None = Field(None, ge=0, le=500)
    goals_on_track: Whole | None = Field(None, ge=0, le=500)
    modifications_made: Text | None = Field(None, max_length=8000)
    next_review_date: Day | None = None


class ReviewShown(Schema):
    id: UUID
    plan_id: UUID
    reviewer_id: UUID | None
    review_date: date
    summary: str
    goals_reviewed: int
    goals_on_track: int
    modifications_made: str
    next_review_date: date
    created_at: datetime


class VersionInList(Schema):
    """A frozen copy: why it was made, and the hash over its content."""

    number: int
    kind: choice(PlanVersion.Kind)
    because: str
    digest: str
    created_at: datetime
    created_by: UUID | None


class VersionShown(VersionInList):
    """A frozen copy with its content, exactly as it was hashed. `is_intact`: the content still has that hash."""

    is_intact: bool
    content: dict[str, Any]


class RatingShown(Schema):
    """An entry in a goal's course; `rating`: 1 to 10."""

    date: date
    rating: int | None
    progress_value: str


class HelpShown(Schema):
    """An intervention that serves a goal. `average_rating`: of 1 to 5, of all ratings here; `uses`: sessions."""

    intervention_id: UUID
    name: str
    frequency: str
    average_rating: float | None
    ratings: int
    uses: int


class GoalReported(Schema):
    """A goal with its course. `way`: from what its percentage is told; `source`: where a live value is from."""

    id: UUID
    goal_type: choice(Goal.Type)
    description: str
    status: choice(Goal.Status)
    baseline_value: str
    current_value: str
    target_value: str
    target_date: date | None
    progress_percentage: int
    way: str
    source: str
    on_track: bool
    history: list[RatingShown]
    interventions: list[HelpShown]
    sub_goals: list["GoalReported"]


class ReportShown(Schema):
    """How far a plan has come. Ask with `Accept: application/pdf` for the same on paper."""

    plan_id: UUID
    patient_id: UUID
    therapist_id: UUID
    therapist: str
    title: str
    treatment_type: choice(TreatmentPlan.Type)
    status: choice(TreatmentPlan.Status)
    start_date: date
    target_end_date: date | None
    actual_end_date: date | None
    reported_on: date
    progress_summary: SummaryShown
    goals_on_track: int
    goals: list[GoalReported]
    reviews: list[ReviewShown]
    review_status: choice(TreatmentPlan.ReviewStatus)
    next_review_date: date | None


def shown(review):
    return ReviewShown(reviewer_id=review.by_id, created_at=review.at, **{
        name: getattr(review, name) for name in ReviewShown.model_fields if name not in ("reviewer_id", "created_at")})


def _version(row, kind=VersionInList, **more):
    return kind(created_at=row.at, created_by=row.by_id, **{name: getattr(row, name) for name in (
        "number", "kind", "because", "digest")}, **more)


@router.get("/treatment-plans/{uuid:plan_id}/review", response=Listed[ReviewShown])
@rule("treatment.read")
def reviews(request, plan_id: UUID, paging: Query[Paging]):
    """All reviews, newest first."""
    found = paging.of(PlanReview.objects.filter(plan=find_plan(request, plan_id)))
    return found | {"items": [shown(row) for row in found["items"]]}


@router.post("/treatment-plans/{uuid:plan_id}/review", response={201: ReviewShown})
@rule("treatment.write_plan")
def hold(request, plan_id: UUID, body: ReviewNew):
    """Record a review; the next one is set by it."""
    values = body.dict() | {"modifications_made": body.modifications_made or ""}
    return Status(201, shown(PlanReview.hold(by=request.actor, plan=find_plan(request, plan_id), **values)))


@router.get("/treatment-plans/{uuid:plan_id}/versions", response=Listed[VersionInList])
@rule("treatment.read")
def versions(request, plan_id: UUID, paging: Query[Paging]):
    """The frozen copies, newest first."""
    found = paging.of(PlanVersion.objects.filter(plan=find_plan(request, plan_id)).defer("text"))
    return found | {"items": [_version(row) for row in found["items"]]}


@router.get("/treatment-plans/{uuid:plan_id}/versions/{int:number}", response=VersionShown)
@rule("treatment.read")
def version(request, plan_id: UUID, number: int):
    """One frozen copy with its content."""
    row = PlanVersion.objects.filter(plan=find_plan(request, plan_id), number=number).first() if number < 2**31 else None
    if row is None:
        raise Http404
    return _version(row, VersionShown, is_intact=row.is_intact, content=(
        row.content if reads_plan_notes(request.actor) else without_plan_notes(row.content)))


@router.get("/treatment-plans/{uuid:plan_id}/report", response=ReportShown, openapi_extra={
    "responses": {200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}}})
@rule("treatment.read")
def report(request, plan_id: UUID):
    """The progress report: goals with their course and what served them, reviews, the next one; as JSON, or as a PDF."""
    on_paper = request.get_preferred_type(["application/json", PDF]) == PDF
    plan = find_plan(request, plan_id, Kind.PRINT if on_paper else Kind.VIEW)
    found = Report(request.actor, plan)
    return HttpResponse(found.pdf(), content_type=PDF) if on_paper else _report(found)


def _report(found):
    plan, sheet = found.plan, found.sheet
    return ReportShown(
        **{name: getattr(plan, name) for name in (
            "patient_id", "title", "treatment_type", "status", "start_date", "target_end_date", "actual_end_date")},
        plan_id=plan.pk, therapist_id=plan.provider_id, therapist=plan.provider.name, reported_on=found.on,
        progress_summary=vars(sheet.summary), goals_on_track=sheet.on_track[1], review_status=sheet.review,
        next_review_date=found.next_review, reviews=[shown(row) for row in found.reviews],
        goals=[_reported(goal, found) for goal in sheet.course.below()])


def _reported(goal, found):
    row, course = found.sheet.row(goal), found.sheet.course
    return GoalReported(
        **{name: getattr(goal, name) for name in (
            "id", "goal_type", "description", "status", "baseline_value", "target_value", "target_date")},
        current_value=row.now, progress_percentage=row.percent, way=row.way, source=row.source,
        on_track=course.on_track(goal, found.on),
        history=[RatingShown(date=day, rating=rating, progress_value=value)
                 for day, rating, value in found.history.get(goal.pk, [])],
        interventions=[HelpShown(
            intervention_id=each.row.intervention_id, name=each.row.intervention.name, frequency=each.row.frequency,
            **vars(each.effect)) for each in row.servings],
        sub_goals=[_reported(each, found) for each in course.below(goal)])
