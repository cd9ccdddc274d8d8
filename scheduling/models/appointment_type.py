from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from clinic.db.records import Record
from clinic.models import ProcedureCode, Provider
from clinic.models.provider import ProviderQuerySet

DOCTOR_KINDS = (Provider.Kind.DENTIST, Provider.Kind.ORTHODONTIST)


def known_kinds(value):
    if not isinstance(value, list) or not set(value) <= set(Provider.Kind.values):
        raise ValidationError(f"Write a list of: {', '.join(Provider.Kind.values)}.")


def known_pattern(value):
    """A list of {"who": "provider" or "doctor", "from": minute, "minutes": length}."""
    good = isinstance(value, list) and all(
        isinstance(part, dict) and set(part) == {"who", "from", "minutes"} and part["who"] in ("provider", "doctor")
        and isinstance(part["from"], int) and isinstance(part["minutes"], int) and part["from"] >= 0 and part["minutes"] > 0
        for part in value)
    if not good:
        raise ValidationError('Write a list of {"who": "provider" or "doctor", "from": minute, "minutes": length}.')


class AppointmentType(Record):
    """What kinds of visit the practice books: how long, with whom, whose minutes it takes.

    `pattern` says whose own minutes a visit takes: the "provider" whom it is booked with, and the "doctor" who looks
    in (the patient's dentist). Empty: the provider, from start to end.
    """

    name = models.CharField(max_length=60)
    minutes = models.PositiveSmallIntegerField("length", validators=[MinValueValidator(5), MaxValueValidator(600)])
    buffer_before = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(120)])
    buffer_after = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(120)])
    colour = models.PositiveSmallIntegerField(default=1, help_text="One of the palette's twelve.")
    pattern = models.JSONField(default=list, blank=True, validators=[known_pattern])
    kinds = models.JSONField("who may do it", default=list, blank=True, validators=[known_kinds])
    sequence = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["sequence", "name"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "name"], name="scheduling_type_name_once"),
            models.CheckConstraint(condition=Q(minutes__range=(5, 600)), name="scheduling_type_minutes_5_to_600"),
            models.CheckConstraint(condition=Q(colour__range=(1, 12)), name="scheduling_type_colour_of_palette"),
        ]

    def __str__(self):
        return self.name

    def allows(self, provider):
        """Whether this provider may do it; an empty list allows everyone."""
        return not self.kinds or provider.kind in self.kinds

    @classmethod
    def for_work(cls, actor, provider, codes):
        """The type of visit that brings the first of these procedure codes (keys), else any of them, else the first that this
        provider does; None when none fits."""
        types = [row for row in cls.objects.visible_to(actor).current() if provider is None or row.allows(provider)]
        brings = AppointmentTypeCode.objects.visible_to(actor).current().filter(procedure_code__in=codes).values_list(
            "procedure_code", "appointment_type")
        fitting = {kind for code, kind in brings if code == codes[0]} or {kind for _, kind in brings}
        return next((row for row in types if row.pk in fitting), types[0] if provider and types else None)

    def parts(self, minutes):
        """[(who, from, length)] in minutes for a visit of this length.

        The provider's part that fills the type's whole length grows and shrinks with the visit; a doctor's look keeps
        its place, cut where the visit ends.
        """
        parts = []
        for part in self.pattern or [{"who": "provider", "from": 0, "minutes": self.minutes}]:
            start, length = part["from"], part["minutes"]
            if start + length == self.minutes and part["who"] == "provider":
                length = minutes - start
            length = min(length, minutes - start)
            if length > 0:
                parts.append((part["who"], start, length))
        return parts


class AppointmentTypeCode(Record):
    """A procedure code that a visit of this type usually brings."""

    appointment_type = models.ForeignKey(AppointmentType, models.PROTECT, related_name="codes")
    procedure_code = models.ForeignKey(ProcedureCode, models.PROTECT, related_name="+")
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(
            fields=["clinic", "appointment_type", "procedure_code"], condition=Q(is_active=True),
            name="scheduling_typecode_once")]

    def __str__(self):
        return f"{self.appointment_type}: {self.procedure_code.code}"
