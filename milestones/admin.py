"""What managers edit of milestones: the standard sets, row by row."""
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from clinic.db.texts import readable
from clinic.web.back_office import RecordAdmin, RecordForm, RecordRows, RowForm
from milestones.models import MilestoneSet, MilestoneTemplate


class TasksField(forms.CharField):
    """Tasks, one a line: "title | days before | weight | description"; what follows the title may be left out."""

    widget = forms.Textarea(attrs={"rows": 5})

    def prepare_value(self, value):
        return value if isinstance(value, str) else "\n".join(map(self._line, value or []))

    def to_python(self, value):
        text = super().to_python(value)
        readable(text)
        return [self._task(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]

    def has_changed(self, initial, data):
        return self.prepare_value(initial).splitlines() != (data or "").splitlines()

    def _line(self, task):
        parts = [task["title"], str(task.get("days_before", 0)), str(task.get("weight", 1)), task.get("description", "")]
        return " | ".join(parts if parts[3] else parts[:3])

    def _task(self, number, line):
        title, days, weight, description = ([part.strip() for part in line.split("|", 3)] + [""] * 3)[:4]
        if not title or not all(len(part) < 5 and part.isascii() and part.isdigit() for part in (days or "0", weight or "1")):
            raise ValidationError(f"Line {number}: write the title, | and the days before, | and the weight, in whole numbers.")
        return {"title": title, "days_before": int(days or 0), "weight": int(weight or 1), "description": description}


class TemplateForm(RecordForm):
    tasks = TasksField(
        required=False, help_text="One a line: title | days before it is due | weight | description. The title alone is enough.")


class TemplateRow(RowForm):
    class Meta:
        labels = {"months": "Months", "percent": "or percent", "requires_evidence": "Evidence", "requires_approval": "Approval"}
        widgets = {
            "milestone_type": forms.Select(attrs={"class": "admin-words"}), "name": forms.TextInput(attrs={"class": "admin-words"})}


class TemplateRows(RecordRows):
    """The rows of a set; their texts and tasks have a page of their own."""

    model = MilestoneTemplate
    form = TemplateRow
    fields = [
        "sequence", "milestone_type", "name", "months", "percent", "requires_evidence", "requires_approval", "charge_amount",
        "is_active", "seen_version"]
    extra = 1


@admin.register(MilestoneSet)
class MilestoneSetAdmin(RecordAdmin):
    """Which milestones a plan of each kind gets when it is activated. Plans that have theirs keep them."""

    list_display = ["treatment_type", "usual_months"]
    fields = ["treatment_type", "usual_months"]
    inlines = [TemplateRows]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["treatment_type"] if obj is not None else [])]


@admin.register(MilestoneTemplate)
class MilestoneTemplateAdmin(RecordAdmin):
    """One row of a set in full: its words, and the tasks that come with it. Rows are added in the set's table."""

    form = TemplateForm
    list_display = ["name", "milestone_set", "sequence", "months", "percent", "is_active"]
    list_select_related = ["milestone_set"]
    list_filter = ["milestone_set__treatment_type", "is_active"]
    ordering = ["milestone_set__treatment_type", "sequence", "id"]
    search_fields = ["name"]
    fields = [
        "milestone_set", "sequence", "milestone_type", "name", "description", "completion_criteria", "months", "percent",
        "requires_evidence", "requires_approval", "charge_amount", "tasks", "is_active"]
    readonly_fields = ["milestone_set"]

    def has_add_permission(self, request):
        return False
