from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Subquery
from django.utils import timezone

from clinic.access.rules import may
from clinic.db.fields import EncryptedTextField, MoneyField
from clinic.db.records import RecordQuerySet, record_bulk
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import Patient
from milestones.models.milestone_set import MilestoneSet, MilestoneTemplate
from milestones.models.types import MilestoneType
from milestones.refusals import WrongStep
from milestones.signals import milestone_achieved
from milestones.targets import due_on
from treatment.models import Goal, Phase, TreatmentPlan
from treatment.models.ground import PlanPart, same_plan, stays_in_plan

MOST_MILESTONES = 200  # of a plan


class MilestoneQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        """A patient sees those of their own plans, once these were presented."""
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient).shown_to_patients()
        return super().visible_to(actor)

    def shown_to_patients(self):
        """Those of plans that were presented."""
        return self.exclude(plan__status=TreatmentPlan.Status.DRAFT)

    def in_force(self):
        """All but the withdrawn ones."""
        return self.filter(is_withdrawn=False)

    def counted(self):
        """Those that a plan's progress and its rates are of: the cancelled ones are left out."""
        return self.in_force().exclude(status=Milestone.Status.CANCELLED)

    def open(self):
        """What is still to be reached, in plans that nobody gave up."""
        return self.in_force().filter(status__in=Milestone.OPEN).exclude(plan__status__in=Milestone.GIVEN_UP)

    def overdue(self, today):
        """Open ones whose day is over, the oldest first (index `milestones_milestone_due`)."""
        return self.open().filter(target_date__lt=today).order_by("target_date", "id")

    def upcoming(self, today, last):
        """Open ones that are due from today to that day, the soonest first (the same index)."""
        return self.open().filter(target_date__gte=today, target_date__lte=last).order_by("target_date", "id")

    def awaiting_approval(self):
        """Those for which nothing is missing but the patient's approval, in plans that nobody gave up. After changes were wished
        a milestone waits again when it, or its evidence, is another since."""
        approvals, evidence = (self.model._meta.get_field(name).related_model.objects for name in ("approvals", "evidence"))
        latest, shown = approvals.filter(milestone=OuterRef("pk")).newest_first(), evidence.filter(milestone=OuterRef("pk"))
        return self.in_force().filter(
            Q(requires_evidence=False) | Exists(shown.standing()), requires_approval=True).exclude(
            status__in=Milestone.OVER).exclude(plan__status__in=Milestone.GIVEN_UP).annotate(
            decided=Subquery(latest.values("decision")[:1]), decided_at=Subquery(latest.values("at")[:1])).filter(
            Q(decided=None) | ~Q(decided="approved") & (
                Q(updated_at__gt=F("decided_at")) | Exists(shown.filter(updated_at__gt=OuterRef("decided_at")))))

    def in_order(self):
        """As a plan lists them (index `milestones_milestone_of_plan`)."""
        return self.order_by("sequence", "id")


class Shift(NamedTuple):
    """That a milestone's day would move with its plan."""

    milestone: Any
    old: Any
    new: Any


