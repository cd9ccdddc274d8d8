from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from clinic.access.rules import may
from clinic.db.records import RecordQuerySet, record_bulk
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import Membership, Patient
from milestones.models.milestone import Milestone
from milestones.models.parts import MilestonePart, SharedParts, stays_with
from milestones.refusals import WrongStep

MOST_TASKS = 100  # of a milestone


class TaskQuerySet(SharedParts, RecordQuerySet):
    def in_force(self):
        """All but the withdrawn ones, and those of withdrawn milestones."""
        return self.filter(is_withdrawn=False, milestone__is_withdrawn=False)

    def active(self):
        """What is still to be done, of milestones and plans that nobody gave up."""
        return self.in_force().filter(status__in=Task.ACTIVE).exclude(
            milestone__status=Milestone.Status.CANCELLED).exclude(milestone__plan__status__in=Milestone.GIVEN_UP)

    def overdue(self, today):
        """Active ones whose day is over, the oldest first (index `milestones_task_due`)."""
        return self.active().filter(due_date__lt=today).order_by("due_date", "id")

    def of_assignee(self, user):
        """What this person has to do (index `milestones_task_of_assignee`), what is due first before the rest."""
        return self.active().filter(assignee=user).order_by(F("due_date").asc(nulls_last=True), "id")

    def in_order(self):
        """As a milestone lists them (index `milestones_task_of_milestone`)."""
        return self.order_by("sequence", "id")


