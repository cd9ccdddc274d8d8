"""Periodontal exams: type them at the speed of speech, look at them, compare them, close, amend and confirm."""
import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from charting.looks import find_exam
from charting.models import ChartSettings, Draft, PerioExam, PerioPath
from charting.mouth import mouth_of
from charting.perio import SITES_SAID, changes, suggested
from charting.perio_entry import as_page, form_of, from_form, from_page, grid_of, page_of
from charting.perio_graph import drawn, trends
from charting.teeth import TEETH
from clinic.access.rules import may, rule
from clinic.audit.looks import find_patient
from clinic.db.refusals import Refused, Stale
from clinic.views.patients import patient_context
from clinic.web.asked import key, whole
from clinic.web.once import once

# What is typed: (code, name, key). The rows of a side from the outside to the teeth.
MEASURES = [("pd", "Depth", "d"), ("gm", "Margin", "g"), ("mgj", "Mucogingival", "l"), ("mobility", "Mobility", "m"),
            ("furcation", "Furcation", "f")]
OUTSIDE = [("marks", "Marks"), ("mgj", "Mucogingival"), ("cal", "Loss"), ("gm", "Margin"), ("pd", "Depth")]
# The columns of the plain form: (field, heading, side).
PLAIN = [("pd", "Depth, facial", "facial"), ("gm", "Margin", "facial"), ("marks", "Marks", "facial"),
         ("mgj", "Mucogingival", "facial"), ("pd", "Depth, lingual", "lingual"), ("gm", "Margin", "lingual"),
         ("marks", "Marks", "lingual"), ("mgj", "Mucogingival", "lingual"), ("mobility", "Mobility", ""),
         ("furcation", "Furcation", "")]
MOST_BYTES = 60_000  # of what one key press sends
KEPT = ("teeth", "at", "measure", "path", "note", "reason")
FIVE_YEARS = (4 * 365, 6 * 365)  # days between two exams that tell of "about five years"


@rule("charting.view_perio")
@require_safe
def exams(request, patient_id):
    """All exams with their indices, and their course; the newest one drawn."""
    patient = find_patient(request, patient_id)
    rows = list(PerioExam.objects.visible_to(request.actor).of(patient).select_related("provider"))
    finished = [row for row in rows if not row.is_draft]
    return render(request, "charting/perio.html", {
        **patient_context(request, patient, "perio"), "exams": rows, "trends": trends(finished[::-1]),
        "draft": Draft.find(request.actor, patient, Draft.Kind.PERIO) if may(request.actor, "charting.change_perio") else None,
        "newest": _drawn(request, patient, finished[0]) if finished else "", "newest_exam": finished[0] if finished else None,
        "may_change": may(request.actor, "charting.change_perio")})


@rule("charting.view_perio")
@require_safe
def exam(request, exam_id):
    """One exam as graph and figures; beside an earlier one with what changed (`?against=`); what its figures suggest."""
    shown = find_exam(request, exam_id)
    patient = shown.patient.person
    earlier = [row for row in PerioExam.objects.visible_to(request.actor).of(patient).finished() if row.pk != shown.pk and (
        row.exam_date <= shown.exam_date)]
    asked = key(request.GET["against"]) if request.GET.get("against") else None
    against = next((row for row in earlier if row.pk == asked), None)
    figures, before = shown.figures, against.figures if against else {}
    numbering = request.actor.clinic.tooth_numbering
    return render(request, "charting/perio_exam.html", {
        **patient_context(request, patient, "perio"), "exam": shown, "earlier": earlier, "against": against,
        "graph": _drawn(request, patient, shown, figures, before), "rows": _rows(figures, numbering),
        "beside": _drawn(request, patient, against, before) if against else "",
        "changes": [
            (TEETH[tooth].label(numbering), SITES_SAID[site], old, new) for tooth, site, old, new in changes(before, figures)],
        "suggestion": _suggestion(request, patient, shown, figures, earlier), "stages": PerioExam.Stage.values,
        "grades": PerioExam.Grade.values, "may_change": may(request.actor, "charting.change_perio"),
        "may_confirm": may(request.actor, "charting.confirm_diagnosis") and not shown.is_draft})


@rule("charting.change_perio")
@require_safe
def entry(request, patient_id):
    """Type a new exam; what was typed and not saved stands there again. `?plain` is the form that needs no script."""
    patient = find_patient(request, patient_id)
    return render(request, "charting/perio_entry.html", _entry(request, patient))


@rule("charting.change_perio")
@require_safe
def entry_again(request, exam_id):
    """Go on with an exam that is not closed, or amend one that is."""
    exam = find_exam(request, exam_id)
    return render(request, "charting/perio_entry.html", _entry(request, exam.patient.person, exam))


