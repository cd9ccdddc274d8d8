from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from clinic.db.records import Record


class ChartSettings(Record):
    """How one clinic charts. At most one row a clinic; none: the defaults. Its tooth numbering is the clinic's own."""

    deep_pocket_mm = models.PositiveSmallIntegerField(
        "deep pocket from", default=5, validators=[MinValueValidator(4), MaxValueValidator(9)],
        help_text="Millimetres from which a probing depth is marked.")
    probes_implants = models.BooleanField(
        "implants are probed", default=True, help_text="Otherwise a periodontal exam skips them like missing teeth.")

    class Meta:
        verbose_name_plural = "chart settings"
        constraints = [
            models.UniqueConstraint(fields=["clinic"], name="charting_chartsettings_one_a_clinic"),
            models.CheckConstraint(
                condition=Q(deep_pocket_mm__gte=4, deep_pocket_mm__lte=9), name="charting_chartsettings_deep_4_to_9"),
        ]

    def __str__(self):
        return "Chart settings"

    @classmethod
    def of(cls, clinic):
        """The clinic's own row, or one with the defaults that is not saved."""
        return cls.objects.filter(clinic=clinic).first() or cls(clinic=clinic)
