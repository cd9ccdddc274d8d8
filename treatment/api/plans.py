"""Treatment plans: draw up, read, change, and the steps from draft to done."""
from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from ninja import Query, Schema, Status
from pydantic import Field

from clinic.access.rules import may, rule
from clinic.audit.looks import find_patient
from clinic.models import Provider
from clinic.web.bodies import (
    Body,
    Day,
    FilledLine,
    Line,
    Listed,
    Paging,
    Text,
    Whole,
    changes_to,
    choice,
    referred,
)
from clinic.web.endpoints import Endpoints, change_by
from treatment.api.goals import GoalShown, goal_for, tree_of
from treatment.course import course_of, courses_of
from treatment.hooks import milestone_progress
from treatment.looks import find_plan
from treatment.models import TreatmentPlan
from treatment.models.plan import MOST_DIAGNOSES, MOST_PROBLEMS
from treatment.own_notes import reads_plan_notes

router = Endpoints(tags=["Treatment plans"])
NAMES = {"provider": "therapist_id"}


class Diagnosis(Body):
    """An ICD-10-CM code; its description is taken from the list when none is said."""

    code: FilledLine = Field(max_length=10)
    description: Line = Field("", max_length=300)


class PlanBody(Body):
    """What a plan says. `therapist_id`: the responsible provider."""

    title: FilledLine = Field(max_length=200)
    therapist_id: UUID
    treatment_type: choice(TreatmentPlan.Type) = TreatmentPlan.Type.GENERAL
    diagnosis_codes: list[Diagnosis] = Field([], max_length=MOST_DIAGNOSES)
    presenting_problems: list[FilledLine] = Field([], max_length=MOST_PROBLEMS)
    start_date: Day
    target_end_date: Day | None = None
    status: choice(TreatmentPlan.Status)
    review_frequency_days: Whole = Field(90, ge=1, le=1100)
    next_review_date: Day | None = None
    alternative_group: UUID | None = None
    notes: Text = Field("", max_length=8000)


class PlanNew(PlanBody):
    """A plan to draw up. `therapist_id` defaults to the caller when a provider, else the patient's primary one. Without a status it
    is active at once when the caller may activate it and its start has come; send `draft` for one that is to be presented."""

    id: UUID | None = None
    therapist_id: UUID | None = None
    status: choice(TreatmentPlan.Status) | None = None


class SummaryShown(Schema):
    """Goals without the discontinued ones; `overall_progress`: 0 to 100, of the top-level goals by 1 / priority."""

    total_goals: int
    achieved: int
    in_progress: int
    not_started: int
    overall_progress: int


class MilestoneProgress(Schema):
    achieved: int
    total: int
    percent: int


class PlanInList(Schema):
    """`version`: the number of the newest snapshot; `lock_version`: of the record, for If-Match."""

    id: UUID
    patient_id: UUID
    therapist_id: UUID
    title: str
    treatment_type: choice(TreatmentPlan.Type)
    diagnosis_codes: list[Diagnosis]
    presenting_problems: list[str]
    start_date: date
    target_end_date: date | None
    actual_end_date: date | None
    status: choice(TreatmentPlan.Status)
    review_frequency_days: int
    next_review_date: date | None
    review_status: choice(TreatmentPlan.ReviewStatus)
    alternative_group: UUID | None
    notes: str
    version: int
    lock_version: int
    created_at: datetime
    updated_at: datetime
    progress_summary: SummaryShown
    milestone_progress: MilestoneProgress


class PlanShown(PlanInList):
    """A plan with its goals: the top-level ones, each with what is below it."""

    goals: list[GoalShown]


PlanChanges = changes_to(PlanBody, PlanShown, "PlanChanges")


class Because(Body):
    """Why, where it is to be told."""

    reason: Line = Field("", max_length=200)


class Asked(Paging):
    status: choice(TreatmentPlan.Status) | None = None
    treatment_type: choice(TreatmentPlan.Type) | None = None
    review_status: choice(TreatmentPlan.ReviewStatus) | None = None


def _shown(plan, course, milestones, kind, **more):
    own = ("therapist_id", "version", "lock_version", "review_status", "progress_summary", "milestone_progress", "goals")
    return kind(
        **{name: getattr(plan, name) for name in PlanInList.model_fields if name not in own},
        therapist_id=plan.provider_id, version=plan.number, lock_version=plan.version,
        review_status=plan.review_status(plan.clinic.today()), progress_summary=vars(course.summary),
        milestone_progress=milestones.get(plan.pk, {"achieved": 0, "total": 0, "percent": 0}), **more)


def in_list(plans, patient):
    """Plans of one patient as a list answers them; the same number of queries for any number."""
    courses, milestones = courses_of(plans, patient), milestones_of(plans)
    return [_shown(plan, courses[plan.pk], milestones, PlanInList) for plan in plans]


def shown(plan):
    course = course_of(plan)
    return _shown(plan, course, milestones_of([plan]), PlanShown, goals=tree_of(plan, course))


def milestones_of(plans):
    """{plan's key: how many milestones it has and has reached}, as a later app tells."""
    return {key: told for found in milestone_progress(plans) for key, told in found.items()}


