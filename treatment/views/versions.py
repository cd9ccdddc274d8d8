"""The frozen copies of a plan, and alternatives side by side; the plan on paper."""
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic.access.rules import rule
from clinic.audit.looks import Kind
from clinic.paper.answers import pdf_answer
from clinic.views.patients import patient_context
from treatment.differences import differences
from treatment.looks import find_plan
from treatment.models import TreatmentPlan
from treatment.paper import estimate
from treatment.sheet import Sheet


@rule("treatment.view_plan")
@require_safe
def version(request, plan_id, number):
    """A frozen copy, whether it is still what was hashed, and what changed since the one before."""
    found = find_plan(request, plan_id)
    if number > found.number:
        raise Http404
    rows = {row.number: row for row in found.versions.filter(number__in=[number, number - 1]).select_related("by")}
    if number not in rows:
        raise Http404
    before = rows.get(number - 1)
    return render(request, "treatment/version.html", {
        **patient_context(request, found.person, "plan"), "plan": found, "version": rows[number], "content": rows[number].content,
        "before": before, "changes": differences(before.content, rows[number].content) if before else [],
        "next": number + 1 if number < found.number else None})


@rule("treatment.view_plan")
@require_safe
def alternatives(request, plan_id):
    """A plan and its alternatives in columns, with their totals."""
    found = find_plan(request, plan_id)
    plans = [found, *TreatmentPlan.objects.visible_to(request.actor).filter(pk__in=found.alternatives()).select_related(
        "clinic", "provider", "patient__merged_into")]
    sheets = [Sheet(request.actor, plan) for plan in sorted(plans, key=lambda plan: (plan.created_at, plan.pk))]
    return render(request, "treatment/alternatives.html", {
        **patient_context(request, found.person, "plan"), "plan": found, "sheets": sheets})


@rule("treatment.view_plan")
@require_safe
def printed(request, plan_id):
    """Plan and estimate as a PDF: plain words for the patient, codes for the record."""
    found = find_plan(request, plan_id, Kind.PRINT)
    return pdf_answer(estimate(Sheet(request.actor, found)), f"Treatment plan #{found.person.chart_number}")
