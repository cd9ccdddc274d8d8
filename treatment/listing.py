"""A patient's plans as a list shows them, in a constant number of queries."""
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from treatment.course import courses_of
from treatment.models import TreatmentPlan

RUNNING = (TreatmentPlan.Status.ACTIVE, TreatmentPlan.Status.ACCEPTED, TreatmentPlan.Status.ON_HOLD, TreatmentPlan.Status.PROPOSED,
           TreatmentPlan.Status.DRAFT)
TONES = {"draft": "grey", "proposed": "blue", "accepted": "blue", "active": "green", "on_hold": "amber", "completed": "green",
         "discontinued": "grey", "declined": "grey"}


@dataclass(frozen=True)
class Row:
    """A plan in a list, counted."""

    plan: TreatmentPlan
    tone: str
    procedures: int
    done: int
    total: object  # of the fees
    goals: int
    percent: int  # of the goals
    review: str  # "upcoming", "due", "overdue" or empty
    alternatives: int  # how many plans share its group, this one included


def listed(actor, patient):
    """Rows of all plans of a patient, those that run before those that are over, each by start, newest first."""
    force = ~Q(procedures__status="cancelled")
    plans = list(TreatmentPlan.objects.visible_to(actor).of(patient).newest_first().select_related("provider", "clinic").annotate(
        count=Count("procedures", filter=force), done=Count("procedures", filter=Q(procedures__status="completed")),
        total=Sum("procedures__fee", filter=force)))
    courses, groups, today = courses_of(plans, patient), [plan.alternative_group for plan in plans], actor.clinic.today()
    rows = []
    for plan in sorted(plans, key=lambda plan: RUNNING.index(plan.status) if plan.status in RUNNING else len(RUNNING)):
        found, review = courses[plan.pk].summary, plan.review_status(today)
        rows.append(Row(
            plan, TONES[plan.status], plan.count, plan.done, plan.total, found.total_goals, found.overall_progress,
            "" if review == "none" else str(review), groups.count(plan.alternative_group) if plan.alternative_group else 0))
    return rows
