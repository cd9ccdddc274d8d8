from django.db import models
from django.db.models import Q

from clinic.db.fields import MoneyField
from clinic.db.records import Record
from clinic.models.procedure_code import ProcedureCode
from clinic.models.provider import ProviderQuerySet


class FeeScheduleQuerySet(ProviderQuerySet):
    def holding(self, name, on):
        """The list of this name that holds that day, the newest that has begun; as a queryset of one row or none."""
        return self.current().filter(name=name, since__lte=on).order_by("-since")[:1]


class FeeSchedule(Record):
    """A dated list of fees besides the office's own, such as what was agreed with a carrier. Not a price of a visit."""

    name = models.CharField(max_length=80)
    since = models.DateField("holds from")
    note = models.CharField(max_length=200, blank=True, help_text="With whom it was agreed, or where it comes from.")
    is_active = models.BooleanField("in use", default=True)

    objects = FeeScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "-since"]
        constraints = [models.UniqueConstraint(
            fields=["clinic", "name", "since"], name="clinic_feeschedule_once",
            violation_error_message="There is a schedule of this name from this day on already.")]

    def __str__(self):
        return f"{self.name} from {self.since:%Y-%m-%d}"


class Fee(Record):
    """What a procedure costs by one fee schedule. A code without a line costs the office's fee."""

    schedule = models.ForeignKey(FeeSchedule, models.PROTECT, related_name="fees")
    procedure_code = models.ForeignKey(ProcedureCode, models.PROTECT, related_name="+", verbose_name="code")
    amount = MoneyField()
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["procedure_code__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "schedule", "procedure_code"], condition=Q(is_active=True), name="clinic_fee_once",
                violation_error_message="This code has a fee in this schedule already."),
            models.CheckConstraint(
                condition=Q(amount__gte=0), name="clinic_fee_not_negative", violation_error_message="A fee is not negative."),
        ]

    def __str__(self):
        return f"{self.procedure_code.code} by {self.schedule}"


def fees_on(codes, day, schedule_name=""):
    """What each of these codes costs on that day: {key of the code: amount}, in one query however many.

    The rule: of the lists of this name the newest that has begun by that day counts, and only that one. A code that it does
    not name costs the office's fee, as does every code where no list of this name has begun, or no name is given.
    """
    codes = list(codes)
    amounts = {code.pk: code.fee for code in codes}
    if codes and schedule_name:
        schedule = FeeSchedule.objects.filter(clinic=codes[0].clinic_id).holding(schedule_name, day)
        amounts |= dict(Fee.objects.filter(
            clinic=codes[0].clinic_id, schedule__in=schedule.values("pk"), procedure_code__in=amounts).current().values_list(
            "procedure_code", "amount"))
    return amounts