class Task(MilestonePart):
    """Something that is to be done for a milestone, by one person or by nobody yet. How its status moves:

    | verb     | from                              | to          | needs, and effects                                       |
    | -------- | --------------------------------- | ----------- | -------------------------------------------------------- |
    | start    | OPEN                              | IN_PROGRESS |                                                          |
    | complete | OPEN, IN_PROGRESS                 | COMPLETED   | an approved update of 100 %; sets completed_at           |
    | cancel   | OPEN, IN_PROGRESS                 | CANCELLED   |                                                          |
    | reopen   | IN_PROGRESS, COMPLETED, CANCELLED | OPEN        | clears completed_at; what was completed begins at 0 %    |
    """

    class Status(models.TextChoices):
        OPEN = "OPEN", "Open"
        IN_PROGRESS = "IN_PROGRESS", "In progress"
        COMPLETED = "COMPLETED", "Completed"
        CANCELLED = "CANCELLED", "Cancelled"

    ACTIVE = (Status.OPEN, Status.IN_PROGRESS)
    STEPS = {
        "start": ((Status.OPEN,), Status.IN_PROGRESS),
        "complete": (ACTIVE, Status.COMPLETED),
        "cancel": (ACTIVE, Status.CANCELLED),
        "reopen": ((Status.IN_PROGRESS, Status.COMPLETED, Status.CANCELLED), Status.OPEN),
    }

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="tasks", db_index=False)
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=2000, blank=True, default="")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    due_date = models.DateField("due on", null=True, blank=True)
    days_before = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False,
        help_text="So many days before its milestone it is due, and moves with it. None: a person set the date.")
    weight = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(100)])
    status = models.CharField(max_length=11, choices=Status, default=Status.OPEN, editable=False)
    status_because = models.CharField("because", max_length=200, blank=True, default="", editable=False)
    percent = models.PositiveSmallIntegerField(default=0, editable=False, validators=[MaxValueValidator(100)])
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    sequence = models.PositiveSmallIntegerField("place", default=1, validators=[MinValueValidator(1)])
    is_withdrawn = models.BooleanField("withdrawn", default=False, editable=False)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["sequence", "id"]
        indexes = [
            models.Index(fields=["clinic", "status", "due_date"], name="milestones_task_due"),
            models.Index(fields=["clinic", "assignee", "status"], name="milestones_task_of_assignee"),
            models.Index(fields=["milestone", "sequence"], name="milestones_task_of_milestone"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "IN_PROGRESS", "COMPLETED", "CANCELLED"]), name="milestones_task_known_status"),
            models.CheckConstraint(
                condition=Q(status="COMPLETED", completed_at__isnull=False, percent=100)
                | ~Q(status="COMPLETED") & Q(completed_at=None),
                name="milestones_task_completed_at_100"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="milestones_task_at_most_100"),
            models.CheckConstraint(condition=Q(weight__gte=1, weight__lte=100), name="milestones_task_weight_1_to_100"),
            models.CheckConstraint(
                condition=Q(is_withdrawn=False) | ~Q(status="COMPLETED"), name="milestones_task_completed_stands"),
        ]

    @classmethod
    def own_guards(cls):
        return [stays_with(cls, "milestone")]

    def __str__(self):
        return self.title

    # Questions

    @property
    def is_active(self):
        return self.status in self.ACTIVE

    def is_overdue(self, today):
        """Active, and its day is over; the same that `overdue` says of many."""
        milestone = self.milestone
        return (self.is_active and not self.is_withdrawn and self.due_date is not None and self.due_date < today
                and milestone.status != Milestone.Status.CANCELLED and milestone.plan.status not in Milestone.GIVEN_UP)

    def is_own(self, actor):
        """Whether it is this actor's to do."""
        return may(actor, "milestone.work", self) and actor.user is not None and self.assignee_id == actor.user.pk

    def may_work(self, actor):
        """Whether this actor tells of work on it: whose task it is, and who keeps the milestone."""
        return self.is_own(actor) or self.milestone.may_update(actor)

    def ties(self):
        """Why it can't be withdrawn, as ends of a sentence; empty when nothing hangs on it."""
        found = ["has time"] if self.time_entries.in_force().exists() else []
        return found + (["has an approved update"] if self.updates.approved().exists() else [])

    # Verbs

    @classmethod
    @transaction.atomic
    def add(cls, *, by, milestone, title, description="", assignee=None, due_date=None, weight=1, id: UUID | None = None):
        """Put a task at the end of a milestone."""
        milestone.lock()
        milestone.refuse_reader(by)
        task = cls(
            clinic_id=milestone.clinic_id, patient=milestone.patient, milestone=milestone, title=title, description=description,
            assignee=assignee, due_date=due_date, weight=weight, sequence=cls._last_in(milestone) + 1)
        if id is not None:
            task.id = id
        if milestone.tasks.count() >= MOST_TASKS:
            raise ValidationError(f"A milestone has at most {MOST_TASKS} tasks.")
        task._refuse_stranger()
        return task.record(by=by)

    @classmethod
    def lay_out(cls, milestones, *, by):
        """The tasks that come with these new milestones of a standard set, at once. The caller holds the plan's lock."""
        rows = []
        for milestone in milestones:
            for number, task in enumerate(milestone.template.tasks_for(milestone.target_date), 1):
                days = (milestone.target_date - task.pop("due_date")).days
                rows.append(cls(
                    clinic_id=milestone.clinic_id, patient=milestone.patient, milestone=milestone, sequence=number,
                    days_before=days, due_date=milestone.days_before(days), **task))
        return record_bulk(rows, by=by, because="Plan activated")

    @transaction.atomic
    def revise(self, *, by, version=None, because="", **values):
        """Change what it says, who does it, until when; the status has its own verbs."""
        self.lock(version)
        self.refuse_reader(by)
        before = self.assignee_id, self.due_date
        for name, value in values.items():
            setattr(self, name, value)
        if self.assignee_id != before[0]:
            self._refuse_stranger()
        if self.due_date != before[1]:
            self.days_before = None
        return self.record(by=by, because=because)

    @transaction.atomic
    def withdraw(self, *, by, because=""):
        """Take it out of its milestone, as if it had never been; not when work was told of."""
        self.lock()
        self.refuse_reader(by)
        if ties := self.ties():
            raise Refused(f"This task {' and '.join(ties)}. Cancel it instead.")
        self.is_withdrawn = True
        return self.record(by=by, because=because)

    @transaction.atomic
    def start(self, *, by, because=""):
        """Work on it has begun."""
        return self._step("start", by, because)

    @transaction.atomic
    def cancel(self, *, by, because=""):
        """It is not to be done any more."""
        return self._step("cancel", by, because)

    @transaction.atomic
    def reopen(self, *, by, because=""):
        """It is to be done after all, or again."""
        return self._step("reopen", by, because)

    def move_to(self, status, *, by, because=""):
        """Take the step that leads to this status."""
        if status == self.Status.COMPLETED:
            raise Refused("A task is completed by an approved update of 100 %.")
        return getattr(self, next(verb for verb, (_, after) in self.STEPS.items() if after == status))(by=by, because=because)

    @classmethod
    def follow(cls, milestone, *, by, because=""):
        """After a milestone got another day: what is due so many days before it moves along. The caller holds its lock."""
        for task in milestone.tasks.in_force().filter(status__in=cls.ACTIVE, days_before__isnull=False):
            due = milestone.days_before(task.days_before)
            if due != task.due_date:
                task.due_date = due
                task.record(by=by, because=because)

    # What updates do to it; the caller holds the lock

    def _began(self, by):
        """Somebody told of work on it."""
        if self.status == self.Status.OPEN:
            self._take("start", by, "")

    def _came_to(self, percent, by, now=None):
        """An update was approved that says how far it is; 100 completes it. What is over stays as it is."""
        if percent is None or not self.is_active:
            return
        self.percent = percent
        if percent == 100:
            self.completed_at = now or timezone.now()
            self._take("complete", by, "")
        else:
            self.record(by=by)

    # What all who change it ask first

    def refuse_reader(self, by):
        self.milestone.refuse_reader(by)
        self._refuse_gone()

    def refuse_others(self, by):
        """Updates and time are told by whose task it is, and by who keeps the milestone."""
        if not self.may_work(by):
            raise NotAllowed("Only whose task it is, and who keeps its milestone, tell of work on it.")
        self._refuse_gone()

    def _refuse_gone(self):
        if self.is_withdrawn or self.milestone.is_withdrawn:  # since it was loaded
            raise Refused("This task was taken out in the meantime.")

    def _step(self, verb, by, because):
        self.lock()
        self.refuse_reader(by)
        if self.status not in self.STEPS[verb][0]:
            raise WrongStep(self, verb)
        if verb == "reopen" and self.status == self.Status.COMPLETED:
            self.percent, self.completed_at = 0, None
        return self._take(verb, by, because)

    def _take(self, verb, by, because):
        self.status, self.status_because = self.STEPS[verb][1], (because or "").strip()[:200]
        return self.record(by=by, because=because or "")

    def _refuse_stranger(self):
        """Who is to do it works here."""
        if self.assignee_id is not None and not Membership.objects.filter(
                clinic=self.clinic_id, user=self.assignee_id, user__is_active=True, until=None).exists():
            raise ValidationError({"assignee": "There is nobody with this id who works here."})

    @staticmethod
    def _last_in(milestone):
        return milestone.tasks.aggregate(last=Max("sequence"))["last"] or 0
