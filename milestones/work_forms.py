"""Forms of the work inside a milestone."""
from datetime import datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from clinic.db.refusals import NotAllowed, Refused, Stale
from clinic.files.examine import Unfit
from clinic.forms import RecordForm
from clinic.models import User
from clinic.web.fields import LineField, LinesField, RowField, TypedDateField
from milestones.models import Comment, Evidence, Milestone, Task, TaskUpdate, TimeEntry
from milestones.proposals import proposals
from milestones.records import of_record, take
from scheduling.forms import tell


def told(form, error, **names):
    """Say on the form what a verb refused; `names`: fields that the form calls otherwise. Who may not at all gets the bare
    answer, and whom somebody overtook is shown both texts."""
    if isinstance(error, NotAllowed | Stale):
        raise error
    tell(form, ValidationError(str(error)) if isinstance(error, Refused) else error, **names)


def said(form):
    """All that is wrong with a form, in one line."""
    return " ".join(
        f"{form[name].label}: {line}" if name in form.fields else line for name, lines in form.errors.items() for line in lines)


class TaskForm(RecordForm):
    """What is to be done, by whom, until when."""

    verb = "revise"
    name = "task"
    names = {}

    assignee = RowField(User.objects.none(), required=False, empty_label="Nobody yet")
    due_date = TypedDateField(label="Due on", required=False)

    class Meta:
        model = Task
        fields = ["title", "assignee", "due_date", "weight", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, auto_id=f"{self.name}_%s", **kwargs)
        self.fields["assignee"].queryset = User.objects.working_in(self.actor.clinic_id)
        self.fields["title"].widget.attrs["autocomplete"] = "off"

    def add(self):
        return Task.add(by=self.actor, milestone=self.instance.milestone, **self.values())


class PartForm(forms.Form):
    """A form about one row: its name tells it from the others of the page, and so do the ids of its fields."""

    kind = ""
    names = {}  # {what the verb calls it: the field}

    def __init__(self, row, data=None, files=None, *, actor):
        self.row, self.actor = row, actor
        self.name = self.kind if isinstance(row, Milestone) else f"{self.kind}-{row.pk}"  # one milestone is open, of many rows
        super().__init__(data, files, auto_id=f"{self.name}_%s")


class UpdateForm(PartForm):
    """How a task goes, and how far it is."""

    kind = "update"

    note = LinesField(label="How it goes", max_length=4000, widget=forms.Textarea(attrs={"class": "input", "rows": 2}))
    percent = forms.IntegerField(label="Done, %", min_value=0, max_value=100, required=False, widget=forms.TextInput(
        attrs={"class": "input ms-number", "inputmode": "numeric", "maxlength": 3, "autocomplete": "off"}))

    def tell(self):
        """Who reviews such updates may approve their own with the same press (`approve`)."""
        return TaskUpdate.tell(by=self.actor, task=self.row, approve="approve" in self.data, **self.cleaned_data)


class ReviewForm(PartForm):
    """What a clinician answers to an update."""

    kind = "review"

    reason = LineField(label="Why it is sent back", max_length=200, required=False, widget=forms.TextInput(
        attrs={"class": "input ms-reason", "placeholder": "Why, if sent back", "autocomplete": "off"}))
    decision = forms.CharField(required=False)

    def review(self):
        return self.row.review(by=self.actor, **self.cleaned_data)


class TimeForm(PartForm):
    """Time spent, on the day on which the work was done."""

    kind = "time"
    names = {"started_at": "day"}

    minutes = forms.IntegerField(min_value=1, max_value=1440, widget=forms.TextInput(
        attrs={"class": "input ms-number", "inputmode": "numeric", "maxlength": 4, "autocomplete": "off"}))
    day = TypedDateField(label="on", required=False)
    note = LineField(label="On what", max_length=2000, required=False, widget=forms.TextInput(
        attrs={"class": "input", "autocomplete": "off"}))

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, actor=actor, **kwargs)
        self.clinic = actor.clinic
        self.fields["day"].at(actor.clinic)
        self.fields["day"].widget.attrs |= {"class": "input ms-day", "placeholder": "today"}

    def log(self):
        now = timezone.now()
        return TimeEntry.log(by=self.actor, task=self.row, started_at=self.started_at(now), now=now,
                             minutes=self.cleaned_data["minutes"], note=self.cleaned_data["note"])

    def started_at(self, now):
        """When it began: so long ago today, though not before midnight, else at nine in the morning of that day."""
        day, today = self.cleaned_data["day"], self.clinic.today(now)
        if day in (None, today):
            return max(now - timedelta(minutes=self.cleaned_data["minutes"]), datetime.combine(today, time(), self.clinic.zone))
        return datetime.combine(day, time(9), self.clinic.zone)


