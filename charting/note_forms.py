"""The forms of notes."""
from django import forms
from django.core.exceptions import ValidationError

from charting.models import ClinicalNote
from charting.models.note import LONGEST
from charting.notes import NOTHING
from clinic.db.texts import is_unseen
from clinic.forms import RecordForm
from clinic.web.fields import LineField, LinesField
from scheduling.models import Appointment


class VisitField(forms.ModelChoiceField):
    """A visit by what and when."""

    def label_from_instance(self, visit):
        return f"{visit.starts_at.astimezone(visit.clinic.zone):%a %-d %b %Y}, {visit.appointment_type}"


class NoteForm(RecordForm):
    """A note: new, or one that is not signed yet."""

    body = LinesField(
        label="Text", max_length=LONGEST, error_messages={"required": NOTHING},
        widget=forms.Textarea(attrs={"rows": 18, "data-note-text": "", "autofocus": True, "autocomplete": "off"}))
    appointment = VisitField(
        Appointment.objects.none(), label="Visit", required=False, empty_label="Not about a visit")

    JOINABLE = ("body",)
    verb = "edit"

    class Meta:
        model = ClinicalNote
        fields = ["kind", "appointment", "body"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields.pop("because", None)  # the author's own words, not yet signed: nobody says why
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in self.instance.kinds_to_be(self.actor)]
        self.fields["appointment"].queryset = Appointment.objects.visible_to(self.actor).of(self.instance.patient).select_related(
            "appointment_type", "clinic", "provider").order_by("-starts_at")

    @property
    def visit(self):
        """The visit that stands in the form; None for none, and for what is none."""
        value = self["appointment"].value()
        try:
            return self.fields["appointment"].clean(getattr(value, "pk", value))
        except ValidationError:
            return None


class AddendumForm(forms.Form):
    """What is added to a signed note."""

    body = LinesField(label="Addendum", max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4}))

    def clean_body(self):
        if is_unseen(self.cleaned_data["body"]):
            raise ValidationError(NOTHING)
        return self.cleaned_data["body"]


class ErrorForm(forms.Form):
    """Why a note should not stand here."""

    because = LineField(label="What was wrong", max_length=200, help_text="Stays on record with the note.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
