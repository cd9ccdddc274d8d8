"""The form of a consent: what is agreed to, what was explained, who signs and how."""
from django import forms

from clinic.models import Document
from clinic.web.fields import LineField, LinesField, RowField
from treatment.models import Consent, Procedure
from treatment.signatures import signature_of


class ProceduresField(forms.ModelMultipleChoiceField):
    """Procedures by where, code and fee."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, row):
        where = row.place.said(row.clinic.tooth_numbering)
        return f"{where} {row.procedure_code.code} {row.description}, {row.fee:,.2f}".strip()


class ConsentForm(forms.Form):
    """What is decided, over the plan's newest frozen copy."""

    decision = forms.ChoiceField(choices=Consent.Decision, initial=Consent.Decision.GIVEN, widget=forms.RadioSelect)
    procedures = ProceduresField(Procedure.objects.none(), required=False, label="Procedures")
    explained = LinesField(
        label="What was explained", max_length=8000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Risks, alternatives and cost, as they were told.")
    signed_by = forms.ChoiceField(label="Signed by", choices=Consent.SignedBy)
    signature_name = LineField(label="Name of who signs", max_length=120)
    witness = LineField(max_length=120, required=False)
    number = forms.IntegerField(widget=forms.HiddenInput)  # of the copy that was shown
    signature_image = forms.CharField(required=False, max_length=900_000, widget=forms.HiddenInput)
    paper = RowField(
        Document.objects.none(), label="Signed on paper", required=False, empty_label="No: on the screen",
        help_text="A consent that was scanned into the patient's documents.")

    def __init__(self, *args, actor, plan, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor, self.plan = actor, plan
        rows = plan.procedures.in_force().select_related("procedure_code", "clinic").in_order()
        self.fields["procedures"].queryset = rows
        self.initial |= {"procedures": [row.pk for row in rows if row.is_open], "signature_name": plan.person.name,
                         "number": plan.number}
        self.fields["paper"].queryset = Document.objects.visible_to(actor).of(plan.patient).current().filter(
            kind=Document.Kind.CONSENT).select_related("file")

    def clean_signature_image(self):
        return signature_of(self.cleaned_data["signature_image"])

    def clean(self):
        data = super().clean()
        given = data.get("decision") == Consent.Decision.GIVEN
        if given and not self.errors and not (data.get("signature_image") or data.get("paper")):
            raise forms.ValidationError("Sign in the field, or choose the scan of the signed paper.")
        return data

    def take(self, now):
        data = self.cleaned_data
        return Consent.take(
            by=self.actor, plan=self.plan, procedures=list(data["procedures"]), now=now, signature=data["signature_image"],
            **{name: data[name] for name in (
                "decision", "explained", "signed_by", "signature_name", "witness", "paper", "number")})
