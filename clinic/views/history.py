"""Who looked at a patient, who changed what, and why."""
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic import hooks
from clinic.access.rules import rule
from clinic.audit.changes import changes_of
from clinic.audit.looks import find_patient
from clinic.db.records import person
from clinic.models import AccessEvent, Document, MedicalHistory, Patient
from clinic.panels import Change
from clinic.views.patients import patient_context
from clinic.web.asked import key

PAGE = 50
MOST_CHANGES = 200  # the history of changes of the practice has the others


@rule("clinic.view_audit")
@require_safe
def history(request, patient_id):
    """Changes on the left, looks on the right; each list newest first, older ones by `?before=`."""
    patient = find_patient(request, patient_id)
    looks = AccessEvent.objects.visible_to(request.actor).of(patient).select_related("by")
    if before := request.GET.get("before"):
        looks = looks.filter(pk__lt=key(before))
    looks = list(looks.order_by("-id")[:PAGE + 1])
    changes = [] if before else _changes(request.actor, patient)
    return render(request, "clinic/history.html", {
        **patient_context(request, patient, "history"),
        "changes": changes[:MOST_CHANGES], "more": len(changes) > MOST_CHANGES,
        "looks": looks[:PAGE], "older": looks[PAGE - 1].pk if len(looks) > PAGE else None, "before": before,
    })


def _changes(actor, patient):
    rows = Patient.history.filter(id__in=person(MedicalHistory, patient)).select_related("clinic")
    account = patient.account.history.all().select_related("clinic")
    found = changes_of(Patient, rows, lambda row: "Patient" if row.id == patient.pk else f"Patient #{row.chart_number}")
    found += changes_of(type(patient.account), account, lambda row: "Account")
    papers = Document.history.filter(patient__in=person(Document, patient))
    found += changes_of(Document, papers, lambda row: f"Document “{row.title}”")
    found += [
        Change(version.at, str(version.by or "The installation"), "", f"Medical history {version.number}",
               version.get_kind_display(), [])
        for version in MedicalHistory.objects.visible_to(actor).of(patient).select_related("by").defer("content")]
    for section in hooks.record_sections(actor, patient):
        found += section
    return sorted(found, key=lambda change: change.at, reverse=True)
