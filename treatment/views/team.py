"""Who writes a plan: its provider, assigned by a manager, and whom the manager adds to the care team."""
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from clinic.access.rules import find, rule
from clinic.db.refusals import Refused
from clinic.views.patients import patient_context
from clinic.web.once import once
from treatment.looks import find_plan
from treatment.models import CareTeamMember
from treatment.team_forms import AssignForm, MemberForm


@rule("treatment.assign_plan")
@require_safe
def team(request, plan_id):
    """The care team, now and before."""
    return _page(request, find_plan(request, plan_id))


@rule("treatment.assign_plan")
@require_POST
@once
def assign(request, plan_id):
    """Give the plan to another provider."""
    found = find_plan(request, plan_id)
    form = AssignForm(request.POST, actor=request.actor, plan=found)
    if not form.is_valid():
        return _page(request, found, assign_form=form)
    found.assign(by=request.actor, provider=form.cleaned_data["provider"], because=form.cleaned_data["because"])
    messages.success(request, f"{found.provider} has the plan now.")
    return redirect("treatment:team", plan_id)


@rule("treatment.assign_plan")
@require_POST
@once
def member_add(request, plan_id):
    """Add somebody to the care team."""
    found = find_plan(request, plan_id)
    form = MemberForm(request.POST, actor=request.actor, plan=found)
    if not form.is_valid():
        return _page(request, found, member_form=form)
    try:
        member = CareTeamMember.add(by=request.actor, plan=found, **form.cleaned_data)
    except Refused as refused:
        form.add_error("is_writer", str(refused))
        return _page(request, found, member_form=form)
    messages.success(request, f"{member.user} is in the care team and {'writes' if member.is_writer else 'reads'} the plan.")
    return redirect("treatment:team", plan_id)


@rule("treatment.assign_plan")
@require_POST
@once
def member_end(request, plan_id, member_id):
    """Take somebody out of the care team."""
    found = find_plan(request, plan_id)
    member = find(CareTeamMember.objects.filter(plan=found), request.actor, pk=member_id)
    member.end(by=request.actor)
    messages.success(request, f"{member.user} is no longer in the care team.")
    return redirect("treatment:team", plan_id)


def _page(request, plan, assign_form=None, member_form=None):
    bound = assign_form or member_form
    return render(request, "treatment/team.html", {
        **patient_context(request, plan.person, "plan"), "plan": plan,
        "members": plan.care_team.select_related("user").order_by("until", "since", "id"),
        "assign_form": assign_form or AssignForm(actor=request.actor, plan=plan),
        "member_form": member_form or MemberForm(actor=request.actor, plan=plan)}, status=422 if bound else 200)
