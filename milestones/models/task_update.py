from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from clinic.db.fields import EncryptedTextField
from clinic.db.guards import Trigger
from clinic.db.records import RecordQuerySet
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import Patient
from milestones.models.parts import MilestonePart, SealedPart, differs
from milestones.models.task import Task
from treatment.models import TreatmentPlan


class TaskUpdateQuerySet(RecordQuerySet):
    def pending(self):
        return self.filter(status=TaskUpdate.Status.PENDING)

    def approved(self):
        return self.filter(status=TaskUpdate.Status.APPROVED)

    def to_review(self, actor):
        """What waits for this actor's eyes, the oldest first: of plans that they write (index `milestones_taskupdate_waits`)."""
        written = TreatmentPlan.objects.visible_to(actor).written_by(actor).order_by().values("pk")
        return self.visible_to(actor).pending().filter(
            task__is_withdrawn=False, task__milestone__is_withdrawn=False, task__milestone__plan__in=written).order_by(
            "created_at", "id")

    def newest_first(self):
        return self.order_by("-created_at", "-id")

    def waiting_or_newest(self, most):
        """All that wait for review, and of each task the newest `most`, whatever became of them."""
        place = Window(RowNumber(), partition_by=F("task"), order_by=[F("created_at").desc(), F("id").desc()])
        return self.annotate(place=place).filter(Q(status=TaskUpdate.Status.PENDING) | Q(place__lte=most))


class TaskUpdate(SealedPart):
    """What somebody tells of the work on a task, and what a clinician answered, once: only what is approved moves the task."""

    class Status(models.TextChoices):
        PENDING = "PENDING", "To review"
        APPROVED = "APPROVED", "Approved"
        REJECTED = "REJECTED", "Sent back"

    DECISIONS = {"approved": Status.APPROVED, "rejected": Status.REJECTED}
    SEALED = ("task", "note", "percent", "author")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    task = models.ForeignKey(Task, models.PROTECT, related_name="updates", editable=False)
    note = EncryptedTextField(context="milestones_taskupdate.note", max_length=4000)
    percent = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(100)])
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False)
    reviewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    reason = models.CharField(max_length=200, blank=True, default="", editable=False)

    objects = TaskUpdateQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(
            fields=["clinic", "created_at"], condition=Q(status="PENDING"), name="milestones_taskupdate_waits")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="PENDING", reviewed_at=None, reviewed_by=None)
                | Q(status__in=["APPROVED", "REJECTED"], reviewed_at__isnull=False),
                name="milestones_taskupdate_reviewed_has_a_time"),
            models.CheckConstraint(condition=Q(percent=None) | Q(percent__lte=100), name="milestones_taskupdate_at_most_100"),
        ]

    @classmethod
    def own_guards(cls):
        """What was told stands, and so does the answer."""
        table, (columns, answered) = cls._meta.db_table, differs(cls, ("status", "reviewed_by", "reviewed_at", "reason"))
        return [cls.stands(), Trigger(
            f"{table}_reviewed_once", table, ("UPDATE",), f"(OLD.status <> 'PENDING' AND ({answered}))", columns)]

    def __str__(self):
        return f"Update of {self.task}"

    @property
    def milestone(self):
        return self.task.milestone

    def lock(self, version=None):
        self.task.lock()
        return super(MilestonePart, self).lock(version)

    @classmethod
    @transaction.atomic
    def tell(cls, *, by, task, note, percent=None, approve=False, id: UUID | None = None):
        """Tell of work on a task, which is in progress from now on; it waits for review. `approve`: or is approved at once, and
        who may not do so tells nothing."""
        task.lock()
        task.refuse_others(by)
        if not task.is_active:
            raise Refused(f"This task is {task.get_status_display().lower()}. Open it again to tell of work on it.")
        update = cls(
            clinic_id=task.clinic_id, patient=task.patient, task=task, note=note.strip(), percent=percent, author=by.user)
        if id is not None:
            update.id = id
        update.record(by=by)
        task._began(by)
        return update.review(by=by, decision="approved") if approve else update

    @transaction.atomic
    def review(self, *, by, decision, reason="", now=None):
        """Approve it, and the task comes to its percent, or send it back (`decision`: approved, rejected)."""
        self.lock()
        if not self.milestone.may_review(by):
            raise NotAllowed("Only a clinician who writes the plan reviews what is told of its tasks.")
        self.task._refuse_gone()
        if decision not in self.DECISIONS:
            raise ValidationError({"decision": "Say approved or rejected."})
        if self.status != self.Status.PENDING:
            raise Refused(f"This update is {self.get_status_display().lower()} already.")
        self.status, self.reason = self.DECISIONS[decision], reason.strip()[:200]
        self.reviewed_by, self.reviewed_at = by.user, now or timezone.now()
        self.record(by=by, because=self.reason)
        if self.status == self.Status.APPROVED:
            self.task._came_to(self.percent, by, self.reviewed_at)
        return self
