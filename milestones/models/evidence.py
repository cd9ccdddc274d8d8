from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from charting.models import ClinicalNote, PerioExam
from clinic.db.fields import EncryptedTextField
from clinic.db.records import RecordQuerySet
from clinic.db.refusals import Refused
from clinic.files.examine import examine
from clinic.models import Document, Patient, StoredFile
from milestones.models.milestone import Milestone
from milestones.models.parts import SealedPart, SharedParts
from treatment.models import Procedure

NO_IMAGES = "Images are not kept here yet. Add the picture as a file, or point to a document."


class RecordKind(NamedTuple):
    """A kind of record that evidence may point to."""

    model: type
    stands: dict  # the lookups of the rows that show something
    otherwise: str  # what is said of any other


# {the name of the field, and of the kind in the API: RecordKind}
RECORDS = {
    "note": RecordKind(ClinicalNote, {"error_because": ""}, "This note is marked as entered in error."),
    "perio_exam": RecordKind(PerioExam, {"closed_at__isnull": False}, "This exam is not closed yet."),
    "procedure": RecordKind(Procedure, {"status": Procedure.Status.COMPLETED}, "This procedure is not completed."),
    "document": RecordKind(Document, {"withdrawn_because": ""}, "This document is withdrawn."),
}
POINTS = [*RECORDS, "attachment"]  # a piece of evidence points to at most one of these


def one_at_most(names):
    """A condition: at most one of these columns is filled."""
    none = Q(**dict.fromkeys(names))
    for name in names:
        none |= Q(**{f"{name}__isnull": False}, **{other: None for other in names if other != name})
    return none


def web_address(text):
    """An http or https address, with its scheme in small letters; ValidationError for anything else."""
    text = text.strip()
    scheme, _, rest = text.partition("://")
    try:
        found = urlsplit(f"{scheme.lower()}://{rest}")
        good = found.scheme in ("http", "https") and found.hostname and not found.username and not any(map(str.isspace, text))
    except ValueError:
        good = False
    if not good:
        raise ValidationError({"url": "Write an address that begins with http:// or https://."})
    return found.geturl()


class EvidenceQuerySet(SharedParts, RecordQuerySet):
    def visible_to(self, actor):
        """A patient sees nothing of what was taken out: it may have been another one's."""
        rows = super().visible_to(actor)
        return rows.in_force() if actor is not None and actor.hat == "portal" else rows

    def in_force(self):
        """All but what was taken out."""
        return self.filter(withdrawn_because="")

    def standing(self):
        """What shows something: it was not taken out, and the record that it points to still says it."""
        rows = self.in_force()
        for name, kind in RECORDS.items():
            rows = rows.filter(Q(**{name: None}) | Q(**{f"{name}__{path}": value for path, value in kind.stands.items()}))
        return rows

    def with_records(self):
        """Each with what it points to, so that nothing is asked for by itself."""
        return self.select_related(
            "attachment", "note", "perio_exam", "procedure__procedure_code", "document__file", "document__back")

    def in_order(self):
        return self.order_by("created_at", "id")


