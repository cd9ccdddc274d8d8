"""Which interventions were used in a visit: ticked in two keys, the row's and the effect's."""
from itertools import groupby

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from clinic.access.rules import rule
from clinic.db.refusals import Stale
from clinic.web.once import once
from scheduling.looks import find_visit, visit_page
from treatment.goal_forms import UsedForm
from treatment.models import GoalIntervention, SessionIntervention


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def used(request, visit_id):
    """The interventions of the patient's goals that this actor writes, each with whether it was used here, how well, and a note."""
    visit = find_visit(request, visit_id)
    held = {row.goal_intervention_id: row for row in SessionIntervention.objects.visible_to(request.actor).filter(
        appointment=visit, is_withdrawn=False)}
    servings = GoalIntervention.objects.to_tick(request.actor, visit, held)
    forms = [UsedForm(request.POST or None, serving=row, row=held.get(row.pk)) for row in servings]
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and all(form.is_valid() for form in forms):
        try:
            SessionIntervention.settle(
                by=request.actor, appointment=visit, told={form.serving: form.told for form in forms},
                seen={form.serving.pk: form.cleaned_data["version"] or 0 for form in forms})
        except Stale:
            status = 409
            for form in forms:
                form.meet(held.get(form.serving.pk))
        else:
            messages.success(request, "Saved.")
            return redirect("scheduling:visit", visit.pk)
    numbered = enumerate(forms, start=1)
    goals = [(goal, list(rows)) for goal, rows in groupby(numbered, key=lambda each: each[1].serving.goal)]
    return render(request, "treatment/session.html", {
        **visit_page(request, visit.person), "visit": visit, "goals": goals, "forms": forms}, status=status)
