"""A plan's milestones as their page shows them: in order, with what is late, what is likely, and the drawing of it all."""
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.utils import timezone

from milestones.adjustments import cards_of
from milestones.forecast import forecast
from milestones.health import health_of
from milestones.models import Milestone
from milestones.models.adjustment import ORTHODONTIC
from milestones.of_plans import reached
from milestones.timeline import Course, Visited, drawn, strip
from scheduling.models import Appointment
from scheduling.slots import midnight
from treatment.models import TreatmentPlan

TONES = {"PENDING": "grey", "IN_PROGRESS": "blue", "ACHIEVED": "green", "MISSED": "red", "DEFERRED": "amber", "CANCELLED": "grey"}
HEALTH = {"on_track": ("green", "On track"), "at_risk": ("amber", "At risk"), "late": ("red", "Late")}
MOST_VISITS = 400


@dataclass(frozen=True)
class Row:
    """A milestone as a row. `likely`: its forecast, None when it is not open or nothing tells."""

    milestone: Milestone
    tone: str
    days_late: int
    is_overdue: bool
    likely: object


class MilestoneSheet:
    """A plan's milestones for one actor; each part is asked for once, by a constant number of queries."""

    def __init__(self, actor, plan, now=None):
        self.actor, self.plan = actor, plan
        self.now = now or timezone.now()
        self.today = actor.clinic.today(self.now)
        self.may_write = not plan.is_over and Milestone.keeps(actor, plan)

    @cached_property
    def milestones(self):
        rows = list(self.plan.milestones.in_force().in_order().select_related("phase", "goal", "clinic"))
        for row in rows:
            row.plan = self.plan
        return rows

    @cached_property
    def likely(self):
        return forecast(self.plan, self.milestones, self.today)

    @cached_property
    def rows(self):
        return [Row(row, TONES[row.status], row.days_late(self.today), row.is_overdue(self.today), self.likely.get(row.pk))
                for row in self.milestones]

    @cached_property
    def progress(self):
        """{"achieved", "total", "percent"}"""
        return reached([self.plan]).get(self.plan.pk, {"achieved": 0, "total": 0, "percent": 0})

    @cached_property
    def health(self):
        """How the plan stands and why; None for one that does not run."""
        return health_of([self.plan], self.today, self.now)[self.plan.pk] if self.plan.status in TreatmentPlan.REVIEWED else None

    @property
    def health_tone(self):
        return HEALTH[self.health.state][0]

    @property
    def health_words(self):
        return HEALTH[self.health.state][1]

    @property
    def next(self):
        """The first that is open."""
        return next((row for row in self.rows if row.milestone.is_open), None)

    @property
    def ends(self):
        """The forecast of the last milestone that is open: of the end."""
        return max(self.likely.values(), key=lambda each: each.day, default=None)

    @cached_property
    def shifts(self):
        """What would move with the plan's dates of now; only for who may move it."""
        return Milestone.shifts(self.plan) if self.may_write else []

    @cached_property
    def visits(self):
        """The patient's visits since the plan began, the oldest first."""
        rows = Appointment.objects.filter(clinic=self.plan.clinic_id).of(self.plan.person).filter(
            starts_at__gte=midnight(self.plan.start_date, self.actor.clinic.zone)).exclude(status=Appointment.Status.CANCELLED)
        if self.plan.actual_end_date:
            rows = rows.filter(starts_at__lt=midnight(self.plan.actual_end_date + timedelta(days=1), self.actor.clinic.zone))
        return list(rows.select_related("appointment_type", "clinic").order_by("-starts_at")[:MOST_VISITS])[::-1]

    @property
    def drawing(self):
        zone = self.actor.clinic.zone
        visits = [Visited(visit.starts_at.astimezone(zone).date(), self._kept(visit)) for visit in self.visits]
        return drawn(f"Milestones of {self.plan.title}", self.courses, visits, start=self.plan.start_date,
                     end=self.plan.target_end_date,
                     today=self.plan.actual_end_date or self.today, is_over=bool(self.plan.actual_end_date))

    @cached_property
    def cards(self):
        """The adjustment cards, the newest first."""
        return cards_of(self.plan, self.milestones, self.actor.clinic) if self.plan.treatment_type in ORTHODONTIC else []

    @property
    def strip(self):
        return strip(self.courses)

    @property
    def courses(self):
        return [Course(
            row.milestone.name, self._state(row), row.milestone.target_date, row.milestone.achieved_date, row.likely)
            for row in self.rows]

    def _kept(self, visit):
        if visit.status == Appointment.Status.NO_SHOW:
            return "missed"
        return "kept" if visit.status not in Appointment.EXPECTED else "coming" if visit.starts_at > self.now else "open"

    @staticmethod
    def _state(row):
        if row.milestone.achieved_date:
            return "late" if row.days_late else "achieved"
        if row.is_overdue:
            return "overdue"
        if row.milestone.status == Milestone.Status.CANCELLED:
            return "cancelled"
        return "open" if row.milestone.is_open else "gone"
