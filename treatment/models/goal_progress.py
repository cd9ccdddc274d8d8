from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from clinic.db.fields import EncryptedTextField
from clinic.db.records import Fact, FactQuerySet
from clinic.models import Patient
from scheduling.models import Appointment
from treatment.models.goal import Goal


class GoalProgressQuerySet(FactQuerySet):
    def latest_ratings(self, goals):
        """{goal's key: its latest rating} of these goals; one query."""
        newest = self.model.objects.filter(goal=OuterRef("goal"), rating__isnull=False).order_by("-at", "-id").values("pk")[:1]
        return dict(self.filter(goal__in=goals, pk=Subquery(newest)).values_list("goal", "rating"))


class GoalProgress(Fact):
    """An entry on how a goal goes, mostly from a visit. It never changes: the next one says what is so now."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    goal = models.ForeignKey(Goal, models.PROTECT, related_name="progress")
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, related_name="+", help_text="The session.")
    progress_note = EncryptedTextField(context="treatment_goalprogress.progress_note", max_length=8000)
    progress_value = models.CharField(max_length=200, blank=True, default="")
    rating = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10)])

    used = models.JSONField(default=list, blank=True, help_text="The keys of the goal's interventions that it names.")

    objects = GoalProgressQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["goal", "-at", "-id"], name="treatment_goalprogress_latest")]
        constraints = [models.CheckConstraint(
            condition=Q(rating=None) | Q(rating__gte=1, rating__lte=10), name="treatment_goalprogress_rating_1_to_10")]

    def __str__(self):
        return f"Progress of {self.goal}"

    @classmethod
    @transaction.atomic
    def tell(cls, *, by, goal, progress_note, progress_value="", rating=None, appointment=None, used=(), id: UUID | None = None,
             now=None):
        """Write an entry: a value becomes the goal's current one, a goal that was not started is in progress, and the
        interventions that were used (`used`: GoalInterventions of this goal) are ticked for the session."""
        goal.lock()
        goal.plan.refuse_reader(by)
        goal.plan.refuse_over()
        if appointment is not None and appointment.patient.person != goal.patient.person:
            raise ValidationError({"session_id": "This visit is another patient's."})
        if appointment is not None and not appointment.holds_time:
            raise ValidationError({"session_id": f"This visit is {appointment.get_status_display().lower()}: it was not held."})
        if used and appointment is None:
            raise ValidationError({"session_id": "Say in which visit these interventions were used."})
        if any(row.goal_id != goal.pk for row in used):
            raise ValidationError({"intervention_ids": "Some of these interventions do not serve this goal."})
        entry = cls(clinic_id=goal.clinic_id, patient=goal.patient, goal=goal, appointment=appointment, progress_note=progress_note,
                    progress_value=progress_value, rating=rating, used=[str(row.pk) for row in used], by=by.user,
                    at=now or timezone.now())
        if id is not None:
            entry.id = id
        entry.clean_fields(exclude=["clinic", "patient", "goal", "appointment", "by"])
        entry.save()
        goal._went_on(by, progress_value)
        for row in used:
            row.sessions.model.tick(by=by, appointment=appointment, goal_intervention=row)
        return entry
