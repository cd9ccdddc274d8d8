"""The form of an adjustment card: what is in the mouth now, in the order in which one looks."""
from django import forms
from django.core.exceptions import ValidationError

from charting.teeth import TEETH, UnknownTooth, tooth_of
from clinic.forms import RecordForm
from clinic.web.fields import LineField, LinesField
from milestones.models import Adjustment

WIRES = [
    "none", "0.014 NiTi", "0.016 NiTi", "0.018 NiTi", "16x22 NiTi", "19x25 NiTi", "0.016 SS", "16x22 SS", "19x25 SS", "17x25 TMA"]
# What stays in the mouth from one visit to the next: the new card begins with it.
STAYS = ("upper_wire", "lower_wire", "elastics", "aligner", "next_in_weeks")


class TeethField(LineField):
    """Teeth in the practice's numbering, with spaces or commas between them."""

    numbering = "universal"

    def prepare_value(self, value):
        return ", ".join(self.in_words(value)) if isinstance(value, list) else value

    def in_words(self, value):
        return [TEETH[key].label(self.numbering) for key in value or []]

    def to_python(self, value):
        if isinstance(value, list):
            return value
        words = super().to_python(value).replace(",", " ").split()
        try:
            return list(dict.fromkeys(tooth_of(word, self.numbering).key for word in words))
        except UnknownTooth as error:
            raise ValidationError(str(error)) from error

    def run_validators(self, value):
        pass

    def has_changed(self, initial, data):
        try:
            return (initial or []) != self.to_python(data)
        except ValidationError:
            return True


class AdjustmentForm(RecordForm):
    """One visit's card."""

    verb = "revise"

    broken_brackets = TeethField(label="Broken brackets", required=False, help_text="Teeth, such as 12 25.")
    hygiene = forms.ChoiceField(
        required=False, choices=[("", "–"), *Adjustment.Hygiene.choices], widget=forms.RadioSelect, initial="")
    note = LinesField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    class Meta:
        model = Adjustment
        fields = ["upper_wire", "lower_wire", "elastics", "aligner", "hygiene", "broken_brackets", "next_in_weeks", "note"]

    def __init__(self, *args, last=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["broken_brackets"].numbering = self.actor.clinic.tooth_numbering
        for name in ("upper_wire", "lower_wire"):
            self.fields[name].widget.attrs |= {"list": "wires", "autocomplete": "off"}
        self.fields["upper_wire"].widget.attrs["autofocus"] = True
        self.fields["elastics"].widget.attrs["autocomplete"] = "off"
        if self.instance._state.adding and last is not None:
            self.initial |= {name: getattr(last, name) for name in STAYS}
            if last.aligner is not None:
                self.initial["aligner"] = last.aligner + 1

    def write(self):
        """The new card."""
        return Adjustment.write(
            by=self.actor, plan=self.instance.plan, appointment=self.instance.appointment, **self.values())
