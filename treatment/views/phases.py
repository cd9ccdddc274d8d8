"""The phases of a plan: called otherwise, or taken out."""
from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.rules import rule
from clinic.db.refusals import Refused
from clinic.views.patients import patient_context
from clinic.web.conflicts import save_form
from clinic.web.once import once
from treatment.forms import PhaseForm
from treatment.looks import find_phase


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def phase_edit(request, phase_id):
    """Call a phase otherwise."""
    found = find_phase(request, phase_id)
    page = reverse("treatment:plan", args=[found.plan_id])
    form = PhaseForm(request.POST or None, instance=found, actor=request.actor)

    def context():
        return patient_context(request, found.plan.person, "plan")

    if form.is_bound and form.is_valid():
        try:
            return save_form(request, form, page, context=context)
        except Refused as refused:
            form.add_error("name", str(refused))
    return render(request, "treatment/phase_form.html", {
        **context(), "phase": found, "form": form, "is_empty": not found.procedures.in_force().exists()},
        status=422 if form.is_bound else 200)


@rule("treatment.write_plan")
@require_POST
@once
def phase_withdraw(request, phase_id):
    """Take a phase out of the plan; only an empty one."""
    found = find_phase(request, phase_id)
    found.withdraw(by=request.actor)
    messages.success(request, f"{found.name} is no longer a phase of this plan.")
    return redirect("treatment:plan", found.plan_id)
