"""Reviews of plans: held, listed, and those that come up; and the report on a plan's progress."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access.rules import may, rule
from clinic.audit.looks import Kind, look_at_each
from clinic.paper.answers import pdf_answer
from clinic.views.patients import patient_context
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.once import once
from treatment.differences import differences
from treatment.goal_forms import ReviewForm
from treatment.goal_sheet import GoalSheet
from treatment.looks import find_plan
from treatment.models import PlanReview, TreatmentPlan
from treatment.report import Report

MOST = 200
SIGNS = {"+": "Added:", "-": "Taken out:", "~": "Changed:"}


@rule("treatment.view_plan")
@require_safe
def reviews(request, plan_id):
    """All reviews of a plan, the newest first."""
    plan = find_plan(request, plan_id)
    return render(request, "treatment/reviews.html", {
        **patient_context(request, plan.person, "plan"), "plan": plan, "sheet": GoalSheet(request.actor, plan),
        "reviews": list(plan.reviews.select_related("by"))})


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def review_new(request, plan_id):
    """Hold a review: the goals with which of them are on track, what changed since the last one, and when it is next."""
    plan = find_plan(request, plan_id)
    sheet, last = GoalSheet(request.actor, plan), plan.reviews.first()
    changed = _changed_since(plan, last)
    form = ReviewForm(
        request.POST or None, actor=request.actor, plan=plan, counted=sheet.on_track, changed="\n".join(map(_line, changed)))
    if form.is_bound and form.is_valid():
        try:
            held = PlanReview.hold(by=request.actor, plan=plan, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"Reviewed. The next review is on {held.next_review_date:%Y-%m-%d}.")
            return redirect("treatment:reviews", plan.pk)
    goals = [(row, sheet.course.on_track(row.goal, sheet.today)) for row in sheet.rows if row.goal.status != "discontinued"]
    return render(request, "treatment/review_form.html", {
        **patient_context(request, plan.person, "plan"), "plan": plan, "form": form, "goals": goals, "last": last,
        "changed": changed}, status=422 if form.is_bound else 200)


@rule("treatment.write_plan")
@require_safe
def to_review(request):
    """Plans whose review comes up within a week or is late, the latest first."""
    actor, today = request.actor, request.actor.clinic.today()
    rows = TreatmentPlan.objects.visible_to(actor).to_review(actor, today).select_related(
        "patient__merged_into", "provider").order_by("next_review_date", "pk")
    if wants_csv(request):
        return csv_answer(request, "plans-to-review", ["patient", "chart number", "plan", "provider", "review on", "state"], (
            [row.person.name, row.person.chart_number, row.title, row.provider.name, row.next_review_date,
             row.review_status(today).label] for row in rows), count=len({row.person.pk for row in rows}))
    shown = list(rows[:MOST])
    look_at_each(request, Kind.LIST, [row.person for row in shown])
    return render(request, "treatment/to_review.html", {
        "rows": [(row, row.review_status(today), (today - row.next_review_date).days) for row in shown], "most": MOST,
        "sees_all": may(actor, "treatment.assign_plan")})


@rule("treatment.view_plan")
@require_safe
def report(request, plan_id):
    """How far a plan has come, to read."""
    plan = find_plan(request, plan_id)
    return render(request, "treatment/report.html", {
        **patient_context(request, plan.person, "plan"), "plan": plan, "report": Report(request.actor, plan)})


@rule("treatment.view_plan")
@require_safe
def report_print(request, plan_id):
    """How far a plan has come, as a PDF."""
    plan = find_plan(request, plan_id, Kind.PRINT)
    return pdf_answer(Report(request.actor, plan).pdf(), f"Progress report #{plan.person.chart_number}")


def _line(change):
    """A difference in one line, for the text of a review."""
    fields = "; ".join(f"{name} {before or 'nothing'} → {after or 'nothing'}" for name, before, after in change.fields)
    return f"{SIGNS[change.sign]} {change.what}{f' ({fields})' if fields else ''}"


def _changed_since(plan, last):
    """What is agreed now and was not at the last review, or when the plan began to run."""
    rows = plan.versions.all()
    old = rows.filter(at__lte=last.at).first() if last else None
    old, new = old or rows.last(), rows.first()
    return differences(old.content, new.content) if new is not None and old != new else []
