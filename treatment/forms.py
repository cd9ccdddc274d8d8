"""Forms of treatment plans: what people type, turned into what the verbs take."""
from django import forms
from django.core.exceptions import ValidationError

from charting.teeth import UnknownTooth
from clinic.forms import RecordForm
from clinic.models import ProcedureCode, Provider
from clinic.web import conflicts
from clinic.web.fields import AmountField, LineField, LinesField, RowField, TypedDateField, keep_chosen
from treatment.areas import Place, teeth_of
from treatment.models import Phase, Procedure, TreatmentPlan


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
        self.fields["provider"].queryset = Provider.objects.visible_to(self.actor).current().filter(
            kind__in=TreatmentPlan.PROVIDERS)
        self.fields["review_frequency_days"].label = "Reviewed every so many days"
        patient = self.instance.patient
        if self.instance._state.adding:
            own = TreatmentPlan.objects.visible_to(self.actor).of(patient).written_by(self.actor)
            self.fields["beside"].queryset = own.filter(
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


class PhaseForm(RecordForm):
    """What a phase is called."""

    verb = "rename"

    class Meta:
        model = Phase
        fields = ["name"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.fields["because"]
        self.fields["name"].widget.attrs |= {"autofocus": True, "autocomplete": "off"}


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
    fee = AmountField(min_value=0, required=False, help_text="Empty: the office's.")
    estimated_visits = forms.IntegerField(label="Visits", min_value=1, max_value=60, initial=1, required=False)
    note = LinesField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    position = forms.IntegerField(label="Place in the plan", min_value=1, max_value=500, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    OWN = ("version", "position")

    def __init__(self, *args, actor, plan, row=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor, self.plan, self.row = actor, plan, row
        self.fields["provider"].queryset = Provider.objects.visible_to(actor).current()
        if row is None:
            del self.fields["position"]
        else:
            keep_chosen(self.fields["provider"], row.provider_id)
            order = list(plan.procedures.in_force().in_order().values_list("pk", flat=True))
            place = order.index(row.pk) + 1 if row.pk in order else None
            self.initial = self._of(row) | {"version": row.version, "position": place}

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

    def add(self):
        values = {name: value for name, value in self.cleaned_data.items() if name not in self.OWN}
        return Procedure.add(by=self.actor, plan=self.plan, **self._arguments(values))

    def revise(self):
        """Write what was changed. Stale when somebody saved meanwhile: see `differences`."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name not in self.OWN}
        if values := conflicts.settled(self.data, changed):
            self.row.revise(by=self.actor, version=self.cleaned_data["version"], **self._arguments(values))
        if "position" in self.changed_data and self.cleaned_data["position"]:
            self.row.move_to(self.cleaned_data["position"], by=self.actor)

    def differences(self, current):
        """Where what was typed and what stands now differ; `current`: the row as somebody saved it meanwhile."""
        began = current.history.filter(version=self.cleaned_data["version"] or 0).first() or current
        labels = {name: self[name].label for name in self.fields if name not in self.OWN}
        mine = {name: self[name].value() for name in labels}
        return conflicts.differences(
            labels, began=self._in_words(self._of(began)), mine=self._in_words(mine),
            theirs=self._in_words(self._of(current)))

    def _of(self, row):
        """The row as the form shows it."""
        tooth = Place.of(row)._replace(surfaces="").said(self.actor.clinic.tooth_numbering) if row.tooth else ""
        return {name: getattr(row, name) for name in (
            "surfaces", "quadrant", "sextant", "arch", "diagnosis", "fee", "estimated_visits", "note")} | {
            "code": row.procedure_code.code, "tooth": tooth, "phase": row.phase.name if row.phase else "",
            "provider": row.provider_id}

    def _in_words(self, values):
        return {name: conflicts.in_words(self.fields[name], value) for name, value in values.items()}

    def _arguments(self, values):
        """What the verbs take for these values of fields."""
        values = dict(values)
        values |= values.pop("tooth", {})
        if "code" in values:
            values["procedure_code"] = values.pop("code")
        if "phase" in values:
            values["phase"] = Phase.named(values["phase"], by=self.actor, plan=self.plan)
        if "provider" in values:
            values["provider"] = values["provider"] or self.plan.provider
        if "estimated_visits" in values:
            values["estimated_visits"] = values["estimated_visits"] or 1
        if "fee" in values and values["fee"] is None:
            values["fee"] = self.cleaned_data["code"].fee
        return values
