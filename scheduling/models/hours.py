from datetime import timedelta

import holidays
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q

from clinic.db.records import Record
from clinic.models import Provider
from clinic.models.provider import ProviderQuerySet


class Weekday(models.IntegerChoices):
    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


class WorkingHours(Record):
    """One span of a provider's working day, in the clinic's wall time; the gap between two spans is the break."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="working_hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    starts = models.TimeField()
    ends = models.TimeField()
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "weekday", "starts"]
        verbose_name_plural = "working hours"
        indexes = [models.Index(fields=["clinic", "weekday", "provider"], name="scheduling_hours_of_weekday")]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "provider", "weekday", "starts"], condition=Q(is_active=True), name="scheduling_hours_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="scheduling_hours_end_after_start"),
            models.CheckConstraint(condition=Q(weekday__range=(0, 6)), name="scheduling_hours_weekday"),
        ]

    def __str__(self):
        return f"{self.provider} {self.get_weekday_display()} {self.starts:%H:%M}-{self.ends:%H:%M}"

    def clean(self):
        if self.starts and self.ends and self.ends <= self.starts:
            raise ValidationError({"ends": "The hours end before they start."})


class HoursException(Record):
    """A day that differs: a provider is away or works other hours, or (without provider) the practice is closed."""

    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="hours_exceptions")
    date = models.DateField()
    starts = models.TimeField(null=True, blank=True, help_text="Empty: away the whole day.")
    ends = models.TimeField(null=True, blank=True)
    reason = models.CharField(max_length=120)
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["date", "provider"]
        indexes = [models.Index(fields=["clinic", "date"], name="scheduling_exception_of_day")]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts=None, ends=None) | Q(starts__isnull=False, ends__isnull=False, ends__gt=F("starts")),
                name="scheduling_exception_end_after_start"),
        ]

    def __str__(self):
        return f"{self.date} {self.reason}"

    @property
    def hours(self):
        """What differs, in words."""
        if self.starts is None:
            return "closed" if self.provider_id is None else "away"
        return f"{self.starts:%-H:%M}-{self.ends:%-H:%M} only"

    @classmethod
    @transaction.atomic
    def set_days(cls, *, by, first_day, last_day, reason, provider=None, starts=None, ends=None):
        """Make each of these days differ, for one provider or the whole practice; what stood there for them ends.

        At most a year in one go. Returns the new rows. Booked visits stay; who asks is told how many there are.
        """
        if last_day < first_day:
            raise ValidationError({"last_day": "The last day lies before the first."})
        if last_day - first_day > timedelta(days=366):
            raise ValidationError({"last_day": "At most a year in one go."})
        for row in cls.objects.filter(
                clinic=by.clinic_id, provider=provider, date__range=(first_day, last_day)).current():
            row.lift(by=by, because="Set anew")
        days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
        return [
            cls(provider=provider, date=day, starts=starts, ends=ends, reason=reason).record(by=by, because=reason) for day in days]

    @classmethod
    @transaction.atomic
    def keep_holidays(cls, *, by, year):
        """Close the practice on the public holidays of its country and region that have no entry yet; the new rows."""
        found = public_holidays(by.clinic, year)
        known = set(cls.objects.filter(
            clinic=by.clinic_id, provider=None, date__year=year).current().values_list("date", flat=True))
        return [
            cls(date=day, reason=name).record(by=by, because="Public holiday") for day, name in found.items() if day not in known]

    @transaction.atomic
    def lift(self, *, by, because=""):
        """The usual hours hold again on that day."""
        self.lock()
        self.is_active = False
        return self.record(by=by, because=because)

    def clean(self):
        if (self.starts is None) != (self.ends is None):
            raise ValidationError("Give both a start and an end, or neither for the whole day.")
        if self.starts and self.ends <= self.starts:
            raise ValidationError({"ends": "The hours end before they start."})


def public_holidays(clinic, year):
    """{date: name} by the library, for the clinic's country and region; empty where it knows neither."""
    try:
        days = holidays.country_holidays(clinic.country, subdiv=clinic.region or None, years=year)
    except NotImplementedError:  # a country or a region that it does not know
        return {}
    return {day: name[:120] for day, name in sorted(days.items())}
