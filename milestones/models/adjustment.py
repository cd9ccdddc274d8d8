from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q

from charting.teeth import TEETH
from clinic.access.rules import may
from clinic.db.fields import EncryptedTextField
from clinic.db.records import RecordQuerySet
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import Patient
from milestones.models.types import MilestoneType
from scheduling.models import Appointment
from treatment.models import TreatmentPlan
from treatment.models.ground import PlanPart, stays_in_plan

KINDS = TreatmentPlan.Type
# What is adjusted from visit to visit; the others have no wires.
ORTHODONTIC = (KINDS.COMPREHENSIVE, KINDS.PHASE_I, KINDS.PHASE_II, KINDS.LIMITED, KINDS.SURGICAL, KINDS.ALIGNER, KINDS.RETENTION)
MONTH = 30.4375  # days


def months_in_treatment(plan, day):
    """Months from banding to that day or to debonding, whichever came first, to one decimal; None before banding. One query."""
    days = dict(plan.milestones.in_force().filter(
        milestone_type__in=[MilestoneType.BONDING_COMPLETE, MilestoneType.DEBOND_COMPLETE],
        achieved_date__isnull=False).values_list("milestone_type", "achieved_date"))
    return months_between(days.get(MilestoneType.BONDING_COMPLETE), days.get(MilestoneType.DEBOND_COMPLETE), day)


def months_between(banded, debonded, day):
    """Months from banding to that day, or to debonding when that was earlier; None before banding."""
    last = min(day, debonded or day)
    return None if banded is None or last < banded else round((last - banded).days / MONTH, 1)


class AdjustmentQuerySet(RecordQuerySet):
    def newest_first(self):
        """The latest visit first (index `milestones_adjustment_of_plan`)."""
        return self.order_by("-seen_on", "-id")

    def before(self, visit, day):
        """The cards of earlier visits, and of the same day's other ones."""
        return self.filter(seen_on__lte=day).exclude(appointment=visit).newest_first()


class Adjustment(PlanPart):
    """The card of one orthodontic visit: what is in the mouth now, how it is kept, what broke, and when to come next.

    Not a note, which tells the story; here stands only what the next visit begins with.
    """

    class Hygiene(models.TextChoices):
        GOOD = "good", "Good"
        FAIR = "fair", "Fair"
        POOR = "poor", "Poor"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="adjustments", db_index=False)
    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="adjustment", editable=False)
    seen_on = models.DateField(editable=False)
    upper_wire = models.CharField(max_length=60, blank=True, default="")
    lower_wire = models.CharField(max_length=60, blank=True, default="")
    elastics = models.CharField(max_length=120, blank=True, default="")
    aligner = models.PositiveSmallIntegerField(
        "aligner number", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(200)])
    hygiene = models.CharField(max_length=4, choices=Hygiene, blank=True, default="")
    broken_brackets = models.JSONField(default=list, blank=True, help_text="Teeth by their canonical keys.")
    next_in_weeks = models.PositiveSmallIntegerField(
        "next visit in weeks", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(104)])
    note = EncryptedTextField(context="milestones_adjustment.note", blank=True, default="", max_length=2000)

    objects = AdjustmentQuerySet.as_manager()

    class Meta:
        ordering = ["-seen_on", "-id"]
        indexes = [models.Index(fields=["plan", "-seen_on", "-id"], name="milestones_adjustment_of_plan")]
        constraints = [
            models.CheckConstraint(
                condition=Q(hygiene__in=["", "good", "fair", "poor"]), name="milestones_adjustment_known_hygiene"),
            models.CheckConstraint(
                condition=Q(aligner=None) | Q(aligner__gte=1, aligner__lte=200), name="milestones_adjustment_aligner_1_to_200"),
            models.CheckConstraint(
                condition=Q(next_in_weeks=None) | Q(next_in_weeks__gte=1, next_in_weeks__lte=104),
                name="milestones_adjustment_next_within_two_years"),
        ]

    @classmethod
    def own_guards(cls):
        return [stays_in_plan(cls)]

    def __str__(self):
        return f"Adjustment of {self.seen_on:%Y-%m-%d}"

    # Verbs

    @classmethod
    @transaction.atomic
    def write(cls, *, by, plan, appointment, id: UUID | None = None, **values):
        """Write the card of a visit; a visit has one. ValidationError for another patient's visit or a tooth that is none."""
        plan.lock()
        cls._refuse_others(by, plan)
        if plan.treatment_type not in ORTHODONTIC:
            raise Refused("Only orthodontic plans have adjustment cards.")
        plan.refuse_over()
        if appointment.patient.person != plan.person:
            raise ValidationError({"appointment": "This visit is another patient's."})
        if not appointment.holds_time:
            raise Refused(f"This visit is {appointment.get_status_display().lower()}: nothing was adjusted in it.")
        if cls.objects.filter(appointment=appointment).exists():
            raise Refused("This visit has its card already. Open it to change it.")
        card = cls(
            clinic_id=plan.clinic_id, patient=plan.patient, plan=plan, appointment=appointment,
            seen_on=appointment.starts_at.astimezone(by.clinic.zone).date(), **values)
        if id is not None:
            card.id = id
        return card._save(by)

    @transaction.atomic
    def revise(self, *, by, version=None, because="", **values):
        """Change what the card says. Stale as in every record."""
        self.lock(version)
        self._refuse_others(by, self.plan)
        for name, value in values.items():
            setattr(self, name, value)
        return self._save(by, because)

    @staticmethod
    def _refuse_others(by, plan):
        if not may(by, "milestone.write_card", plan):
            raise NotAllowed("Only clinicians write adjustment cards.")

    def _save(self, by, because=""):
        if any(tooth not in TEETH for tooth in self.broken_brackets):
            raise ValidationError({"broken_brackets": "One of these is no tooth."})
        return self.record(by=by, because=because)
