"""The time spent on a plan, entry by entry: whose, on what; and taken back."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from clinic.access.rules import rule
from clinic.db.refusals import Refused
from clinic.models import User
from clinic.views.patients import patient_context
from clinic.web.asked import key
from clinic.web.once import once
from milestones.looks import find_time_entry
from milestones.models import TimeEntry
from milestones.work_forms import WhyForm, said, told
from treatment.looks import find_plan

MOST = 200


@rule("treatment.view_plan")
@require_safe
def time_of_plan(request, plan_id):
    """All time on a plan, or on one milestone of it (`?milestone=`), the newest first; added up by milestone and by person."""
    return _page(request, find_plan(request, plan_id), key(request.GET["milestone"]) if request.GET.get("milestone") else None)


@rule("milestone.work")
@require_POST
@once
def time_withdraw(request, time_id):
    """Take time back, with a reason; what is refused comes back with what was typed."""
    found = find_time_entry(request, time_id)
    form = WhyForm(found, request.POST, actor=request.actor)
    if form.is_valid():
        try:
            form.act()
        except (ValidationError, Refused) as error:
            told(form, error, **form.names)
        else:
            messages.success(request, f"{found.minutes} minutes are taken back.")
            return redirect(reverse("milestones:time_of_plan", args=[found.milestone.plan_id]))
    return _page(request, find_plan(request, found.milestone.plan_id), forms={form.name: form}, refused=said(form))


def _page(request, plan, milestone=None, forms=None, **more):
    every = TimeEntry.objects.of_plan(plan)
    only = plan.milestones.in_force().filter(pk=milestone).first() if milestone else None
    rows = every.filter(task__milestone=only) if only else every
    shown = list(rows.select_related("by", "task__milestone__plan", "withdrawal", "clinic")[:MOST])
    return render(request, "milestones/time.html", {
        **patient_context(request, plan.person, "milestones"), "plan": plan, "only": only, "minutes": rows.minutes(),
        "sums": [("Milestone", _named(every.totals("milestone"), plan.milestones.in_order())),
                 ("Person", _named(every.totals("person"), User.objects.order_by("name")))],
        "rows": [(row, _form(request, row, forms or {})) for row in shown], "most": MOST, **more},
        status=422 if forms else 200)


def _form(request, entry, forms):
    """The form that takes it back; None for who may not, and for what is taken back already."""
    form = WhyForm(entry, actor=request.actor)
    return forms.get(form.name, form) if entry.may_withdraw(request.actor) and not entry.is_withdrawn else None


def _named(totals, rows):
    """[(row, its minutes)] of those that have any; one query."""
    return [(row, totals[row.pk]) for row in rows.filter(pk__in=totals)]
