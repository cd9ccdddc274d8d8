from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q

from clinic.db.records import Record, RecordQuerySet
from clinic.models import Patient
from scheduling.models.all_or_none import all_or_none, queue
from scheduling.models.appointment import Appointment
from scheduling.refusals import OutOfOrder


class SeriesQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient)
        return super().visible_to(actor)


class Series(Record):
    """Visits of one patient that were booked in one go, every so many weeks. Not a rule that makes visits: each one stands
    on its own once it is booked."""

    LEAST, MOST = 2, 104  # weekly for two years
    WIDEST = 52

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="series")
    every_weeks = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(WIDEST)])

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "series"
        indexes = [models.Index(fields=["clinic", "patient"], name="scheduling_series_of_patient")]
        constraints = [models.CheckConstraint(
            condition=Q(every_weeks__gte=1, every_weeks__lte=52), name="scheduling_series_every_1_to_52_weeks")]

    def __str__(self):
        return "every week" if self.every_weeks == 1 else f"every {self.every_weeks} weeks"

    def standing(self):
        """Its visits that were not cancelled, in order."""
        return self.visits.exclude(status=Appointment.Status.CANCELLED).order_by("starts_at")

    def following(self, visit):
        """This visit and those of the series after it that are still to come."""
        return self.visits.filter(
            status__in=Appointment.EXPECTED, starts_at__gte=visit.starts_at).order_by("starts_at")

    def after(self, visit):
        """How many visits of the series are still to come after this one."""
        return self.following(visit).exclude(pk=visit.pk).count()

    @classmethod
    @transaction.atomic
    def book(cls, *, by, patient, every_weeks, visits, because=""):
        """Book these visits (each what `Appointment.book` takes besides patient and actor) as one series, all or none.

        SomeTaken with every visit that can't be; ValidationError for what makes no sense.
        """
        if not cls.LEAST <= len(visits) <= cls.MOST:
            raise ValidationError({"times": f"A series has {cls.LEAST} to {cls.MOST} visits."})
        series = cls(patient=patient, every_weeks=every_weeks).record(by=by, because=because)
        queue([patient.pk], visits)
        all_or_none(
            [(number, lambda values=values: Appointment.book(by=by, patient=patient, series=series, **values))
             for number, values in enumerate(visits)], by.clinic.zone)
        return series

    @transaction.atomic
    def move(self, *, by, moves, because=""):
        """Move visits of the series, all or none: {visit: what `reschedule` takes}.

        Those that move later go last to first and the others first to last, so that none stands in another's way.
        SomeTaken names those whose new time is taken, by their place in `moves`.
        """
        self._lock(moves)
        queue([self.patient_id], moves.values())
        places = {visit.pk: place for place, visit in enumerate(moves)}
        later = [visit for visit, values in moves.items() if values["starts_at"] > visit.starts_at]
        sooner = [visit for visit in moves if visit not in later]
        order = [*sorted(later, key=_start, reverse=True), *sorted(sooner, key=_start)]
        all_or_none(
            [(places[visit.pk], lambda visit=visit: visit.reschedule(by=by, because=because, **moves[visit])) for visit in order],
            by.clinic.zone)

    @transaction.atomic
    def cancel_from(self, visit, *, by, because):
        """Cancel this visit and all of the series that follow it and are still to come. Returns them."""
        visits = list(self.following(visit))
        if not visits:
            raise OutOfOrder("No visit of this series is still to come from here on.")
        self._lock(visits)
        for row in visits:
            row.cancel(by=by, because=because)
        return visits

    def _lock(self, visits):
        """Take the rows in one order, whoever comes; each verb then reads its own row as it stands."""
        list(self.visits.filter(pk__in=[visit.pk for visit in visits]).order_by("pk").lock())


def _start(visit):
    return visit.starts_at
