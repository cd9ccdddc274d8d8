"""The tooth chart: look at it on any day, chart by the entry line, end what has passed."""
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from charting import entry, grammar
from charting.chart import Chart
from charting.drawing import LEGEND, told
from charting.forms import EndForm, FindingForm
from charting.models import Finding
from charting.paper import summary
from charting.teeth import TEETH, UnknownTooth, tooth_of
from clinic.access.rules import find, may, rule
from clinic.audit.looks import Kind, find_patient, look
from clinic.db.refusals import Refused
from clinic.paper.answers import pdf_answer
from clinic.views.patients import patient_context
from clinic.web.once import once

# The words that the mouse may write into the entry line; the others are typed.
PALETTE = ["caries", "comp", "amalgam", "crown", "pfm", "sealant", "rct", "implant", "missing", "watch", "sound", "elsewhere"]


@rule("charting.view_chart")
@require_safe
def chart(request, patient_id):
    """The chart of today, or of `?on=`; beside that of `?beside=`; with the story of `?tooth=`."""
    patient = find_patient(request, patient_id)
    shown = Chart(request.actor, patient, _day(request.GET.get("on")))
    return render(request, "charting/_chart.html" if request.htmx.target == "chart" else "charting/chart.html", {
        **patient_context(request, patient, "chart"), **_context(request, shown)})


@rule("charting.view_chart")
@require_safe
def printed(request, patient_id):
    """The chart of today, or of `?on=`, as a PDF."""
    patient = find_patient(request, patient_id, Kind.PRINT)
    shown = Chart(request.actor, patient, _day(request.GET.get("on")))
    history = patient.medical_history
    pdf = summary(shown, [alert["text"] for alert in history.alerts] if history else [])
    return pdf_answer(pdf, f"Tooth chart #{patient.chart_number}")


@rule("charting.view_chart")
@require_safe
def panel(request, patient_id):
    """The chart small, and what is open in it: a panel of the overview, which loads it by itself."""
    patient = find_patient(request, patient_id)
    shown = Chart(request.actor, patient)
    open_rows = [row for row in shown.findings_on(shown.on) if row.status in ("condition", "planned")]
    return render(request, "charting/_chart_panel.html", {
        "patient": patient, "chart": shown, "drawing": shown.drawing(), "findings": shown.rows(open_rows)})


@rule("charting.change_chart")
@require_POST
@once
def enter(request, patient_id):
    """Chart what the entry line says, or the form of one tooth. What can't be read stays typed, its word marked."""
    patient = find_patient(request, patient_id)
    shown = Chart(request.actor, patient)
    text = request.POST.get("entry", "")
    try:
        items = _items(request, shown, text)
        made = entry.enter(by=request.actor, patient=patient, items=items)
    except (grammar.Unreadable, ValidationError) as error:
        return _again(request, shown, text, error)
    if not request.htmx:
        messages.success(request, _said(made))
        return redirect(_address(patient, tooth=request.POST.get("tooth")))
    answer = _fragment(request, patient)
    answer["HX-Trigger"] = "charted"
    return answer


@rule("charting.change_chart")
@require_POST
def preview(request, patient_id):
    """How the entry line is read while one types. By POST, so that no finding stands in an address."""
    request.only_reads = True
    patient = find_patient(request, patient_id)
    return render(request, "charting/_preview.html", _read(Chart(request.actor, patient), request.POST.get("entry", "")))


@rule("charting.change_chart")
@require_POST
@once
def undo(request, patient_id):
    """Take one's own newest entry of today back."""
    patient = find_patient(request, patient_id)
    undone = Finding.undo(by=request.actor, patient=patient)
    if not request.htmx:
        messages.success(request, f"Undone: {len(undone)} finding{'s' if len(undone) > 1 else ''}.")
        return redirect(_address(patient))
    return _fragment(request, patient)


