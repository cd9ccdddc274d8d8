"""The card of an orthodontic visit, beside that of the last one."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from clinic.access.rules import rule
from clinic.db.refusals import Refused
from clinic.web.conflicts import save_form
from clinic.web.once import once
from milestones.adjustment_forms import WIRES, AdjustmentForm
from milestones.adjustments import Card, plan_of
from milestones.models import Adjustment
from milestones.models.adjustment import months_in_treatment
from milestones.work_forms import told
from scheduling.looks import find_visit, visit_page


@rule("milestone.write_card")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def adjustment(request, visit_id):
    """Write or change the card of a visit; it begins with what stays in the mouth."""
    visit = find_visit(request, visit_id)
    there = Adjustment.objects.visible_to(request.actor).filter(appointment=visit).select_related("plan__patient", "clinic").first()
    plan = there.plan if there else plan_of(request.actor, visit.person)
    context = {**visit_page(request, visit.person), "visit": visit, "plan": plan}
    if plan is None:
        return render(request, "milestones/adjustment.html", context)
    day = visit.starts_at.astimezone(request.actor.clinic.zone).date()
    last = plan.adjustments.before(visit, day).first()
    blank = Adjustment(clinic=request.actor.clinic, plan=plan, patient=plan.patient, appointment=visit)
    form = AdjustmentForm(request.POST or None, instance=there or blank, actor=request.actor, last=last)
    if form.is_bound and form.is_valid():
        try:
            return _written(request, form, there, visit, context)
        except (ValidationError, Refused) as error:
            told(form, error)
    return render(request, "milestones/adjustment.html", {
        **context, "form": form, "card": there, "wires": WIRES, "months": months_in_treatment(plan, day),
        "last": Card(last, request.actor.clinic, months_in_treatment(plan, last.seen_on)) if last else None,
    }, status=422 if form.is_bound else 200)


def _written(request, form, there, visit, context):
    page = reverse("scheduling:visit", args=[visit.pk])
    if there:
        return save_form(request, form, page, context=lambda: context)
    form.write()
    messages.success(request, "The card is written.")
    return redirect(page)
