"""Notes about procedures: what charting asks of treatment when a note is written or shown."""
from django.core.exceptions import ValidationError
from django.urls import reverse

from charting.subjects import Subject, link_note, note_subjects, subjects_of_notes
from clinic.access.rules import may
from treatment.models import Procedure, ProcedureNote


def _narrative(row):
    """The text that a note on it begins with, its own fields filled in; those of note templates stay for charting."""
    rule = getattr(row.procedure_code, "rule", None)
    if rule is None or not rule.narrative:
        return ""
    numbering = row.clinic.tooth_numbering
    said = {"tooth": row.place._replace(surfaces="").said(numbering), "surfaces": row.surfaces, "code": row.procedure_code.code,
            "procedure": row.description}
    text = rule.narrative
    for name, value in said.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@note_subjects.add
def procedures_to_note(actor, patient, keys):
    """The patient's procedures with these keys; one query."""
    if not may(actor, "treatment.view_plan"):
        return []
    rows = Procedure.objects.visible_to(actor).of(patient).filter(pk__in=keys).select_related(
        "procedure_code__rule", "clinic").order_by("sequence", "id")
    return [Subject(row.pk, row.said, reverse("treatment:plan", args=[row.plan_id]), _narrative(row)) for row in rows]


@link_note.add
def link_procedures(by, note, keys):
    """The note tells of exactly these procedures. ValidationError for one that is not this patient's."""
    rows = list(Procedure.objects.visible_to(by).of(note.patient).filter(pk__in=keys)) if keys else []
    if len(rows) < len(set(keys)):
        raise ValidationError({"procedure_ids": "Some of these procedures are not of this patient."})
    ProcedureNote.link(by=by, note=note, procedures=rows)


@subjects_of_notes.add
def procedures_of_notes(actor, notes):
    """{note's key: the procedures that it tells of}; one query."""
    if not may(actor, "treatment.view_plan"):
        return {}
    found = {}
    rows = ProcedureNote.objects.visible_to(actor).in_force().filter(note__in=[note.pk for note in notes]).select_related(
        "procedure__procedure_code", "procedure__clinic").order_by("procedure__sequence", "id")
    for row in rows:
        found.setdefault(row.note_id, []).append(Subject(
            row.procedure_id, row.procedure.said, reverse("treatment:plan", args=[row.procedure.plan_id])))
    return found
