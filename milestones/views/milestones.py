"""A plan's milestones: the course on top, the list below, one open at a time; put in, changed, stepped, ordered, moved."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import rule
from clinic.audit.looks import find_patient
from clinic.db.refusals import Refused
from clinic.views.patients import patient_context
from clinic.web.asked import key, whole
from clinic.web.conflicts import save_form
from clinic.web.once import once
from milestones.forms import MilestoneForm, StepForm
from milestones.looks import find_milestone
from milestones.models import Milestone, MilestoneNews, Task
from milestones.refusals import DONE
from milestones.sheet import TONES, MilestoneSheet
from milestones.work import Work
from milestones.work_forms import said, told
from scheduling.models import Appointment
from treatment.looks import find_plan
from treatment.models import TreatmentPlan

# What a step is called on its button, its icon, its key, and what it asks; the first that can be taken is the primary one.
STEPS = {
    "achieve": ("Achieve", "flag", "a", ("day",)), "start": ("Start", "play", "s", ()),
    "defer": ("Defer", "calendar-clock", "d", ("day", "why")), "miss": ("Missed", "flag-off", "", ("why",)),
    "reopen": ("Open again", "undo-2", "", ("day", "why")), "cancel": ("Cancel it", "ban", "", ("why",))}
POLL_SECONDS = 15
MOST_PLANS = 3  # on the overview


@rule("treatment.view_plan")
@require_safe
def of_patient(request, patient_id):
    """The milestones of the plan that runs, or of the newest one; the others beside it."""
    patient = find_patient(request, patient_id)
    plans = list(_plans(request.actor, patient))
    if not plans:
        return render(request, "milestones/none.html", patient_context(request, patient, "milestones"))
    plan = next((plan for plan in plans if plan.status in TreatmentPlan.REVIEWED), plans[0])
    return _page(request, find_plan(request, plan.pk))


@rule("treatment.view_plan")
@require_safe
def of_plan(request, plan_id):
    """One plan's milestones."""
    return _page(request, find_plan(request, plan_id))


@rule("treatment.view_plan")
@require_safe
def milestone(request, milestone_id):
    """One milestone, open in the list of its plan."""
    found = find_milestone(request, milestone_id)
    return _page(request, found.plan, found)


@rule("treatment.view_plan")
@require_safe
def changes(request, plan_id):
    """The course and the list alone, when something changed since `?after=`; else 204."""
    plan = find_plan(request, plan_id)
    token = _token(plan)
    if request.GET.get("after") == token:
        return HttpResponse(status=204)
    opened = key(request.GET["opened"]) if request.GET.get("opened") else None
    response = render(request, "milestones/_course.html", {
        "sheet": MilestoneSheet(request.actor, plan), "plan": plan, "opened": {"pk": opened}})
    response["X-Change-Token"] = token
    return response


@rule("milestone.create")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def milestone_new(request, plan_id):
    """Put one in, anywhere in the sequence."""
    plan = find_plan(request, plan_id)
    blank = Milestone(clinic=request.actor.clinic, plan=plan, patient=plan.patient)
    form = MilestoneForm(request.POST or None, instance=blank, actor=request.actor)
    if form.is_bound and form.is_valid():
        try:
            made = form.add()
        except (ValidationError, Refused) as error:
            told(form, error)
        else:
            messages.success(request, "The milestone is put in.")
            return redirect("milestones:milestone", made.pk)
    return _form_page(request, form, plan)


@rule("milestone.update")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def milestone_edit(request, milestone_id):
    """Change what a milestone says. Of two who do so at once the second one sees both."""
    found = find_milestone(request, milestone_id)
    form = MilestoneForm(request.POST or None, instance=found, actor=request.actor)
    if form.is_bound and form.is_valid():
        try:
            return save_form(request, form, reverse("milestones:milestone", args=[found.pk]),
                             context=lambda: patient_context(request, found.person, "milestones"))
        except (ValidationError, Refused) as error:
            told(form, error)
    return _form_page(request, form, found.plan, found)


@rule("milestone.update")
@require_POST
@once
def step(request, milestone_id, step_name):
    """One step of the gate, which looks whether it may be taken. A refused one comes back in its dialog, with what was typed."""
    found = find_milestone(request, milestone_id)
    if step_name not in Milestone.STEPS:
        raise Http404
    form = StepForm(request.POST, actor=request.actor)
    if form.is_valid():
        try:
            getattr(found, step_name)(by=request.actor, **form.arguments(step_name))
        except (ValidationError, Refused) as error:
            told(form, error, reason="because", target_date="on", achieved_date="on")
        else:
            messages.success(request, f"{found.name[:60]} is {DONE[step_name]}.")
            return redirect("milestones:milestone", milestone_id)
    found = find_milestone(request, milestone_id)
    return _page(request, found.plan, found, refused=said(form), refused_step=step_name, step_form=form)


