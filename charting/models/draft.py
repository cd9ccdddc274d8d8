from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from clinic.db.fields import EncryptedJSONField
from clinic.db.keys import uuid7
from clinic.db.records import person
from clinic.db.refusals import Stale

NEW = ""  # a draft about nothing that is saved yet


class DraftQuerySet(models.QuerySet):
    def visible_to(self, actor):
        """One's own: nobody else reads what is not saved yet."""
        if actor is None or actor.hat != "staff":
            return self.none()
        return self.filter(clinic=actor.clinic_id, author=actor.user)

    def of(self, patient):
        return self.filter(patient__in=person(self.model, patient))


class Draft(models.Model):
    """What somebody is typing about a patient and has not saved: one replaceable row per author, patient and thing.

    No record and no history: the record begins when a person saves, closes or signs, and the draft goes with it. `number`
    rises with each saving, so that what arrives late, or from a second window, never replaces what is newer.
    """

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        PERIO = "perio", "Periodontal exam"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinic = models.ForeignKey("clinic.Clinic", models.PROTECT, related_name="+", editable=False, db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="+", editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    about = models.CharField(max_length=36, blank=True, default=NEW, help_text="The key of the record that is being changed.")
    number = models.PositiveIntegerField()
    content = EncryptedJSONField(context="charting_draft.content")
    saved_at = models.DateTimeField()

    objects = DraftQuerySet.as_manager()

    class Meta:
        ordering = ["-saved_at"]
        constraints = [models.UniqueConstraint(
            fields=["clinic", "author", "patient", "kind", "about"], name="charting_draft_one_per_author_and_thing")]

    def __str__(self):
        return f"draft {self.number}"

    @classmethod
    def find(cls, actor, patient, kind, about=NEW):
        """The actor's own draft of this; None when there is none."""
        return cls.objects.visible_to(actor).of(patient).filter(kind=kind, about=str(about)).first()

    @classmethod
    @transaction.atomic
    def keep(cls, *, by, patient, kind, content, number, about=NEW, now=None):
        """Keep what is typed, in place of what was. `number`: one more than that of the draft that the page holds (1: none).

        The same content under the newest number again is a retry and changes nothing. Stale, with the draft as it stands, when
        another window saved since.
        """
        draft = cls.objects.select_for_update(of=("self",)).visible_to(by).of(patient).filter(kind=kind, about=str(about)).first()
        if draft is not None and draft.number == number and draft.content == content:
            return draft
        if number != (draft.number if draft else 0) + 1:
            raise Stale(draft)
        draft = draft or cls(clinic_id=by.clinic_id, author=by.user, patient=patient, kind=kind, about=str(about))
        draft.number, draft.content, draft.saved_at = number, content, now or timezone.now()
        try:
            with transaction.atomic():
                draft.save()
        except IntegrityError as error:  # two windows wrote the first words
            raise Stale(cls.find(by, patient, kind, about)) from error
        return draft

    @classmethod
    def drop(cls, *, by, patient, kind, about=NEW):
        """What was typed is saved as a record, or not wanted any more."""
        cls.objects.visible_to(by).of(patient).filter(kind=kind, about=str(about)).delete()
