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

    No record and no history: the record begins when a person saves, closes or signs, and the draft goes with it. Each window
    counts its savings in `number`, so that what arrives late never replaces what is newer; and a second window never replaces
    what the first one holds unless it began from that (`token`).
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
    window = models.CharField(max_length=36, help_text="Which window of the author's browser holds it.")
    number = models.PositiveIntegerField()
    content = EncryptedJSONField(context="charting_draft.content")
    saved_at = models.DateTimeField()

    LAST = 2_147_483_647  # the number of a draft that was saved as a record: whatever arrives late comes before it

    objects = DraftQuerySet.as_manager()

    class Meta:
        ordering = ["-saved_at"]
        constraints = [models.UniqueConstraint(
            fields=["clinic", "author", "patient", "kind", "about"], name="charting_draft_one_per_author_and_thing")]

    def __str__(self):
        return f"draft {self.number}"

    @property
    def token(self):
        """Names this state of the draft, for a window that goes on from it."""
        return f"{self.window}:{self.number}"

    @classmethod
    def find(cls, actor, patient, kind, about=NEW):
        """The actor's own draft of this; None when there is none."""
        return cls.objects.visible_to(actor).of(patient).filter(kind=kind, about=str(about)).exclude(number=cls.LAST).first()

    @classmethod
    @transaction.atomic
    def keep(cls, *, by, patient, kind, content, window, number, began="", about=NEW, now=None):
        """Keep what is typed, in place of what was.

        `window`, `number`: of the window that types, and its how-manieth saving this is; one that arrives after a later one
        changes nothing. `began`: the token of the draft that the window was opened with. Stale, with the draft as it stands,
        when another window saved since.
        """
        mine = {"kind": kind, "about": str(about)}
        draft = cls.objects.select_for_update(of=("self",)).visible_to(by).of(patient).filter(**mine).first()
        if draft is not None and draft.window == window and number <= draft.number:
            return draft
        if draft is not None and draft.window != window and draft.number != cls.LAST and draft.token != began:
            raise Stale(draft)
        draft = draft or cls(clinic_id=by.clinic_id, author=by.user, patient=patient, **mine)
        draft.window, draft.number, draft.content, draft.saved_at = window, number, content, now or timezone.now()
        try:
            with transaction.atomic():
                draft.save()
        except IntegrityError as error:  # two windows wrote the first words
            raise Stale(cls.find(by, patient, **mine)) from error
        return draft

    @classmethod
    @transaction.atomic
    def drop(cls, *, by, patient, kind, about=NEW, window=""):
        """What was typed is saved as a record, or not wanted any more.

        `window`: the one that saved; a draft that another window holds by now stays. What that window still has under way must not
        make the draft anew, so an emptied row stands in its place, as the last of that window's savings.
        """
        rows = cls.objects.visible_to(by).of(patient).filter(kind=kind, about=str(about))
        if not window:
            rows.delete()
            return
        draft = rows.select_for_update(of=("self",)).first() or cls(
            clinic_id=by.clinic_id, author=by.user, patient=patient, kind=kind, about=str(about), window=window)
        if draft.window == window:
            draft.number, draft.content, draft.saved_at = cls.LAST, {}, timezone.now()
            draft.save()
