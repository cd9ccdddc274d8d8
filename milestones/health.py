"""How running plans stand, and why: on track, at risk, or late. Many plans at once, with a constant number of queries."""
from collections import defaultdict
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Exists, Max, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from clinic.models import Patient
from milestones.models import Milestone, Task
from scheduling.models import Appointment
from treatment.models import TreatmentPlan

LATE_AFTER = 30  # days past a milestone's day
TASK_LATE_AFTER = 14  # days past a task's day
MISSED_WITHIN = timedelta(days=92)
MANY_MISSED = 2  # visits
MANY_TASKS = 3
WHOSE = Coalesce("patient__merged_into", "patient")  # the person's key


class State(StrEnum):
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    LATE = "late"


class Health(NamedTuple):
    """A plan's State, with its reasons in words, the gravest first."""

    state: State
    reasons: list


def health_of(plans, today, now=None):
    """{plan's key: Health} of these plans; four queries. Their patients are loaded.

    A plan is **late** when a milestone slipped by more than 30 days, or its target end is over. It is **at risk** when a milestone
    slipped by less; when two visits of the last 92 days were missed; when the last visit was missed or cancelled and no other is
    booked; when three tasks are overdue, or one for more than 14 days. Else, and when it does not run, it is **on track**.

    A milestone slipped when it is open and its day is over, or when it was missed and none after it in the plan was achieved.
    """
    running = [plan for plan in plans if plan.status in TreatmentPlan.REVIEWED]
    slipped, tasks, visits = _slipped(running, today), _overdue_tasks(running, today), _visits(running, now or timezone.now())
    found = {plan.pk: Health(State.ON_TRACK, []) for plan in plans}
    for plan in running:
        told = [
            *_of_end(plan, today), *_of_slips(slipped[plan.pk]), *_of_visits(*visits[plan.person.pk]), *_of_tasks(tasks[plan.pk])]
        if told:
            worst = State.LATE if any(state == State.LATE for state, _ in told) else State.AT_RISK
            found[plan.pk] = Health(worst, [said for _, said in sorted(told, key=lambda each: each[0] != State.LATE)])
    return found


def may_be_at_risk(plans, today, now=None):
    """Of these plans those for which `health_of` could find a reason: a superset, told by the database alone."""
    overdue = Milestone.objects.counted().filter(
        plan=OuterRef("pk"), status__in=(*Milestone.OPEN, Milestone.Status.MISSED), target_date__lt=today)
    tasks = Task.objects.overdue(today).filter(milestone__plan=OuterRef("pk"))
    visits = Appointment.objects.filter(status__in=Appointment.FREE, starts_at__gte=(now or timezone.now()) - MISSED_WITHIN)
    missed = visits.order_by().values(whose=WHOSE)
    return plans.filter(status__in=TreatmentPlan.REVIEWED).alias(whose=WHOSE).filter(
        Q(target_end_date__lt=today) | Exists(overdue.order_by()) | Exists(tasks.order_by()) | Q(whose__in=missed))


def endangered(plans, today, now=None):
    """[(plan, Health)] of those of these plans that are late or at risk, the late ones first, each kind from the oldest plan on."""
    rows = list(may_be_at_risk(plans, today, now).order_by("start_date", "id"))
    told = health_of(rows, today, now)
    found = [(plan, told[plan.pk]) for plan in rows if told[plan.pk].state != State.ON_TRACK]
    return sorted(found, key=lambda each: each[1].state != State.LATE)


def _slipped(plans, today):
    """{plan's key: [(days, name)]}, the longest first; one query."""
    found, reached = defaultdict(list), {}
    rows = Milestone.objects.counted().filter(plan__in=plans).order_by("-sequence", "-id")
    for key, name, status, target in rows.values_list("plan", "name", "status", "target_date"):
        reached[key] = reached.get(key, False) or status == Milestone.Status.ACHIEVED
        open_or_missed = status in Milestone.OPEN or (status == Milestone.Status.MISSED and not reached[key])
        if open_or_missed and target is not None and target < today:
            found[key].append(((today - target).days, name))
    return defaultdict(list, {key: sorted(each, reverse=True) for key, each in found.items()})


def _overdue_tasks(plans, today):
    """{plan's key: [days]}, the longest first; one query."""
    found = defaultdict(list)
    for key, due in Task.objects.overdue(today).filter(
            milestone__plan__in=plans, milestone__status__in=Milestone.OPEN).values_list("milestone__plan", "due_date"):
        found[key].append((today - due).days)
    return found


def _visits(plans, now):
    """{person's key: (how many visits they missed lately, whether the last one fell out and no other is booked)}; two queries."""
    keys = {plan.person.pk for plan in plans}
    people = Patient.objects.filter(Q(pk__in=keys) | Q(merged_into__in=keys)).order_by().values("pk")
    rows = Appointment.objects.filter(patient__in=people).annotate(whose=WHOSE).order_by()
    held = dict(rows.holding().values_list("whose").annotate(Max("starts_at")))
    missed, last = defaultdict(int), {}
    for whose, status, starts in rows.filter(
            status__in=Appointment.FREE, starts_at__gte=now - MISSED_WITHIN).values_list("whose", "status", "starts_at"):
        missed[whose] += status == Appointment.Status.NO_SHOW
        last[whose] = max(starts, last.get(whose, starts))
    return defaultdict(lambda: (0, False), {
        key: (missed[key], key in last and (key not in held or held[key] < last[key])) for key in keys})


def _of_end(plan, today):
    if plan.target_end_date is not None and plan.target_end_date < today:
        yield State.LATE, f"The plan was to end {_days((today - plan.target_end_date).days)} ago."


def _of_slips(slips):
    for days, name in slips:
        yield State.LATE if days > LATE_AFTER else State.AT_RISK, f"“{name}” is {_days(days)} past its day."


def _of_visits(missed, fell_out):
    if missed >= MANY_MISSED:
        yield State.AT_RISK, f"{missed} visits were missed in the last three months."
    if fell_out:
        yield State.AT_RISK, "The last visit was missed or cancelled, and no other is booked."


def _of_tasks(days):
    if len(days) >= MANY_TASKS or (days and days[0] > TASK_LATE_AFTER):
        count = "One task is" if len(days) == 1 else f"{len(days)} tasks are"
        yield State.AT_RISK, f"{count} overdue, for up to {_days(days[0])}."


def _days(count):
    return f"{count} day{'' if count == 1 else 's'}"
