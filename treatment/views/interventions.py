"""The library of interventions, with the practice's own, and how well each does here."""
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access.rules import find, may, rule
from clinic.db.refusals import Refused
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.once import once
from treatment.effect import UNKNOWN
from treatment.goal_forms import InterventionForm
from treatment.models import GoalIntervention, Intervention

HEAD = ["name", "modality", "evidence", "description", "own", "average", "ratings", "uses"]


@rule("treatment.view_plan")
@require_safe
def interventions(request):
    """What there is, by `?modality=` and `?q=`, with average effect and number of uses in this clinic. It names nobody."""
    actor, asked = request.actor, {name: request.GET.get(name, "")[:100] for name in ("modality", "q")}
    every = Intervention.objects.visible_to(actor).in_use()
    effects = GoalIntervention.objects.visible_to(actor).effects("intervention")
    rows = [(row, effects.get(row.pk, UNKNOWN)) for row in every.search(asked["q"], asked["modality"])]
    if wants_csv(request):
        return csv_answer(request, "interventions", HEAD, (
            [row.name, row.modality, row.get_evidence_level_display(), row.description, "" if row.is_system else "yes",
             effect.average_rating, effect.ratings, effect.uses] for row, effect in rows), count=0)
    return render(request, "treatment/interventions.html", {
        "rows": rows, "modalities": every.modalities(), **asked, "may_define": may(actor, "treatment.write_plan")})


@rule("treatment.view_plan")
@require_safe
def intervention(request, intervention_id):
    """One intervention: what it is, how well it is proven, and how well it does here."""
    found = find(Intervention.objects, request.actor, pk=intervention_id)
    return render(request, "treatment/intervention.html", {
        "intervention": found, "effect": found.effect(request.actor.clinic),
        "goals": found.goals.filter(clinic=request.actor.clinic).serving().count(),
        "may_change": not found.is_system and may(request.actor, "treatment.change_intervention")})


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def intervention_new(request):
    """Define one of the practice's own."""
    form = InterventionForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            made = Intervention.define(by=request.actor, **form.cleaned_data)
        except Refused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, f"{made.name} stands in the library now.")
            return redirect("treatment:intervention", made.pk)
    return render(request, "treatment/intervention_form.html", {
        "form": form, "modalities": Intervention.objects.visible_to(request.actor).modalities()},
        status=422 if form.is_bound else 200)
