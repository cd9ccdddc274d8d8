"""Forms of the work inside a milestone."""
from datetime import datetime, time, timedelta

from django import forms

from clinic.forms import RecordForm
from clinic.models import User
from clinic.web.fields import LineField, LinesField, RowField, TypedDateField
from milestones.models import Evidence, Task


class TaskForm(RecordForm):
    """What is to be done, by whom, until when."""

    verb = "revise"

    assignee = RowField(User.objects.none(), required=False, empty_label="Nobody yet")
    due_date = TypedDateField(label="Due on", required=False)

    class Meta:
        model = Task
        fields = ["title", "assignee", "due_date", "weight", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = User.objects.filter(
            is_active=True, memberships__clinic=self.actor.clinic_id, memberships__until=None).order_by("name").distinct()
        self.fields["title"].widget.attrs["autocomplete"] = "off"

    def add(self):
        return Task.add(by=self.actor, milestone=self.instance.milestone, **self.values())


class UpdateForm(forms.Form):
    """How a task goes, and how far it is."""

    note = LinesField(max_length=4000, widget=forms.Textarea(attrs={"rows": 2}))
    percent = forms.IntegerField(label="Done, %", min_value=0, max_value=100, required=False)


class TimeForm(forms.Form):
    """Time spent, on the day on which the work was done."""

    minutes = forms.IntegerField(min_value=1, max_value=1440)
    day = TypedDateField(label="On", required=False)
    note = LineField(max_length=2000, required=False)

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.clinic = actor.clinic
        self.fields["day"].at(actor.clinic)

    def started_at(self, now):
        """When it began: so long ago today, else at nine in the morning of that day."""
        day = self.cleaned_data["day"]
        if day in (None, self.clinic.today(now)):
            return now - timedelta(minutes=self.cleaned_data["minutes"])
        return datetime.combine(day, time(9), self.clinic.zone)


class EvidenceForm(forms.Form):
    """Something that shows that it is reached: a file, a figure, or an address."""

    evidence_type = forms.ChoiceField(label="Kind", choices=[
        (Evidence.Type.DOCUMENT.value, "File"), (Evidence.Type.METRIC.value, "Figure"), (Evidence.Type.LINK.value, "Link")])
    title = LineField(label="What it shows", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    file = forms.FileField(required=False)
    value = LineField(label="Figure", max_length=200, required=False)
    url = LineField(label="Address", max_length=500, required=False, help_text="http:// or https://")

    def values(self):
        """What `Evidence.add` takes."""
        data = self.cleaned_data
        kind = data["evidence_type"]
        return {"evidence_type": kind, "title": data["title"],
                "file": data["file"] if kind == Evidence.Type.DOCUMENT else None,
                "value": data["value"] or None if kind == Evidence.Type.METRIC else None,
                "url": data["url"] if kind == Evidence.Type.LINK else ""}


class CommentForm(forms.Form):
    """What one writes about a milestone: for the staff alone, unless it is to be shared."""

    body = LinesField(label="Comment", max_length=8000, widget=forms.Textarea(attrs={"rows": 2}))
    internal = forms.BooleanField(label="Internal: the patient does not see it", required=False, initial=True)
    parent = forms.UUIDField(required=False, widget=forms.HiddenInput)
