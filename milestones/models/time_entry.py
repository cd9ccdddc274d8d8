from datetime import UTC, datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from clinic.db.fields import EncryptedTextField
from clinic.db.records import Fact, FactQuerySet
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import Patient
from milestones.models.task import Task

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST = 24 * 60  # minutes


class TimeEntryQuerySet(FactQuerySet):
    # What minutes are added up by: {name: the path}.
    BY = {"milestone": "task__milestone", "plan": "task__milestone__plan", "person": "by", "task": "task"}

    def in_force(self):
        """All but those that were taken back."""
        return self.filter(withdrawal=None)

    def of_plan(self, plan):
        """All of a plan, the newest first."""
        return self.filter(task__milestone__plan=plan, task__milestone__is_withdrawn=False).order_by("-started_at", "-id")

    def minutes(self):
        """How many together; one query."""
        return self.in_force().aggregate(total=Sum("minutes", default=0))["total"]

    def totals(self, by):
        """{key: minutes} by "milestone", "plan", "person" or "task"; one query."""
        return dict(self.in_force().order_by().values_list(self.BY[by]).annotate(Sum("minutes")))


class TimeEntry(Fact):
    """Time that one person spent on a task, on the day on which the work was done. A wrong one is taken back, and told anew."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    task = models.ForeignKey(Task, models.PROTECT, related_name="time_entries")
    started_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(LONGEST)])
    note = EncryptedTextField(context="milestones_timeentry.note", blank=True, default="", max_length=2000)

    objects = TimeEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "time entries"
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=LONGEST), name="milestones_timeentry_minutes_1_to_1440"),
            models.CheckConstraint(
                condition=Q(started_at__gte=EARLIEST, started_at__lte=F("at")), name="milestones_timeentry_begun_before_told"),
        ]

    def __str__(self):
        return f"{self.minutes} minutes on {self.task}"

    @property
    def milestone(self):
        return self.task.milestone

    @property
    def is_withdrawn(self):
        return hasattr(self, "withdrawal")

    def may_withdraw(self, actor):
        """Whether this actor takes it back: whose time it is, and who keeps the milestone."""
        return (actor.user is not None and self.by_id == actor.user.pk) or self.milestone.may_update(actor)

    @classmethod
    @transaction.atomic
    def log(cls, *, by, task, started_at, minutes, note="", id: UUID | None = None, now=None):
        """Write down own time on a task."""
        now = now or timezone.now()
        task.lock()
        task.refuse_others(by)
        if started_at > now:
            raise ValidationError({"started_at": "This is still to come. Write down time that was spent."})
        if started_at < EARLIEST:
            raise ValidationError({"started_at": "This is too long ago. Look at the year."})
        entry = cls(clinic_id=task.clinic_id, patient=task.patient, task=task, started_at=started_at, minutes=minutes,
                    note=note.strip(), by=by.user, at=now)
        if id is not None:
            entry.id = id
        entry.clean_fields(exclude=["clinic", "patient", "task", "by"])
        entry.save()
        return entry

    @transaction.atomic
    def withdraw(self, *, by, because):
        """It counts no longer; whose time it is takes it back, or who keeps the milestone."""
        self.task.lock()
        if not because.strip():
            raise ValidationError({"reason": "Write why it is taken back."})
        if not self.may_withdraw(by):
            raise NotAllowed("Only whose time it is, and who keeps the milestone, take it back.")
        if TimeWithdrawal.objects.filter(entry=self).exists():
            raise Refused("This time is taken back already.")
        return TimeWithdrawal.objects.create(
            clinic_id=self.clinic_id, patient=self.patient, entry=self, because=because.strip()[:200], by=by.user)


class TimeWithdrawal(Fact):
    """That a time entry counts no longer."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    entry = models.OneToOneField(TimeEntry, models.PROTECT, related_name="withdrawal")
    because = models.CharField(max_length=200)

    def __str__(self):
        return f"Taken back: {self.entry}"
