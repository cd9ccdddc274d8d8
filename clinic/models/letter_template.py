from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.http import Http404

from clinic.db.records import Record, RecordQuerySet
from clinic.letters import STARTERS, refuse_unknown


class LetterTemplateQuerySet(RecordQuerySet):
    def current(self):
        return self.filter(is_active=True)


class LetterTemplate(Record):
    """A letter that the practice writes often: a text with fields in braces. What was written to a patient is a Document.

    One of each kind comes with Chairside and stands in no row (see `clinic.letters.STARTERS`), until the practice writes its
    own in its place: that row says `is_starter`.
    """

    class Kind(models.TextChoices):
        APPOINTMENT_CARD = "appointment_card", "Appointment card"
        EXCUSE = "excuse", "School or work excuse"
        WELCOME = "welcome", "Welcome"
        MISSED_VISIT = "missed_visit", "Missed visit"
        OTHER = "other", "Other letter"

    # Fields that must say something before a letter of the kind is written, whatever its text; without one the reason is told.
    NEEDS = {
        Kind.APPOINTMENT_CARD: ("next_visits",), Kind.EXCUSE: ("kept_visit",), Kind.MISSED_VISIT: ("missed_visit",)}
    BY_POST = (Kind.WELCOME, Kind.MISSED_VISIT, Kind.OTHER)

    kind = models.CharField(max_length=20, choices=Kind, default=Kind.OTHER)
    title = models.CharField(max_length=120, help_text="The heading on paper, and the name in Documents.")
    body = models.TextField(
        "text", max_length=6000, help_text="A blank line begins a paragraph. Fields stand in braces, such as {patient_name}.")
    is_starter = models.BooleanField(default=False, editable=False, help_text="Instead of the one that comes with Chairside.")
    is_active = models.BooleanField("in use", default=True)

    objects = LetterTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "title"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "kind"], condition=Q(is_starter=True), name="clinic_lettertemplate_one_starter_of_a_kind"),
            models.CheckConstraint(
                condition=Q(is_starter=False) | ~Q(kind="other"), name="clinic_lettertemplate_starters_have_a_kind"),
        ]
        indexes = [models.Index(fields=["clinic", "kind"], name="clinic_lettertemplate_of_kind")]

    def __str__(self):
        return str(self.title)

    @property
    def key(self):
        """How an address names it: its row, or the kind of one that has none."""
        return self.kind if self._state.adding else str(self.pk)

    @property
    def goes_by_post(self):
        return self.kind in self.BY_POST

    def clean(self):
        errors = {}
        if set("{}") & set(self.title or ""):
            errors["title"] = "A title holds no fields: braces are for the text."
        try:
            refuse_unknown(self.body or "")
        except ValidationError as error:
            errors["body"] = error
        if errors:
            raise ValidationError(errors)

    @classmethod
    def of(cls, actor):
        """All letters of the practice, in the order of the kinds: those that came with Chairside, until they were rewritten."""
        rows = list(cls.objects.visible_to(actor))
        replaced = {row.kind for row in rows if row.is_starter}
        rows += [cls.as_delivered(actor, kind) for kind in STARTERS if kind not in replaced]
        order = list(cls.Kind)
        return sorted(rows, key=lambda row: (order.index(row.kind), not row.is_starter, str(row.title)))

    @classmethod
    def as_delivered(cls, actor, kind):
        """The one of this kind that comes with Chairside; it is no row."""
        title, body = STARTERS[kind]
        return cls(clinic=actor.clinic, kind=kind, title=title, body=body, is_starter=True)

    @classmethod
    def named(cls, actor, key):
        """The letter that an address names, if it is in use and this actor may know of it; else 404."""
        for row in cls.of(actor):
            if key in (row.key, row.kind if row.is_starter else None):
                if row.is_active:
                    return row
                break
        raise Http404
