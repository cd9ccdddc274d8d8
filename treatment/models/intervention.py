from collections import defaultdict
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Count, OuterRef, Q, Subquery, Sum

from clinic.db.fields import DerivedField, EncryptedTextField, normalise
from clinic.db.guards import Trigger
from clinic.db.records import Recorded, RecordQuerySet
from clinic.db.refusals import Refused, Stale
from clinic.models import Patient
from scheduling.models import Appointment
from treatment.effect import UNKNOWN, Effect
from treatment.models.goal import Goal
from treatment.models.ground import PlanPart
from treatment.models.plan import TreatmentPlan

RATING = [MinValueValidator(1), MaxValueValidator(5)]


class InterventionQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        """The library, which all clinics share, and what the actor's own clinic defined."""
        if actor is None or actor.hat != "staff":
            return self.none()
        return self.filter(Q(clinic=actor.clinic_id) | Q(clinic=None))

    def in_use(self):
        return self.filter(is_active=True)

    def modalities(self):
        """The names under which these stand, in their order."""
        return list(self.exclude(modality="").order_by("modality").values_list("modality", flat=True).distinct())

    def with_author(self):
        """Each with `created_by`: the key of who defined it."""
        first = self.model.history.filter(id=OuterRef("pk"), history_type="+").values("history_user")[:1]
        return self.annotate(created_by=Subquery(first, output_field=models.UUIDField()))

    def search(self, text="", modality=""):
        """By modality (case ignored) and by words of name and description, each of which must occur."""
        rows = self.filter(modality__iexact=modality.strip()) if modality.strip() else self
        for word in normalise(text).split():
            rows = rows.filter(search_text__contains=word)
        return rows


class Intervention(Recorded):
    """Something that helps a patient reach a goal, in our own words. Those of the library come with the product, belong to no
    clinic, and nobody edits them."""

    class Evidence(models.TextChoices):
        STRONG = "strong", "Strong"
        MODERATE = "moderate", "Moderate"
        EMERGING = "emerging", "Emerging"

    clinic = models.ForeignKey(
        "clinic.Clinic", models.PROTECT, null=True, blank=True, related_name="+", editable=False, db_index=False)
    name = models.CharField(max_length=200)
    description = models.TextField(max_length=2000, blank=True, default="")
    modality = models.CharField(max_length=50, blank=True, default="")
    evidence_level = models.CharField("evidence", max_length=10, choices=Evidence, blank=True, default="")
    is_active = models.BooleanField("in use", default=True)
    search_text = DerivedField(derive="_search_text")

    objects = InterventionQuerySet.as_manager()

    class Meta:
        ordering = ["modality", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "modality", "name"], name="treatment_intervention_name_once",
                violation_error_message="There is an intervention of this name already."),
            models.UniqueConstraint(
                fields=["modality", "name"], condition=Q(clinic=None), name="treatment_intervention_once_in_library"),
            models.CheckConstraint(
                condition=Q(evidence_level__in=["", "strong", "moderate", "emerging"]),
                name="treatment_intervention_known_evidence"),
        ]

    @classmethod
    def own_guards(cls):
        """What one clinic defined never becomes every clinic's, nor the other way round."""
        return [Trigger(
            "treatment_intervention_library_fixed", cls._meta.db_table, ("UPDATE",),
            "((NEW.clinic_id IS NULL) <> (OLD.clinic_id IS NULL))", ("clinic_id",))]

    def __str__(self):
        return self.name

    @property
    def is_system(self):
        return self.clinic_id is None

    @classmethod
    @transaction.atomic
    def define(cls, *, by, name, id: UUID | None = None, **values):
        """Add one of the practice's own."""
        row = cls(clinic_id=by.clinic_id, name=name.strip(), **values)
        if id is not None:
            row.id = id
        if cls.objects.visible_to(by).filter(modality__iexact=row.modality, name__iexact=row.name).exists():
            raise Refused("There is an intervention of this name already.")
        return row.record(by=by)

    def change(self, *, by, **said):
        """As of every record; but only one of the practice's own."""
        if self.is_system:
            raise Refused("This one is of the library, which every practice shares. Define one of your own beside it.")
        return super().change(by=by, **said)

    def effect(self, clinic):
        """Its Effect in this clinic, over all patients. Each rating counts once: those of sessions, and those given on a goal."""
        return self.goals.filter(clinic=clinic).effects("intervention").get(self.pk, UNKNOWN)

    def _search_text(self):
        return normalise(f"{self.name} {self.description}")


