"""How often milestones are reached, and how late: by what one asks for, over the days that one asks for."""
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic.access.rules import rule
from clinic.models import Provider
from clinic.web.csv_out import csv_answer, wants_csv
from milestones.models import Milestone, MilestoneType
from milestones.rate_charts import PARTS, durations, outcomes
from milestones.rates import BY, rate, rates
from milestones.report_forms import ReportForm
from treatment.models import TreatmentPlan

HEAD = ["what", "total", "achieved", "achieved %", "on time", "late", "missed", "median days late", "average days"]


@rule("treatment.view_plan")
@require_safe
def report(request):
    """The achievement rates of the practice's milestones that were due in a span of days; it names no patient."""
    form = ReportForm(request.GET or None, actor=request.actor)
    asked = form.asked()
    rows = Milestone.objects.visible_to(request.actor).filter(
        target_date__gte=asked["first"], target_date__lte=asked["last"])
    names, place = _names(request.actor, asked["by"]), list(BY).index(asked["by"])
    found = [(names.get(key[place], "") if names else key[place], each) for key, each in rates(rows, (asked["by"],)).items()]
    if wants_csv(request):
        return csv_answer(request, "milestone-rates", HEAD, (
            [name, each.total, each.achieved, each.percent, each.on_time, each.late, each.missed, each.median_days_late,
             each.average_days] for name, each in found), count=0)
    whole = rates(rows, ())
    return render(request, "milestones/report.html", {
        "form": form, "rows": found, "whole": next(iter(whole.values()), rate([])), "outcomes": outcomes(found),
        "durations": durations(found), "parts": PARTS, "asked_by": dict(form.fields["by"].choices)[asked["by"]], **asked})


def _names(actor, by):
    """{value of a group's key: what it is called}; None for months, which are called what they are."""
    if by == "provider":
        return dict(Provider.objects.visible_to(actor).values_list("pk", "name"))
    return dict({"milestone_type": MilestoneType, "treatment_type": TreatmentPlan.Type}[by].choices) if by != "month" else None
