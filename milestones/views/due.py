"""What is overdue and what comes up, of the whole practice; and one's own peace from the alerts of it."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.views.decorators.http import require_POST, require_safe

from clinic.access.rules import rule
from clinic.audit.looks import Kind, look_at_each
from clinic.models import Provider
from clinic.web.asked import key
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.fields import TypedDateField
from clinic.web.once import once
from milestones.health import endangered
from milestones.looks import find_milestone
from milestones.models import Milestone, MilestoneSnooze, Task, TaskUpdate
from milestones.models.alert import AHEAD
from milestones.sheet import HEALTH
from treatment.models import TreatmentPlan

MOST = 200
RISKS = ["patient", "chart number", "plan", "provider", "state", "reasons"]
HEAD = ["patient", "chart number", "milestone", "plan", "provider", "due on", "days late", "state"]


@rule("treatment.view_plan")
@require_safe
def due(request):
    """Open milestones that are past their day, the oldest first, and those of the next two weeks; `?provider=`, `?type=`."""
    actor, today = request.actor, request.actor.clinic.today()
    asked = {"provider": request.GET.get("provider", ""), "type": request.GET.get("type", "")}
    rows = Milestone.objects.visible_to(actor).select_related("patient__merged_into", "plan__provider")
    if asked["provider"]:
        rows = rows.filter(plan__provider=key(asked["provider"]))
    if asked["type"] in TreatmentPlan.Type.values:
        rows = rows.filter(plan__treatment_type=asked["type"])
    overdue, upcoming = rows.overdue(today), rows.upcoming(today, today + AHEAD)
    if wants_csv(request):
        found = [*overdue, *upcoming]
        return csv_answer(request, "milestones-due", HEAD, (
            [row.person.name, row.person.chart_number, row.name, row.plan.title, row.plan.provider.name, row.target_date,
             row.days_late(today), row.get_status_display()] for row in found), count=len({row.person.pk for row in found}))
    shown = [list(part[:MOST]) for part in (overdue, upcoming)]
    look_at_each(request, Kind.LIST, [row.person for part in shown for row in part])
    asleep = dict(MilestoneSnooze.objects.visible_to(actor).asleep(today).filter(user=actor.user).values_list("milestone", "until"))
    return render(request, "milestones/due.html", {
        "parts": [(title, empty, [(row, row.days_late(today), asleep.get(row.pk)) for row in part]) for title, empty, part in (
            ("Overdue", "Nothing is past its day.", shown[0]), ("Within two weeks", "Nothing comes up.", shown[1]))],
        **asked, "providers": Provider.objects.visible_to(actor).current(), "types": TreatmentPlan.Type.choices, "most": MOST})


@rule("treatment.view_plan")
@require_safe
def at_risk(request):
    """Running plans that are late or at risk, with the reasons; the late ones first; `?provider=`."""
    actor, provider = request.actor, request.GET.get("provider", "")
    rows = TreatmentPlan.objects.visible_to(actor).select_related("patient__merged_into", "provider")
    if provider:
        rows = rows.filter(provider=key(provider))
    found = endangered(rows, actor.clinic.today())
    if wants_csv(request):
        return csv_answer(request, "plans-at-risk", RISKS, (
            [plan.person.name, plan.person.chart_number, plan.title, plan.provider.name, HEALTH[health.state][1],
             " ".join(health.reasons)] for plan, health in found), count=len({plan.person.pk for plan, _ in found}))
    look_at_each(request, Kind.LIST, [plan.person for plan, _ in found[:MOST]])
    return render(request, "milestones/at_risk.html", {
        "rows": [(plan, *HEALTH[health.state], health.reasons) for plan, health in found[:MOST]], "provider": provider,
        "providers": Provider.objects.visible_to(actor).current(), "most": MOST, "count": len(found)})


@rule("treatment.write_plan")
@require_safe
def to_review(request):
    """What was told of tasks and waits for this actor's eyes, the oldest first."""
    rows = list(TaskUpdate.objects.to_review(request.actor).select_related(
        "author", "task__milestone__plan", "patient__merged_into")[:MOST])
    look_at_each(request, Kind.LIST, [row.patient.person for row in rows])
    return render(request, "milestones/to_review.html", {"rows": rows, "most": MOST})


@rule("milestone.work")
@require_safe
def own_tasks(request):
    """What this actor has to do, what is due first before the rest."""
    today = request.actor.clinic.today()
    rows = list(Task.objects.visible_to(request.actor).of_assignee(request.actor.user).select_related(
        "milestone__plan", "patient__merged_into")[:MOST])
    look_at_each(request, Kind.LIST, [row.patient.person for row in rows])
    return render(request, "milestones/own_tasks.html", {
        "rows": [(row, row.is_overdue(today)) for row in rows], "most": MOST})


@rule("treatment.view_plan")
@require_safe
def waiting(request):
    """Milestones that lack nothing but the patient's approval, the oldest first."""
    rows = list(Milestone.objects.visible_to(request.actor).awaiting_approval().select_related(
        "patient__merged_into", "plan__provider").order_by("updated_at", "id")[:MOST])
    look_at_each(request, Kind.LIST, [row.person for row in rows])
    return render(request, "milestones/waiting.html", {"rows": rows, "most": MOST})


@rule("treatment.view_plan")
@require_POST
@once
def snooze(request, milestone_id):
    """Be told nothing of a milestone until a day."""
    found, day = find_milestone(request, milestone_id), TypedDateField()
    day.at(request.actor.clinic)
    try:
        until = day.clean(request.POST.get("until", ""))
        MilestoneSnooze.sleep(by=request.actor, milestone=found, until=until)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"You hear nothing of it until {date_format(until, 'D j M Y')}.")
    return redirect("milestones:due")
