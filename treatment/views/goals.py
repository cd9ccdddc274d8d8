"""Goals of a plan: one goal with everything of it, adding and changing, how it goes, and what serves it."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import rule
from clinic.views.patients import patient_context
from clinic.web.asked import whole
from clinic.web.conflicts import save_form
from clinic.web.once import once
from scheduling.looks import visit_of_today
from treatment.goal_chart import charts_of
from treatment.goal_forms import FREQUENCIES, ChoosingForm, GoalForm, ProgressForm, ServingForm
from treatment.goal_history import history_of
from treatment.goal_sheet import GoalSheet
from treatment.looks import find_goal, find_goal_intervention, find_plan
from treatment.models import Goal, GoalIntervention, Intervention
from treatment.models.goal import SMART
from treatment.own_notes import reads_notes
from treatment.parts import facts_of

MOST_STEPS = 200


@rule("treatment.view_plan")
@require_safe
def goal(request, goal_id):
    """One goal: where it stands and why, how it went, what serves it, what is below it, and all that happened to it."""
    found = find_goal(request, goal_id)
    visit = visit_of_today(request.actor, found.patient.person)
    return _goal_page(request, found, ProgressForm(actor=request.actor, goal=found, visit=visit))


@rule("treatment.write_plan")
@require_POST
@once
def progress(request, goal_id):
    """Write down how a goal goes."""
    found = find_goal(request, goal_id)
    form = ProgressForm(request.POST, actor=request.actor, goal=found)
    if form.is_valid():
        try:
            found.record_progress(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, "Written down.")
            return redirect("treatment:goal", found.pk)
    return _goal_page(request, found, form, status=422)


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def goal_new(request, plan_id):
    """Add a goal; `?place=` where it is to stand."""
    plan = find_plan(request, plan_id)
    blank = Goal(clinic=request.actor.clinic, plan=plan, patient=plan.patient, goal_type="")
    form = GoalForm(request.POST or None, instance=blank, actor=request.actor, place=request.GET.get("place", ""))
    if form.is_bound and form.is_valid():
        try:
            made = form.set_out()
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, "The goal is added. Choose what serves it.")
            return redirect("treatment:goal", made.pk)
    return _form_page(request, form, plan)


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def goal_edit(request, goal_id):
    """Change a goal. Of two who do so at once the second one sees both."""
    found = find_goal(request, goal_id)
    patient, page = found.patient.person, reverse("treatment:goal", args=[goal_id])
    form = GoalForm(request.POST or None, instance=found, actor=request.actor)
    if form.is_bound and form.is_valid():
        try:
            return save_form(request, form, page, context=lambda: patient_context(request, patient, "plan"))
        except ValidationError as error:
            form.add_error(None, error.messages)
    return _form_page(request, form, found.plan, found)


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def goal_interventions(request, goal_id):
    """Choose from the library what is to serve a goal: by `?modality=` and `?q=`, words of name and description."""
    found = find_goal(request, goal_id)
    serving = found.interventions.serving().values("intervention")
    library = Intervention.objects.visible_to(request.actor).in_use().exclude(pk__in=serving)
    form = ChoosingForm(request.POST or None, rows=library)
    if form.is_bound and form.is_valid():
        GoalIntervention.add_all(
            by=request.actor, goal=found, interventions=form.cleaned_data["chosen"], frequency=form.cleaned_data["frequency"])
        messages.success(request, "Added to the goal.")
        return redirect("treatment:goal", found.pk)
    asked = {name: request.GET.get(name, "")[:100] for name in ("modality", "q")}
    return render(request, "treatment/goal_interventions.html", {
        **patient_context(request, found.patient.person, "plan"), "goal": found, "form": form, "frequencies": FREQUENCIES, **asked,
        "rows": list(library.search(asked["q"], asked["modality"])), "modalities": library.modalities(),
        "ticked": request.POST.getlist("chosen")}, status=422 if form.is_bound else 200)


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def serving_edit(request, serving_id):
    """How often an intervention is used for a goal, and how well it does."""
    found = find_goal_intervention(request, serving_id)
    page = reverse("treatment:goal", args=[found.goal_id])
    form = ServingForm(request.POST or None, instance=found, actor=request.actor)
    if form.is_bound and form.is_valid():
        return save_form(request, form, page, context=lambda: patient_context(request, found.patient.person, "plan"))
    return render(request, "treatment/serving_form.html", {
        **patient_context(request, found.patient.person, "plan"), "serving": found, "form": form, "frequencies": FREQUENCIES},
        status=422 if form.is_bound else 200)


@rule("treatment.write_plan")
@require_POST
@once
def serving_withdraw(request, serving_id):
    """Take an intervention out of a goal; the sessions in which it was used stay on record."""
    found = find_goal_intervention(request, serving_id)
    found.revise(by=request.actor, version=whole(request.POST.get("version")) or None, is_withdrawn=True)
    messages.success(request, f"{found.intervention} no longer serves this goal.")
    return redirect("treatment:goal", found.goal_id)


def _goal_page(request, found, form, status=200):
    sheet = GoalSheet(request.actor, found.plan)
    shown = next(row for row in sheet.course.goals if row.pk == found.pk)
    told = reads_notes(request.actor)
    steps = history_of(found, with_notes=told)
    entries = [step.entry for step in reversed(steps) if step.entry]
    return render(request, "treatment/goal.html", {
        **patient_context(request, found.patient.person, "plan"), "sheet": sheet, "plan": found.plan, "goal": found,
        "row": sheet.row(shown), "below": sheet.below(shown), "above": _above(found), "form": form, "answers": _answers(found),
        "reads_notes": told, "facts": facts_of(found.plan).get(found.pk, []),
        "charts": charts_of(found, sheet.course, entries), "steps": steps[:MOST_STEPS], "more": max(len(steps) - MOST_STEPS, 0),
        "next_level": next((low for low, high in Goal.ABOVE.items() if high == found.goal_type), None)}, status=status)


def _form_page(request, form, plan, goal=None):
    return render(request, "treatment/goal_form.html", {
        **patient_context(request, plan.person, "plan"), "form": form, "plan": plan, "goal": goal},
        status=422 if form.is_bound else 200)


def _above(goal):
    """The goals above it, the topmost first."""
    found = []
    while goal.parent is not None:
        goal = goal.parent
        found.insert(0, goal)
    return found


def _answers(goal):
    """[(part, [(question, answer)])] of the questions that were answered, but for those that the figures answer."""
    found = []
    for part, questions in SMART.items():
        said = [(question, getattr(goal, part)[key]) for key, question in questions.items() if getattr(goal, part).get(key)]
        if said:
            found.append((part.replace("_", "-").capitalize(), [
                (question, answer if isinstance(answer, list) else answer.splitlines()) for question, answer in said]))
    return found
