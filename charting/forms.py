"""The forms of the chart."""
from django import forms

from charting.conditions import MATERIALS
from charting.models import Finding
from charting.teeth import SURFACES
from clinic.web.fields import TypedDateField


class FindingForm(forms.Form):
    """One finding without the entry line: for who does not type, and for a page without JavaScript."""

    tooth = forms.CharField(max_length=6)
    surfaces = forms.MultipleChoiceField(choices=[], required=False, widget=forms.CheckboxSelectMultiple)
    condition = forms.ChoiceField(label="What", choices=[])
    material = forms.ChoiceField(label="Of what", choices=[("", "Not said"), *MATERIALS.items()], required=False)
    status = forms.ChoiceField(
        label="State", required=False,
        choices=[("", "As usual"), *(choice for choice in Finding.Status.choices if choice[0] not in Finding.BY_TREATMENT)])

    def __init__(self, *args, tooth=None, kinds, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["condition"].choices = [("", "Choose"), *((kind.code, kind.name) for kind in kinds.values())]
        self.fields["surfaces"].choices = [
            (letter, SURFACES[letter].capitalize()) for letter in (tooth.surfaces if tooth else SURFACES)]


class EndForm(forms.Form):
    """How a finding ends: it passed, or it was never so."""

    how = forms.ChoiceField(label="What happened", widget=forms.RadioSelect, initial="resolved", choices=[
        ("resolved", "It has passed: healed, treated, lost"), ("error", "It was entered in error: it was never so")])
    on = TypedDateField(label="Since", required=False, help_text="Only when it has passed. Empty: today.")
    because = forms.CharField(label="Why", max_length=200, help_text="Stays on record with the finding.")
