from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.utils import timezone

from charting.models.note import LONGEST, ClinicalNote
from charting.notes import NOTHING, even, refuse_unseen, sealed
from clinic.access.rules import may
from clinic.db.fields import EncryptedTextField
from clinic.db.records import Fact, FactQuerySet
from clinic.db.refusals import Refused
from clinic.db.texts import ReadableTexts


class AddendumQuerySet(FactQuerySet):
    def visible_to(self, actor):
        return super().visible_to(actor).filter(note__in=ClinicalNote.objects.visible_to(actor).order_by().values("pk"))


class Addendum(Fact, ReadableTexts):
    """What was added to a signed note. Writing it is signing it: it never changes, and its hash names the note's."""

    note = models.ForeignKey(ClinicalNote, models.PROTECT, related_name="addenda")
    body = EncryptedTextField(
        "text", context="charting_addendum.body", max_length=LONGEST, validators=[MaxLengthValidator(LONGEST)],
        error_messages={"blank": NOTHING})
    content_hash = models.CharField(max_length=70, editable=False)

    objects = AddendumQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        verbose_name_plural = "addenda"
        indexes = [models.Index(fields=["clinic", "-at"], name="charting_addendum_by_time")]

    def __str__(self):
        return f"addendum to {self.note}"

    @classmethod
    @transaction.atomic
    def write(cls, *, by, note, body, id=None, now=None):
        """Add to a signed note, under one's own name.

        To the care team's notes whoever may not sign alone adds for a second signature: then the note waits for it again.
        """
        note.lock()
        if not note.is_signed:
            raise Refused("This note is not signed yet, so it can still be changed itself.")
        if note.error_because:
            raise Refused("This note is marked as entered in error, so nothing is added to it.")
        if by.user is None:
            raise Refused("An addendum has an author: sign in to write it.")
        note.refuse_kinds_of_others(by)
        addendum = cls(
            clinic_id=note.clinic_id, note=note, body=even(body), by=by.user, at=now or timezone.now(),
            **({"id": id} if id else {}))
        addendum.content_hash = addendum._seal()
        addendum.clean_fields(exclude=["clinic", "note", "by"])
        refuse_unseen(addendum.body)
        addendum.save()
        if note.is_clinical and not may(by, "charting.sign_alone"):
            note.addenda_wait = True
            note.record(by=by, because="Added to, to be co-signed")
        return addendum

    @property
    def is_intact(self):
        return self.content_hash == self._seal()

    def _seal(self):
        return sealed(
            id=self.pk, note=self.note_id, of=self.note.content_hash, body=self.body, author=self.by_id, signed_at=self.at)
