from django.db import models

from clinic.db.records import Fact
from clinic.models import Provider
from scheduling.models import Appointment
from treatment.models.procedure import Procedure


class ProcedureSession(Fact):
    """One visit on which a procedure that takes several was worked on. Not a charge; billing parts the fee by these."""

    told_by_its_record = True

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="+", db_index=False)
    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="sessions")
    number = models.PositiveSmallIntegerField()
    on = models.DateField()
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(
            fields=["clinic", "procedure", "number"], name="treatment_proceduresession_number_once")]

    def __str__(self):
        return f"Visit {self.number} of {self.procedure}"

    @classmethod
    def hold(cls, procedure, *, by, on, provider, appointment=None):
        """Write the next one. The caller holds the procedure's lock."""
        return cls.objects.create(
            clinic_id=procedure.clinic_id, patient=procedure.patient, procedure=procedure, number=procedure.sessions.count() + 1,
            on=on, provider=provider, appointment=appointment, by=by.user)
