from django.db import models

from clinic.db.records import Fact, FactQuerySet
from clinic.models import Patient


class ContactAttemptQuerySet(FactQuerySet):
    def declined(self):
        """The patient said that they do not want a visit: they are not called again until something new happens."""
        return self.filter(outcome=ContactAttempt.Outcome.DECLINED)


class ContactAttempt(Fact):
    """That somebody tried to reach a patient about a visit, and what came of it. Not a message that Chairside sends."""

    class About(models.TextChoices):
        CONFIRM = "confirm", "Confirming a visit"
        MISSED = "missed", "A cancelled or missed visit"
        UNSCHEDULED = "unscheduled", "No visit booked"
        FREED = "freed", "A time that became free"

    class Outcome(models.TextChoices):
        REACHED = "reached", "Reached"
        MESSAGE = "message", "Left a message"
        NO_ANSWER = "no_answer", "No answer"
        CALLS_BACK = "calls_back", "Calls back"
        DECLINED = "declined", "Does not want one"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="contact_attempts")
    appointment = models.ForeignKey(
        "scheduling.Appointment", models.PROTECT, null=True, blank=True, related_name="contact_attempts")
    about = models.CharField(max_length=12, choices=About)
    outcome = models.CharField(max_length=12, choices=Outcome)
    note = models.CharField(max_length=200, blank=True)

    objects = ContactAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["patient", "-at"], name="scheduling_contact_of_patient"),
            models.Index(fields=["clinic", "about", "-at"], name="scheduling_contact_about"),
        ]

    def __str__(self):
        return f"{self.get_about_display()}: {self.get_outcome_display()}"

    @classmethod
    def log(cls, *, by, patient, about, outcome, appointment=None, note=""):
        """Write down one attempt."""
        attempt = cls(
            clinic=by.clinic, by=by.user, patient=patient, about=about, outcome=outcome, appointment=appointment,
            note=note.strip()[:200])
        attempt.full_clean(validate_unique=False)
        attempt.save()
        return attempt
