from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from clinic.db.fields import MoneyField
from clinic.db.records import Record


class FrontDesk(Record):
    """How one clinic's front desk works: what it lets Chairside do by itself. At most one row a clinic; none: the defaults."""

    asks_by_itself = models.BooleanField(
        "offers freed times by itself", default=True, help_text="Otherwise the desk starts each offer.")
    hold_minutes = models.PositiveSmallIntegerField(
        "minutes to answer", default=60, validators=[MinValueValidator(5), MaxValueValidator(2880)],
        help_text="So long a freed time is held for the one who was asked, before the next one is.")
    reminds_by_itself = models.BooleanField(
        "reminds of visits by itself", default=True,
        help_text="A week and a day before, by e-mail or text message, with a link to confirm.")
    reminder_hour = models.PositiveSmallIntegerField(
        "hour of reminders", default=10, validators=[MinValueValidator(8), MaxValueValidator(19)],
        help_text="By the practice's clock, from 8 to 19.")
    reminders_say_when = models.BooleanField(
        "messages say when", default=False,
        help_text="Day and time stand in the message itself. Otherwise only on the page that its link opens.")
    feeds_name_patients = models.BooleanField(
        "calendars name patients", default=False, help_text="Whoever has a calendar's secret address then reads who comes.")
    day_goal = MoneyField(
        "production goal of a day", null=True, blank=True,
        help_text="Fees of all visits of a working day. Empty: none is shown.")

    class Meta:
        verbose_name_plural = "front desk"
        constraints = [
            models.UniqueConstraint(fields=["clinic"], name="scheduling_frontdesk_one_a_clinic"),
            models.CheckConstraint(
                condition=Q(hold_minutes__gte=5, hold_minutes__lte=2880), name="scheduling_frontdesk_hold_5_minutes_to_2_days"),
            models.CheckConstraint(
                condition=Q(reminder_hour__gte=8, reminder_hour__lte=19), name="scheduling_frontdesk_reminder_hour_by_day"),
            models.CheckConstraint(
                condition=Q(day_goal__gt=0), name="scheduling_frontdesk_goal_above_zero",
                violation_error_message="A goal is more than zero. Leave it empty for none."),
        ]

    def __str__(self):
        return "Front desk"

    @classmethod
    def of(cls, clinic):
        """The clinic's own row, or one with the defaults that is not saved."""
        return cls.objects.filter(clinic=clinic).first() or cls(clinic=clinic)
