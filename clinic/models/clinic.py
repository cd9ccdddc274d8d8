import zoneinfo

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from guardian.models import UserObjectPermissionBase
from phonenumbers import SUPPORTED_REGIONS

from clinic.db.records import Recorded, RecordQuerySet
from clinic.db.refusals import Refused


def known_time_zone(name):
    if name not in zoneinfo.available_timezones():
        raise ValidationError("This is not a known time zone. Write one like America/New_York.")


def known_country(code):
    """The country's two letters (ISO 3166) in capitals; empty stays empty."""
    code = code.strip().upper()
    if code and code not in SUPPORTED_REGIONS:
        raise ValidationError({"country": "This is not a country's two letters. Write them like US or DE."})
    return code


class ClinicQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        return self.filter(pk=actor.clinic_id) if actor else self.none()


class Clinic(Recorded):
    """The tenant: one practice at one place. Every other record belongs to exactly one.

    Not a company: a group of practices is several clinics whose people are members of each.
    """

    class Numbering(models.TextChoices):
        UNIVERSAL = "universal", "Universal (1-32, A-T)"
        FDI = "fdi", "FDI (11-48, 51-85)"
        PALMER = "palmer", "Palmer"

    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, default="America/New_York", validators=[known_time_zone])
    tooth_numbering = models.CharField(max_length=10, choices=Numbering, default=Numbering.UNIVERSAL)
    country = models.CharField(max_length=2, default="US", help_text="ISO 3166 code: how phone numbers are read.")
    region = models.CharField(max_length=10, blank=True, help_text="ISO 3166-2 subdivision: whose public holidays hold.")
    currency = models.CharField(max_length=3, default="USD")
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    address = models.TextField(blank=True)
    opened_on = models.DateField()
    medical_review_months = models.PositiveSmallIntegerField(
        default=6, validators=[MinValueValidator(1)], help_text="Check-in asks for a medical history older than this.")
    requires_second_factor = models.BooleanField(
        default=True, help_text="Its staff sign in with an authenticator app or a passkey besides the password.")

    closed_through = models.DateField(
        "books closed through", null=True, blank=True, help_text="Work of this day and earlier is neither added nor changed.")

    objects = ClinicQuerySet.as_manager()

    class Meta:
        permissions = [("coach_clinic", "May follow the growth of this clinic")]

    def __str__(self):
        return self.name

    def clean(self):
        self.country = known_country(self.country)
        if self.closed_through and self.closed_through >= self.today():
            raise ValidationError({"closed_through": "Only days that are over can be closed."})

    @property
    def zone(self):
        return zoneinfo.ZoneInfo(self.time_zone)

    def refuse_closed(self, day):
        """Refused when that day lies in a period whose books are closed."""
        if self.closed_through and day <= self.closed_through:
            raise Refused(f"The books are closed through {self.closed_through:%Y-%m-%d}. A manager can open them again.")

    def today(self, now=None):
        """The date on the clinic's wall."""
        return (now or timezone.now()).astimezone(self.zone).date()


class ClinicUserObjectPermission(UserObjectPermissionBase):
    """guardian's row for one user and one clinic; written only by Coaching's verbs."""

    content_object = models.ForeignKey(Clinic, models.PROTECT)
