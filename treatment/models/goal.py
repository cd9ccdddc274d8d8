from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q

from clinic.db.guards import Trigger
from clinic.db.records import RecordQuerySet
from clinic.models import Patient
from treatment.models.ground import PlanPart, same_plan, stays_in_plan
from treatment.models.plan import TreatmentPlan

MOST_GOALS = 500  # of a plan
# The questions that make a goal specific, measurable, achievable, relevant and time-bound; its fields have these names.
SMART = {
    "specific": {
        "what": "What exactly will be accomplished?", "who": "Who is involved?", "where": "Where will it happen?"},
    "measurable": {"indicator": "How will progress be measured?", "target": "What is the target value?"},
    "achievable": {"resources": "What resources are needed?", "barriers": "What barriers might exist?"},
    "relevant": {
        "alignment": "How does this align with treatment goals?", "importance": "Why is this goal important?"},
    "time_bound": {"deadline": "Target completion date", "milestones": "Key milestone dates"}}


class GoalQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient).exclude(plan__status=TreatmentPlan.Status.DRAFT)
        return super().visible_to(actor)

    def in_force(self):
        """All but the discontinued ones."""
        return self.exclude(status=Goal.Status.DISCONTINUED)

    def open(self):
        """What is still to be reached."""
        return self.exclude(status__in=Goal.CLOSED)


