from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Case, F, Q, When

from clinic import search
from clinic.db.fields import DerivedField, MoneyField
from clinic.db.records import Record
from clinic.models.provider import ProviderQuerySet


class ProcedureCodeQuerySet(ProviderQuerySet):
    def current(self, on=None):
        """The codes in use; with a day those that are also effective that day."""
        rows = super().current()
        return rows if on is None else rows.filter(
            Q(effective_from=None) | Q(effective_from__lte=on), Q(effective_to=None) | Q(effective_to__gte=on))

    def search(self, text):
        """Codes that begin so, with or without their D, or whose description has every word; those by code come first.

        A word may be typed in part, from its start. `clinic_procedurecode_once` finds the clinic's few hundred rows.
        """
        starts = search.word_starts(text)
        if not starts:
            return self.none()
        found = self
        for start in starts:
            found = found.filter(search_text__contains=start)
        typed = text.strip()
        by_code = Q(code__istartswith=typed) | Q(code__istartswith=f"D{typed}")
        return found.order_by(Case(When(by_code, then=0), default=1), "code")


class ProcedureCode(Record):
    """A procedure that the practice does, with its code: in our own plain words, or in those of the list it has licensed."""

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
    edition = models.CharField(
        max_length=40, blank=True, default="",
        help_text="Of the licensed list that it comes from, such as CDT 2027. Empty: in our own words.")
    effective_from = models.DateField(null=True, blank=True)
    effective_to = models.DateField("effective until", null=True, blank=True)
    search_text = DerivedField(derive="_search_text")

    objects = ProcedureCodeQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "code"], name="clinic_procedurecode_once"),
            models.CheckConstraint(condition=Q(fee__gte=0), name="clinic_procedurecode_fee_not_negative"),
            models.CheckConstraint(condition=Q(minutes__range=(5, 600)), name="clinic_procedurecode_minutes_5_to_600"),
            models.CheckConstraint(
                condition=Q(effective_to__gte=F("effective_from")) | Q(effective_from=None) | Q(effective_to=None),
                name="clinic_procedurecode_ends_after_start",
                violation_error_message="The code ends before it begins."),
        ]

    def __str__(self):
        return f"{self.code} {self.description}"

    @transaction.atomic
    def follow(self, values, *, by, because=""):
        """Take over what a list says of this code; see `said_otherwise`. What the list does not say stays."""
        self.lock()
        for name, value in self.said_otherwise(values).items():
            setattr(self, name, value)
        return self.record(by=by, because=because)

    def said_otherwise(self, values):
        """{field: value} of what a list says otherwise than this row. A list that names a code again which an earlier one
        had ended brings it back; since when a code is effective only the list knows that brought it.
        """
        said = dict(values)
        if said["edition"] != self.edition:
            said.pop("effective_from", None)
            if self.effective_to is not None:
                said = {"effective_to": None, "is_active": True, **said}
        elif self.effective_from is None:
            said.pop("effective_from", None)
        return {name: value for name, value in said.items() if getattr(self, name) != value}

    @transaction.atomic
    def end(self, on, *, by, because=""):
        """It is effective until that day and no longer; where that is over, it goes out of use. What names it still reads it."""
        self.lock()
        self.effective_to = max(on, self.effective_from or on)
        self.is_active = self.is_active and on >= self.clinic.today()
        return self.record(by=by, because=because)

    def _search_text(self):
        return search.spaced(f"{self.code} {self.code.removeprefix('D')} {self.description}")
