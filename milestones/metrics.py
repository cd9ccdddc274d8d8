"""The figures of milestones, of many at once: a constant number of queries."""
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import (
    Avg,
    Case,
    Count,
    DateField,
    DurationField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce

from milestones.models import Evidence, Milestone, Task, TaskUpdate

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Metrics:
    """`days_in_milestone`: from its beginning (see `begun`) to the day it was achieved, or to today; 0 while it has not begun.
    Tasks without the withdrawn ones; completed ones are those that an approved update completed, after so many hours on average
    since they were set. `update_approval_rate`: approved ones in 100 that were reviewed. None: there is nothing to tell it of."""

    days_in_milestone: int
    total_tasks: int
    completed_tasks: int
    active_tasks: int
    avg_task_completion_time: float | None
    progress_update_count: int
    approved_updates: int
    pending_updates: int
    rejected_updates: int
    update_approval_rate: float | None
    evidence_count: int


def metrics_of(milestones, today):
    """{key: Metrics} of these; four queries. Their clinic and plan are loaded."""
    keys = [row.pk for row in milestones]
    tasks = _by_key(Task.objects.in_force().filter(milestone__in=keys), "milestone", {
        "total": Count("pk"),
        "completed": Count("pk", filter=Q(status=Task.Status.COMPLETED)),
        "active": Count("pk", filter=Q(status__in=Task.ACTIVE)),
        "took": Avg(ExpressionWrapper(F("completed_at") - F("created_at"), DurationField()))})
    told = _by_key(TaskUpdate.objects.filter(task__milestone__in=keys, task__is_withdrawn=False), "task__milestone", {
        status.name.lower(): Count("pk", filter=Q(status=status)) for status in TaskUpdate.Status})
    evidence = _by_key(Evidence.objects.in_force().filter(milestone__in=keys), "milestone", {"count": Count("pk")})
    began = dict(begun(Milestone.objects.filter(pk__in=keys)).values_list("pk", "began"))
    return {row.pk: _metrics(
        days_in(row.started_at, began.get(row.pk), row.achieved_date or today, row.clinic.zone), tasks[row.pk], told[row.pk],
        evidence[row.pk]) for row in milestones}


def begun(rows):
    """These milestones with `began`: of those that were achieved without being started, when the last one before them in their plan
    was achieved; the first of a plan began with the plan. One query (index `milestones_milestone_of_plan`)."""
    earlier = Milestone.objects.in_force().filter(
        plan=OuterRef("plan"), sequence__lt=OuterRef("sequence"), achieved_date__lte=OuterRef("achieved_date"))
    before = Subquery(earlier.order_by("-achieved_date").values("achieved_date")[:1])
    return rows.order_by().annotate(began=Case(When(
        started_at=None, achieved_date__isnull=False, then=Coalesce(before, "plan__start_date")), output_field=DateField()))


def days_in(started_at, began, end, zone):
    """How many days a milestone has taken until that one; 0 while it has not begun."""
    start = started_at.astimezone(zone).date() if started_at else began
    return max((end - start).days, 0) if start else 0


def _by_key(rows, path, figures):
    """{milestone's key: {name: figure}} of the rows that hang on it; an empty one says nothing. One query."""
    found = defaultdict(dict)
    for row in rows.order_by().values(path).annotate(**figures):
        found[row.pop(path)] = row
    return found


def _metrics(days, tasks, told, evidence):
    pending, approved, rejected = (told.get(name, 0) for name in ("pending", "approved", "rejected"))
    reviewed, took = approved + rejected, tasks.get("took")
    return Metrics(
        days_in_milestone=days, total_tasks=tasks.get("total", 0), completed_tasks=tasks.get("completed", 0),
        active_tasks=tasks.get("active", 0), avg_task_completion_time=None if took is None else round(took / HOUR, 2),
        progress_update_count=pending + reviewed, approved_updates=approved, pending_updates=pending, rejected_updates=rejected,
        update_approval_rate=round(100 * approved / reviewed, 1) if reviewed else None, evidence_count=evidence.get("count", 0))
