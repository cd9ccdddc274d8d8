from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q

from charting.conditions import MATERIALS, Surfaces
from charting.models.finding_kind import FindingKind
from charting.teeth import TEETH, WrongSurfaces, written
from clinic.db.fields import EncryptedTextField
from clinic.db.keys import uuid7
from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import Refused
from clinic.models import Patient, Provider
from scheduling.slots import midnight


class FindingQuerySet(RecordQuerySet):
    def in_force(self):
        """Findings that are not marked entered in error."""
        return self.filter(error_because="")

    def on(self, day):
        """What held on that day (index `charting_finding_of_patient`)."""
        return self.in_force().filter(noted_on__lte=day).filter(Q(resolved_on=None) | Q(resolved_on__gt=day))


class Finding(Record):
    """One thing seen at one tooth, of which the chart is drawn. Not a procedure; treatment writes here what it plans and completes.

    Never deleted: what has passed is resolved, what was wrong is marked entered in error. Findings of one `entry` were made
    together; those of one `span` are one thing over several teeth, such as a bridge.
    """

    class Status(models.TextChoices):
        EXISTING = "existing", "Existing, done here"
        EXISTING_OTHER = "existing_other", "Existing, done elsewhere"
        CONDITION = "condition", "Condition"
        PLANNED = "planned", "Planned"
        COMPLETED = "completed", "Completed"

    BY_TREATMENT = (Status.PLANNED, Status.COMPLETED)
    NOT_BY_HAND = "What is planned or completed is written by a treatment plan."

    class Material(models.TextChoices):
        AMALGAM = "amalgam", MATERIALS["amalgam"]
        COMPOSITE = "composite", MATERIALS["composite"]
        GLASS_IONOMER = "glass_ionomer", MATERIALS["glass_ionomer"]
        GOLD = "gold", MATERIALS["gold"]
        METAL = "metal", MATERIALS["metal"]
        PFM = "pfm", MATERIALS["pfm"]
        PORCELAIN = "porcelain", MATERIALS["porcelain"]
        ZIRCONIA = "zirconia", MATERIALS["zirconia"]
        LITHIUM_DISILICATE = "lithium_disilicate", MATERIALS["lithium_disilicate"]
        RESIN = "resin", MATERIALS["resin"]
        STEEL = "steel", MATERIALS["steel"]
        TEMPORARY = "temporary", MATERIALS["temporary"]
        FIBER = "fiber", MATERIALS["fiber"]
        TITANIUM = "titanium", MATERIALS["titanium"]

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="findings", db_index=False)
    tooth = models.CharField(max_length=3, help_text="The canonical key of charting.teeth.")
    surfaces = models.CharField(max_length=7, blank=True, default="")
    condition = models.CharField(max_length=30, help_text="The code of a standard kind or of a FindingKind.")
    material = models.CharField(max_length=20, choices=Material, blank=True, default="")
    status = models.CharField(max_length=15, choices=Status)
    noted_on = models.DateField("since", help_text="The clinic's date on which it was seen, or since when it is known.")
    provider = models.ForeignKey(
        Provider, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, help_text="Who saw it.")
    note = EncryptedTextField(context="charting_finding.note", blank=True, default="", max_length=1000)
    of_treatment = models.BooleanField(
        default=False, editable=False, help_text="Written by a procedure of a plan, and changed there alone.")
    entry = models.UUIDField(default=uuid7, editable=False)
    span = models.UUIDField(null=True, blank=True, editable=False)
    resolved_on = models.DateField(null=True, blank=True)
    resolved_because = models.CharField(max_length=200, blank=True, default="")
    error_because = models.CharField("entered in error because", max_length=200, blank=True, default="", editable=False)

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["noted_on", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(tooth__in=sorted(TEETH)), name="charting_finding_known_tooth"),
            models.CheckConstraint(
                condition=Q(status__in=["existing", "existing_other", "condition", "planned", "completed"]),
                name="charting_finding_known_status"),
            models.CheckConstraint(
                condition=Q(resolved_on=None) | Q(resolved_on__gte=models.F("noted_on")),
                name="charting_finding_resolved_after_noted", violation_error_message="It can't pass before it was noted."),
        ]
        indexes = [models.Index(fields=["clinic", "patient", "noted_on"], name="charting_finding_of_patient")]

    def __str__(self):
        return f"{self.condition} {self.tooth}{' ' + self.surfaces if self.surfaces else ''}"

    @property
    def is_open(self):
        return self.resolved_on is None and not self.error_because

    @property
    def seen_by(self):
        return self.provider.name if self.provider else None

    @classmethod
    @transaction.atomic
    def enter(cls, *, by, patient, items, provider=None, noted_on=None, entry: UUID | None = None):
        """Chart what one entry says, in the order of its items; all of it or none.

        `items`: dicts with tooth (canonical key), condition, and surfaces, material, status, noted_on, note, span, id where said.
        ValidationError for the first item that the rules refuse, with the item's number as its code. Returns the findings.
        """
        if not items:
            raise Refused("There is nothing to chart.")
        kinds, today = FindingKind.known_to(by.clinic), by.clinic.today()
        provider = provider or Provider.objects.that_is(by)
        entry, made = entry or uuid7(), []
        for number, item in enumerate(items):
            finding = cls(
                clinic_id=by.clinic_id, patient=patient, provider=provider, entry=entry,
                **{"noted_on": noted_on or today, **{name: value for name, value in item.items() if value is not None}})
            try:
                if finding.status in cls.BY_TREATMENT:
                    raise ValidationError({"status": cls.NOT_BY_HAND})
                finding._complete(kinds, today)
            except ValidationError as error:
                raise ValidationError(error.message_dict, code=str(number)) from error
            made.append(finding.record(by=by))
        return made

    @classmethod
    @transaction.atomic
    def by_treatment(cls, *, by, noted_on=None, **values):
        """Chart what a procedure says: planned, completed, or there already. Its verbs call this; nobody charts so by hand."""
        today = by.clinic.today()
        finding = cls(clinic_id=by.clinic_id, noted_on=noted_on or today, of_treatment=True, **values)
        finding._complete(FindingKind.known_to(by.clinic, active=False), today)
        return finding.record(by=by)

    @transaction.atomic
    def resolve(self, *, by, because, on=None, version=None):
        """It has passed: healed, was treated elsewhere, fell out. The chart of earlier days keeps it."""
        self.lock(version)
        self._refuse_by_hand()
        if not self.is_open:
            raise Refused("This finding has ended already.")
        if not because.strip():
            raise Refused("Say how it ended: the chart of earlier days keeps it with that.")
        self.resolved_on, self.resolved_because = on or by.clinic.today(), because.strip()
        if self.resolved_on < self.noted_on:
            raise Refused("It can't pass before it was noted.")
        if self.resolved_on > by.clinic.today():
            raise Refused("It can't have passed on a day to come.")
        return self.record(by=by, because=because)

    @transaction.atomic
    def mark_error(self, *, by, because, version=None):
        """It was never so: out of every chart, of every day. It stays on record with the reason."""
        self.lock(version)
        self._refuse_by_hand()
        if self.error_because:
            raise Refused("This finding is marked as entered in error already.")
        if not because.strip():
            raise Refused("Say what was wrong: the reason stays on record.")
        self.error_because = because.strip()
        return self.record(by=by, because=because)

    @transaction.atomic
    def take_off(self, *, by, because, on):
        """Its procedure says otherwise now: what was planned passed on that day, what was said to be there was never so."""
        self.lock()
        if self.status == self.Status.PLANNED:
            self.resolved_on, self.resolved_because = max(on, self.noted_on), because[:200]
        else:
            self.error_because = because[:200]
        return self.record(by=by, because=because)

    @classmethod
    def last_entry(cls, actor, patient):
        """The findings of this person's newest entry of today that still holds: what undoing would take back."""
        made = cls.history.filter(id=OuterRef("pk"), history_type="+", history_user=actor.user)
        own = cls.objects.visible_to(actor).of(patient).in_force().filter(
            Exists(made), of_treatment=False, created_at__gte=midnight(actor.clinic.today(), actor.clinic.zone))
        newest = own.order_by("-created_at", "-id").values_list("entry", flat=True).first()
        return list(own.filter(entry=newest)) if newest else []

    @classmethod
    @transaction.atomic
    def undo(cls, *, by, patient):
        """Mark one's own newest entry of today as entered in error. Refused when there is none. Returns its findings."""
        found = cls.last_entry(by, patient)
        if not found:
            raise Refused("Nothing of yours from today is left to undo.")
        return [finding.mark_error(by=by, because="Undone") for finding in found]

    def _refuse_by_hand(self):
        if self.of_treatment:
            raise Refused("A treatment plan wrote this. Complete or void its procedure; the chart follows.")

    def _complete(self, kinds, today):
        """Fill in what was not said, and refuse what can't be."""
        kind = kinds.get(self.condition)
        if kind is None:
            raise ValidationError({"condition": f"“{self.condition}” is no kind of finding here."})
        if self.tooth not in TEETH:
            raise ValidationError({"tooth": f"“{self.tooth}” is no tooth."})
        tooth = TEETH[self.tooth]
        self.status = self.status or kind.status
        try:
            self.surfaces = written(tooth, self.surfaces or kind.usual_of(tooth))
        except WrongSurfaces as error:
            raise ValidationError({"surfaces": str(error)}) from error
        if kind.surfaces == Surfaces.REQUIRED and not self.surfaces:
            raise ValidationError({"surfaces": f"{kind.name} is charted on surfaces: {', '.join(tooth.surfaces)}."})
        if kind.surfaces == Surfaces.NONE and self.surfaces:
            raise ValidationError({"surfaces": f"{kind.name} is of the whole tooth; leave the surfaces out."})
        if self.noted_on > today:
            raise ValidationError({"noted_on": "It can't have been seen after today."})
        if self.patient.date_of_birth and self.noted_on < self.patient.date_of_birth:
            raise ValidationError({"noted_on": "That was before the patient was born."})
