from django.db import IntegrityError, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from clinic.db.records import Fact
from clinic.models import Clinic, Notification
from clinic.models.notification import members
from clinic.notices import NOTICES, roles_concerned
from treatment.models.plan import TreatmentPlan

REVIEWS = TreatmentPlan.ReviewStatus


class ReviewReminder(Fact):
    """That people were told of a plan's review: that it comes up, is due today, or is overdue; each once for one day of review.

    Not the telling itself, which stands in the bell. A review sets another day, and with it everything begins anew.
    """

    class Stage(models.TextChoices):
        UPCOMING = REVIEWS.UPCOMING.value, "Within a week"
        DUE = REVIEWS.DUE.value, "Today"
        OVERDUE = REVIEWS.OVERDUE.value, "Overdue"

    told_by_its_record = True

    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="review_reminders", db_index=False)
    review_date = models.DateField(help_text="The day of which was told.")
    stage = models.CharField(max_length=8, choices=Stage)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "plan", "review_date", "stage"], name="treatment_reviewreminder_once"),
            models.CheckConstraint(
                condition=Q(stage__in=["upcoming", "due", "overdue"]), name="treatment_reviewreminder_known_stage"),
        ]

    def __str__(self):
        return f"{self.get_stage_display()}: review of {self.plan} on {self.review_date:%Y-%m-%d}"

    @classmethod
    def write_due(cls, now=None):
        """Tell people in every clinic of the reviews that come up; returns of how many. Safe to repeat, and to run twice at once.

        After days without a run a plan is told of by the stage at which it stands now, and not by those that it passed.
        """
        now = now or timezone.now()
        return sum(cls._write_due_in(clinic, now) for clinic in Clinic.objects.all())

    @classmethod
    def _write_due_in(cls, clinic, now):
        told = cls.objects.filter(clinic=OuterRef("clinic"), plan=OuterRef("pk"), review_date=OuterRef("next_review_date"))
        written = 0
        for stage in cls.Stage:
            plans = TreatmentPlan.objects.filter(clinic=clinic).with_review(stage.value, clinic.today(now)).exclude(
                Exists(told.filter(stage=stage)))
            for plan in plans.select_related("provider", "clinic").order_by("next_review_date", "pk"):
                written += cls._tell(plan, stage, now)
        return written

    @classmethod
    def _tell(cls, plan, stage, now):
        """Claim this stage of this review and tell people of it; 0 when another worker has done so."""
        try:
            with transaction.atomic():
                cls.objects.create(clinic_id=plan.clinic_id, plan=plan, review_date=plan.next_review_date, stage=stage, at=now)
                kind = f"review_{stage.value}"
                Notification.tell(
                    plan.clinic, kind, key=f"{kind}:{plan.pk}:{plan.next_review_date}", users=cls._concerned(plan, stage, kind),
                    url=reverse("treatment:reviews", args=[plan.pk]), now=now)
        except IntegrityError:
            return 0
        return 1

    @classmethod
    def _concerned(cls, plan, stage, kind):
        """The provider always; on the day the care team too; then the managers. Only who still works here."""
        keys = {plan.provider.user_id}
        if stage == cls.Stage.DUE:
            keys |= set(plan.care_team.current().values_list("user", flat=True))
        if stage == cls.Stage.OVERDUE:
            keys |= set(members(plan.clinic_id, ["manager"]))
        return keys & set(members(plan.clinic_id, roles_concerned(NOTICES[kind])))
