from django.db import models, transaction

from charting.models import ClinicalNote
from clinic.db.records import Record, RecordQuerySet
from clinic.models import Patient
from treatment.models.procedure import Procedure


class ProcedureNoteQuerySet(RecordQuerySet):
    def in_force(self):
        return self.filter(is_withdrawn=False)


class ProcedureNote(Record):
    """That a note tells of a procedure. Not a part of the note: what was signed never changes by it."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="note_links")
    note = models.ForeignKey(ClinicalNote, models.PROTECT, related_name="procedure_links")
    is_withdrawn = models.BooleanField(default=False, editable=False)

    objects = ProcedureNoteQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(
            fields=["clinic", "procedure", "note"], name="treatment_procedurenote_once")]

    def __str__(self):
        return f"{self.note} tells of {self.procedure}"

    @classmethod
    @transaction.atomic
    def link(cls, *, by, note, procedures):
        """Let a note tell of exactly these procedures; who may write or sign it sees to that."""
        rows = {row.procedure_id: row for row in cls.objects.filter(note=note).lock()}
        wanted = {row.pk: row for row in procedures}
        for key, row in rows.items():
            if row.is_withdrawn == (key in wanted):
                row.is_withdrawn = key not in wanted
                row.record(by=by)
        for key, procedure in wanted.items():
            if key not in rows:
                cls(clinic_id=note.clinic_id, patient=note.patient, note=note, procedure=procedure).record(by=by)
