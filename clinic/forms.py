"""Forms of the practice: what people type, checked and named in words; the verbs do the rest."""
from datetime import datetime
from typing import NamedTuple

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, SetPasswordMixin
from django.core.exceptions import ValidationError
from phonenumber_field.formfields import PhoneNumberField

from clinic import letters
from clinic.db.records import Fact
from clinic.merges import joined_history
from clinic.models import Account, Document, LetterTemplate, MedicalHistory, NotificationChoices, Patient, Provider
from clinic.models.medical_history import PREGNANCY, SEVERITIES, TOBACCO
from clinic.models.merge import same_history
from clinic.notices import concerning
from clinic.web import conflicts
from clinic.web.fields import LineField, LinesField, TypedDateField, keep_chosen


class SignInForm(AuthenticationForm):
    """E-mail and password. One sentence for every failure: it never tells whether somebody exists."""

    username = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"}))
    error_messages = {
        "invalid_login": "This e-mail and password don't belong together. Check both and try again.",
        "inactive": "This e-mail and password don't belong together. Check both and try again.",
    }

    def clean_username(self):
        return self.cleaned_data["username"].lower()


class NewPasswordForm(SetPasswordMixin, forms.Form):
    """Twice the new password."""

    new_password1, new_password2 = SetPasswordMixin.create_password_fields("New password", "New password again")

    def __init__(self, user, *args, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = "At least 12 characters, not a common password, not only digits."
        self.fields["new_password2"].help_text = ""

    def clean(self):
        self.validate_passwords("new_password1", "new_password2")
        self.validate_password_for_user(self.user, "new_password2")
        return super().clean()


class ChangePasswordForm(NewPasswordForm):
    """The old password, and twice the new one. A wrong old one counts as a try at signing in."""

    old_password = forms.CharField(
        label="Password now", strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}))
    field_order = ["old_password", "new_password1", "new_password2"]

    def __init__(self, user, *args, request, **kwargs):
        self.request = request
        super().__init__(user, *args, **kwargs)

    def clean_old_password(self):
        typed = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.email, password=typed) is None:
            raise ValidationError(
                "Too many wrong tries. Wait 30 minutes." if getattr(self.request, "axes_locked_out", False)
                else "This is not your password now.")
        return typed


class ForgottenForm(forms.Form):
    """To which address the link goes."""

    email = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"}))

    def clean_email(self):
        return self.cleaned_data["email"].lower()


class AddressForm(ForgottenForm):
    """The address with which one wants to sign in."""

    email = forms.EmailField(
        label="New e-mail", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "email"}))


