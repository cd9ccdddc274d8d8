"""Type a periodontal exam at the speed of speech: the page, the draft that keeps every key, and saving it."""
import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from charting.looks import find_exam
from charting.models import ChartSettings, Draft, PerioExam, PerioPath
from charting.mouth import mouth_of
from charting.perio_entry import as_page, form_of, from_form, from_page, grid_of, page_of
from clinic.access.rules import rule
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
OVERTAKEN = (
    "Somebody saved this exam in the meantime. Here is what stands there now, with the teeth that you changed as you typed them: "
    "look at those, then save again.")


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
    try:
        teeth, wrong = _sent(request, patient)
        if wrong:
            return _again(request, patient, exam, "Some figures can't be read; they are marked.", wrong)
        made = _written(request, patient, exam, teeth)
    except Stale:
        return _again(request, patient, find_exam(request, exam.pk), OVERTAKEN)
    except ValidationError as error:
        return _again(request, patient, exam, "; ".join(error.messages))
    except (Refused, ValueError, RecursionError) as error:
        return _again(request, patient, exam, str(error))
    Draft.drop(by=request.actor, patient=patient, kind=Draft.Kind.PERIO, about=str(exam.pk) if exam else "",
               window=request.POST.get("window", "")[:36])
    messages.success(request, {"amended": "Exam amended.", "closed": "Exam closed.", "draft": "Exam saved."}[made.status])
    return redirect("charting:perio_exam", made.pk)


@rule("charting.change_perio")
@require_POST
@once
def discard(request, patient_id):
    """Throw away what was typed and not saved."""
    patient = find_patient(request, patient_id)
    Draft.drop(by=request.actor, patient=patient, kind=Draft.Kind.PERIO, about=request.POST.get("about", "")[:36])
    messages.success(request, "What was typed and not saved is gone.")
    return redirect("charting:perio", patient.pk)


def _sent(request, patient):
    """({key: ToothFigures}, {field: what is wrong}) of the page's script or of the plain form."""
    if request.POST.get("teeth"):
        return from_page(json.loads(request.POST["teeth"])), {}
    return from_form(request.POST, [place.tooth.key for place in mouth_of(request.actor, patient).places])


@transaction.atomic
def _written(request, patient, exam, teeth):
    """Save, and close where asked; of a closed exam an amendment."""
    if all(figures.is_empty for figures in ((exam.figures if exam else {}) | teeth).values()):
        raise Refused("Nothing of this exam is typed yet, so there is nothing to save.")
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


def _again(request, patient, exam, error, wrong=None):
    """The same page with what was typed, and what is wrong with it."""
    return render(request, "charting/perio_entry.html", {
        **_entry(request, patient, exam, request.POST, wrong), "error": error}, status=422)


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
    gone = set(mouth.skipped(settings.probes_implants)) - figures.keys()
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