class WhyForm(PartForm):
    """Why a task or evidence is taken out, or a task takes another step."""

    kind = "why"
    names = {"reason": "because"}

    because = LineField(label="Why", max_length=200, required=False)

    def __init__(self, *args, verb="withdraw", **kwargs):
        self.verb = verb
        super().__init__(*args, **kwargs)

    def act(self):
        return getattr(self.row, self.verb)(by=self.actor, because=self.cleaned_data["because"])


class OfferForm(PartForm):
    """Which row of the record is taken as evidence for a milestone (`row`), of those that it offers."""

    kind = "offer"

    row = forms.UUIDField(required=False)

    def take(self):
        offered = next((each for each in proposals(self.row) if each.row.pk == self.cleaned_data["row"]), None)
        if offered is None:
            raise Refused("The record no longer offers this as evidence. Look at the page again.")
        return offered.confirm(by=self.actor, milestone=self.row)


class EvidenceForm(PartForm):
    """Something that shows that it is reached: a row of the record, a file, a figure, or an address."""

    kind = "evidence"
    names = {"description": "title"}
    RECORD = "record"

    evidence_type = forms.ChoiceField(label="Kind", choices=[
        (RECORD, "From the record"), (Evidence.Type.DOCUMENT.value, "File"), (Evidence.Type.METRIC.value, "Figure"),
        (Evidence.Type.LINK.value, "Link")])
    record = forms.ChoiceField(required=False)
    title = LineField(label="What it shows", max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    file = forms.FileField(required=False)
    value = LineField(label="Figure", max_length=200, required=False)
    url = LineField(label="Address", max_length=500, required=False, help_text="http:// or https://")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["record"].choices = [("", "Choose"), *of_record(self.actor, self.row)]

    def clean(self):
        data = super().clean()
        if data.get("evidence_type") == self.RECORD and not data.get("record") and "record" not in self.errors:
            self.add_error("record", "Choose what of the record shows it.")
        elif data.get("evidence_type") != self.RECORD and not data.get("title"):
            self.add_error("title", "Write what it shows.")
        return data

    def add(self):
        """What was chosen counts; what was typed for another kind does not. A row of the record brings its title along."""
        data = self.cleaned_data
        if data["evidence_type"] == self.RECORD:
            return take(by=self.actor, milestone=self.row, said=data["record"], title=data["title"])
        kind = data["evidence_type"]
        chosen = {
            "file": data["file"] if kind == Evidence.Type.DOCUMENT else None,
            "value": data["value"] or None if kind == Evidence.Type.METRIC else None,
            "url": data["url"] if kind == Evidence.Type.LINK else ""}
        try:
            return Evidence.add(by=self.actor, milestone=self.row, evidence_type=kind, title=data["title"], **chosen)
        except Unfit as error:
            raise ValidationError({"file": error.messages}) from error


class CommentForm(PartForm):
    """What one writes about a milestone: for the staff alone, unless it is to be shared. `parent`: what it answers."""

    kind = "comment"

    body = LinesField(label="Comment", max_length=8000, widget=forms.Textarea(attrs={"rows": 2}))
    internal = forms.BooleanField(label="Internal: the patient does not see it", required=False, initial=True)

    def __init__(self, *args, parent=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.parent = parent
        if parent is not None:
            self.name = f"answer-{parent.pk}"
            self.auto_id = f"{self.name}_%s"
            self.fields["body"].label = "Answer"
            if parent.internal:  # and so is what answers it
                del self.fields["internal"]

    def write(self):
        return Comment.write(by=self.actor, milestone=self.row, parent=self.parent, **self.cleaned_data)
