from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import Q

from charting.models.note import ClinicalNote
from charting.notes import refuse_unknown
from clinic.db.records import Record, RecordQuerySet


class NoteTemplateQuerySet(RecordQuerySet):
    def current(self):
        return self.filter(is_active=True)

    def for_writer(self, actor):
        """Those in use of the kinds that this actor may write."""
        return self.visible_to(actor).current().filter(kind__in=ClinicalNote.kinds_of(actor, "write"))


class NoteTemplate(Record):
    """A text with which a kind of note begins: fields of the record, places to fill in, a short code. Not the note itself.

    What `charting.notes` says of braces holds for its body. Notes that were begun with it keep their text.
    """

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, choices=ClinicalNote.Kind)
    short_code = models.CharField(
        max_length=16, blank=True, default="", validators=[RegexValidator(r"^[a-z][a-z0-9]{1,15}$", "Small letters and digits.")],
        help_text="Typed into a note with a dot before and a space after it, it becomes the text: .proph")
    body = models.TextField(
        "text", max_length=6000, validators=[MaxLengthValidator(6000)],
        help_text="{patient}, {age}, {today}, {visit}, {provider}, {author} are filled in. {plaque|light|none; heavy} is a choice "
        "that begins with light, {anaesthetic|} a place to write, ___ a blank. # begins a heading, - a list.")
    is_active = models.BooleanField("in use", default=True)

    objects = NoteTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "name"], name="charting_notetemplate_name_once",
                violation_error_message="There is a template of this name."),
            models.UniqueConstraint(
                fields=["clinic", "short_code"], condition=~Q(short_code=""), name="charting_notetemplate_code_once",
                violation_error_message="Another template has this short code."),
            models.CheckConstraint(
                condition=Q(kind__in=ClinicalNote.KINDS), name="charting_notetemplate_known_kind"),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        try:
            refuse_unknown(self.body or "")
        except ValidationError as error:
            raise ValidationError({"body": error}) from error
