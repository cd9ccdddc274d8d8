from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from clinic.db.fields import MoneyField
from clinic.db.records import Record
from clinic.models.provider import ProviderQuerySet


class ProcedureCode(Record):
    """A procedure that the practice does, with its code, in our own plain words.

    Not a licensed code text: those come with the practice's own list.
    """

    class Area(models.TextChoices):
        """What a procedure of this code must name, and what it may not."""

        SURFACE = "surface", "Surface"
        TOOTH = "tooth", "Tooth"
        TOOTH_RANGE = "tooth_range", "Tooth range"
        QUADRANT = "quadrant", "Quadrant"
        SEXTANT = "sextant", "Sextant"
        ARCH = "arch", "Arch"
        MOUTH = "mouth", "Mouth"

    class Category(models.TextChoices):
        DIAGNOSTIC = "diagnostic", "Diagnostic"
        PREVENTIVE = "preventive", "Preventive"
        RESTORATIVE = "restorative", "Restorative"
        ENDODONTICS = "endodontics", "Root canals"
        PERIODONTICS = "periodontics", "Gums"
        PROSTHODONTICS = "prosthodontics", "Dentures and bridges"
        IMPLANTS = "implants", "Implants"
        SURGERY = "surgery", "Surgery"
        ORTHODONTICS = "orthodontics", "Orthodontics"
        ADJUNCTIVE = "adjunctive", "Other"

    code = models.CharField(max_length=10)
    description = models.CharField(max_length=200)
    category = models.CharField(max_length=20, choices=Category)
    treatment_area = models.CharField(max_length=12, choices=Area)
    minutes = models.PositiveSmallIntegerField(validators=[MinValueValidator(5), MaxValueValidator(600)])
    fee = MoneyField()
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "code"], name="clinic_procedurecode_once"),
            models.CheckConstraint(condition=models.Q(fee__gte=0), name="clinic_procedurecode_fee_not_negative"),
            models.CheckConstraint(
                condition=models.Q(minutes__range=(5, 600)), name="clinic_procedurecode_minutes_5_to_600"),
        ]

    def __str__(self):
        return f"{self.code} {self.description}"
