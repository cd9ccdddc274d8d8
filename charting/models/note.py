from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from charting.notes import NOTHING, even, left_open, refuse_unseen, sealed
from clinic.access.rules import may
from clinic.db.fields import EncryptedTextField
from clinic.db.guards import Trigger
from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import NotAllowed, Refused
from clinic.db.texts import is_unseen
from clinic.models import Patient
from scheduling.models import Appointment

LONGEST = 20_000  # letters
COSIGNED_ADDENDA = "Co-signed with its addenda"
TO_COSIGN = Q(needs_cosign=True, cosigned_at=None) | Q(addenda_wait=True)
IS_SIGNED = "This note is signed, so its text stays as it is. Write an addendum."


class ClinicalNoteQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        """The kinds of notes that this actor may read: the care team all, the front desk what is administrative."""
        kinds = ClinicalNote.kinds_of(actor, "view")
        rows = super().visible_to(actor)
        return rows if len(kinds) == len(ClinicalNote.Kind) else rows.filter(kind__in=kinds)

    def in_force(self):
        """Notes that are not marked entered in error."""
        return self.filter(error_because="")

    def newest_first(self):
        return self.order_by("-created_at", "-id")

    def unsigned_by(self, actor):
        """What this actor has written and not signed, the oldest first (index `charting_note_unsigned`)."""
        return self.visible_to(actor).in_force().filter(
            author=actor.user, status=ClinicalNote.Status.DRAFT).order_by("created_at", "id")

    def to_cosign_by(self, actor):
        """What others have signed and this actor may sign with them, the oldest first (index `charting_note_to_cosign`)."""
        if not may(actor, "charting.cosign_note"):
            return self.none()
        own = Q(needs_cosign=True, cosigned_at=None, author=actor.user)
        return self.visible_to(actor).in_force().filter(TO_COSIGN).exclude(own).order_by("signed_at", "id")