def values_of(given, actor):
    """The verb's arguments for what was sent."""
    values = {name: [each.model_dump() for each in value] if name == "diagnosis_codes" else value for name, value in given.items()}
    if "therapist_id" in values:
        values["provider"] = referred(Provider.objects.current(), actor, values.pop("therapist_id"), "therapist_id")
    return values


@router.get("/patients/{uuid:patient_id}/treatment-plans", response=Listed[PlanInList])
@rule("treatment.read")
def plans(request, patient_id: UUID, asked: Query[Asked]):
    """A patient's plans, newest first."""
    patient = find_patient(request, patient_id)
    rows = TreatmentPlan.objects.visible_to(request.actor).of(patient).newest_first().select_related("clinic").filter(
        **{name: value for name in ("status", "treatment_type") if (value := getattr(asked, name))})
    if asked.review_status:
        rows = rows.with_review(asked.review_status, request.actor.clinic.today())
    found = asked.of(rows)
    return found | {"items": [for_reader(request.actor, each) for each in in_list(found["items"], patient)]}


@router.post("/patients/{uuid:patient_id}/treatment-plans", response={201: PlanShown})
@rule("treatment.draw_up_plan")
def draw_up(request, patient_id: UUID, body: PlanNew):
    """Draw up a plan."""
    patient, actor = find_patient(request, patient_id), request.actor
    values = values_of(body.given(), actor)
    asked = values.pop("status", None)
    if asked not in (None, TreatmentPlan.Status.DRAFT, TreatmentPlan.Status.ACTIVE):
        raise ValidationError({"status": "A plan begins as a draft, or active."})
    values["provider"] = values.get("provider") or Provider.objects.that_is(actor) or patient.primary_provider
    if values["provider"] is None:
        raise ValidationError({"therapist_id": "Say who is responsible: you are no provider, and the patient has no primary one."})
    with transaction.atomic():
        plan = TreatmentPlan.draw_up(by=actor, patient=patient, **values)
        begins = plan.may_write(actor) and plan.start_date <= actor.clinic.today()
        if asked == TreatmentPlan.Status.ACTIVE or (asked is None and begins):
            plan.activate(by=actor)
    return Status(201, shown(find_plan(request, plan.pk)))


@router.get("/treatment-plans/{uuid:plan_id}", response=PlanShown)
@rule("treatment.read")
def plan(request, plan_id: UUID, response: HttpResponse):
    """One plan with its goals."""
    return _answer(request, response, find_plan(request, plan_id))


@router.api_operation(["PUT", "PATCH"], "/treatment-plans/{uuid:plan_id}", response=PlanShown)
@rule("treatment.write_plan")
def change(request, plan_id: UUID, body: PlanChanges, response: HttpResponse):
    """Change what a plan says; a `status` passes the same gate as the steps."""
    found = find_plan(request, plan_id)

    def write(*, by, status=None, provider=None, **values):
        if provider is not None and not may(by, "treatment.assign_plan"):
            raise ValidationError({"therapist_id": "A manager assigns a plan to another provider."})
        if provider is not None:
            found.assign(by=by, provider=provider)
        if values:
            found.revise(by=by, **values)
        if status is not None:
            found.move_to(status, by=by)

    refused = change_by(request, found, body, shown=shown, values_of=values_of, verb=write, names=NAMES)
    return refused or _answer(request, response, find_plan(request, plan_id))


def _step(verb, permission, said):
    """The endpoint of one step of the gate."""
    def step(request, plan_id: UUID, response: HttpResponse, body: Because = None):
        found = find_plan(request, plan_id)
        getattr(found, verb)(by=request.actor, **({"because": body.reason} if body and body.reason else {}))
        return _answer(request, response, find_plan(request, plan_id))

    step.__name__, step.__doc__ = verb, said
    router.post(f"/treatment-plans/{{uuid:plan_id}}/{verb}", response=PlanShown)(rule(permission)(step))


for verb, permission, said in (
    ("present", "treatment.present_plan", "Show it to the patient: draft or presented → proposed. Freezes a numbered copy."),
    ("accept", "treatment.answer_plan", "The patient agrees: proposed → accepted. Other open alternatives are declined."),
    ("decline", "treatment.answer_plan", "The patient does not want it: → declined, with the reason."),
    ("activate", "treatment.write_plan", "Work begins: accepted → active, or draft → active for a plan of goals."),
    ("hold", "treatment.write_plan", "Work rests: active → on_hold."),
    ("resume", "treatment.write_plan", "Work goes on: on_hold → active."),
    ("complete", "treatment.write_plan", "All is done: active → completed."),
    ("discontinue", "treatment.write_plan", "It ends before it is done: active or on_hold → discontinued."),
):
    _step(verb, permission, said)


def _answer(request, response, plan):
    response["ETag"] = f'"{plan.version}"'
    return for_reader(request.actor, shown(plan))


def for_reader(actor, answer):
    """What this actor reads of it: the practice's own notes are not the patient's."""
    told = {} if reads_plan_notes(actor) else {"notes": ""}
    if hasattr(answer, "goals"):
        told["goals"] = [goal_for(actor, goal) for goal in answer.goals]
    return answer.model_copy(update=told)
