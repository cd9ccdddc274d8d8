"""Periodontal exams: look at them, compare them, close and confirm. How one is typed: `charting.views.perio_entry`."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from charting.looks import find_exam
from charting.models import ChartSettings, Draft, PerioExam
from charting.mouth import mouth_of
from charting.perio import SITES_SAID, changes, deepest
from charting.perio_graph import drawn, trends
from charting.teeth import TEETH, in_order
from clinic.access.rules import may, rule
from clinic.audit.looks import find_patient
from clinic.views.patients import patient_context
from clinic.web.asked import key, whole
from clinic.web.once import once


@rule("charting.view_perio")
@require_safe
def exams(request, patient_id):
    """All exams with their indices, and their course; the newest one drawn."""
    patient = find_patient(request, patient_id)
    rows = list(PerioExam.objects.visible_to(request.actor).of(patient).select_related("provider"))
    finished = [row for row in rows if not row.is_draft]
    newest = finished[0] if finished else None
    return render(request, "charting/perio.html", {
        **patient_context(request, patient, "perio"), "exams": rows, "trends": trends(finished[::-1]),
        "draft": Draft.find(request.actor, patient, Draft.Kind.PERIO) if may(request.actor, "charting.change_perio") else None,
        "newest": _drawn(request, patient, newest, newest.figures, _deep(request)) if newest else "", "newest_exam": newest,
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
    numbering, deep = request.actor.clinic.tooth_numbering, _deep(request)
    return render(request, "charting/perio_exam.html", {
        **patient_context(request, patient, "perio"), "exam": shown, "earlier": earlier, "against": against,
        "graph": _drawn(request, patient, shown, figures, deep, before),
        "beside": _drawn(request, patient, against, before, deep) if against else "",
        "rows": [(tooth.label(numbering), row) for tooth, row in in_order(figures)],
        "uncounted": sum(row.uncounted_marks for row in figures.values()),
        "changes": [
            (TEETH[tooth].label(numbering), SITES_SAID[site], old, new) for tooth, site, old, new in changes(before, figures)],
        "suggestion": shown.suggestion(earlier), "stages": PerioExam.Stage.values, "grades": PerioExam.Grade.values,
        "may_change": may(request.actor, "charting.change_perio"),
        "may_confirm": may(request.actor, "charting.confirm_diagnosis") and not shown.is_draft})


@rule("charting.view_perio")
@require_safe
def panel(request, patient_id):
    """The newest finished exam in figures: a panel of the overview, which loads it by itself."""
    patient = find_patient(request, patient_id)
    exam = PerioExam.objects.visible_to(request.actor).of(patient).finished().first()
    numbering, found = request.actor.clinic.tooth_numbering, deepest(exam.figures, _deep(request)) if exam else []
    return render(request, "charting/_perio_panel.html", {
        "exam": exam, "worst": [(TEETH[tooth].label(numbering), SITES_SAID[site], depth) for tooth, site, depth in found]})


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


def _deep(request):
    """The depth from which the practice calls a pocket deep."""
    return ChartSettings.of(request.actor.clinic).deep_pocket_mm


def _drawn(request, patient, exam, figures, deep, against=None):
    teeth = [place.tooth for place in mouth_of(request.actor, patient, exam.exam_date).places]
    return drawn(teeth, figures, set(exam.skipped), request.actor.clinic.tooth_numbering, deep, against)
