"""Treatment plans: a patient's list, one plan, drawing up, changing, and the steps from draft to done."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import may, rule
from clinic.audit.looks import Kind, find_patient, look
from clinic.views.patients import patient_context
from clinic.web.asked import whole
from clinic.web.conflicts import save_form
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.once import once
from treatment.forms import PlanForm
from treatment.listing import listed
from treatment.looks import find_plan
from treatment.models import Procedure, TreatmentPlan
from treatment.refusals import DONE
from treatment.sheet import Sheet

PAGE = 50
UNSCHEDULED_HEAD = ["chart number", "patient", "phone", "code", "where", "what", "provider", "fee", "plan"]


@rule("treatment.view_plan")
@require_safe
def plans(request, patient_id):
    """A patient's plans, those that run first, alternatives beside each other."""
    patient = find_patient(request, patient_id)
    return render(request, "treatment/plans.html", {
        **patient_context(request, patient, "plan"), "plans": listed(request.actor, patient),
        "may_draw_up": may(request.actor, "treatment.draw_up_plan")})


@rule("treatment.view_plan")
@require_safe
def panel(request, patient_id):
    """The plans that run: a panel of the overview, which loads it by itself."""
    patient = find_patient(request, patient_id)
    rows = [row for row in listed(request.actor, patient) if not row.plan.is_over]
    left = Procedure.objects.visible_to(request.actor).of(patient).unscheduled().select_related("procedure_code", "clinic")
    numbering = request.actor.clinic.tooth_numbering
    return render(request, "treatment/_panel.html", {
        "patient": patient, "plans": rows, "left": [(row, row.place.said(numbering)) for row in left[:6]]})


@rule("scheduling.add_appointment")
@require_safe
def unscheduled(request):
    """Accepted work that no coming visit carries, a line each patient, the oldest first: whom the front desk may call."""
    rows = Procedure.objects.visible_to(request.actor).unscheduled().order_by("created_at", "id").select_related(
        "patient__merged_into", "plan", "procedure_code", "provider", "clinic")
    numbering = request.actor.clinic.tooth_numbering
    if wants_csv(request):
        return csv_answer(request, "planned-not-booked", UNSCHEDULED_HEAD, (
            (row.patient.person.chart_number, row.patient.person.sort_name, row.patient.person.phone, row.procedure_code.code,
             row.place.said(numbering), row.description, row.provider.name, f"{row.fee:.2f}", row.plan.title) for row in rows),
            count=rows.count())
    start = whole(request.GET.get("start")) or 0
    found = list(rows[start:start + PAGE + 1])
    look(request, Kind.LIST, rows=len(found[:PAGE]))
    return render(request, "treatment/unscheduled.html", {
        "rows": [(row, row.place.said(numbering)) for row in found[:PAGE]], "first": start + 1, "last": start + len(found[:PAGE]),
        "next_start": start + PAGE if len(found) > PAGE else None, "previous_start": max(start - PAGE, 0) if start else None})


@rule("treatment.view_plan")
@require_safe
def plan(request, plan_id):
    """One plan: its procedures by phase, its goals, what was agreed and by whom, and the steps that can be taken now."""
    found = find_plan(request, plan_id)
    return render(request, "treatment/plan.html", {
        **patient_context(request, found.person, "plan"), "sheet": Sheet(request.actor, found)})


@rule("treatment.draw_up_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def plan_new(request, patient_id):
    """Draw up a plan; it begins as a draft."""
    patient = find_patient(request, patient_id)
    blank = TreatmentPlan(clinic=request.actor.clinic, patient=patient)
    form = PlanForm(request.POST or None, instance=blank, actor=request.actor)
    if form.is_bound and form.is_valid():
        try:
            made = form.draw_up()
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{made.title[:60]} is a draft. Add what is to be done.")
            return redirect("treatment:plan", made.pk)
    return render(request, "treatment/plan_form.html", {
        **patient_context(request, patient, "plan"), "form": form}, status=422 if form.is_bound else 200)


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def plan_edit(request, plan_id):
    """Change what a plan says. Of two who do so at once the second one sees both."""
    found = find_plan(request, plan_id)
    patient, page = found.person, reverse("treatment:plan", args=[plan_id])
    form = PlanForm(request.POST or None, instance=found, actor=request.actor)
    if form.is_bound and form.is_valid():
        try:
            return save_form(request, form, page, context=lambda: patient_context(request, patient, "plan"))
        except ValidationError as error:
            form.add_error(None, error)
    return render(request, "treatment/plan_form.html", {
        **patient_context(request, patient, "plan"), "form": form, "plan": found}, status=422 if form.is_bound else 200)


@rule("treatment.view_plan")
@require_POST
@once
def step(request, plan_id, verb):
    """One step of the gate, which looks whether it may be taken."""
    found = find_plan(request, plan_id)
    if verb not in TreatmentPlan.STEPS:
        raise Http404
    try:
        getattr(found, verb)(by=request.actor, because=request.POST.get("because", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"The plan is {DONE[verb]}.")
    return redirect("treatment:plan", plan_id)