class GoalInterventionQuerySet(RecordQuerySet):
    def serving(self):
        """Those that were not taken out."""
        return self.filter(is_withdrawn=False)

    def names(self):
        """{key: the name of its intervention}; one query."""
        return dict(self.values_list("pk", "intervention__name"))

    def to_tick(self, actor, visit, held):
        """What may have been used in this visit: what serves goals of the patient's running plans that this actor writes, goal by
        goal; with those that were (`held`, by their keys), whatever came of their goals since."""
        written = TreatmentPlan.objects.visible_to(actor).of(visit.patient.person).written_by(actor)
        rows = self.filter(goal__plan__in=written).filter(
            Q(is_withdrawn=False, goal__plan__status__in=TreatmentPlan.LIVE) & ~Q(goal__status__in=Goal.CLOSED) | Q(pk__in=held))
        return list(rows.select_related("intervention", "goal__plan__provider", "patient__merged_into").order_by(
            "goal__plan", "goal__priority", "goal__created_at", "goal", "created_at"))

    def effects(self, by="pk"):
        """{key: Effect} of these rows, together by what they have in common: "pk" (each by itself), "intervention"; two queries.

        A row that was taken out says nothing any more, but the sessions in which it was used were held.
        """
        totals = defaultdict(lambda: [0, 0, 0])
        sums = Sum("effectiveness_rating", default=0), Count("effectiveness_rating")
        own = self.serving().filter(effectiveness_rating__isnull=False).order_by().values_list(by).annotate(*sums)
        sessions = SessionIntervention.objects.filter(goal_intervention__in=self.order_by(), is_withdrawn=False)
        held = sessions.order_by().values_list(f"goal_intervention__{by}").annotate(*sums, Count("pk"))
        for key, *counts in (*own, *held):
            for place, count in enumerate(counts):
                totals[key][place] += count
        return {key: Effect.of(*found) for key, found in totals.items()}


class GoalIntervention(PlanPart):
    """That an intervention serves a goal, how often, and how well it does."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    goal = models.ForeignKey(Goal, models.PROTECT, related_name="interventions")
    intervention = models.ForeignKey(Intervention, models.PROTECT, related_name="goals")
    frequency = models.CharField(max_length=100, blank=True, default="")
    notes = EncryptedTextField(context="treatment_goalintervention.notes", blank=True, default="", max_length=2000)
    effectiveness_rating = models.PositiveSmallIntegerField("effect, 1 to 5", null=True, blank=True, validators=RATING)
    is_withdrawn = models.BooleanField(default=False, editable=False)

    objects = GoalInterventionQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "goal", "intervention"], condition=Q(is_withdrawn=False), name="treatment_goalintervention_once",
                violation_error_message="This intervention serves the goal already."),
            models.CheckConstraint(
                condition=Q(effectiveness_rating=None) | Q(effectiveness_rating__gte=1, effectiveness_rating__lte=5),
                name="treatment_goalintervention_rating_1_to_5"),
        ]

    def __str__(self):
        return f"{self.intervention} for {self.goal}"

    @property
    def plan(self):
        return self.goal.plan

    @classmethod
    @transaction.atomic
    def add(cls, *, by, goal, intervention, frequency="", notes="", id: UUID | None = None):
        """Let an intervention serve a goal."""
        goal.plan.lock()
        goal.plan.refuse_reader(by)
        goal.plan.refuse_over()
        row = cls._set_beside(by, goal, intervention, frequency, notes, id)
        goal.plan.freeze_change(by=by)
        return row

    @classmethod
    @transaction.atomic
    def add_all(cls, *, by, goal, interventions, frequency=""):
        """Let several serve a goal, with one new copy of the plan."""
        goal.plan.lock()
        goal.plan.refuse_reader(by)
        goal.plan.refuse_over()
        rows = [cls._set_beside(by, goal, intervention, frequency) for intervention in interventions]
        goal.plan.freeze_change(by=by)
        return rows

    @classmethod
    def _set_beside(cls, by, goal, intervention, frequency="", notes="", id=None):
        """The row, without a copy of the plan. The caller holds the plan's lock and has asked who writes it."""
        if not intervention.is_active:
            raise ValidationError({"intervention_id": f"{intervention.name} is out of use."})
        if goal.interventions.serving().filter(intervention=intervention).exists():
            raise Refused(f"{intervention.name} serves this goal already.")
        row = cls(clinic_id=goal.clinic_id, patient=goal.patient, goal=goal, intervention=intervention, frequency=frequency,
                  notes=notes)
        if id is not None:
            row.id = id
        return row.record(by=by)

    @transaction.atomic
    def revise(self, *, by, version=None, **values):
        """Change frequency, notes, or how well it does; or take it out (`is_withdrawn`)."""
        self.lock(version)
        self.plan.refuse_reader(by)
        self.plan.refuse_over()
        for name, value in values.items():
            setattr(self, name, value)
        self.record(by=by)
        self.plan.freeze_change(by=by)
        return self


