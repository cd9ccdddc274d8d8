from django.db import models
from django.db.models import F

from clinic.db.fields import EncryptedTextField
from clinic.db.records import Fact, FactQuerySet
from scheduling.models.appointment import Appointment


class TimeWishQuerySet(FactQuerySet):
    def open(self, now):
        """Those that nobody has answered: the visit still stands at that time, and is not confirmed."""
        return self.filter(
            appointment__status=Appointment.Status.SCHEDULED, appointment__starts_at=F("visit_at"), visit_at__gte=now)


class TimeWish(Fact):
    """That a patient asked for another time than this visit's, and what suits them.

    It stays open until the desk moves or cancels the visit, or confirms it after all; nothing here is ticked off.
    """

    LONGEST = 500

    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="time_wishes")
    visit_at = models.DateTimeField(help_text="The time that does not suit.")
    wish = EncryptedTextField(context="scheduling_timewish.wish", blank=True, default="")

    objects = TimeWishQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["clinic", "visit_at"], name="scheduling_timewish_ahead")]

    def __str__(self):
        return "asks for another time"
