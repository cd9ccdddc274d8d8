"""A plan as the matter that patient and provider share: its milestones with their tasks, how it stands, what one may do there."""
from uuid import UUID

from ninja import Schema

from clinic.access.rules import may, rule
from clinic.web.endpoints import Endpoints
from milestones.api.milestones import MilestoneShown, shown
from milestones.api.parts import MetricsShown, TaskShown, tasks_of
from milestones.health import State, health_of
from milestones.looks import find_booking
from milestones.metrics import metrics_of
from milestones.models import Milestone
from treatment.api.plans import MilestoneProgress, PlanInList, for_reader, in_list

router = Endpoints(tags=["Work inside a milestone"])


class MilestoneWithTasks(MilestoneShown):
    tasks: list[TaskShown]
    metrics: MetricsShown


class HealthShown(Schema):
    """How the plan stands, and why, the gravest reason first."""

    state: State
    reasons: list[str]


class Shared(Schema):
    """A plan that patient and provider share. `may`: what the caller may do there."""

    booking_id: UUID
    plan: PlanInList
    milestones: list[MilestoneWithTasks]
    progress: MilestoneProgress
    health: HealthShown
    may: list[str]


def allowed(actor, plan):
    """The names of what this actor may do in this plan's milestones, as the API tells them."""
    keeps = Milestone.keeps(actor, plan)
    found = {
        "treatment:read": may(actor, "treatment.read", plan),
        "milestone:create": keeps and may(actor, "milestone.create", plan), "milestone:update": keeps,
        "milestone:review": Milestone(clinic_id=plan.clinic_id, plan=plan).may_review(actor),
        "milestone:comment": True, "milestone:comment_internally": actor.hat == "staff",
        "milestone:approve": actor.hat == "portal" and may(actor, "milestone.approve", plan)}
    return [name for name, is_allowed in found.items() if is_allowed]


@router.get("/secure-milestones/{uuid:booking_id}", response=Shared)
@rule("treatment.read")
def shared(request, booking_id: UUID):
    """For the assigned provider, the care team, the clinic's manager, and the patient or who acts for them. `booking_id`: the
    plan's id."""
    plan = find_booking(request, booking_id)
    rows = list(plan.milestones.in_force().in_order())
    for row in rows:
        row.plan, row.clinic = plan, plan.clinic
    today, tasks = plan.clinic.today(), tasks_of(rows)
    metrics, told = metrics_of(rows, today), for_reader(request.actor, in_list([plan], plan.person)[0])
    return Shared(
        booking_id=plan.pk, plan=told, progress=told.milestone_progress,
        milestones=[shown(
            row, request.actor, MilestoneWithTasks, tasks=tasks[row.pk], metrics=MetricsShown(**vars(metrics[row.pk])))
            for row in rows],
        health=health_of([plan], today)[plan.pk]._asdict(), may=allowed(request.actor, plan))