class TokenForm(forms.Form):
    """Which program the token is for, and how long it lives."""

    name = LineField(
        label="For which program", max_length=80, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}))
    days = forms.TypedChoiceField(
        label="Lives for", coerce=int, initial=90, choices=[(7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year")])


class NotificationForm(forms.Form):
    """Of what one person is told in this clinic, and how: a field for each kind that concerns them."""

    digest_hour = forms.TypedChoiceField(
        label="The daily e-mail leaves at", coerce=int, choices=[(hour, f"{hour}:00") for hour in range(24)],
        help_text="It says only how many things wait.")
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data=None, *, actor):
        self.actor, self.mine = actor, NotificationChoices.of(actor)
        super().__init__(data, initial={"digest_hour": self.mine.digest_hour, "version": self.mine.version})
        self.kinds = {notice.name: notice for notice in concerning(actor)}
        for name, notice in self.kinds.items():
            self.fields[name] = forms.ChoiceField(
                label=notice.sentence, choices=NotificationChoices.Choice, initial=self.mine.choice(notice))
        self.order_fields([*self.kinds, "digest_hour"])

    def save(self):
        values = {
            "choices": {**self.mine.choices, **{name: self.cleaned_data[name] for name in self.kinds}},
            "digest_hour": self.cleaned_data["digest_hour"]}
        self.mine.choose(by=self.actor, version=self.cleaned_data["version"], **values)


class RecordForm(forms.ModelForm):
    """A form over a record of the actor's clinic: choices are the actor's own, and it carries the version it showed."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    because = LineField(
        label="Why", max_length=200, required=False, help_text="Stands in the history beside the change.")

    OWN = ("version", "because")  # the form's own fields, not the record's
    JOINABLE = ()  # texts of which, after a lost race, both can stand
    verb = "change"  # of the record: what writes the form's values

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor = actor
        if self.instance._state.adding:
            self.instance.clinic = actor.clinic
            del self.fields["because"]
        self.initial["version"] = self.instance.version
        for field in self.fields.values():
            if isinstance(field, PhoneNumberField):
                field.region = actor.clinic.country
                field.error_messages["invalid"] = (
                    "This is not a phone number we can read. Write it like (201) 555-0123 or +49 30 901820.")
                field.widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "off"})
            elif isinstance(field, TypedDateField):
                field.at(actor.clinic)

    def values(self):
        """What was typed, for the verb."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.OWN}

    def arguments(self, values):
        """What the verb takes for these values of fields."""
        return values

    def save_by(self, actor):
        """Write what was changed, by the record's verb. Stale when somebody saved meanwhile: see `differences`."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name not in self.OWN}
        if values := conflicts.settled(self.data, changed, self.initial, self.JOINABLE):
            said = {name: self.cleaned_data[name] for name in RecordForm.OWN if name in self.fields}
            getattr(self.instance, self.verb)(by=actor, **said, **self.arguments(values))

    def differences(self, current):
        """Where what was typed and what stands now differ; `current`: the record as somebody saved it meanwhile."""
        began = current.history.filter(version=self.cleaned_data["version"] or 0).first() or current
        labels = {name: field.label for name, field in self.fields.items() if name not in self.OWN}
        return conflicts.differences(
            labels, began=self._shown(began), mine=self._shown_values(self.cleaned_data), theirs=self._shown(current),
            joinable=self.JOINABLE)

    def _of(self, record):
        return {name: getattr(record, name) for name in self.fields if name not in self.OWN}

    def _shown(self, record):
        return self._shown_values(self._of(record))

    def _shown_values(self, values):
        """The values as people read them: the words of a choice, not its key."""
        return {
            name: conflicts.in_words(self.fields[name], value) for name, value in values.items() if name not in self.OWN}


class PatientForm(RecordForm):
    """Who the patient is and how they are reached."""

    date_of_birth = TypedDateField(past=True)

    class Meta:
        model = Patient
        fields = [
            "first_name", "last_name", "preferred_name", "date_of_birth", "sex", "phone", "phone_home", "phone_work", "email",
            "line1", "line2", "city", "region", "postal_code", "country", "language", "contact_by", "wants_reminders",
            "wants_recall", "wants_news", "emergency_name", "emergency_phone", "emergency_relationship", "guarantor_name",
            "guarantor_phone", "guarantor_relationship", "primary_provider", "primary_hygienist", "status",
        ]

    GROUPS = [
        ("Name", ["first_name", "last_name", "preferred_name", "date_of_birth", "sex"]),
        ("Contact", ["phone", "email", "phone_home", "phone_work"]),
        ("Address", ["line1", "line2", "city", "region", "postal_code", "country"]),
        ("How to reach them, and about what", ["contact_by", "language", "wants_reminders", "wants_recall", "wants_news"]),
        ("In an emergency", ["emergency_name", "emergency_phone", "emergency_relationship"]),
        ("Guarantor, when somebody else pays", ["guarantor_name", "guarantor_phone", "guarantor_relationship"]),
        ("In the practice", ["primary_provider", "primary_hygienist", "status"]),
    ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        providers = Provider.objects.visible_to(self.actor).current()
        self.fields["primary_provider"].queryset = providers.filter(kind__in=["dentist", "orthodontist", "therapist"])
        self.fields["primary_hygienist"].queryset = providers.filter(kind="hygienist")
        for name in ("primary_provider", "primary_hygienist"):
            self.fields[name].empty_label = "Nobody yet"
            keep_chosen(self.fields[name], getattr(self.instance, f"{name}_id"))
        if self.instance._state.adding:
            self.fields["first_name"].widget.attrs["autofocus"] = True
            del self.fields["status"]

    def groups(self):
        """[(title, bound fields)] as they stand on the page."""
        groups = [*self.GROUPS, ("This change", ["because"])] if "because" in self.fields else self.GROUPS
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in groups]


class AccountForm(RecordForm):
    """Who pays, and where bills go."""

    class Meta:
        model = Account
        fields = ["name", "phone", "email", "line1", "line2", "city", "region", "postal_code", "country"]


class DocumentForm(RecordForm):
    """What a document is, never its file."""

    received_on = TypedDateField(label="Received")
    note = LinesField(widget=forms.Textarea(attrs={"rows": 3}), max_length=4000, required=False)

    class Meta:
        model = Document
        fields = ["title", "kind", "received_on", "note"]


class FilingForm(forms.Form):
    """What holds for all files that are added at once."""

    kind = forms.ChoiceField(label="They are", choices=Document.Kind.choices, initial=Document.Kind.OTHER)
    again = forms.BooleanField(label="Also what is already here", required=False)


class CardForm(forms.Form):
    """A card, of which both sides are photographed one after the other."""

    kind = forms.ChoiceField(
        label="Card", choices=[(kind.value, kind.label) for kind in Document.CARDS], initial=Document.Kind.INSURANCE_CARD)
    front = forms.FileField(
        label="Front", widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}), max_length=255)
    back = forms.FileField(
        label="Back", required=False, max_length=255,
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}))


class WithdrawForm(forms.Form):
    """Why a document is taken out of the lists."""

    because = LineField(
        label="Why", max_length=200, help_text="Stands on record with the document.",
        widget=forms.TextInput(attrs={"list": "withdraw-reasons", "autofocus": True, "autocomplete": "off"}))


class LetterForm(forms.Form):
    """A letter as it will stand on paper: filled in, read over, perhaps changed."""

    title = LineField(label="Heading", max_length=120)
    text = LinesField(max_length=8000, widget=forms.Textarea(attrs={"rows": 18, "autofocus": True}))

    def clean_text(self):
        left = letters.unsaid(self.cleaned_data["text"])
        if left:
            fields = ", ".join(f"{{{name}}}" for name in left)
            raise ValidationError(f"{fields} still stands in the text. Write what is meant in its place, or take it out.")
        return self.cleaned_data["text"]


class LetterTemplateForm(RecordForm):
    """A letter that the practice writes often. What replaces one that came with Chairside stays of its kind."""

    class Meta:
        model = LetterTemplate
        fields = ["kind", "title", "body", "is_active"]
        widgets = {"body": forms.Textarea(attrs={"rows": 16})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.is_starter:
            del self.fields["kind"]


class BecauseForm(forms.Form):
    """Why two records are of one person, or of two; with the versions that were seen."""

    because = LineField(label="Why", max_length=200, help_text="Stands on record with both patients.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class MergeForm(BecauseForm):
    """That one patient is merged into another; where their medical histories differ, that the joined one is right."""

    survivor_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    own_number = forms.IntegerField(widget=forms.HiddenInput, required=False)
    survivors_number = forms.IntegerField(widget=forms.HiddenInput, required=False)
    history_is_right = forms.BooleanField(label="The joined medical history holds for this person", required=False)

    def __init__(self, *args, goes, stays, **kwargs):
        numbers = [row.number if row else 0 for row in (goes.medical_history, stays.medical_history)]
        super().__init__(*args, **kwargs, initial={
            "version": goes.version, "survivor_version": stays.version, "own_number": numbers[0],
            "survivors_number": numbers[1]})
        self.joined = None if same_history(goes, stays) else joined_history(goes, stays)
        if self.joined is None:
            del self.fields["history_is_right"]
        else:
            self.fields["history_is_right"].required = True

    def values(self):
        """What `Patient.merge_into` takes besides the two."""
        sent = self.cleaned_data
        joined = self.joined and (self.joined, sent["own_number"] or 0, sent["survivors_number"] or 0)
        return {"because": sent["because"], "version": sent["version"], "survivor_version": sent["survivor_version"],
                "joined": joined}


class UnmergeForm(BecauseForm):
    """That two records are of two people, and whose each bundle of later rows is."""

    def __init__(self, *args, patient, survivor, later, **kwargs):
        super().__init__(*args, **kwargs, initial={"version": patient.version})
        self.people, self.bundles, authors = {str(each.pk): each for each in (survivor, patient)}, later.bundles, later.authors()
        choices = [(key, f"{each.name}, #{each.chart_number}") for key, each in self.people.items()]
        for bundle in self.bundles:
            bundle.lines = [Later.of(row, authors) for row in bundle.rows]
            if bundle.owner is None:
                self.fields[bundle.key] = forms.ChoiceField(
                    label=f"Whose is {bundle.lines[0].what}?", choices=choices, widget=forms.RadioSelect)

    @property
    def asked(self):
        """[(bundle, its field or None)]"""
        return [(bundle, self[bundle.key] if bundle.owner is None else None) for bundle in self.bundles]

    def values(self):
        """What `Patient.unmerge` takes."""
        sent = self.cleaned_data
        owners = {bundle.rows[0].pk: self.people[sent[bundle.key]] for bundle in self.bundles if bundle.owner is None}
        return {"because": sent["because"], "version": sent["version"], "owners": owners}


class Later(NamedTuple):
    """A row that came since a merge, as a person recognises it."""

    what: str
    at: datetime
    who: str

    @classmethod
    def of(cls, row, authors):
        kind = str(row._meta.verbose_name).capitalize()
        said = str(row)
        at = row.at if isinstance(row, Fact) else row.created_at
        return cls(said.capitalize() if said.lower().startswith(kind.lower()) else f"{kind}: {said}", at,
                   authors.get(row.pk, "the installation"))


def _choices(mapping, empty=None):
    return ([("", empty)] if empty else []) + list(mapping.items())


class MedicationForm(forms.Form):
    name = LineField(max_length=120)
    dose = LineField(max_length=80, required=False)
    reason = LineField(label="For", max_length=120, required=False)


class AllergyForm(forms.Form):
    substance = LineField(max_length=120)
    reaction = LineField(max_length=120, required=False)
    severity = forms.ChoiceField(choices=_choices(SEVERITIES, "Not known"), required=False)


class ConditionForm(forms.Form):
    name = LineField(label="Condition", max_length=120)
    severity = forms.ChoiceField(choices=_choices(SEVERITIES, "Not known"), required=False)
    onset = LineField(label="Since", max_length=40, required=False)
    note = LineField(max_length=200, required=False)


class MedicalHistoryForm(forms.Form):
    """Everything but the lists; the three lists are formsets beside it."""

    premedication = LineField(
        max_length=200, required=False, help_text="What must be taken before treatment. Shows in red on every page.")
    tobacco = forms.ChoiceField(choices=TOBACCO.items(), required=False)
    pregnancy = forms.ChoiceField(choices=PREGNANCY.items(), required=False)
    due_on = LineField(label="Due", max_length=40, required=False)
    note = LinesField(widget=forms.Textarea(attrs={"rows": 3}), max_length=4000, required=False)
    seen_number = forms.IntegerField(widget=forms.HiddenInput)

    LISTS = [("allergies", "Allergies", AllergyForm), ("conditions", "Conditions", ConditionForm),
             ("medications", "Medications", MedicationForm)]

    def __init__(self, data=None, *, content, seen_number):
        super().__init__(data, initial={**content, "seen_number": seen_number})
        self.lists = []
        for name, title, row_form in self.LISTS:
            formset = forms.formset_factory(row_form, extra=1, max_num=60, absolute_max=80, can_delete=True)(
                data, prefix=name, initial=content.get(name, []))
            formset.title = title
            self.lists.append(formset)

    def is_valid(self):
        return all([super().is_valid(), *(formset.is_valid() for formset in self.lists)])

    LABELS = {**{name: title for name, title, _ in LISTS}, "premedication": "Premedication", "tobacco": "Tobacco",
              "pregnancy": "Pregnancy", "due_on": "Due", "note": "Note"}
    JOINABLE = {"allergies", "conditions", "medications", "note"}

    def settled(self, theirs):
        """What was typed, after the choices of the page with both texts; `theirs`: the newest content."""
        theirs = {**MedicalHistory.EMPTY, **theirs}
        return {**theirs, **conflicts.settled(self.data, self.content(), theirs, self.JOINABLE)}

    def differences(self, began, theirs):
        """Where what was typed and the newest version differ."""
        empty = MedicalHistory.EMPTY
        return conflicts.differences(
            self.LABELS, began={**empty, **began}, mine=self.content(), theirs={**empty, **theirs}, joinable=self.JOINABLE)

    def content(self):
        """The whole history as it is stored."""
        found = {name: value for name, value in self.cleaned_data.items() if name != "seen_number"}
        for formset in self.lists:
            found[formset.prefix] = [
                {name: value for name, value in row.items() if name != "DELETE"}
                for row in formset.cleaned_data if row and not row.get("DELETE")]
        return found