class ClinicalNote(Record):
    """What one person wrote down about a patient, of a visit or not. Not a finding: the chart draws nothing of it.

    Until its author signs it, it can be changed by whoever may write its kind; signing seals the text, and from then on only
    addenda are written. What was wrong is marked entered in error and stays readable.
    """

    class Kind(models.TextChoices):
        PROGRESS = "progress", "Progress"
        HYGIENE = "hygiene", "Hygiene"
        EXAM = "exam", "Exam"
        SOFT_TISSUE = "soft_tissue", "Soft tissue"
        HARD_TISSUE = "hard_tissue", "Hard tissue"
        PHONE = "phone", "Phone call"
        ADMINISTRATIVE = "administrative", "Administrative"

    class Status(models.TextChoices):
        DRAFT = "draft", "Not signed"
        SIGNED = "signed", "Signed"

    KINDS = [kind.value for kind in Kind]
    OF_THE_DESK = (Kind.PHONE, Kind.ADMINISTRATIVE)
    # verb: (for notes of all kinds, for those of the front desk)
    PERMISSIONS = {
        "view": ("charting.view_clinical_notes", "charting.view_note"),
        "write": ("charting.write_clinical_notes", "charting.write_note")}
    # Never written again once the note is signed. The patient is not among them: taking two records of one person apart may
    # hand the note to the other one, and `signed_for` says whose it was.
    SEALED = ("body", "kind", "author", "appointment", "status", "signed_at", "signed_for", "content_hash", "needs_cosign")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="notes", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.PROGRESS)
    body = EncryptedTextField(
        "text", context="charting_clinicalnote.body", max_length=LONGEST, validators=[MaxLengthValidator(LONGEST)],
        error_messages={"blank": NOTHING, "required": NOTHING})
    appointment = models.ForeignKey(
        Appointment, models.PROTECT, null=True, blank=True, related_name="notes", verbose_name="visit")
    template = models.ForeignKey(
        "charting.NoteTemplate", models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    signed_at = models.DateTimeField(null=True, blank=True, editable=False)
    signed_for = models.UUIDField(null=True, blank=True, editable=False, help_text="The patient as whose it was signed.")
    content_hash = models.CharField(max_length=70, blank=True, default="", editable=False)
    needs_cosign = models.BooleanField("needs a co-signature", default=False, editable=False)
    cosigned_at = models.DateTimeField("co-signed at", null=True, blank=True, editable=False)
    cosigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False,
        verbose_name="co-signed by")
    addenda_wait = models.BooleanField(
        "has an addendum to co-sign", default=False, editable=False,
        help_text="Somebody whose signature is not enough alone has added to it.")
    error_because = models.CharField("entered in error because", max_length=200, blank=True, default="", editable=False)

    objects = ClinicalNoteQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["progress", "hygiene", "exam", "soft_tissue", "hard_tissue", "phone", "administrative"]),
                name="charting_note_known_kind"),
            models.CheckConstraint(
                condition=Q(status="draft", signed_at=None, signed_for=None, content_hash="", needs_cosign=False)
                | (Q(status="signed", signed_at__isnull=False, signed_for__isnull=False) & ~Q(content_hash="")),
                name="charting_note_signed_with_its_seal"),
            models.CheckConstraint(
                condition=Q(cosigned_at=None, cosigned_by=None)
                | Q(status="signed", needs_cosign=True, cosigned_at__isnull=False, cosigned_by__isnull=False),
                name="charting_note_cosigned_after_signed"),
            models.CheckConstraint(
                condition=Q(addenda_wait=False) | Q(status="signed"), name="charting_note_addenda_after_signed"),
        ]
        indexes = [
            models.Index(fields=["clinic", "patient", "-created_at", "-id"], name="charting_note_of_patient"),
            models.Index(
                fields=["clinic", "author", "created_at"], condition=Q(status="draft", error_because=""),
                name="charting_note_unsigned"),
            models.Index(
                fields=["clinic", "signed_at"], condition=TO_COSIGN & Q(error_because=""), name="charting_note_to_cosign"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} note"

    @classmethod
    def own_guards(cls):
        """A signed note's text, and what was signed with it, stands; it may only change hands within one person."""
        columns = tuple(cls._meta.get_field(name).column for name in cls.SEALED)
        differs = " OR ".join(
            f'NEW."{column}" <> OLD."{column}" OR (NEW."{column}" IS NULL) <> (OLD."{column}" IS NULL)' for column in columns)
        person = "(SELECT COALESCE(merged_into_id, id) FROM clinic_patient WHERE id = {}.patient_id)".format
        table = cls._meta.db_table
        return [
            Trigger(f"{table}_sealed", table, ("UPDATE",), f"(OLD.status = 'signed' AND ({differs}))", columns),
            Trigger(
                f"{table}_of_one_person", table, ("UPDATE",),
                f"(OLD.status = 'signed' AND {person('NEW')} <> {person('OLD')})", ("patient_id",)),
        ]

    # Questions

    @classmethod
    def kinds_of(cls, actor, verb):
        """The kinds of notes that this actor may "view" or "write"."""
        every, of_the_desk = cls.PERMISSIONS[verb]
        if may(actor, every):
            return list(cls.Kind)
        return list(cls.OF_THE_DESK) if may(actor, of_the_desk) else []

    @property
    def is_signed(self):
        return self.status == self.Status.SIGNED

    @property
    def is_intact(self):
        """Whether the text still is what was signed."""
        return not self.is_signed or self.content_hash == self._seal()

    @property
    def is_clinical(self):
        return self.kind not in self.OF_THE_DESK

    @property
    def text_waits(self):
        """Whether the note itself waits for its second signature."""
        return self.needs_cosign and self.cosigned_at is None and not self.error_because

    @property
    def waits_for_cosign(self):
        return self.text_waits or (self.addenda_wait and not self.error_because)

    def kinds_to_be(self, actor):
        """The kinds that this actor may make it. Only its author takes it from the care team to the front desk or back, since
        that changes who reads it."""
        kinds = self.kinds_of(actor, "write")
        if self._state.adding or self.author_id == getattr(actor.user, "pk", None):
            return kinds
        return [kind for kind in kinds if (kind not in self.OF_THE_DESK) == self.is_clinical]

    def may_sign(self, actor):
        return (not self.is_signed and not self.error_because and self.author_id == actor.user.pk
                and may(actor, "charting.sign_note"))

    def may_cosign(self, actor):
        is_own = self.text_waits and self.author_id == actor.user.pk
        return self.waits_for_cosign and not is_own and may(actor, "charting.cosign_note")

    def may_edit(self, actor):
        return not self.is_signed and not self.error_because and self.kind in self.kinds_of(actor, "write")

    def may_add(self, actor):
        return self.is_signed and not self.error_because and self.kind in self.kinds_of(actor, "write")

    def may_mark_error(self, actor):
        """Who answers for the care team's notes, and the author, unless somebody has co-signed it."""
        return not self.error_because and self.kind in self.kinds_of(actor, "write") and (
            may(actor, "charting.cosign_note") or (self.author_id == actor.user.pk and self.cosigned_at is None))

    def told(self):
        """(who changed the text last when that is not the author, who has co-signed addenda last and when), of its history.

        One query, and none for a note that nobody touched since it was written.
        """
        if self.version < 2:
            return None, None
        lines = list(self.history.select_related("history_user").order_by("-version").defer("body"))
        editor = next((line.history_user for line in lines if line.status == self.Status.DRAFT and not line.error_because), None)
        cosigned = next((line for line in lines if line.history_change_reason == COSIGNED_ADDENDA), None)
        return (editor if editor is not None and editor.pk != self.author_id else None), cosigned

    def clean(self):
        if self.appointment_id and self.appointment.person != self.patient.person:
            raise ValidationError({"appointment": "This is a visit of another patient."})
        if not self.is_signed and not self.error_because:
            refuse_unseen(self.body)

    # Verbs

    @classmethod
    def write(cls, *, by, patient, kind, body, appointment=None, template=None, id=None):
        """Write a note; it waits for its author's signature."""
        if by.user is None:
            raise Refused("A note has an author: sign in to write it.")
        note = cls(
            clinic_id=by.clinic_id, patient=patient, kind=kind, body=even(body), appointment=appointment, template=template,
            author=by.user, **({"id": id} if id else {}))
        note.refuse_kinds_of_others(by)
        return note.record(by=by)

    @transaction.atomic
    def edit(self, *, by, version=None, **values):
        """Change kind, text or visit of a note that is not signed. Stale when somebody saved since `version`.

        What differs in its line ends only is no change.
        """
        self.lock(version)
        self._refuse_what_is_done()
        self.refuse_kinds_of_others(by)
        if values.get("kind", self.kind) in set(self.kinds_of(by, "write")) - set(self.kinds_to_be(by)):
            raise Refused(f"Only {self.author} can move this note between the care team and the front desk.")
        if "body" in values and (body := even(values.pop("body"))) != even(self.body):
            values["body"] = body
        changed = {name: value for name, value in values.items() if value != getattr(self, name)}
        for name, value in changed.items():
            setattr(self, name, value)
        self.refuse_kinds_of_others(by)
        return self.record(by=by) if changed else self

    @transaction.atomic
    def sign(self, *, by, version=None, now=None):
        """Its author says that it is so: the text is sealed with its hash and never changes again.

        Whose signature is not enough alone, waits for a second one.
        """
        self.lock(version)
        self._refuse_what_is_done("This note is signed already.")
        if by.user is None or self.author_id != by.user.pk:
            raise Refused(f"Only {self.author} can sign this note.")
        if is_unseen(self.body):
            raise Refused(NOTHING)
        if places := left_open(self.body):
            raise Refused(f"{places} place{'s are' if places > 1 else ' is'} still to be filled in. Nothing was signed.")
        self.status, self.signed_at, self.signed_for = self.Status.SIGNED, now or timezone.now(), self.patient_id
        self.needs_cosign = self.is_clinical and not may(by, "charting.sign_alone")
        self.content_hash = self._seal()
        self._signing = True
        try:
            return self.record(by=by, because="Signed")
        finally:
            self._signing = False

    @transaction.atomic
    def cosign(self, *, by, version=None, now=None):
        """The second signature, by somebody else than the author, for the text and for what was added to it."""
        self.lock(version)
        if not self.waits_for_cosign:
            raise Refused("This note does not wait for a co-signature.")
        if by.user is None or (self.text_waits and self.author_id == by.user.pk):
            raise Refused("A co-signature is somebody else's than the author's.")
        if self.addenda_wait and not may(by, "charting.sign_alone"):
            raise Refused("An addendum is co-signed by somebody whose signature is enough alone.")
        because = COSIGNED_ADDENDA if self.addenda_wait else "Co-signed"
        if self.text_waits:
            self.cosigned_at, self.cosigned_by = now or timezone.now(), by.user
        self.addenda_wait = False
        return self.record(by=by, because=because)

    @transaction.atomic
    def mark_error(self, *, by, because, version=None):
        """It should not stand here. It stays readable, struck, with the reason."""
        self.lock(version)
        if self.error_because:
            raise Refused("This note is marked as entered in error already.")
        if by.user is None or not self.may_mark_error(by):
            raise Refused(
                "It is co-signed, so only a dentist can mark this note as entered in error." if self.cosigned_at
                else "Only its author or a dentist can mark this note as entered in error.")
        if not because.strip():
            raise Refused("Say what was wrong: the reason stays on record.")
        self.error_because = because.strip()
        return self.record(by=by, because=because)

    def save(self, *args, **kwargs):
        if self.is_signed and not self._state.adding and not getattr(self, "_signing", False):
            if not self.is_intact:
                raise Refused(IS_SIGNED)
            # The text is encrypted anew with each writing, so what is sealed is left out of it.
            kwargs["update_fields"] = [
                field.name for field in self._meta.concrete_fields if field.name not in self.SEALED and not field.primary_key]
        super().save(*args, **kwargs)

    def _seal(self):
        return sealed(
            id=self.pk, patient=self.signed_for, kind=self.kind, body=self.body, author=self.author_id,
            appointment=self.appointment_id, signed_at=self.signed_at)

    def _refuse_what_is_done(self, signed=IS_SIGNED):
        if self.is_signed:
            raise Refused(signed)
        if self.error_because:
            raise Refused("This note is marked as entered in error, so it stays as it is.")

    def refuse_kinds_of_others(self, by):
        """A kind that is none at all is left to the field's own check."""
        if self.kind in self.KINDS and self.kind not in self.kinds_of(by, "write"):
            raise NotAllowed(f"Your role writes no {self.get_kind_display().lower()} notes.")
