"""What the report of milestones is asked for."""
from datetime import timedelta

from django import forms

from clinic.web.fields import TypedDateField

YEAR = timedelta(days=365)


class ReportForm(forms.Form):
    """By what the rates are told, and of which days; the last year by type unless something else is asked."""

    by = forms.ChoiceField(required=False, choices=[
        ("milestone_type", "Milestone"), ("treatment_type", "Kind of treatment"), ("provider", "Provider"), ("month", "Month")])
    first = TypedDateField(label="Due from", required=False)
    last = TypedDateField(label="to", required=False)

    def __init__(self, data=None, *, actor):
        self.today = actor.clinic.today()
        super().__init__(data, initial={"by": "milestone_type", "first": self.today - YEAR, "last": self.today})
        for name in ("first", "last"):
            self.fields[name].at(actor.clinic)

    def asked(self):
        """{"by", "first", "last"}: what was asked and can be read, else what is usual."""
        if self.is_bound:
            self.full_clean()
        data = self.cleaned_data if self.is_bound else {}
        return {name: data.get(name) or self.initial[name] for name in ("by", "first", "last")}
