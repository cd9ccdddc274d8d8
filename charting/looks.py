"""The rows of the chart that a request is about; the look at their patient is noted."""
from charting.models import ClinicalNote, PerioExam
from clinic.access.rules import find
from clinic.audit.looks import Kind, look


def find_exam(request, exam_id, kind=Kind.VIEW):
    """The exam with its figures, if this actor may know of it (else 404)."""
    found = find(PerioExam.objects.select_related("patient__merged_into", "clinic", "provider").prefetch_related("teeth"),
                 request.actor, pk=exam_id)
    look(request, kind, found.patient.person)
    return found


def find_note(request, note_id):
    """The note with its addenda, if this actor may read it (else 404)."""
    rows = ClinicalNote.objects.select_related(
        "author", "cosigned_by", "template", "appointment__appointment_type", "clinic", "patient__account",
        "patient__merged_into__account").prefetch_related("addenda__by")
    note = find(rows, request.actor, pk=note_id)
    note.patient.person.clinic = request.actor.clinic
    look(request, Kind.VIEW, note.patient.person)
    return note
