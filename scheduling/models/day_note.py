from django.db import IntegrityError, models, transaction

from clinic.db.fields import EncryptedTextField
from clinic.db.records import Record
from clinic.db.refusals import Stale


class DayNote(Record):
    """What all should know of one day: who is on call, what is being repaired. Not a note about a visit or a patient.

    One row a day, changed in place; emptied when there is nothing to say any more. Encrypted, because a name slips in easily.
    """

    date = models.DateField()
    text = EncryptedTextField(context="scheduling_daynote.text", blank=True, default="")

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["clinic", "date"], name="scheduling_daynote_one_a_day")]

    def __str__(self):
        return f"Note of {self.date:%Y-%m-%d}"

    @classmethod
    def of(cls, actor, date):
        """The clinic's note of this day, or a blank one that is not saved."""
        return cls.objects.visible_to(actor).filter(date=date).first() or cls(clinic=actor.clinic, date=date)

    @transaction.atomic
    def write(self, text, *, by, version, because=""):
        """Say this of the day instead. Stale when somebody else wrote since `version` (0: since there was nothing)."""
        if not self._state.adding:
            self.lock(version)
        self.text = text
        try:
            with transaction.atomic():
                return self.record(by=by, because=because)
        except IntegrityError as error:  # two wrote the first words of a day
            raise Stale(type(self).of(by, self.date)) from error
