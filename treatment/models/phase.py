from django.db import models, transaction
from django.db.models import Q

from clinic.db.records import RecordQuerySet
from clinic.db.refusals import Refused
from treatment.models.ground import PlanPart, stays_in_plan
from treatment.models.plan import TreatmentPlan


class PhaseQuerySet(RecordQuerySet):
    def in_force(self):
        return self.filter(is_withdrawn=False)


class Phase(PlanPart):
    """A step of a plan, such as "Urgent" or "Alignment", that its procedures are done in. Not a milestone: it is never achieved."""

    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="phases")
    name = models.CharField(max_length=120)
    sequence = models.PositiveSmallIntegerField(default=1)
    is_withdrawn = models.BooleanField(default=False, editable=False)

    objects = PhaseQuerySet.as_manager()

    class Meta:
        ordering = ["sequence", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "plan", "name"], condition=Q(is_withdrawn=False), name="treatment_phase_name_once",
                violation_error_message="The plan has a phase of this name already."),
        ]

    @classmethod
    def own_guards(cls):
        return [stays_in_plan(cls)]

    def __str__(self):
        return self.name

    @classmethod
    @transaction.atomic
    def add(cls, *, by, plan, name, id=None):
        """Add a phase at the end of the plan."""
        plan.lock()
        plan.refuse_reader(by)
        plan.refuse_over()
        last = plan.phases.order_by("-sequence").values_list("sequence", flat=True).first() or 0
        phase = cls(clinic_id=plan.clinic_id, plan=plan, name=name, sequence=last + 1)
        if id is not None:
            phase.id = id
        phase._refuse_twin()
        phase.record(by=by)
        plan.freeze_change(by=by)
        return phase

    @classmethod
    def named(cls, name, *, by, plan):
        """The plan's phase of this name, added when it has none; None for no name."""
        name = name.strip()
        if not name:
            return None
        return plan.phases.in_force().filter(name=name).first() or cls.add(by=by, plan=plan, name=name)

    @transaction.atomic
    def rename(self, *, by, name, version=None):
        """Call it otherwise."""
        self.lock(version)
        self.plan.refuse_reader(by)
        self.plan.refuse_over()
        self.name = name
        self._refuse_twin()
        self.record(by=by)
        self.plan.freeze_change(by=by)
        return self

    @transaction.atomic
    def withdraw(self, *, by):
        """Take it out of the plan; only when nothing is left in it."""
        self.lock()
        self.plan.refuse_reader(by)
        self.plan.refuse_over()
        if self.procedures.in_force().exists():
            raise Refused("There are procedures in this phase. Move or cancel them first.")
        self.is_withdrawn = True
        self.record(by=by)
        self.plan.freeze_change(by=by)
        return self

    def _refuse_twin(self):
        if self.plan.phases.in_force().filter(name=self.name).exclude(pk=self.pk).exists():
            raise Refused("The plan has a phase of this name already.")