class Evidence(SealedPart):
    """Something that shows that a milestone is reached: a file, a row of the same patient's record, a figure, or an address.

    What it says never changes; what was wrong is taken out with a reason, and stays on record.
    """

    class Type(models.TextChoices):
        DOCUMENT = "document", "Document or record"
        METRIC = "metric", "Figure"
        LINK = "link", "Link"

    SEALED = ("milestone", "evidence_type", "title", "description", "url", "value", "added_by", *POINTS)

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="evidence", db_index=False, editable=False)
    evidence_type = models.CharField("type", max_length=8, choices=Type)
    title = models.CharField(max_length=200)
    description = EncryptedTextField(context="milestones_evidence.description", blank=True, default="", max_length=2000)
    url = models.CharField("address", max_length=500, blank=True, default="")
    value = models.JSONField(null=True, blank=True, help_text="A text or a number.")
    attachment = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.ForeignKey(ClinicalNote, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    perio_exam = models.ForeignKey(PerioExam, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    procedure = models.ForeignKey(Procedure, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    document = models.ForeignKey(Document, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False)
    withdrawn_because = models.CharField("taken out because", max_length=200, blank=True, default="", editable=False)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "evidence"
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["milestone", "created_at"], name="milestones_evidence_of_mile")]
        constraints = [
            models.CheckConstraint(
                condition=Q(evidence_type="link", value=None, **dict.fromkeys(POINTS)) & ~Q(url="")
                | Q(evidence_type="metric", value__isnull=False)
                | Q(evidence_type="document", value=None),
                name="milestones_evidence_fits_its_type"),
            models.CheckConstraint(
                condition=~Q(evidence_type="document") | ~Q(url="") | ~Q(**dict.fromkeys(POINTS)),
                name="milestones_evidence_document_is_somewhere"),
            models.CheckConstraint(condition=one_at_most(POINTS), name="milestones_evidence_points_to_one"),
            models.CheckConstraint(
                condition=Q(url="") | Q(url__startswith="http://") | Q(url__startswith="https://"),
                name="milestones_evidence_web_address"),
        ]

    @classmethod
    def own_guards(cls):
        return [cls.stands()]

    def __str__(self):
        return self.title

    # Questions

    @property
    def is_withdrawn(self):
        return bool(self.withdrawn_because)

    @property
    def points_to(self):
        """(kind, key) of the row of the record that it points to; None when it points to none."""
        return next(((name, key) for name in RECORDS if (key := getattr(self, f"{name}_id"))), None)

    def seen(self):
        """What an approval freezes of it: all that it says, and fingerprints of what it points to."""
        return {
            "id": self.pk, "type": self.evidence_type, "title": self.title, "description": self.description, "url": self.url,
            "value": self.value, "file": self.attachment and self.attachment.sha256, "record": self._record_seen()}

    def _record_seen(self):
        if self.points_to is None:
            return None
        kind, key = self.points_to
        row = getattr(self, kind)
        prints = {
            "note": lambda: row.content_hash, "perio_exam": lambda: row.version,
            "procedure": lambda: [row.procedure_code.code, row.status, row.completed_on],
            "document": lambda: [file.sha256 for _, file in row.sides]}
        return {"type": kind, "id": key, "print": prints[kind]()}

    # Verbs

    @classmethod
    @transaction.atomic
    def add(cls, *, by, milestone, evidence_type, title, description="", url="", value=None, file=None, record=None,
            id: UUID | None = None):
        """Add evidence. `file`: bytes, an open file or what `examine` gave; `record`: (one of RECORDS, its row), of the same
        patient. ValidationError for what does not fit its type; Unfit for a file that is not kept."""
        milestone.lock()
        milestone.refuse_reader(by)
        examined = examine(file, getattr(file, "name", "")) if file is not None else None
        url = web_address(url) if url.strip() else ""
        cls._refuse(evidence_type, url, value, examined, record)
        row = cls(
            clinic_id=milestone.clinic_id, patient=milestone.patient, milestone=milestone, evidence_type=evidence_type,
            title=title.strip(), description=description, url=url, value=value, added_by=by.user)
        if id is not None:
            row.id = id
        if record is not None:
            setattr(row, record[0], cls.fitting(record[0], record[1], milestone))
        if examined is not None:
            row.attachment = StoredFile.keep(examined, by=by)
        return row.record(by=by)

    @staticmethod
    def fitting(kind, row, milestone):
        """This row of the record, as evidence for a milestone; ValidationError when it is another patient's or does not stand."""
        if kind == "image":
            raise ValidationError({"record": NO_IMAGES})
        if row.patient.person != milestone.person:
            raise ValidationError({"record": "This is of another patient."})
        if not type(row).objects.filter(pk=row.pk, **RECORDS[kind].stands).exists():
            raise ValidationError({"record": RECORDS[kind].otherwise})
        return row

    @transaction.atomic
    def withdraw(self, *, by, because):
        """Take it out; it stays on record. Not the last on which an achieved milestone rests."""
        self.lock()
        self.milestone.refuse_reader(by)
        if self.is_withdrawn:
            raise Refused("This evidence is taken out already.")
        if not because.strip():
            raise ValidationError({"reason": "Write why it is taken out: that stays with it."})
        rests = self.milestone.requires_evidence and self.milestone.status == Milestone.Status.ACHIEVED
        if rests and not self.milestone.evidence.standing().exclude(pk=self.pk).exists():
            raise Refused("This milestone is achieved and rests on this evidence. Add other evidence first, or open it again.")
        self.withdrawn_because = because.strip()[:200]
        return self.record(by=by, because=because)

    @classmethod
    def _refuse(cls, evidence_type, url, value, file, record):
        """Refuse what does not belong to this type, and what is missing."""
        if evidence_type == cls.Type.LINK and not url:
            raise ValidationError({"url": "Write the address."})
        if evidence_type == cls.Type.METRIC and value in (None, ""):
            raise ValidationError({"value": "Write the figure."})
        if evidence_type != cls.Type.METRIC and value is not None:
            raise ValidationError({"value": "Only a metric has a value."})
        if evidence_type == cls.Type.LINK and (file or record):
            raise ValidationError({"record" if record else "file": "A link is its address alone."})
        if file and record:
            raise ValidationError({"file": "Send a file, or point to a record: not both."})
        if evidence_type == cls.Type.DOCUMENT and not (file or record or url):
            raise ValidationError({"file": "Send a file, point to a record, or say where it is."})
