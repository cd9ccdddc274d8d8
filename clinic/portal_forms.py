"""Forms by which somebody gets into the portal, and by which the practice lets them in or ends it."""
from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import PortalAccess
from clinic.models.portal_access import comes_of_age
from clinic.web.fields import LineField, TypedDateField

DIGITS = {"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": 9, "autofocus": True, "pattern": "[0-9 ]*"}


class AddressForm(forms.Form):
    """To which address the code goes."""

    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}))


class CodeForm(forms.Form):
    """The six digits of the mail."""

    code = forms.CharField(label=_("Code"), max_length=9, widget=forms.TextInput(attrs=DIGITS))


class BirthDateForm(forms.Form):
    """The patient's birth date, by the phone's own picker."""

    born = forms.DateField(
        label=_("The patient's birth date"), widget=forms.DateInput(attrs={"type": "date", "autofocus": True}, format="%Y-%m-%d"))


class InvitationForm(forms.Form):
    """Who is asked into the portal of a patient, as whom, at which address, for how long."""

    relationship = forms.ChoiceField(label="As", choices=PortalAccess.Relationship)
    name = LineField(label="Name", max_length=160, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.EmailField(label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    ends_on = TypedDateField(
        label="Until", required=False,
        help_text="Empty: a guardian's ends when the patient comes of age, a proxy's when you end it.")

    def __init__(self, data=None, *, patient):
        of_age = comes_of_age(patient) <= patient.clinic.today()
        first = PortalAccess.Relationship.SELF if of_age else PortalAccess.Relationship.GUARDIAN
        super().__init__(data, initial={
            "relationship": first, "name": patient.name if of_age else patient.guarantor_name, "email": patient.email})
        left_out = PortalAccess.Relationship.GUARDIAN if of_age else PortalAccess.Relationship.SELF
        self.fields["relationship"].choices = [pair for pair in PortalAccess.Relationship.choices if pair[0] != left_out]
        self.fields["ends_on"].at(patient.clinic)


class EndForm(forms.Form):
    """Why an access ends, or an invitation is taken back."""

    because = LineField(label="Why", max_length=200)