class Goal(PlanPart):
    """Something measurable that a plan is to reach, alone or as a step to a larger one: long term, short term, objective.

    A parent is always of the level above, so a tree has three levels at most and no loops; the database refuses the rest.
    What it has come to is not stored here: `treatment.progress` computes it from sub-goals, ratings, or a live measure.
    """

    class Type(models.TextChoices):
        LONG_TERM = "long_term", "Long-term goal"
        SHORT_TERM = "short_term", "Short-term goal"
        OBJECTIVE = "objective", "Objective"

    class Status(models.TextChoices):
        NOT_STARTED = "not_started", "Not started"
        IN_PROGRESS = "in_progress", "In progress"
        ACHIEVED = "achieved", "Achieved"
        MODIFIED = "modified", "Modified"
        DISCONTINUED = "discontinued", "Discontinued"

    class Measure(models.TextChoices):
        NONE = "", "Recorded by hand"
        BLEEDING = "bleeding_percent", "Bleeding on probing, %"
        DEEP_SITES = "sites_ge_5", "Sites of 5 mm and more"
        PLAQUE = "plaque_percent", "Plaque, %"
        KEPT = "kept_percent", "Kept appointments, %"

    CLOSED = (Status.ACHIEVED, Status.DISCONTINUED)
    ABOVE = {Type.SHORT_TERM: Type.LONG_TERM, Type.OBJECTIVE: Type.SHORT_TERM}

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="goals", db_index=False)
    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="goals")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="sub_goals")
    goal_type = models.CharField("level", max_length=10, choices=Type)
    description = models.TextField(max_length=2000)
    measurable_criteria = models.TextField(max_length=2000, blank=True, default="")
    baseline_value = models.CharField(max_length=200, blank=True, default="")
    target_value = models.CharField(max_length=200, blank=True, default="")
    current_value = models.CharField(max_length=200, blank=True, default="")
    measure = models.CharField("measured by", max_length=20, choices=Measure, blank=True, default=Measure.NONE)
    target_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.NOT_STARTED)
    progress_percentage = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(100)], help_text="Its own figure, used when nothing else tells how far it is.")
    priority = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(9)], help_text="1 is the highest.")
    specific = models.JSONField(default=dict, blank=True)
    measurable = models.JSONField(default=dict, blank=True)
    achievable = models.JSONField(default=dict, blank=True)
    relevant = models.JSONField(default=dict, blank=True)
    time_bound = models.JSONField(default=dict, blank=True)

    objects = GoalQuerySet.as_manager()

    class Meta:
        ordering = ["priority", "created_at", "id"]
        indexes = [models.Index(fields=["clinic", "patient", "status"], name="treatment_goal_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=Q(goal_type__in=["long_term", "short_term", "objective"]), name="treatment_goal_known_type"),
            models.CheckConstraint(
                condition=Q(status__in=["not_started", "in_progress", "achieved", "modified", "discontinued"]),
                name="treatment_goal_known_status"),
            models.CheckConstraint(condition=Q(progress_percentage__lte=100), name="treatment_goal_at_most_100"),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=9), name="treatment_goal_priority_1_to_9"),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(goal_type="long_term"), name="treatment_goal_long_term_on_top"),
        ]

    @classmethod
    def own_guards(cls):
        """A parent is of the same plan and of the level above, and stays so while it has sub-goals."""
        table = cls._meta.db_table
        above = "(CASE {} WHEN 'short_term' THEN 'long_term' WHEN 'objective' THEN 'short_term' ELSE '' END)".format
        yield stays_in_plan(cls)
        yield from same_plan(cls, "parent")
        yield Trigger(
            "treatment_goal_parent_one_level_up", table, ("INSERT", "UPDATE"),
            f"(NEW.parent_id IS NOT NULL AND {above('NEW.goal_type')} <> "
            f"(SELECT goal_type FROM {table} WHERE id = NEW.parent_id))", ("parent_id", "goal_type"))
        yield Trigger(
            "treatment_goal_level_stays_above_sub_goals", table, ("UPDATE",),
            f"(NEW.goal_type <> OLD.goal_type AND EXISTS (SELECT 1 FROM {table} c WHERE c.parent_id = NEW.id))", ("goal_type",))

    def __str__(self):
        return self.description[:80]

    # Questions

    @property
    def is_open(self):
        return self.status not in self.CLOSED

    def agreed(self):
        """What a frozen copy holds of it: what was agreed, not how far it has come. Its interventions are prefetched."""
        return {
            "id": self.pk, "parent_id": self.parent_id, "goal_type": self.goal_type, "description": self.description,
            "measurable_criteria": self.measurable_criteria, "baseline_value": self.baseline_value,
            "target_value": self.target_value, "measure": self.measure, "target_date": self.target_date, "priority": self.priority,
            **{name: getattr(self, name) for name in SMART},
            "interventions": sorted(
                [row.intervention.name, row.frequency] for row in self.interventions.all() if not row.is_withdrawn)}

    # Verbs

    @classmethod
    @transaction.atomic
    def set_out(cls, *, by, plan, goal_type, description, parent=None, interventions=(), id: UUID | None = None, **values):
        """Add a goal to a plan, with its interventions: [(Intervention, frequency)]. ValidationError for a parent that is not of
        the level above, or of another plan."""
        plan.lock()
        plan.refuse_reader(by)
        plan.refuse_over()
        goal = cls(
            clinic_id=plan.clinic_id, plan=plan, patient=plan.patient, goal_type=goal_type, description=description, parent=parent,
            **values)
        if id is not None:
            goal.id = id
        goal._check()
        goal.record(by=by)
        for intervention, frequency in interventions:
            goal.interventions.model._set_beside(by, goal, intervention, frequency)
        plan.freeze_change(by=by)
        return goal

    @transaction.atomic
    def revise(self, *, by, version=None, because="", **values):
        """Change the goal, its level, its parent or its status. A plan in which nothing is left closes itself only by work."""
        self.lock(version)
        self.plan.refuse_reader(by)
        self.plan.refuse_over()
        for name, value in values.items():
            setattr(self, name, value)
        self._check()
        self.record(by=by, because=because)
        self.plan.freeze_change(by=by, because=because)
        return self

    def record_progress(self, *, by, **told):
        """Write down how it goes; see `GoalProgress.tell`."""
        return self.progress.model.tell(by=by, goal=self, **told)

    def _went_on(self, by, value):
        """After an entry: its value is the current one, and the goal is under way. The caller holds the locks."""
        started = self.status == self.Status.NOT_STARTED
        if started or (value and value != self.current_value):
            self.status = self.Status.IN_PROGRESS if started else self.status
            self.current_value = value or self.current_value
            self.record(by=by)

    def _check(self):
        """Refuse what the fields alone can't tell; the caller holds the plan's lock, so that the tree stands still."""
        if self.parent is not None:
            self.parent = type(self).objects.get(pk=self.parent_id)  # it may have moved since it was chosen
            if self.parent.plan_id != self.plan_id:
                raise ValidationError({"parent": "The goal above is not of this plan."})
            if self.parent_id == self.pk or self.ABOVE.get(self.goal_type) != self.parent.goal_type:
                raise ValidationError({"parent": "A short-term goal belongs to a long-term one, an objective to a short-term one."})
        if not self._state.adding and self.sub_goals.exclude(
                goal_type=next((low for low, high in self.ABOVE.items() if high == self.goal_type), "")).exists():
            raise ValidationError({"goal_type": "Its sub-goals stand one level below it. Move them first."})
        for name, keys in SMART.items():
            said = getattr(self, name)
            if not isinstance(said, dict) or any(key not in keys or not isinstance(said[key], str | list) for key in said):
                raise ValidationError({name: f"Known here are: {', '.join(keys)}."})
        if self._state.adding and self.plan.goals.count() >= MOST_GOALS:
            raise ValidationError(f"A plan has at most {MOST_GOALS} goals.")