@rule("milestone.update")
@require_POST
@once
def withdraw(request, milestone_id):
    """Take it out of the plan, as if it had never been."""
    found = find_milestone(request, milestone_id)
    found.withdraw(by=request.actor)
    messages.success(request, f"{found.name[:60]} is no longer a milestone of this plan.")
    return redirect("milestones:of_plan", found.plan_id)


@rule("milestone.update")
@require_POST
@once
def reorder(request, plan_id):
    """Give the milestones the order into which they were dragged, or pushed by keys."""
    plan = find_plan(request, plan_id)
    Milestone.reorder(
        by=request.actor, plan=plan, keys=[key(text) for text in request.POST.get("order", "").split(",") if text])
    return redirect("milestones:of_plan", plan_id)


@rule("milestone.update")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def shift(request, plan_id):
    """What would move with the plan's dates, each with its old and its new day; then moved."""
    plan, seen = find_plan(request, plan_id), whole(request.POST.get("version"))
    if request.method == "POST" and seen == plan.version:
        moved = Milestone.shift(by=request.actor, plan=plan, version=seen)
        messages.success(request, f"{len(moved)} milestone{'' if len(moved) == 1 else 's'} moved with the plan.")
        return redirect("milestones:of_plan", plan_id)
    return render(request, "milestones/shift.html", {
        **patient_context(request, plan.person, "milestones"), "plan": plan, "shifts": Milestone.shifts(plan),
        "changed": request.method == "POST"}, status=409 if request.method == "POST" else 200)


@rule("treatment.view_plan")
@require_safe
def panel(request, patient_id):
    """How far the running plans have come, small: a panel of the overview, which loads it by itself."""
    patient = find_patient(request, patient_id)
    plans = _plans(request.actor, patient).filter(status__in=TreatmentPlan.REVIEWED).select_related("clinic")
    return render(request, "milestones/_panel.html", {
        "patient": patient, "sheets": [MilestoneSheet(request.actor, plan) for plan in plans[:MOST_PLANS]],
        "news": MilestoneNews.of(patient)})


def _plans(actor, patient):
    """The patient's plans that have milestones, the newest first."""
    return TreatmentPlan.objects.visible_to(actor).of(patient).filter(milestones__is_withdrawn=False).newest_first().distinct()


def _token(plan):
    """Another one after any change of the plan, its milestones, their tasks, or the patient's visits, and on another day."""
    visits = Appointment.objects.filter(clinic=plan.clinic_id).of(plan.person)
    parts = (Milestone.objects.filter(plan=plan), Task.objects.filter(milestone__plan=plan), visits)
    return ".".join([str(plan.version), str(plan.clinic.today()), *(rows.change_token() for rows in parts)])


def opened_page(request, milestone, **more):
    """A milestone open in the list of its plan, after something was refused: with what was typed."""
    return _page(request, milestone.plan, milestone, **more)


def _page(request, plan, opened=None, **more):
    sheet, status = MilestoneSheet(request.actor, plan), 422 if more else 200
    return render(request, "milestones/milestones.html", {
        **patient_context(request, plan.person, "milestones"), "sheet": sheet, "plan": plan, "opened": opened,
        "others": list(_plans(request.actor, plan.person).exclude(pk=plan.pk)),
        **_opened(request, opened, sheet, more.pop("forms", None)), "token": _token(plan), "poll_seconds": POLL_SECONDS,
        **more}, status=status)


def _opened(request, milestone, sheet, forms):
    """What is shown of the one that is open, and what may be done with it. `forms`: those that were sent and refused."""
    if milestone is None:
        return {}
    can = milestone.steps_for(request.actor)
    return {
        "work": Work(request.actor, milestone, sheet.today, forms), "tone": TONES[milestone.status],
        "missing": milestone.missing() if "achieve" in can else [],
        "steps": [(verb, *said) for verb, said in STEPS.items()
                  if verb in can and (verb != "miss" or milestone.is_overdue(sheet.today))]}


def _form_page(request, form, plan, milestone=None):
    return render(request, "milestones/form.html", {
        **patient_context(request, plan.person, "milestones"), "form": form, "plan": plan, "milestone": milestone},
        status=422 if form.is_bound else 200)
