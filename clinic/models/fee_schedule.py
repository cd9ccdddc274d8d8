from django.db import models
from django.db.models import Q

from clinic.db.fields import MoneyField
from clinic.db.records import Record
from clinic.models.procedure_code import ProcedureCode
from clinic.models.provider import ProviderQuerySet


class FeeSchedule(Record):
    """A dated list of fees besides the office's own, such as what was agreed with a carrier. Not a price of a visit."""

    name = models.CharField(max_length=80)
    since = models.DateField("holds from")
    note = models.CharField(max_length=200, blank=True, help_text="With whom it was agreed, or where it comes from.")
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

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
