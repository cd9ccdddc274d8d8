from django.db import models

from clinic.db.records import Fact
from scheduling.models.appointment import Appointment


class VisitStep(Fact):
    """That a visit reached a step, when, and by whose hand."""

    told_by_its_record = True

    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="steps")
    status = models.CharField(max_length=12, choices=Appointment.Status)
    via = models.CharField(max_length=10, blank=True, default="", help_text="The way in: page, api, job, link.")

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["appointment", "at"], name="scheduling_visitstep_of_visit")]

    def __str__(self):
        return self.get_status_display()

    @property
    def who(self):
        """By whose hand, in words."""
        return str(self.by or ("the patient" if self.via == "link" else "the installation"))
