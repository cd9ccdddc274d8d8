"""The medical history: its newest version, a new one, and the review that changes nothing."""
from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import rule
from clinic.audit.looks import find_patient
from clinic.db.refusals import Stale
from clinic.forms import MedicalHistoryForm
from clinic.models import MedicalHistory
from clinic.models.medical_history import PREGNANCY, SEVERITIES, TOBACCO
from clinic.views.patients import patient_context
from clinic.web.asked import whole
from clinic.web.conflicts import conflict_page
from clinic.web.once import once


@rule("clinic.view_medicalhistory")
@require_safe
def medical_history(request, patient_id):
    """The newest version in full, and the dates of all."""
    patient = find_patient(request, patient_id)
    context = patient_context(request, patient, "medical")
    every = MedicalHistory.objects.visible_to(request.actor).of(patient).select_related("by", "patient")
    versions = sorted(every.order_by("-number"), key=lambda row: row.patient_id != patient.pk)  # the patient's own come first
    asked = request.GET.get("version")
    shown = next((row for row in versions if asked in (str(row.number), str(row.pk))), versions[0] if versions else None)
    return render(request, "clinic/medical_history.html", {
        **context, "versions": versions, "shown": shown, "severities": SEVERITIES, "tobacco": TOBACCO, "pregnancy": PREGNANCY})


@rule("clinic.change_medicalhistory")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def medical_history_edit(request, patient_id):
    """Write the next version; a lost race keeps the text."""
    patient = find_patient(request, patient_id)
    context = patient_context(request, patient, "medical")
    newest = context["medical_history"]
    form = MedicalHistoryForm(
        request.POST or None, content=newest.content if newest else MedicalHistory.EMPTY,
        seen_number=newest.number if newest else 0)
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["seen_number"]
        try:
            MedicalHistory.write(
                patient=patient, content=form.settled(newest.content if newest else {}), by=request.actor, seen_number=seen)
        except Stale as stale:
            began = MedicalHistory.objects.filter(patient=patient, number=seen).first()
            return conflict_page(
                request, form.differences(began.content if began else {}, stale.current.content if stale.current else {}),
                version_field="seen_number", version=stale.current.number if stale.current else 0,
                who=stale.current and stale.current.by, back=reverse("clinic:medical_history", args=[patient.pk]),
                context=context)
        messages.success(request, "Medical history saved.")
        return redirect("clinic:medical_history", patient.pk)
    return render(request, "clinic/medical_history_form.html", {**context, "form": form},
                  status=422 if form.is_bound else 200)


@rule("clinic.change_medicalhistory")
@require_POST
@once
def medical_history_review(request, patient_id):
    """The patient was asked and nothing has changed."""
    patient = find_patient(request, patient_id)
    MedicalHistory.review(patient=patient, by=request.actor, seen_number=whole(request.POST.get("seen_number")))
    messages.success(request, "Medical history reviewed today.")
    return redirect("clinic:medical_history", patient.pk)