class Milestone(PlanPart):
    """A point that a plan is to reach by a day, with what shows that it is reached. Not the work on the way (tasks), nor a goal,
    which is measured. How the status moves, every step by its verb and by no other way:

    | verb    | from                                   | to          | needs, and effects                                    |
    | ------- | -------------------------------------- | ----------- | ----------------------------------------------------- |
    | start   | PENDING                                | IN_PROGRESS | sets started_at                                       |
    | achieve | PENDING, IN_PROGRESS, MISSED, DEFERRED | ACHIEVED    | nothing missing; sets achieved_date, sends the signal |
    | miss    | PENDING, IN_PROGRESS                   | MISSED      | the target date is over by the clinic's date          |
    | defer   | PENDING, IN_PROGRESS, MISSED           | DEFERRED    | a reason; sets a later target date, or clears it      |
    | cancel  | PENDING, IN_PROGRESS, MISSED, DEFERRED | CANCELLED   | a reason                                              |
    | reopen  | ACHIEVED, MISSED, DEFERRED, CANCELLED  | PENDING     | a reason; clears achieved_date and started_at         |
    """

    Type = MilestoneType

    class Status(models.TextChoices):
        PENDING = "PENDING", "Pending"
        IN_PROGRESS = "IN_PROGRESS", "In progress"
        ACHIEVED = "ACHIEVED", "Achieved"
        MISSED = "MISSED", "Missed"
        DEFERRED = "DEFERRED", "Deferred"
        CANCELLED = "CANCELLED", "Cancelled"

    OPEN = (Status.PENDING, Status.IN_PROGRESS)
    OVER = (Status.ACHIEVED, Status.CANCELLED)
    # Plans of which nothing is due any more. Of a completed one it still is: it may have closed itself with its last procedure.
    GIVEN_UP = (TreatmentPlan.Status.DISCONTINUED, TreatmentPlan.Status.DECLINED)
    STEPS = {
        "start": ((Status.PENDING,), Status.IN_PROGRESS),
        "achieve": ((*OPEN, Status.MISSED, Status.DEFERRED), Status.ACHIEVED),
        "miss": (OPEN, Status.MISSED),
        "defer": ((*OPEN, Status.MISSED), Status.DEFERRED),
        "cancel": ((*OPEN, Status.MISSED, Status.DEFERRED), Status.CANCELLED),
        "reopen": ((Status.ACHIEVED, Status.MISSED, Status.DEFERRED, Status.CANCELLED), Status.PENDING),
    }
    NEED_A_REASON = CHANGE_WHAT_WAS_AGREED = {"defer", "cancel", "reopen"}

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="milestones", db_index=False)
    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="milestones", db_index=False)
    phase = models.ForeignKey(Phase, models.PROTECT, null=True, blank=True, related_name="milestones", db_index=False)
    goal = models.ForeignKey(Goal, models.PROTECT, null=True, blank=True, related_name="milestones", db_index=False)
    name = models.CharField(max_length=200)
    milestone_type = models.CharField("type", max_length=25, choices=MilestoneType, default=MilestoneType.CUSTOM)
    description = models.TextField(max_length=2000, blank=True, default="")
    completion_criteria = models.TextField("reached when", max_length=2000, blank=True, default="")
    notes = EncryptedTextField(context="milestones_milestone.notes", blank=True, default="", max_length=8000)
    target_date = models.DateField("due on", null=True, blank=True)
    dated_by_hand = models.BooleanField(
        default=False, editable=False, help_text="A person set the date: it does not move with the plan's.")
    achieved_date = models.DateField("achieved on", null=True, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    status = models.CharField(max_length=11, choices=Status, default=Status.PENDING, editable=False)
    status_because = models.CharField("because", max_length=200, blank=True, default="", editable=False)
    sequence = models.PositiveSmallIntegerField("place", default=1, validators=[MinValueValidator(1)], editable=False)
    requires_evidence = models.BooleanField("needs evidence", default=False)
    requires_approval = models.BooleanField("needs approval", default=False)
    charge_amount = MoneyField("falls due", null=True, blank=True, help_text="Charged when it is achieved.")
    template = models.ForeignKey(
        MilestoneTemplate, models.PROTECT, null=True, blank=True, editable=False, related_name="milestones", db_index=False,
        help_text="The row of the standard set that it came from.")
    template_version = models.PositiveIntegerField(null=True, blank=True, editable=False)
    is_withdrawn = models.BooleanField("withdrawn", default=False, editable=False)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        ordering = ["sequence", "id"]
        indexes = [
            models.Index(fields=["clinic", "status", "target_date"], name="milestones_milestone_due"),
            models.Index(fields=["plan", "sequence"], name="milestones_milestone_of_plan"),
            models.Index(fields=["clinic", "patient", "status"], name="milestones_milestone_of_pat"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "plan", "template"], condition=Q(template__isnull=False),
                name="milestones_milestone_standard_once"),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "IN_PROGRESS", "ACHIEVED", "MISSED", "DEFERRED", "CANCELLED"]),
                name="milestones_milestone_known_status"),
            models.CheckConstraint(
                condition=Q(milestone_type__in=MilestoneType.values), name="milestones_milestone_known_type"),
            models.CheckConstraint(
                condition=Q(status="ACHIEVED", achieved_date__isnull=False) | ~Q(status="ACHIEVED") & Q(achieved_date=None),
                name="milestones_milestone_achieved_has_a_date"),
            models.CheckConstraint(
                condition=~Q(status="IN_PROGRESS") | Q(started_at__isnull=False), name="milestones_milestone_begun_has_a_start"),
            models.CheckConstraint(
                condition=~Q(status="PENDING") | Q(started_at=None), name="milestones_milestone_pending_not_begun"),
            models.CheckConstraint(
                condition=~Q(status__in=["DEFERRED", "CANCELLED"]) | ~Q(status_because=""),
                name="milestones_milestone_says_why"),
            models.CheckConstraint(
                condition=Q(is_withdrawn=False) | ~Q(status="ACHIEVED"), name="milestones_milestone_achieved_stands"),
            models.CheckConstraint(
                condition=Q(charge_amount=None) | Q(charge_amount__gte=0), name="milestones_milestone_charge_not_negative"),
            models.CheckConstraint(
                condition=Q(template=None, template_version=None) | Q(template__isnull=False, template_version__isnull=False),
                name="milestones_milestone_knows_its_version"),
        ]

    @classmethod
    def own_guards(cls):
        return [stays_in_plan(cls), *same_plan(cls, "phase", "goal")]

    def __str__(self):
        return self.name

    # Questions

    @property
    def person(self):
        """The patient under whom it is seen."""
        return self.patient.person

    @property
    def is_open(self):
        return self.status in self.OPEN

    def is_overdue(self, today):
        """Open, and its day is over; the same that `overdue` says of many."""
        return (self.is_open and not self.is_withdrawn and self.target_date is not None and self.target_date < today
                and self.plan.status not in self.GIVEN_UP)

    def days_late(self, today):
        """How many days after its day it was achieved, or has not been yet; 0 when it is not late."""
        if self.target_date is None or not (self.achieved_date or self.is_overdue(today)):
            return 0
        return max(((self.achieved_date or today) - self.target_date).days, 0)

    @property
    def is_charged(self):
        """Whether its amount was charged: that happens when it is achieved, and reopening does not take it back."""
        return self.history.filter(status=self.Status.ACHIEVED, charge_amount__gt=0).exists()

    @staticmethod
    def keeps(actor, plan):
        """Whether this actor keeps a plan's milestones: who writes it, and who keeps those of all plans of the clinic."""
        return may(actor, "milestone.update", plan) and (may(actor, "milestone.update_any") or plan.may_write(actor))

    def may_update(self, actor):
        """Whether this actor keeps it."""
        return self.keeps(actor, self.plan)

    def steps_for(self, actor):
        """The verbs that this actor can take from where it stands, in the order of the table."""
        return [verb for verb, (before, _) in self.STEPS.items() if self.status in before] if self.may_update(actor) else []

    def may_review(self, actor):
        """Whether this actor approves what is told of its tasks: a clinician who writes the plan."""
        return may(actor, "milestone.update", self) and self.plan.may_write(actor)

    @property
    def may_wait(self):
        """Whether something may still be waited for, such as an approval: it is neither over nor taken out."""
        return not self.is_withdrawn and self.status not in self.OVER

    @property
    def is_approved(self):
        """Whether the latest decision on it is an approval."""
        latest = self.approvals.newest_first().first()
        return latest is not None and latest.is_approved

    def missing(self):
        """What it still lacks to be achieved, in words; empty when nothing."""
        found = ["evidence"] if self.requires_evidence and not self.evidence.standing().exists() else []
        return found + (["approval"] if self.requires_approval and not self.is_approved else [])

    def days_before(self, days):
        """The day so many days before it is due, not before its plan starts; None while it has no date."""
        return self.target_date and max(self.target_date - timedelta(days=days), min(self.plan.start_date, self.target_date))

    def ties(self):
        """Why it can't be withdrawn, as ends of a sentence; empty when nothing hangs on it."""
        found = ["is achieved"] if self.status == self.Status.ACHIEVED else []
        if not found and self.is_charged:
            found.append("was charged")
        hanging = {
            "evidence": self.evidence.in_force(), "approvals": self.approvals,
            "time": self.tasks.filter(time_entries__isnull=False, time_entries__withdrawal=None)}
        return found + [f"has {name}" for name, rows in hanging.items() if rows.exists()]

    def agreed(self):
        """What a frozen copy of the plan holds of it: what was agreed, not how far it has come."""
        return {
            "id": self.pk, "name": self.name, "type": self.milestone_type, "target_date": self.target_date,
            "completion_criteria": self.completion_criteria, "requires_evidence": self.requires_evidence,
            "requires_approval": self.requires_approval,
            "charge_amount": None if self.charge_amount is None else f"{self.charge_amount:.2f}"}

    # Verbs: writing

    @classmethod
    @transaction.atomic
    def add(cls, *, by, plan, name="", milestone_type=MilestoneType.CUSTOM, sequence=None, id: UUID | None = None,
            requires_approval=None, **values):
        """Put a milestone into the plan, at this place or at the end. A standard type brings its name along; where an amount
        falls due, approval is needed unless it is said otherwise."""
        plan.lock()
        row = cls(
            clinic_id=plan.clinic_id, plan=plan, patient=plan.patient, milestone_type=milestone_type,
            name=name or ("" if milestone_type == MilestoneType.CUSTOM else MilestoneType(milestone_type).label), **values)
        row.refuse_reader(by)
        plan.refuse_over()
        if id is not None:
            row.id = id
        row.requires_approval = row.charge_amount is not None if requires_approval is None else requires_approval
        row.dated_by_hand = row.target_date is not None
        row._check(by)
        row._put_at(sequence, by)
        plan.freeze_change(by=by)
        return row

    @transaction.atomic
    def revise(self, *, by, version=None, because="", **values):
        """Change what it says: words, dates, place (`sequence`), phase, goal, what it needs. The status has its own verbs; of an
        achieved one the day may be corrected."""
        self.lock(version)
        self.refuse_reader(by)
        amount = values.get("charge_amount", self.charge_amount)
        if amount != self.charge_amount and self.is_charged:
            raise Refused("The amount of this milestone was charged already: correct it in the ledger.")
        if amount is not None and self.charge_amount is None:
            values.setdefault("requires_approval", True)
        sequence, target, phase = values.pop("sequence", None), self.target_date, self.phase_id
        for name, value in values.items():
            setattr(self, name, value)
        self.dated_by_hand |= self.target_date != target
        self._check(by, known=phase)
        self._put_at(sequence, by, because)
        self.tasks.model.follow(self, by=by, because=because)
        self.plan.freeze_change(by=by, because=because)
        return self

    @transaction.atomic
    def withdraw(self, *, by, because=""):
        """Take it out of the plan, as if it had never been; not when something hangs on it."""
        self.lock()
        self.refuse_reader(by)
        if ties := self.ties():
            raise Refused(f"This milestone {' and '.join(ties)}. Cancel it instead.")
        self.is_withdrawn = True
        self.record(by=by, because=because)
        self._number(self.plan.milestones.in_force().in_order(), by, because)
        self.plan.freeze_change(by=by, because=because)
        return self

    @transaction.atomic
    def move(self, by_places, *, by):
        """Up (-1) or down (1) in its plan; at the ends it stays."""
        self.lock()
        return self.revise(by=by, sequence=max(self._rank() + by_places, 1))

    @classmethod
    @transaction.atomic
    def reorder(cls, *, by, plan, keys):
        """Give the plan's milestones this order; `keys`: all or some of them. Those left out come after, as they stood."""
        plan.lock()
        cls._refuse_reader_of(plan, by)
        plan.refuse_over()
        rows = {row.pk: row for row in plan.milestones.in_force().in_order()}
        if unknown := [key for key in keys if key not in rows]:
            raise ValidationError({"milestone_ids": f"{len(unknown)} of these are not in this plan."})
        cls._number([rows[key] for key in dict.fromkeys([*keys, *rows])], by)
        plan.freeze_change(by=by)

    # Verbs: the steps

    @transaction.atomic
    def start(self, *, by, because="", now=None):
        """Work on it has begun."""
        self._stand_before("start", by, because)
        return self._take("start", by, because, started_at=now or timezone.now())

    @transaction.atomic
    def achieve(self, *, by, on=None, because="", notes=None, evidence=()):
        """It is reached, today or on an earlier day, and everything that shows it is there; `milestone_achieved` is sent.
        `evidence`: what comes with it, each as `Evidence.add` takes it."""
        self._stand_before("achieve", by, because)
        day = self._day(by, on or by.clinic.today())
        self._prove(by, evidence)
        if missing := self.missing():
            raise Refused(f"This milestone can't be achieved yet. Still missing: {', '.join(missing)}.")
        self.notes = self.notes if notes is None else notes
        self._take("achieve", by, because, achieved_date=day)
        milestone_achieved.send(type(self), milestone=self, by=by, on=day)
        return self

    @transaction.atomic
    def miss(self, *, by, because=""):
        """Its day went by and it will not be caught up as it was meant."""
        self._stand_before("miss", by, because)
        if self.target_date is None or self.target_date >= by.clinic.today():
            due = f"is due on {self.target_date}" if self.target_date else "has no date"
            raise Refused(f"This milestone {due}: it is missed only when its day is over.")
        return self._take("miss", by, because)

    @transaction.atomic
    def defer(self, *, by, because, target_date=None):
        """Put it off to a later day, or to none that is known yet."""
        self._stand_before("defer", by, because)
        if target_date is not None:
            if self.target_date is not None and target_date <= self.target_date:
                raise ValidationError({"target_date": f"Write a day later than {self.target_date}, or none."})
            if target_date < by.clinic.today():
                raise ValidationError({"target_date": "This day is over. Write a later one, or none."})
        return self._take("defer", by, because, target_date=target_date, dated_by_hand=True)

    @transaction.atomic
    def cancel(self, *, by, because):
        """It is not to be reached any more; it counts nowhere."""
        self._stand_before("cancel", by, because)
        return self._take("cancel", by, because)

    @transaction.atomic
    def reopen(self, *, by, because, target_date=None):
        """It stands where it began, with a new day if one is said."""
        self._stand_before("reopen", by, because)
        dated = {} if target_date is None else {"target_date": target_date, "dated_by_hand": True}
        return self._take("reopen", by, because, achieved_date=None, started_at=None, **dated)

    @classmethod
    def verb_to(cls, status):
        """The name of the verb that leads to this status."""
        return next(verb for verb, (_, after) in cls.STEPS.items() if after == status)

    # Verbs: the standard set

    @classmethod
    @transaction.atomic
    def lay_out(cls, plan, *, by):
        """Create the standard milestones of a plan's type, once in its life; what is there is never touched. Returns them."""
        plan.lock()
        if cls.objects.filter(plan=plan, template__isnull=False).exists():
            return []
        chosen, last = MilestoneSet.of(plan, by=by), cls._last_in(plan)
        rows = record_bulk([cls(
            clinic_id=plan.clinic_id, plan=plan, patient=plan.patient, sequence=last + number, template=row,
            template_version=row.version, target_date=due_on(row, plan.start_date, plan.target_end_date, chosen.usual_months),
            **row.content()) for number, row in enumerate(chosen.rows.in_use(), 1)], by=by, because="Plan activated")
        if rows:
            rows[0].tasks.model.lay_out(rows, by=by)
        return rows

    @classmethod
    def shifts(cls, plan):
        """[Shift]: the open milestones whose day is another one by the plan's dates of now. Those that a person dated stay."""
        rows = list(plan.milestones.in_force().in_order().filter(
            status__in=cls.OPEN, template__isnull=False, dated_by_hand=False).select_related("template__milestone_set"))
        rules = MilestoneTemplate.as_they_were((row.template_id, row.template_version) for row in rows)
        found = [Shift(row, row.target_date, due_on(
            rules[row.template_id, row.template_version], plan.start_date, plan.target_end_date,
            row.template.milestone_set.usual_months)) for row in rows]
        return [each for each in found if each.old != each.new]

    @classmethod
    @transaction.atomic
    def shift(cls, *, by, plan, because="The plan's dates changed", version=None):
        """Move these days with the plan's. Returns what was moved. `version`: of the plan whose preview was shown."""
        plan.lock(version)
        cls._refuse_reader_of(plan, by)
        plan.refuse_over()
        found = cls.shifts(plan)
        for each in found:
            each.milestone.target_date = each.new
            each.milestone.record(by=by, because=because)
            each.milestone.tasks.model.follow(each.milestone, by=by, because=because)
        plan.freeze_change(by=by, because=because)
        return found

    # What all who change it ask first

    def refuse_reader(self, by):
        self._refuse_reader_of(self.plan, by)
        if self.is_withdrawn:  # since it was loaded
            raise Refused("This milestone was taken out of its plan in the meantime.")

    @classmethod
    def _refuse_reader_of(cls, plan, by):
        if not cls.keeps(by, plan):
            raise NotAllowed("Only the plan's provider, its care team's writers, coordinators and managers keep its milestones.")

    def _stand_before(self, verb, by, because):
        """The one gate: lock, and look whether the step is this actor's, in the table, and has its reason."""
        self.lock()
        self.refuse_reader(by)
        if self.status not in self.STEPS[verb][0]:
            raise WrongStep(self, verb)
        if verb in self.NEED_A_REASON and not (because or "").strip():
            raise ValidationError({"reason": "Write why: it stays with the milestone."})

    def _take(self, verb, by, because, **values):
        self.status, self.status_because = self.STEPS[verb][1], (because or "").strip()[:200]
        for name, value in values.items():
            setattr(self, name, value)
        self.record(by=by, because=because or "")
        if "target_date" in values:
            self.tasks.model.follow(self, by=by, because=because or "")
        if verb in self.CHANGE_WHAT_WAS_AGREED:
            self.plan.freeze_change(by=by, because=because or "")
        return self

    def _prove(self, by, evidence):
        """Add what comes with it; what is refused of it is told with its number."""
        for number, said in enumerate(evidence):
            try:
                self.evidence.model.add(by=by, milestone=self, **said)
            except ValidationError as error:
                raise ValidationError({
                    f"evidence.{number}.{name}": messages for name, messages in error.message_dict.items()}) from error

    def _day(self, by, day):
        """The day on which it was achieved; ValidationError for one to come."""
        if day > by.clinic.today():
            raise ValidationError({"achieved_date": "It can't have been achieved on a day to come."})
        if self.patient.date_of_birth and day < self.patient.date_of_birth:
            raise ValidationError({"achieved_date": "That was before the patient was born."})
        return day

    def _check(self, by, known=None):
        """Refuse what the fields alone can't tell; the caller holds the plan's lock. `known`: the phase that stood there before,
        which may have been taken out of the plan since."""
        gone = self.phase is not None and self.phase.is_withdrawn and self.phase_id not in (None, known)
        if self.phase is not None and (self.phase.plan_id != self.plan_id or gone):
            raise ValidationError({"phase": "This phase is not of this plan."})
        if self.goal is not None and self.goal.plan_id != self.plan_id:
            raise ValidationError({"goal": "This goal is not of this plan."})
        if self.charge_amount is not None and self.charge_amount < 0:
            raise ValidationError({"charge_amount": "An amount that falls due is not below zero."})
        if (self.achieved_date is not None) != (self.status == self.Status.ACHIEVED):
            raise ValidationError({"achieved_date": "What is achieved has the day of it, and nothing else has one."})
        if self.achieved_date is not None:
            self._day(by, self.achieved_date)
        if self._state.adding and self.plan.milestones.count() >= MOST_MILESTONES:
            raise ValidationError(f"A plan has at most {MOST_MILESTONES} milestones.")

    # The order

    def _put_at(self, sequence, by, because=""):
        """Save it at this place of its plan, the end at the furthest; those behind make room."""
        if sequence is None:
            self.sequence = self._last_in(self.plan) + 1 if self._state.adding else self.sequence
            return self.record(by=by, because=because)
        others = list(self.plan.milestones.in_force().in_order().exclude(pk=self.pk))
        self.sequence = 0  # so that it is saved in any case, with what else changed
        self._number([*others[:sequence - 1], self, *others[sequence - 1:]], by, because)
        return self

    def _rank(self):
        keys = list(self.plan.milestones.in_force().in_order().values_list("pk", flat=True))
        return keys.index(self.pk) + 1

    @staticmethod
    def _number(rows, by, because=""):
        for number, row in enumerate(rows, 1):
            if row.sequence != number:
                row.sequence = number
                row.record(by=by, because=because)

    @classmethod
    def _last_in(cls, plan):
        return plan.milestones.aggregate(last=Max("sequence"))["last"] or 0