@rule("charting.change_chart")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def end(request, finding_id):
    """A finding has passed, or was never so."""
    finding = find(Finding.objects.select_related("patient__merged_into", "clinic"), request.actor, pk=finding_id)
    patient = finding.patient.person
    look(request, Kind.VIEW, patient)
    form = EndForm(request.POST or None)
    form.fields["on"].at(request.actor.clinic)
    if form.is_bound and form.is_valid():
        because = form.cleaned_data["because"]
        try:
            if form.cleaned_data["how"] == "error":
                finding.mark_error(by=request.actor, because=because)
            else:
                finding.resolve(by=request.actor, because=because, on=form.cleaned_data["on"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The finding has ended. Its tooth's history keeps it.")
            return redirect(_address(patient))
    shown = Chart(request.actor, patient)
    return render(request, "charting/finding_end.html", {
        **patient_context(request, patient, "chart"), "finding": finding, "form": form, "words": told(finding, shown.kinds),
        "label": TEETH[finding.tooth].label(shown.numbering)}, status=422 if form.is_bound else 200)


def _day(text):
    """The day that an address names; None for none, and for what is no day."""
    try:
        return parse_date(text) if text else None
    except ValueError:
        return None


def _address(patient, **asked):
    said = urlencode({name: value for name, value in asked.items() if value})
    return reverse("charting:chart", args=[patient.pk]) + (f"?{said}" if said else "")


def _context(request, shown, form=None):
    """What the chart and what stands beside it need; one more question when a tooth is asked for."""
    tooth = _tooth(shown, request.POST.get("tooth") or request.GET.get("tooth"))
    may_change = may(request.actor, "charting.change_chart")
    beside = _day(request.GET.get("beside"))
    address = _address(shown.patient, on="" if shown.is_today else shown.on.isoformat())
    address += "&" if "?" in address else "?"
    label = tooth.label(shown.numbering) if tooth else ""
    surface = request.GET.get("surface", "")
    if tooth and may_change and form is None:
        form = FindingForm(tooth=tooth, kinds=shown.language.kinds, initial={"tooth": label, "surfaces": list(surface)})
    found = shown.rows(shown.findings_on(shown.on))
    return {
        "chart": shown, "drawing": shown.drawing(address, label), "findings": found,
        "list": shown.listed(found, address), "sound": shown.sound,
        "days": shown.days, "place": shown.days.index(shown.on) if shown.on in shown.days else len(shown.days) - 1,
        "beside": beside, "beside_drawing": shown.drawing_on(beside) if beside else "",
        "changes": shown.changes(beside) if beside else [], "tooth": tooth, "tooth_label": label,
        "past": shown.of_tooth(tooth) if tooth else [], "form": form, "may_change": may_change and shown.is_today, "legend": LEGEND,
        "may_undo": may_change and shown.has_new,
        "palette": PALETTE,
        "quick_plans": [each for found in entry.quick_plans(request.actor) for each in found] if may_change else []}


def _fragment(request, patient):
    return render(request, "charting/_chart.html", {
        "patient": patient, **_context(request, Chart(request.actor, patient))})


def _items(request, shown, text):
    """What is to be charted: of the entry line, else of the form of one tooth."""
    if "condition" not in request.POST:
        return [item.values() for item in grammar.read(text, shown.language)]
    tooth = _tooth(shown, request.POST.get("tooth"))
    form = FindingForm(request.POST, tooth=tooth, kinds=shown.language.kinds)
    if tooth is None or not form.is_valid():
        raise ValidationError({"tooth": "This is no tooth here."} if tooth is None else form.errors.as_data())
    data = form.cleaned_data
    return [{"tooth": tooth.key, "condition": data["condition"], "surfaces": "".join(data["surfaces"]),
             "material": data["material"], "status": data["status"]}]


def _again(request, shown, text, error):
    """The same page or line with what was typed, and what is wrong with it."""
    if request.htmx:
        answer = render(request, "charting/_preview.html", _read(shown, text, error), status=422)
        answer["HX-Retarget"] = "#preview"
        return answer
    form = None
    if "condition" in request.POST and (tooth := _tooth(shown, request.POST.get("tooth"))):
        form = FindingForm(request.POST, tooth=tooth, kinds=shown.language.kinds)
        form.is_valid()
        for name, sentences in (error.message_dict if hasattr(error, "error_dict") else {}).items():
            if name in form.fields and name not in form.errors:
                form.add_error(name, sentences)
    return render(request, "charting/chart.html", {
        **patient_context(request, shown.patient, "chart"), **_context(request, shown, form), "entry": text,
        "preview": _read(shown, text, error) if form is None else {}}, status=422)


def _read(shown, text, error=None):
    """How a text is read: its findings in words, or its fault with the word marked; and what could stand there.

    Without a fault that is how the last word could end. `cut`: where the word at fault ends, when more follows it.
    """
    language, lines = shown.language, []
    if error is None and text.strip():
        try:
            items = grammar.read(text, language)
            lines = [(TEETH[item.tooth].label(shown.numbering), grammar.told(item, language)) for item in items]
        except grammar.Unreadable as fault:
            error = fault
    fault = error if isinstance(error, grammar.Unreadable) and error.word else None
    return {
        "lines": lines, "error": "; ".join(error.messages) if isinstance(error, ValidationError) else str(error or ""),
        "marked": (text[:fault.start], fault.word, text[fault.end:]) if fault else None,
        "completions": grammar.completions(text, language, fault),
        "cut": fault.end if fault and fault.end < len(text) else None}


def _said(made):
    return f"{len(made)} finding{'s' if len(made) > 1 else ''} charted."


def _tooth(shown, text):
    """The tooth that an address or form names in the practice's numbering; None for none."""
    try:
        return tooth_of(text, shown.numbering) if text else None
    except UnknownTooth:
        return None
