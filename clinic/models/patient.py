import re
from datetime import date
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.db.models import Case, F, Q, When
from django.db.models.expressions import RawSQL
from django.utils import timezone
from guardian.models import UserObjectPermissionBase
from phonenumber_field.modelfields import PhoneNumberField

from clinic import search
from clinic.db.fields import DerivedField, normalise
from clinic.db.records import Record, RecordQuerySet
from clinic.models.account import Account, Address
from clinic.models.installation import Counter
from clinic.models.merge import Mergeable

OLDEST = date(1890, 1, 1)


class PatientQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        if actor is not None and actor.hat == "portal":
            return self.filter(pk=actor.patient.pk)
        return super().visible_to(actor)

    def current(self):
        """The patients that lists show: not archived, not merged into another."""
        return self.exclude(status=Patient.Status.ARCHIVED).filter(merged_into=None)

    def found(self, text):
        """The current patients that a search text means, also by the name or number of one who was merged into them."""
        merged = list(self.exclude(merged_into=None).matching(text).values_list("merged_into", flat=True)[:50])
        found = self.current().matching(text)
        return found | self.current().filter(pk__in=merged) if merged else found

    def matching(self, text):
        """Patients that a search text means: every word must fit, in any order. See `clinic.search`.

        Served by `clinic_patient_search_gin` (PostgreSQL) or the FTS5 table `clinic_patient_fts` (SQLite); words of
        one or two letters by `clinic_patient_last_prefix` and `clinic_patient_first_prefix`.
        """
        if numbered := re.fullmatch(r"\s*#\s*(\d+)\s*", text):  # as it stands on the page: the chart number alone
            return self.filter(chart_number=numbered[1])
        groups = search.terms(text)
        if not groups:
            return self.none()
        long = [group for group in groups if all(len(term) >= 3 for term in group)]
        short = [group for group in groups if group not in long]
        found = self
        if long and connection.vendor == "sqlite":
            found = found.filter(pk__in=RawSQL(
                "SELECT s.patient_id FROM clinic_patient_fts f JOIN clinic_patient_search s ON s.id = f.rowid "
                "WHERE clinic_patient_fts MATCH %s", [search.fts_expression(long)]))
        elif long:
            for group in long:
                found = found.filter(_any(Q(search_text__contains=term) for term in group))
        for group in short:
            if long:  # the long words have found the few rows already
                found = found.filter(_any(Q(search_text__contains=f" {term}") for term in group))
            else:
                found = found.filter(_any(
                    _starts(name, term) for term in group for name in ("last_key", "first_key"))
                    | Q(chart_number__in=[term for term in group if term.isdecimal()]))
        if text.strip().isdecimal():  # the patient whose chart number it is comes first
            return found.order_by(Case(When(chart_number=text.strip(), then=0), default=1), "last_key", "first_key", "pk")
        return found.order_by("last_key", "first_key", "pk")

    def likely_duplicates(self, *, first_name="", last_name="", date_of_birth=None, phone=""):
        """Patients who may be the one that is being typed: same birth date and a like name, same full name, same phone."""
        first, last = normalise(first_name), normalise(last_name)
        same = Q(pk__in=[])
        if date_of_birth and (first or last):
            alike = Q(pk__in=[])
            if last:
                alike |= _starts("last_key", last[:3])
            if first:
                alike |= _starts("first_key", first[:3])
            same |= Q(date_of_birth=date_of_birth) & alike
        if first and last:
            same |= Q(last_key=last, first_key=first)
        if phone:
            same |= Q(phone=phone)
        return self.current().filter(same).order_by("last_key", "first_key")


def _any(conditions):
    combined = Q(pk__in=[])
    for condition in conditions:
        combined |= condition
    return combined


def _starts(name, prefix):
    """A prefix search that the index serves: a range on SQLite, LIKE over text_pattern_ops on PostgreSQL."""
    if connection.vendor == "sqlite":
        return Q(**{f"{name}__gte": prefix, f"{name}__lt": prefix + "\U0010ffff"})
    return Q(**{f"{name}__startswith": prefix})