@rule("charting.change_perio")
@require_POST
def keep(request, patient_id):
    """What is typed, key by key, into the author's own draft. Answers nothing; after another window's typing a 409 with that,
    for the page to take up what it has not typed itself."""
    patient = find_patient(request, patient_id)
    try:
        sent = json.loads(request.body) if len(request.body) <= MOST_BYTES else {}
        from_page(sent["content"]["teeth"])
        number = int(sent["number"])
        if not 0 < number < Draft.LAST:
            raise ValueError(number)
        content = {name: sent["content"][name] for name in KEPT if name in sent["content"]}
        said = {name: str(sent[name])[:73] for name in ("about", "window", "began")}
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return JsonResponse({"detail": "This is no exam."}, status=422)
    try:
        Draft.keep(by=request.actor, patient=patient, kind=Draft.Kind.PERIO, content=content, number=number,
                   about=said["about"][:36], window=said["window"][:36], began=said["began"])
    except Stale as stale:
        return JsonResponse({"token": stale.current.token, "content": stale.current.content}, status=409)
    return HttpResponse(status=204)


@rule("charting.change_perio")
@require_POST
@once
def save(request, patient_id):
    """Save what was typed as an exam, new or again; `close` closes it too. The draft goes with it."""
    patient = find_patient(request, patient_id)
    exam = find_exam(request, key(request.POST["exam"])) if request.POST.get("exam") else None
    if exam is not None and exam.patient.person != patient:
        raise Http404
    mouth = mouth_of(request.actor, patient)
    keys = [place.tooth.key for place in mouth.places]
    wrong = {}
    try:
        if request.POST.get("teeth"):
            teeth = from_page(json.loads(request.POST["teeth"]))
        else:
            teeth, wrong = from_form(request.POST, keys)
        if wrong:
            raise ValidationError("Some figures can't be read; they are marked.")
        with transaction.atomic():
            made = _written(request, patient, exam, teeth)
    except (ValidationError, Refused, ValueError, RecursionError) as error:
        said = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        if isinstance(error, Stale):
            exam = find_exam(request, exam.pk)
            said = ("Somebody saved this exam in the meantime. Here is what stands there now, with the teeth that you changed as "
                    "you typed them: look at those, then save again.")
        return render(request, "charting/perio_entry.html", {
            **_entry(request, patient, exam, request.POST, wrong), "error": said}, status=422)
    Draft.drop(by=request.actor, patient=patient, kind=Draft.Kind.PERIO, about=str(exam.pk) if exam else "",
               window=request.POST.get("window", "")[:36])
    messages.success(request, {"amended": "Exam amended.", "closed": "Exam closed.", "draft": "Exam saved."}[made.status])
    return redirect("charting:perio_exam", made.pk)


@rule("charting.change_perio")
@require_POST
@once
def close(request, exam_id):
    """The exam is finished."""
    exam = find_exam(request, exam_id)
    exam.close(by=request.actor, now=timezone.now(), version=whole(request.POST.get("version")))
    messages.success(request, "Exam closed.")
    return redirect("charting:perio_exam", exam.pk)


@rule("charting.confirm_diagnosis")
@require_POST
@once
def confirm(request, exam_id):
    """A dentist confirms stage and grade, or says others."""
    exam = find_exam(request, exam_id)
    try:
        exam.confirm(by=request.actor, stage=request.POST.get("stage", ""), grade=request.POST.get("grade", ""),
                     version=whole(request.POST.get("version")))
    except ValidationError as error:
        messages.error(request, "; ".join(error.messages))
    else:
        messages.success(request, "Diagnosis confirmed." if exam.stage else "Diagnosis taken back.")
    return redirect("charting:perio_exam", exam.pk)


@rule("charting.change_perio")
@require_http_methods(["POST"])
@once
def discard(request, patient_id):
    """Throw away what was typed and not saved."""
    patient = find_patient(request, patient_id)
    Draft.drop(by=request.actor, patient=patient, kind=Draft.Kind.PERIO, about=request.POST.get("about", "")[:36])
    messages.success(request, "What was typed and not saved is gone.")
    return redirect("charting:perio", patient.pk)


@rule("charting.view_perio")
@require_safe
def panel(request, patient_id):
    """The newest finished exam in figures: a panel of the overview, which loads it by itself."""
    patient = find_patient(request, patient_id)
    rows = list(PerioExam.objects.visible_to(request.actor).of(patient).finished()[:4])
    worst = sorted(
        ((depth, tooth, site) for tooth, row in (rows[0].figures if rows else {}).items() for site, depth in enumerate(row.pd)
         if depth is not None and depth >= 5), reverse=True)[:6]
    numbering = request.actor.clinic.tooth_numbering
    return render(request, "charting/_perio_panel.html", {
        "patient": patient, "exam": rows[0] if rows else None, "trends": trends(rows[::-1])[:2],
        "worst": [(TEETH[tooth].label(numbering), SITES_SAID[site], depth) for depth, tooth, site in worst]})