class SessionIntervention(PlanPart):
    """That an intervention was used for a goal in a visit, and how well it went there."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="interventions")
    goal_intervention = models.ForeignKey(GoalIntervention, models.PROTECT, related_name="sessions")
    notes = EncryptedTextField(context="treatment_sessionintervention.notes", blank=True, default="", max_length=2000)
    effectiveness_rating = models.PositiveSmallIntegerField("effect, 1 to 5", null=True, blank=True, validators=RATING)
    is_withdrawn = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "appointment", "goal_intervention"], name="treatment_sessionintervention_once"),
            models.CheckConstraint(
                condition=Q(effectiveness_rating=None) | Q(effectiveness_rating__gte=1, effectiveness_rating__lte=5),
                name="treatment_sessionintervention_rating_1_to_5"),
        ]

    def __str__(self):
        return f"{self.goal_intervention} at {self.appointment}"

    @property
    def plan(self):
        return self.goal_intervention.plan

    @classmethod
    @transaction.atomic
    def tick(cls, *, by, appointment, goal_intervention, id: UUID | None = None, **values):
        """It was used in this visit. Ticked again it is the same row, with what is said now. ValidationError for another
        patient's."""
        plan = goal_intervention.plan
        plan.lock()
        plan.refuse_reader(by)
        if goal_intervention.patient.person != appointment.patient.person:
            raise ValidationError({"goal_intervention_id": "This is of another patient than the visit."})
        if not appointment.holds_time:
            raise Refused(f"This visit is {appointment.get_status_display().lower()}: nothing was used in it.")
        row = cls.objects.filter(clinic=by.clinic_id, appointment=appointment, goal_intervention=goal_intervention).first()
        if row is None:
            row = cls(clinic_id=plan.clinic_id, patient=appointment.patient, appointment=appointment,
                      goal_intervention=goal_intervention, **({"id": id} if id else {}))
        else:
            row.lock()
        for name, value in {**values, "is_withdrawn": False}.items():
            setattr(row, name, value)
        return row.record(by=by)

    @classmethod
    @transaction.atomic
    def settle(cls, *, by, appointment, told, seen=None):
        """What a list of a visit says. `told`: {GoalIntervention: {"notes", "effectiveness_rating"}, or None: it was not used}.
        Rows that say so already stay as they are. `seen`: {a serving's key: the version of its row that the list showed, 0 for
        none}; Stale when somebody ticked it otherwise meanwhile."""
        there = {row.goal_intervention_id: row for row in cls.objects.filter(
            clinic=by.clinic_id, appointment=appointment, is_withdrawn=False)}
        for serving, values in told.items():
            row = there.get(serving.pk)
            if (row and row._says()) == values:
                continue
            if seen is not None and row is None and seen[serving.pk]:
                raise Stale(cls.objects.get(clinic=by.clinic_id, appointment=appointment, goal_intervention=serving))
            if seen is not None and row is not None:
                row.lock(seen[serving.pk])
            if values is None:
                row.untick(by=by)
            else:
                cls.tick(by=by, appointment=appointment, goal_intervention=serving, **values)

    def _says(self):
        return {"notes": self.notes, "effectiveness_rating": self.effectiveness_rating}

    @transaction.atomic
    def untick(self, *, by):
        """It was not used there after all."""
        self.lock()
        self.plan.refuse_reader(by)
        self.is_withdrawn = True
        return self.record(by=by)