class Patient(Mergeable, Address, Record):
    """A person who is or was treated here. Not the payer: that is the account. Archived by status, never deleted."""

    class Sex(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        OTHER = "other", "Other"
        UNKNOWN = "unknown", "Not known"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        ARCHIVED = "archived", "Archived"
        DECEASED = "deceased", "Deceased"

    class ContactBy(models.TextChoices):
        EMAIL = "email", "E-mail"
        SMS = "sms", "Text message"
        PHONE = "phone", "Phone call"
        POST = "post", "Letter"

    account = models.ForeignKey(Account, models.PROTECT, related_name="patients")
    chart_number = models.CharField(max_length=20, editable=False)
    external_id = models.CharField(
        "number elsewhere", max_length=60, blank=True, help_text="In the system that the patient was taken over from.")
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    preferred_name = models.CharField(max_length=80, blank=True)
    date_of_birth = models.DateField()
    sex = models.CharField(max_length=10, choices=Sex, default=Sex.UNKNOWN)
    phone = PhoneNumberField("mobile phone", blank=True)
    phone_home = PhoneNumberField("home phone", blank=True)
    phone_work = PhoneNumberField("work phone", blank=True)
    email = models.EmailField("e-mail", blank=True)
    emergency_name = models.CharField("emergency contact", max_length=160, blank=True)
    emergency_phone = PhoneNumberField("their phone", blank=True)
    emergency_relationship = models.CharField("relationship", max_length=60, blank=True)
    guarantor_patient = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="guarantor who is a patient")
    guarantor_name = models.CharField("guarantor", max_length=160, blank=True)
    guarantor_phone = PhoneNumberField("guarantor's phone", blank=True)
    guarantor_relationship = models.CharField("relationship", max_length=60, blank=True)
    primary_provider = models.ForeignKey("clinic.Provider", models.PROTECT, null=True, blank=True, related_name="+")
    primary_hygienist = models.ForeignKey("clinic.Provider", models.PROTECT, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=10, default="en", choices=settings.LANGUAGES)
    contact_by = models.CharField("reach by", max_length=10, choices=ContactBy, default=ContactBy.EMAIL)
    wants_reminders = models.BooleanField("reminders of visits", default=True)
    wants_recall = models.BooleanField("invitations to check-ups", default=True)
    wants_news = models.BooleanField("news of the practice", default=False)
    contact_confirmed_on = models.DateField(null=True, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    last_key = DerivedField(derive="_last_key")
    first_key = DerivedField(derive="_first_key")
    search_text = DerivedField(derive="_search_text")

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["last_key", "first_key", "pk"]
        permissions = [("act_for_patient", "May use the portal of this patient")]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "chart_number"], name="clinic_patient_chart_number_once"),
            models.UniqueConstraint(
                fields=["clinic", "external_id"], condition=Q(external_id__gt=""), name="clinic_patient_external_id_once"),
            models.CheckConstraint(
                condition=Q(date_of_birth__gte=OLDEST), name="clinic_patient_born_after_1890"),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")), name="clinic_patient_not_merged_into_itself"),
            models.CheckConstraint(
                condition=Q(merged_into=None, merged_at=None) | Q(merged_into__isnull=False, merged_at__isnull=False),
                name="clinic_patient_since_when_merged"),
        ]
        indexes = [
            models.Index(fields=["clinic", "last_key", "first_key", "id"], name="clinic_patient_by_name"),
            models.Index(
                fields=["clinic", "last_key"], opclasses=["uuid_ops", "text_pattern_ops"], name="clinic_patient_last_prefix"),
            models.Index(
                fields=["clinic", "first_key"], opclasses=["uuid_ops", "text_pattern_ops"], name="clinic_patient_first_prefix"),
            models.Index(fields=["clinic", "date_of_birth"], name="clinic_patient_by_birth"),
            models.Index(fields=["clinic", "phone"], name="clinic_patient_by_phone"),
            models.Index(fields=["account"], name="clinic_patient_of_account"),
        ]

    def __str__(self):
        return self.name

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}"

    @property
    def sort_name(self):
        return f"{self.last_name}, {self.first_name}"

    def age(self, on):
        """Whole years on that date; None before birth."""
        years = on.year - self.date_of_birth.year - ((on.month, on.day) < (self.date_of_birth.month, self.date_of_birth.day))
        return years if years >= 0 else None

    @property
    def medical_history(self):
        """The newest version, or None."""
        return self.medical_histories.order_by("-number").first()

    def clean(self):
        super().clean()
        if not self.date_of_birth:
            return
        if self.date_of_birth > (self.clinic.today() if self.clinic_id else timezone.now().date()):
            raise ValidationError({"date_of_birth": "The date of birth lies in the future."})
        if self.date_of_birth < OLDEST:
            raise ValidationError({"date_of_birth": "The date of birth is more than 130 years ago."})

    @classmethod
    @transaction.atomic
    def register(cls, *, by, because="", account=None, id: UUID | None = None, **values):
        """Take a new patient on: a chart number, and an account of their own unless one is given."""
        patient = cls(clinic=by.clinic, **values)
        if id is not None:
            patient.id = id
        patient.chart_number = str(Counter.take(by.clinic_id, "chart_number"))
        if account is None:
            account = Account(
                name=(patient.guarantor_name or patient.name)[:160], phone=patient.guarantor_phone or patient.phone,
                email=patient.email, line1=patient.line1, line2=patient.line2, city=patient.city, region=patient.region,
                postal_code=patient.postal_code, country=patient.country).record(by=by, because=because)
        patient.account = account
        return patient.record(by=by, because=because)

    @transaction.atomic
    def confirm_contact(self, *, by, on=None):
        """Note that the patient said their address and phone are still right."""
        self.lock()
        self.contact_confirmed_on = on or self.clinic.today()
        return self.record(by=by, because="Contact data confirmed with the patient")

    def _last_key(self):
        return normalise(self.last_name)

    def _first_key(self):
        return normalise(self.first_name)

    def _search_text(self):
        names = normalise(f"{self.first_name} {self.last_name} {self.preferred_name}")
        phones = {re.sub(r"\D", "", str(phone)) for phone in (self.phone, self.phone_home, self.phone_work) if phone}
        words = [names, self.chart_number, *sorted(phones), str(self.date_of_birth)]
        return f" {' '.join(words)} "

    @classmethod
    def sqlite_triggers(cls):
        """What keeps the FTS5 table in step on SQLite; laid with the guards."""
        table, key = cls._meta.db_table, "s.patient_id = NEW.id"
        add = f"INSERT INTO clinic_patient_fts (rowid, text) SELECT s.id, s.text FROM clinic_patient_search s WHERE {key};"
        return {
            "clinic_patient_search_insert": (
                f'CREATE TRIGGER "clinic_patient_search_insert" AFTER INSERT ON "{table}" FOR EACH ROW BEGIN '
                f"INSERT INTO clinic_patient_search (patient_id, text) VALUES (NEW.id, NEW.search_text); {add} END"),
            "clinic_patient_search_update": (
                f'CREATE TRIGGER "clinic_patient_search_update" AFTER UPDATE OF search_text ON "{table}" FOR EACH ROW '
                f"WHEN NEW.search_text <> OLD.search_text BEGIN "
                f"INSERT INTO clinic_patient_fts (clinic_patient_fts, rowid, text) "
                f"SELECT 'delete', s.id, s.text FROM clinic_patient_search s WHERE {key}; "
                f"UPDATE clinic_patient_search SET text = NEW.search_text WHERE patient_id = NEW.id; {add} END"),
        }


class PatientUserObjectPermission(UserObjectPermissionBase):
    """guardian's row for one user and one patient; written only by the verbs of PortalAccess."""

    content_object = models.ForeignKey(Patient, models.PROTECT)
