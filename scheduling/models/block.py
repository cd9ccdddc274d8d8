from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q

from clinic.db import locks
from clinic.db.guards import LONGEST
from clinic.db.records import Record, RecordQuerySet
from clinic.models import Operatory, Provider
from scheduling.models.reach import refuse_out_of_reach
from scheduling.refusals import Conflict, OutOfOrder, TimeTaken


class BlockQuerySet(RecordQuerySet):
    def current(self):
        return self.filter(is_active=True)

    def overlapping(self, starts_at, ends_at):
        """Blocks that touch this time (index `scheduling_block_by_start`)."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)


class Block(Record):
    """Time in which an operatory or a provider can't be booked: lunch, a meeting, repairs. Not a visit."""

    operatory = models.ForeignKey(Operatory, models.PROTECT, null=True, blank=True, related_name="blocks")
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="blocks")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    title = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True, editable=False)
    offer = models.ForeignKey(
        "scheduling.Offer", models.PROTECT, null=True, blank=True, editable=False, related_name="blocks",
        help_text="It holds the time for somebody on the waitlist.")

    objects = BlockQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        indexes = [models.Index(fields=["clinic", "starts_at"], name="scheduling_block_by_start")]
        constraints = [
            models.CheckConstraint(
                condition=Q(operatory=None, provider__isnull=False) | Q(operatory__isnull=False, provider=None),
                name="scheduling_block_operatory_or_provider",
                violation_error_message="A block is either for an operatory or for a provider."),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="scheduling_block_end_after_start"),
        ]

    def __str__(self):
        return self.title

    def clean(self):
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "The block ends before it starts."})
        if (self.operatory_id is None) == (self.provider_id is None):
            raise ValidationError("A block is either for an operatory or for a provider.")

    @classmethod
    @transaction.atomic
    def place(cls, *, by, because="", **values):
        """Keep this time free of visits. TimeTaken when a visit stands in it; ValidationError beyond where the schedule reaches."""
        return cls(clinic=by.clinic, **values)._keep_free(by, because)

    @transaction.atomic
    def move(self, *, by, version=None, because="", **values):
        """Keep another time, length or place free instead. TimeTaken when a visit stands there."""
        self.lock(version)
        if not self.is_active:
            raise OutOfOrder(f"{self.title} is no longer blocked.")
        if self.offer_id:
            raise OutOfOrder("This time is held for somebody on the waitlist, so it stays where it is.")
        for name, value in values.items():
            setattr(self, name, value)
        return self._keep_free(by, because)

    @transaction.atomic
    def withdraw(self, *, by, because=""):
        """Open the time for visits again."""
        self.lock()
        self.is_active = False
        return self.record(by=by, because=because)

    def _keep_free(self, by, because):
        refuse_out_of_reach(self.starts_at, "Blocks", "placed")  # not in `clean`: such a one can still be withdrawn
        locks.queue(self.operatory_id or self.provider_id)
        self.record(by=by, because=because)
        if conflicts := self.visits_in_it():
            raise TimeTaken(conflicts, self.clinic.zone)
        return self

    def visits_in_it(self):
        if self.operatory_id:
            rows = self.operatory.appointments.holding().filter(
                chair_starts_at__lt=self.ends_at, chair_starts_at__gt=self.starts_at - LONGEST,
                chair_ends_at__gt=self.starts_at).select_related("operatory")
            return [Conflict(row.pk, "operatory", row.operatory.name, row.chair_starts_at, row.chair_ends_at) for row in rows]
        rows = self.provider.provider_time.filter(
            starts_at__lt=self.ends_at, starts_at__gt=self.starts_at - LONGEST, ends_at__gt=self.starts_at,
        ).select_related("provider")
        return [Conflict(row.appointment_id, "provider", row.provider.name, row.starts_at, row.ends_at) for row in rows]
