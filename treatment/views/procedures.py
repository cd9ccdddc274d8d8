"""The procedures of a plan: planned by a line or a form, ordered, done one by one or together, voided."""
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from charting.grammar import Unreadable
from clinic.access.rules import may, rule
from clinic.db.refusals import Stale
from clinic.models import DiagnosisCode, ProcedureCode
from clinic.views.patients import patient_context
from clinic.web.asked import key
from clinic.web.conflicts import lost_race
from clinic.web.fields import TypedDateField
from clinic.web.once import once
from scheduling.forms import tell
from treatment import entry
from treatment.forms import ProcedureForm
from treatment.looks import find_plan, find_procedure
from treatment.models import Procedure
from treatment.preview import previewed, understood
from treatment.sheet import Sheet


@rule("treatment.write_plan")
@require_POST
@once
def plan_by_line(request, plan_id):
    """Plan what the line says, all or none. What can't be read stays typed, its word marked."""
    found = find_plan(request, plan_id)
    text = request.POST.get("entry", "")
    try:
        with transaction.atomic():
            items = entry.read(text, understood(request.actor, found.person), entry.Catalogue(request.actor.clinic))
            made = Procedure.add_all(by=request.actor, plan=found, items=[item.values() for item in items])
    except (Unreadable, ValidationError) as error:
        return _plan_page(request, found, {"entry": text, "preview": previewed(request.actor, found.person, text, error)}, 422)
    messages.success(request, f"{len(made)} procedure{'s' if len(made) > 1 else ''} planned.")
    return redirect("treatment:plan", plan_id)


@rule("treatment.write_plan")
@require_POST
def preview(request, plan_id):
    """How the line is read while one types, with the code and the fee of each. By POST: nothing of it stands in an address."""
    request.only_reads = True
    found = find_plan(request, plan_id)
    return render(request, "treatment/_preview.html", {
        "preview": previewed(request.actor, found.person, request.POST.get("entry", ""))})


@rule("clinic.view_procedurecode")
@require_safe
def codes(request):
    """The codes that a search finds, for the fields in which one is picked."""
    text = request.GET.get("q", "")
    rows = ProcedureCode.objects.visible_to(request.actor).current().search(text)[:12] if text.strip() else []
    return render(request, "treatment/_codes.html", {"codes": rows})


@rule("clinic.view_procedurecode")
@require_safe
def diagnoses(request):
    """The ICD-10-CM codes that a search finds."""
    text = request.GET.get("q", "")
    rows = DiagnosisCode.objects.visible_to(request.actor).in_force(request.actor.clinic.today()).search(text)[:12]
    return render(request, "treatment/_diagnoses.html", {"codes": rows if text.strip() else []})


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def procedure_new(request, plan_id):
    """Plan one procedure by a form: for who does not type lines."""
    found = find_plan(request, plan_id)
    form = ProcedureForm(request.POST or None, actor=request.actor, plan=found, initial={"code": request.GET.get("code", "")[:10]})
    return _form_page(request, found, form, form.add)


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def procedure_edit(request, procedure_id):
    """Change what is planned."""
    row = find_procedure(request, procedure_id)
    form = ProcedureForm(request.POST or None, actor=request.actor, plan=row.plan, row=row)
    return _form_page(request, row.plan, form, form.revise, procedure=row)


@rule("treatment.write_plan")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def procedure_void(request, procedure_id):
    """It will not be, or was never so."""
    row = find_procedure(request, procedure_id)
    error = ""
    if request.method == "POST":
        try:
            row.void(by=request.actor, because=request.POST.get("because", ""))
        except ValidationError as refused:
            error = " ".join(refused.messages)
        else:
            messages.success(request, f"{row.procedure_code.code} is voided.")
            return redirect("treatment:plan", row.plan_id)
    return render(request, "treatment/procedure_void.html", {
        **patient_context(request, row.plan.person, "plan"), "procedure": row, "error": error,
        "place": row.place.said(request.actor.clinic.tooth_numbering)}, status=422 if error else 200)