def _written(request, patient, exam, teeth):
    """Save, and close where asked; of a closed exam an amendment."""
    note = request.POST.get("note", "").strip()
    version = whole(request.POST.get("version")) if exam else None
    if exam is None:
        exam = PerioExam.start(by=request.actor, patient=patient, teeth=teeth, note=note)
    elif exam.is_draft:
        exam.measure(by=request.actor, teeth=teeth, note=note, version=version)
    else:
        return exam.amend(by=request.actor, because=request.POST.get("reason", ""), teeth=teeth, note=note, version=version)
    if "close" in request.POST:
        exam.close(by=request.actor, now=timezone.now())
    return exam


def _readable(sent):
    """What the page's script sent, as it sent it; nothing of what is no exam at all."""
    try:
        teeth = json.loads(sent)
        from_page(teeth)
    except (ValueError, RecursionError):
        return {}
    return teeth


def _entry(request, patient, exam=None, posted=None, wrong=None):
    """What the entry page needs: the mouth, the paths, and the figures: as they were sent, typed before, or saved."""
    clinic = request.actor.clinic
    about = str(exam.pk) if exam else ""
    draft = Draft.find(request.actor, patient, Draft.Kind.PERIO, about)
    mouth, settings = mouth_of(request.actor, patient), ChartSettings.of(clinic)
    figures = exam.figures if exam else {}
    gone = (mouth.missing if settings.probes_implants else mouth.missing | mouth.implants) - figures.keys()
    numbering = clinic.tooth_numbering
    saved = {tooth: as_page(row) for tooth, row in figures.items()}
    content = draft.content if draft else {"teeth": saved}
    if posted and posted.get("teeth"):  # what was changed in the page, upon what stands now
        content = {"teeth": saved | _readable(posted["teeth"])}
    page = page_of(mouth, gone, numbering, PerioPath.objects.visible_to(request.actor))
    drafted = from_page(content["teeth"])
    plain = {name: value for tooth in page["teeth"] if tooth in drafted for name, value in form_of(drafted[tooth], tooth).items()}
    return {
        **patient_context(request, patient, "perio"), "exam": exam, "grid": grid_of(mouth, gone, numbering), "draft": draft,
        "page": {**page, "base": saved, "deep": settings.deep_pocket_mm, "content": content, "about": about,
                 "began": draft.token if draft else "", "keep": reverse("charting:perio_keep", args=[patient.pk])},
        "plain_rows": _plain(page["teeth"], posted if posted and not posted.get("teeth") else plain, wrong or {}),
        "note": (posted or {}).get("note", exam.note if exam else ""),
        "reason": (posted or {}).get("reason", ""), "measures": MEASURES, "outside": OUTSIDE,
        "inside": OUTSIDE[::-1], "plain_heads": [head for _, head, _ in PLAIN],
        "is_plain": "plain" in request.GET or (posted is not None and not posted.get("teeth"))}


def _plain(teeth, values, wrong):
    """The rows of the plain form: a field for each column that the tooth has."""
    rows = []
    for tooth, has in teeth.items():
        fields = []
        for name, head, side in PLAIN:
            field = f"{name}-{tooth}-{side}".rstrip("-")
            lacks = (name == "furcation" and not has["furcations"]) or (name == "mgj" and side == "lingual" and has["palate"])
            fields.append({"name": "" if lacks else field, "value": values.get(field, ""), "label": f"{head} {side}".strip(),
                           "size": 3 if name == "mobility" else 6, "wrong": wrong.get(field, "")})
        rows.append({"label": has["label"], "fields": fields})
    return rows


def _drawn(request, patient, exam, figures=None, against=None):
    settings = ChartSettings.of(request.actor.clinic)
    teeth = [place.tooth for place in mouth_of(request.actor, patient, exam.exam_date).places]
    return drawn(teeth, figures or exam.figures, set(exam.skipped), request.actor.clinic.tooth_numbering, settings.deep_pocket_mm,
                 against)


def _rows(figures, numbering):
    """The figures as a table: [(label, figures)], in the order of the mouth."""
    return [(TEETH[tooth].label(numbering), row) for tooth, row in sorted(
        figures.items(), key=lambda item: (TEETH[item[0]].position, item[0]))]


def _suggestion(request, patient, shown, figures, earlier):
    """The stage and grade that the figures suggest, with what is known of smoking and diabetes, and of five years ago."""
    history = patient.medical_history
    tobacco = history.content.get("tobacco") if history else ""
    diabetes = None if history is None else any("diabet" in row["name"].lower() for row in history.content["conditions"])
    then = next((row for row in earlier if FIVE_YEARS[0] <= (shown.exam_date - row.exam_date).days <= FIVE_YEARS[1]), None)
    lost = None
    if then is not None:
        pairs = [(old, new) for tooth, row in then.figures.items() if tooth in figures
                 for old, new in zip(row.cal, figures[tooth].cal, strict=True) if old is not None and new is not None]
        lost = max((new - old for old, new in pairs), default=None)
    smokes = tobacco == "current" if tobacco else None
    return suggested(figures, len(shown.skipped), patient.age(shown.exam_date), smokes, diabetes, lost)
