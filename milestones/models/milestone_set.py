from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q

from clinic.db.fields import MoneyField
from clinic.db.locks import queue
from clinic.db.records import Record, RecordQuerySet, record_bulk
from milestones.models.types import MilestoneType
from milestones.starter import SETS
from treatment.models import TreatmentPlan

MOST_TASKS = 20
# What a task of a row may say: {name: (kind, least, most)}; of a text its length, of a number its size.
TASK = {"title": (str, 1, 200), "description": (str, 0, 2000), "weight": (int, 1, 100), "days_before": (int, 0, 1000)}


class MilestoneSet(Record):
    """The standard milestones of one kind of treatment, as this practice wants them. Plans take a copy of each when they are
    activated and remember which; what changes here later changes no plan."""

    treatment_type = models.CharField("kind of treatment", max_length=15, choices=TreatmentPlan.Type)
    usual_months = models.PositiveSmallIntegerField(
        "usual length in months", default=12, validators=[MinValueValidator(1), MaxValueValidator(240)],
        help_text="Of this length the shares are, where a plan has no target end.")

    class Meta:
        ordering = ["treatment_type", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "treatment_type"], name="milestones_milestoneset_one_of_a_kind",
                violation_error_message="There is a set for this kind of treatment already."),
            models.CheckConstraint(
                condition=Q(treatment_type__in=TreatmentPlan.Type.values), name="milestones_milestoneset_known_kind"),
            models.CheckConstraint(
                condition=Q(usual_months__gte=1, usual_months__lte=240), name="milestones_milestoneset_months_1_to_240"),
        ]

    def __str__(self):
        return f"Milestones: {self.get_treatment_type_display()}"

    @classmethod
    def of(cls, plan, *, by):
        """The set of this plan's kind; the first plan of a kind for which the practice has none brings the usual one along."""
        queue(f"milestone set {plan.clinic_id} {plan.treatment_type}")
        there = cls.objects.filter(clinic=plan.clinic_id, treatment_type=plan.treatment_type).first()
        return there or cls._load(plan.treatment_type, by, "For the first plan of this kind")

    @classmethod
    @transaction.atomic
    def load_starter(cls, *, by):
        """Add the usual set of each kind that the clinic of `by` has none for; what it has stays. Returns the new ones."""
        there = set(cls.objects.filter(clinic=by.clinic_id).values_list("treatment_type", flat=True))
        return [cls._load(kind, by, "Milestones opened") for kind in SETS if kind not in there]

    @classmethod
    def _load(cls, kind, by, because):
        usual_months, rows = SETS[kind]
        made = cls(treatment_type=kind, usual_months=usual_months).record(by=by, because=because)
        record_bulk([MilestoneTemplate(milestone_set=made, sequence=number, **row) for number, row in enumerate(rows, 1)],
                    by=by, because=because)
        return made


class MilestoneTemplateQuerySet(RecordQuerySet):
    def in_use(self):
        return self.filter(is_active=True)


class MilestoneTemplate(Record):
    """One row of a standard set: what the milestone says, when it is due, and what comes with it."""

    milestone_set = models.ForeignKey(MilestoneSet, models.PROTECT, related_name="rows")
    sequence = models.PositiveSmallIntegerField("place", default=1)
    milestone_type = models.CharField("type", max_length=25, choices=MilestoneType, default=MilestoneType.CUSTOM)
    name = models.CharField(max_length=200)
    description = models.TextField(max_length=2000, blank=True, default="")
    completion_criteria = models.TextField("reached when", max_length=2000, blank=True, default="")
    months = models.PositiveSmallIntegerField(
        "months after the start", null=True, blank=True, validators=[MaxValueValidator(240)])
    percent = models.PositiveSmallIntegerField(
        "or percent of the length", null=True, blank=True, validators=[MaxValueValidator(200)])
    requires_evidence = models.BooleanField("needs evidence", default=False)
    requires_approval = models.BooleanField("needs approval", default=False)
    charge_amount = MoneyField("falls due", null=True, blank=True, help_text="Charged when it is achieved.")
    tasks = models.JSONField(
        default=list, blank=True, help_text='[{"title", "description", "weight", "days_before"}]: what comes with it.')
    is_active = models.BooleanField("in use", default=True)

    objects = MilestoneTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["sequence", "id"]
        verbose_name = "standard milestone"
        constraints = [
            models.CheckConstraint(
                condition=Q(months=None, percent__isnull=False) | Q(months__isnull=False, percent=None),
                name="milestones_milestonetemplate_one_rule",
                violation_error_message="Say either how many months after the start it is due, or at which share of the length."),
            models.CheckConstraint(
                condition=Q(milestone_type__in=MilestoneType.values), name="milestones_milestonetemplate_known_type"),
            models.CheckConstraint(
                condition=Q(charge_amount=None) | Q(charge_amount__gte=0),
                name="milestones_milestonetemplate_charge_not_negative",
                violation_error_message="An amount that falls due is not below zero."),
        ]

    def __str__(self):
        return self.name

    @classmethod
    def as_they_were(cls, versions):
        """{(key, version): the row as it stood in that version}, for pairs of these; one query."""
        wanted = set(versions)
        rows = cls.history.filter(id__in={key for key, _ in wanted}, version__in={version for _, version in wanted})
        return {(row.id, row.version): row for row in rows if (row.id, row.version) in wanted}

    def content(self):
        """What a milestone takes over as it stands."""
        return {name: getattr(self, name) for name in (
            "milestone_type", "name", "description", "completion_criteria", "requires_evidence", "requires_approval",
            "charge_amount")}

    def tasks_for(self, target_date):
        """What is to be done for a milestone due on that day (or on none): [{"title", "description", "weight", "due_date"}]."""
        return [{
            "title": task["title"], "description": task.get("description", ""), "weight": task.get("weight", 1),
            "due_date": target_date and target_date - timedelta(days=task.get("days_before", 0))} for task in self.tasks]

    def clean(self):
        if not isinstance(self.tasks, list) or len(self.tasks) > MOST_TASKS:
            raise ValidationError({"tasks": f"Write a list of at most {MOST_TASKS} tasks."})
        if not all(isinstance(task, dict) and "title" in task and task.keys() <= TASK.keys() and all(
                _fits(value, *TASK[name]) for name, value in task.items()) for task in self.tasks):
            raise ValidationError({"tasks": "A task has a title, and may have a description, a weight of 1 to 100, and the days "
                                            "before the milestone's day on which it is due."})


def _fits(value, kind, least, most):
    return type(value) is kind and least <= (len(value) if kind is str else value) <= most
