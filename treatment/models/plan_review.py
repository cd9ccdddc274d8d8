from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q

from clinic.db.fields import EncryptedTextField
from clinic.db.records import Fact
from clinic.models import Patient
from treatment.course import course_of
from treatment.models.plan import TreatmentPlan


class PlanReview(Fact):
    """That a plan was looked at as a whole: what was found, how many goals are on track, what was changed, when next."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="reviews")
    review_date = models.DateField()
    summary = EncryptedTextField(context="treatment_planreview.summary", max_length=8000)
    goals_reviewed = models.PositiveSmallIntegerField()
    goals_on_track = models.PositiveSmallIntegerField()
    modifications_made = EncryptedTextField(
        context="treatment_planreview.modifications_made", blank=True, default="", max_length=8000)
    next_review_date = models.DateField()

    class Meta:
        ordering = ["-review_date", "-id"]
        indexes = [models.Index(fields=["plan", "-review_date", "-id"], name="treatment_planreview_latest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(goals_on_track__lte=F("goals_reviewed")), name="treatment_planreview_on_track_of_reviewed"),
            models.CheckConstraint(
                condition=Q(next_review_date__gt=F("review_date")), name="treatment_planreview_next_is_later"),
        ]

    def __str__(self):
        return f"Review of {self.plan} on {self.review_date:%Y-%m-%d}"

    @classmethod
    @transaction.atomic
    def hold(cls, *, by, plan, summary, review_date=None, goals_reviewed=None, goals_on_track=None, modifications_made="",
             next_review_date=None, id: UUID | None = None):
        """Record a review and set the next one. What is not counted by hand is counted from the goals: a goal is on track when it
        is achieved, or its share of progress is at least its share of time from the plan's start to its target date."""
        plan.lock()
        plan.refuse_reader(by)
        plan.refuse_over()
        today = by.clinic.today()
        review_date = review_date or today
        if review_date > today:
            raise ValidationError({"review_date": "A review can't have been held on a day to come."})
        if goals_reviewed is None or goals_on_track is None:
            reviewed, on_track = course_of(plan).counted(review_date)
            goals_reviewed = reviewed if goals_reviewed is None else goals_reviewed
            goals_on_track = min(on_track, goals_reviewed) if goals_on_track is None else goals_on_track
        if goals_on_track > goals_reviewed:
            raise ValidationError({"goals_on_track": "More goals can't be on track than were reviewed."})
        next_review_date = next_review_date or plan.review_after(review_date)
        if next_review_date <= review_date:
            raise ValidationError({"next_review_date": "The next review comes after this one."})
        review = cls(
            clinic_id=plan.clinic_id, patient=plan.patient, plan=plan, review_date=review_date, summary=summary,
            goals_reviewed=goals_reviewed, goals_on_track=goals_on_track, modifications_made=modifications_made,
            next_review_date=next_review_date, by=by.user)
        if id is not None:
            review.id = id
        review.clean_fields(exclude=["clinic", "patient", "plan", "by"])
        review.save()
        if plan.reviewed_on == review_date:  # an older one, written down late, sets nothing
            plan.next_review_date = next_review_date
            plan.record(by=by, because="Reviewed")
        return review
