"""Forms of the schedule: what the desk types, turned into what the verbs take."""
from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError

from clinic.models import Operatory, Provider
from clinic.web import conflicts
from clinic.web.fields import RowField, TypedDateField, TypedTimeField
from scheduling import slots
from scheduling.models import AppointmentType
from scheduling.openings import PARTS_OF_DAY


class ScheduleForm(forms.Form):
    """A form whose choices are rows of the actor's clinic and whose times are by the clinic's wall clock."""

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor, self.clinic = actor, actor.clinic
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = field.queryset.visible_to(actor).current()
            if isinstance(field, TypedDateField):
                field.at(self.clinic)

    def instant(self, day, at):
        return slots.wall(day, at, self.clinic.zone)


class VisitForm(ScheduleForm):
    """When, where, with whom: for booking and for moving."""

    appointment_type = RowField(AppointmentType.objects.all(), label="Type", empty_label=None)
    provider = RowField(Provider.objects.all(), empty_label="Whoever is free", required=False)
    operatory = RowField(Operatory.objects.all(), empty_label="Any that is free", required=False)
    day = TypedDateField(label="Day")
    time = TypedTimeField(label="Time")
    minutes = forms.IntegerField(label="Minutes", min_value=5, max_value=720, required=False)
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), max_length=2000, required=False)
    double_booking = forms.CharField(
        label="Reason for double booking", max_length=200, required=False,
        help_text="Only where chair or provider are taken on purpose.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, actor, may_double_book=False, **kwargs):
        super().__init__(*args, actor=actor, **kwargs)
        if not may_double_book:
            del self.fields["double_booking"]
        self.fields["day" if "version" in self.initial else "appointment_type"].widget.attrs["autofocus"] = True
        self.fields["minutes"].widget.attrs["placeholder"] = "as the type needs"

    def clean(self):
        data = super().clean()
        if data.get("day") and data.get("time"):
            data["starts_at"] = self.instant(data["day"], data["time"])
            kind = data.get("appointment_type")
            minutes = data.get("minutes") or (kind.minutes if kind else None)
            data["ends_at"] = data["starts_at"] + timedelta(minutes=minutes) if minutes else None
        return data

    LABELS = {"appointment_type": "Type", "provider": "Provider", "operatory": "Operatory", "starts_at": "Start",
              "ends_at": "End", "note": "Note"}

    def values(self):
        """What the verbs take."""
        return {**{name: self.cleaned_data[name] for name in self.LABELS},
                "double_booking": self.cleaned_data.get("double_booking", "")}

    def changes(self, visit):
        """What of the visit is to be written; what was left open ("whoever is free") stays."""
        mine = {name: value for name, value in self.values().items() if value is not None and _differs(visit, name, value)}
        return conflicts.settled(self.data, mine, {"note": visit.note}, joinable={"note"})

    def differences(self, current):
        """Where what was typed and the visit as it stands now differ."""
        began = current.history.filter(version=self.cleaned_data["version"] or 0).first() or current
        mine = {name: value for name, value in self.values().items() if name in self.LABELS and value is not None}
        began, theirs = ({name: getattr(visit, name) for name in self.LABELS} for visit in (began, current))
        return conflicts.differences(self.LABELS, began=began, mine=mine, theirs=theirs, joinable={"note"})


def _differs(visit, name, value):
    if name == "double_booking":
        return bool(value)
    return getattr(visit, name) != value


class NextFreeForm(ScheduleForm):
    """What is looked for: type, provider, length, part of the day, from when."""

    appointment_type = RowField(AppointmentType.objects.all(), label="Type", empty_label=None, required=False)
    provider = RowField(Provider.objects.all(), empty_label="Anyone", required=False)
    minutes = forms.IntegerField(min_value=5, max_value=720, required=False)
    part_of_day = forms.ChoiceField(
        label="Part of the day", choices=[(key, key.capitalize() or "Any time") for key in PARTS_OF_DAY], required=False)
    from_day = TypedDateField(label="From", required=False)


class BlockForm(ScheduleForm):
    """Time that is kept free of visits."""

    title = forms.CharField(
        max_length=80, widget=forms.TextInput(attrs={"autofocus": True, "placeholder": "Lunch, meeting, repair"}))
    operatory = RowField(Operatory.objects.all(), required=False, empty_label="No operatory")
    provider = RowField(Provider.objects.all(), required=False, empty_label="No provider")
    day = TypedDateField(label="Day")
    starts = TypedTimeField(label="From")
    ends = TypedTimeField(label="To")

    def clean(self):
        data = super().clean()
        if (data.get("operatory") is None) == (data.get("provider") is None):
            raise ValidationError("Choose either an operatory or a provider.")
        if data.get("day") and data.get("starts") and data.get("ends") and data["ends"] <= data["starts"]:
            self.add_error("ends", "The block ends before it starts.")
        return data

    def values(self):
        data = self.cleaned_data
        return {"title": data["title"], "operatory": data["operatory"], "provider": data["provider"],
                "starts_at": self.instant(data["day"], data["starts"]), "ends_at": self.instant(data["day"], data["ends"])}


class CancelForm(forms.Form):
    reason = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autofocus": True, "list": "cancel-reasons"}))