@rule("treatment.complete_procedure")
@require_POST
@once
def procedure_start(request, procedure_id):
    """Work on it has begun."""
    row = find_procedure(request, procedure_id)
    row.start(by=request.actor)
    return redirect("treatment:plan", row.plan_id)


@rule("treatment.complete_procedure")
@require_POST
@once
def complete(request, plan_id):
    """Complete what is ticked, or one of its visits, today or on the day that is said."""
    found = find_plan(request, plan_id)
    day = TypedDateField(required=False)
    day.at(request.actor.clinic)
    keys = [key(text) for text in request.POST.getlist("procedure")]
    rows = list(Procedure.objects.visible_to(request.actor).filter(plan=found, pk__in=keys).select_related(
        "plan__provider", "procedure_code__rule", "provider", "finding", "patient"))
    if not rows:
        messages.error(request, "Tick what was done first.")
        return redirect("treatment:plan", plan_id)
    try:
        on = day.clean(request.POST.get("on", ""))
        if "visit" in request.POST:
            with transaction.atomic():
                for row in rows:
                    row.work_on(by=request.actor, on=on)
        else:
            Procedure.complete_all(by=request.actor, procedures=rows, on=on)
    except ValidationError as error:
        return _plan_page(request, found, {"refused": " ".join(error.messages), "on": request.POST.get("on", ""),
                                           "ticked": [str(each) for each in keys]}, 422)
    done = ", ".join(row.procedure_code.code for row in rows)
    messages.success(request, f"{done}: {'a visit is noted' if 'visit' in request.POST else 'completed'}.")
    if may(request.actor, "charting.write_clinical_notes"):  # the note on it, begun with what the codes propose
        asked = urlencode([("about_row", row.pk) for row in rows])
        return redirect(f"{reverse('charting:note_new', args=[found.person.pk])}?{asked}")
    return redirect("treatment:plan", plan_id)


@rule("scheduling.add_appointment")
@require_POST
def book(request, plan_id):
    """On to the booking page with what is ticked: the visit will carry it."""
    request.only_reads = True
    found = find_plan(request, plan_id)
    keys = [key(text) for text in request.POST.getlist("procedure")]
    rows = found.procedures.open().filter(pk__in=keys)
    if not rows:
        messages.error(request, "Tick what the visit is for first.")
        return redirect("treatment:plan", plan_id)
    asked = [("patient", found.person.pk), ("provider", rows[0].provider_id), *(("carries", row.pk) for row in rows)]
    return redirect(f"{reverse('scheduling:book')}?{urlencode(asked)}")


@rule("treatment.write_plan")
@require_POST
@once
def reorder(request, plan_id):
    """Give the procedures the order into which they were dragged, or pushed by keys."""
    found = find_plan(request, plan_id)
    keys = [key(text) for text in request.POST.get("order", "").split(",") if text]
    Procedure.reorder(by=request.actor, plan=found, keys=keys)
    return redirect("treatment:plan", plan_id)


def _form_page(request, plan, form, write, **more):
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                write()
        except ValidationError as error:
            tell(form, error, last_tooth="tooth")
        except Stale as stale:
            return lost_race(request, form, stale, back=reverse("treatment:plan", args=[plan.pk]),
                             context=patient_context(request, plan.person, "plan"))
        else:
            messages.success(request, "Saved.")
            return redirect("treatment:plan", plan.pk)
    return render(request, "treatment/procedure_form.html", {
        **patient_context(request, plan.person, "plan"), "plan": plan, "form": form, **more}, status=422 if form.is_bound else 200)


def _plan_page(request, plan, more, status):
    return render(request, "treatment/plan.html", {
        **patient_context(request, plan.person, "plan"), "sheet": Sheet(request.actor, plan), **more}, status=status)
