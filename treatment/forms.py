"""Forms of treatment plans: what people type, turned into what the verbs take."""
from django import forms
from django.core.exceptions import ValidationError

from charting.teeth import UnknownTooth
from clinic.forms import RecordForm
from clinic.models import ProcedureCode, Provider
from clinic.web.fields import LineField, LinesField, RowField, TypedDateField, keep_chosen
from treatment.areas import teeth_of
from treatment.models import Phase, Procedure, TreatmentPlan

WRITERS = ("dentist", "orthodontist", "therapist", "hygienist")


class ProblemsField(LinesField):
    """What brings the patient, a line each."""

    def __init__(self, **kwargs):
        super().__init__(widget=forms.Textarea(attrs={"rows": 2}), required=False, help_text="One a line.", **kwargs)

    def prepare_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value):
        if isinstance(value, list):
            return value
        return [line.strip() for line in super().to_python(value).splitlines() if line.strip()]

    def run_validators(self, value):
        super().run_validators("\n".join(value))

    def in_words(self, value):
        return value or []

    def has_changed(self, initial, data):
        return (initial or []) != self.to_python(data)


class DiagnosesField(ProblemsField):
    """ICD-10-CM codes, a line each: the code, and its words where one wants others than those of the list."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.help_text = "One code a line; the words of the list are filled in."

    def prepare_value(self, value):
        return "\n".join(self.in_words(value)) if isinstance(value, list) else value

    def in_words(self, value):
        return [f"{row['code']} {row['description']}".strip() for row in value or []]

    def to_python(self, value):
        rows = super().to_python(value)
        return [row if isinstance(row, dict) else dict(zip(("code", "description"), [
            part.strip() for part in f"{row} ".split(" ", 1)], strict=True)) for row in rows]

    def run_validators(self, value):
        super().run_validators(self.in_words(value))


class PlanForm(RecordForm):
    """What a plan says, new or again."""

    start_date = TypedDateField(label="Starts")
    target_end_date = TypedDateField(label="To end by", required=False)
    diagnosis_codes = DiagnosesField(label="Diagnoses")
    presenting_problems = ProblemsField(label="Presenting problems")
    notes = LinesField(label="Notes", required=False, max_length=8000, widget=forms.Textarea(attrs={"rows": 3}))
    beside = RowField(
        TreatmentPlan.objects.none(), label="Alternative to", required=False, empty_label="No other plan",
        help_text="Of alternatives the patient chooses one; the others are declined by that.")

    OWN = (*RecordForm.OWN, "beside")
    verb = "revise"

    class Meta:
        model = TreatmentPlan
        fields = ["title", "provider", "treatment_type", "start_date", "target_end_date", "review_frequency_days",
                  "diagnosis_codes", "presenting_problems", "notes"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["title"].widget.attrs |= {"autofocus": True, "autocomplete": "off"}
        self.fields["provider"].queryset = Provider.objects.visible_to(self.actor).current().filter(kind__in=WRITERS)
        self.fields["review_frequency_days"].label = "Reviewed every so many days"
        patient = self.instance.patient
        if self.instance._state.adding:
            self.fields["beside"].queryset = TreatmentPlan.objects.visible_to(self.actor).of(patient).filter(
                status__in=[TreatmentPlan.Status.DRAFT, TreatmentPlan.Status.PROPOSED])
            self.initial |= {"start_date": self.actor.clinic.today(), "provider": Provider.objects.that_is(self.actor) or (
                patient.primary_provider)}
        else:
            del self.fields["beside"], self.fields["provider"]  # a manager assigns it

    def draw_up(self):
        """The new plan, beside the one that it is an alternative to."""
        plan = TreatmentPlan.draw_up(by=self.actor, patient=self.instance.patient, **self.values())
        if self.cleaned_data["beside"]:
            plan.set_beside(self.cleaned_data["beside"], by=self.actor)
        return plan


class ProcedureForm(forms.Form):
    """One procedure, new or again: the code first, then the place that it asks for."""

    code = LineField(max_length=10, widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}))
    tooth = LineField(max_length=9, required=False, help_text="14, or 3-5 for a range.")
    surfaces = LineField(max_length=7, required=False)
    quadrant = forms.ChoiceField(required=False, choices=[("", "–"), *((name, name) for name in ("UR", "UL", "LL", "LR"))])
    sextant = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, choices=[("", "–"), *((number, number) for number in range(1, 7))])
    arch = forms.ChoiceField(required=False, choices=[("", "–"), ("upper", "Upper"), ("lower", "Lower")])
    phase = LineField(max_length=120, required=False, help_text="A new name begins a phase.")
    provider = RowField(Provider.objects.none(), required=False, empty_label="The plan's")
    diagnosis = LineField(max_length=10, required=False)
    fee = forms.DecimalField(max_digits=9, decimal_places=2, min_value=0, required=False, help_text="Empty: the office's.")
    estimated_visits = forms.IntegerField(label="Visits", min_value=1, max_value=60, initial=1, required=False)
    note = LinesField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, actor, plan, row=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor, self.plan, self.row = actor, plan, row
        self.fields["provider"].queryset = Provider.objects.visible_to(actor).current()
        if row is not None:
            numbering = actor.clinic.tooth_numbering
            keep_chosen(self.fields["provider"], row.provider_id)
            self.initial = {
                **{name: getattr(row, name) for name in (
                    "surfaces", "quadrant", "sextant", "arch", "diagnosis", "fee", "estimated_visits", "note", "version")},
                "code": row.procedure_code.code, "tooth": row.place._replace(surfaces="").said(numbering) if row.tooth else "",
                "phase": row.phase.name if row.phase else "", "provider": row.provider_id}

    def clean_code(self):
        code = self.cleaned_data["code"].upper()
        found = ProcedureCode.objects.visible_to(self.actor).filter(code=code).select_related("rule").first()
        if found is None:
            raise ValidationError("There is no such code here. Search for it by its words.")
        return found

    def clean_tooth(self):
        try:
            return teeth_of(self.cleaned_data["tooth"], self.actor.clinic.tooth_numbering)
        except UnknownTooth as error:
            raise ValidationError(str(error)) from error

    def values(self):
        """The verbs' arguments."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in ("code", "tooth", "phase", "version")}
        values["estimated_visits"] = values["estimated_visits"] or 1
        return values | self.cleaned_data["tooth"] | {
            "procedure_code": self.cleaned_data["code"], "provider": values["provider"] or self.plan.provider,
            "phase": Phase.named(self.cleaned_data["phase"], by=self.actor, plan=self.plan)}

    def add(self):
        return Procedure.add(by=self.actor, plan=self.plan, **self.values())

    def revise(self):
        values = self.values()
        if values["fee"] is None:
            del values["fee"]
        return self.row.revise(by=self.actor, version=self.cleaned_data["version"], **values)
