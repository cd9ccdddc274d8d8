from uuid import UUID

from django.db import models, transaction
from django.db.models import Q

from clinic.db.fields import EncryptedTextField
from clinic.db.locks import queue
from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import Refused
from clinic.files.examine import examine
from clinic.models.stored_file import StoredFile


class AlreadyHere(Refused):
    """The same file, byte by byte, is among this patient's documents."""

    def __init__(self, name, document):
        self.document = document
        super().__init__(
            f"{name} was not added: it is already here as “{document.title}” of "
            f"{document.received_on.day} {document.received_on:%B %Y}.")

    def details(self):
        return {"conflicts": [{"document_id": str(self.document.pk)}]}


class DocumentQuerySet(RecordQuerySet):
    def of(self, patient):
        """All of a patient, newest first. Served by `clinic_document_of_patient`."""
        return super().of(patient).filter(clinic=patient.clinic_id).order_by("-received_on", "-id")

    def current(self):
        return self.filter(withdrawn_because="")

    def withdrawn(self):
        return self.exclude(withdrawn_because="")


class Document(Record):
    """A paper or picture that belongs to a patient, as one or both sides of it. Not a clinical image, and nothing of the chart.

    What was filed is never changed and never deleted: it is described anew, or withdrawn with a reason.
    """

    class Kind(models.TextChoices):
        IDENTITY_CARD = "identity_card", "Identity card"
        INSURANCE_CARD = "insurance_card", "Insurance card"
        CONSENT = "consent", "Consent"
        LETTER = "letter", "Letter"
        REFERRAL = "referral", "Referral"
        OTHER = "other", "Other"

    CARDS = (Kind.INSURANCE_CARD, Kind.IDENTITY_CARD)

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="documents", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.OTHER)
    title = models.CharField(max_length=160)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", editable=False)
    back = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+", editable=False)
    received_on = models.DateField("received")
    note = EncryptedTextField(context="clinic_document.note", blank=True, default="", max_length=4000)
    withdrawn_because = models.CharField("withdrawn because", max_length=200, blank=True, default="", editable=False)
    made_here = models.BooleanField(
        default=False, editable=False, help_text="We drew it ourselves, so a browser may show it; nothing in it came from outside.")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-received_on", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(back=None) | ~Q(back=models.F("file")), name="clinic_document_two_sides_differ"),
        ]
        indexes = [models.Index(fields=["clinic", "patient", "-received_on", "-id"], name="clinic_document_of_patient")]

    def __str__(self):
        return self.title

    @property
    def is_withdrawn(self):
        return bool(self.withdrawn_because)

    @property
    def sides(self):
        """[("front", file), ("back", file)] of a card; of everything else the one file."""
        return [("front", self.file), ("back", self.back)] if self.back_id else [("front", self.file)]

    def side(self, name):
        """The file of this side; None when there is none."""
        return dict(self.sides).get(name)

    @classmethod
    @transaction.atomic
    def add(cls, *, by, patient, kind, content, name="", title="", back=None, back_name="", received_on=None, note="",
            again=False, made_here=False, id: UUID | None = None):
        """File a document: look into it, encrypt it, keep it, with pictures of it.

        `content`, `back`: bytes, an open file, or what `examine` gave (do that before a transaction: it may take seconds).
        The title follows from the name. Unfit for a file that is not kept; AlreadyHere for one that is here, unless `again`.
        """
        sides = [examine(content, name), *([examine(back, back_name)] if back is not None else [])]
        if not again:
            queue(f"documents:{patient.pk}")  # of two who send the same at once the second finds the first one's
            cls._refuse_twin(patient, sides)
        document = cls(
            clinic_id=patient.clinic_id, patient=patient, kind=kind, title=(title.strip() or title_of(sides[0].name, kind)),
            received_on=received_on or patient.clinic.today(), note=note, made_here=made_here)
        if id is not None:
            document.id = id
        document.file, document.back = ([StoredFile.keep(side, by=by) for side in sides] + [None])[:2]
        return document.record(by=by)

    @transaction.atomic
    def withdraw(self, *, by, because):
        """Take it out of the lists; it stays on record, and whoever asks for withdrawn ones sees it."""
        self.lock()
        if self.is_withdrawn:
            raise Refused("This document is withdrawn already.")
        if not because.strip():
            raise Refused("Say why it is withdrawn: the reason stays on record with it.")
        self.withdrawn_because = because.strip()
        return self.record(by=by, because=because)

    @transaction.atomic
    def restore(self, *, by, because=""):
        """Back into the lists."""
        self.lock()
        if not self.is_withdrawn:
            raise Refused("This document is not withdrawn.")
        self.withdrawn_because = ""
        return self.record(by=by, because=because)

    @classmethod
    def _refuse_twin(cls, patient, sides):
        prints = {side.sha256: side.name for side in sides}
        twin = cls.objects.of(patient).current().filter(
            Q(file__sha256__in=prints) | Q(back__sha256__in=prints)).select_related("file").first()
        if twin is not None:
            raise AlreadyHere(prints.get(twin.file.sha256, sides[-1].name), twin)


def title_of(name, kind):
    """A title for what came without one: its name without the ending, unless that is a camera's number."""
    stem = name.rpartition(".")[0] or name
    stem = " ".join(stem.replace("_", " ").split())
    words = sum(char.isalpha() for char in stem)
    return stem if words > 4 and words * 2 > len(stem) else str(dict(Document.Kind.choices)[kind])
