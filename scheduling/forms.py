"""Forms of the schedule: what the desk types, turned into what the verbs take."""
import re
from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError

from clinic.models import Operatory, Provider
from clinic.web import conflicts
from clinic.web.fields import LineField, RowField, TypedDateField, TypedTimeField
from scheduling import slots
from scheduling.models import AppointmentType, ContactAttempt, Series
from scheduling.models.appointment import refuse_what_cannot_be
from scheduling.models.reach import last_day
from scheduling.models.waitlist import WEEKDAYS
from scheduling.parts_of_day import PARTS_OF_DAY
from scheduling.together import MOST, Mode, Wish


class PatternField(forms.CharField):
    """Whose minutes a type of visit takes, a line each: "provider 0-60", "doctor 40-50"."""

    LINE = re.compile(r"(provider|doctor)\s+(\d{1,3})\s*-\s*(\d{1,3})")
    widget = forms.Textarea(attrs={"rows": 3, "placeholder": "provider 0-60\ndoctor 40-50"})

    def __init__(self, **kwargs):
        super().__init__(required=False, help_text=(
            "One line each: who, from which minute to which. “provider” is who the visit is booked with, “doctor” who "
            "looks in. Nothing: the provider, from start to end."), **kwargs)

    def prepare_value(self, value):
        return "\n".join(self.in_words(value)) if isinstance(value, list) else value

    def in_words(self, value):
        return [f"{part['who']} {part['from']}-{part['from'] + part['minutes']}" for part in value or []]

    def to_python(self, value):
        if isinstance(value, list):
            return value
        lines = [(number, line.strip().lower()) for number, line in enumerate((value or "").splitlines(), start=1)]
        return [self._part(number, line) for number, line in lines if line]

    def _part(self, number, line):
        found = self.LINE.fullmatch(line)
        if found is None:
            raise ValidationError(f"Line {number} can't be read. Write it like: doctor 40-50")
        start, end = int(found[2]), int(found[3])
        if end <= start:
            raise ValidationError(f"Line {number} ends before it starts.")
        return {"who": found[1], "from": start, "minutes": end - start}


ONE, ALL = "one", "all"  # of a series


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
    times = forms.IntegerField(label="Visits in all", min_value=1, max_value=Series.MOST, required=False)
    every_weeks = forms.IntegerField(label="One every … weeks", min_value=1, max_value=Series.WIDEST, required=False)
    scope = forms.ChoiceField(label="Which visits", widget=forms.RadioSelect, required=False, initial=ONE)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, actor, may_double_book=False, following=0, **kwargs):
        """`following`: how many visits of the same series come after the one that is moved."""
        super().__init__(*args, actor=actor, **kwargs)
        moves = "version" in self.initial
        unused = [*([] if may_double_book else ["double_booking"]), *(["times", "every_weeks"] if moves else []),
                  *([] if following else ["scope"])]
        for name in unused:
            del self.fields[name]
        if following:
            self.fields["scope"].choices = scopes(following)
        self.fields["day" if moves else "appointment_type"].widget.attrs["autofocus"] = True
        self.fields["minutes"].widget.attrs["placeholder"] = "as the type needs"

    def clean(self):
        data = super().clean()
        if (data.get("times") or 1) > 1:
            if not data.get("every_weeks") and "every_weeks" not in self.errors:
                self.add_error("every_weeks", "Say after how many weeks the next visit comes.")
            if data.get("double_booking"):
                self.add_error("double_booking", "A series is booked into free time. Leave the reason out, or book one visit.")
        if data.get("day") and data.get("time"):
            data["starts_at"] = self.instant(data["day"], data["time"])
            kind = data.get("appointment_type")
            minutes = data.get("minutes") or (kind.minutes if kind else None)
            data["ends_at"] = data["starts_at"] + timedelta(minutes=minutes) if minutes else None
        return data

    @property
    def repeats(self):
        """How often and how far apart, when more than one visit is asked for; else nothing."""
        times = self.cleaned_data.get("times") or 1
        return {"times": times, "every_weeks": self.cleaned_data["every_weeks"]} if times > 1 else {}

    @property
    def is_for_all(self):
        """Whether the visits that follow in the series move too."""
        return self.cleaned_data.get("scope") == ALL

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


class TogetherForm(ScheduleForm):
    """Who of a family comes, each for what and with whom; in which way, and when."""

    who = forms.MultipleChoiceField(error_messages={"required": "Tick who comes."})
    mode = forms.ChoiceField(label="How", choices=Mode.choices, widget=forms.RadioSelect, initial=Mode.IN_TURN, required=False)
    from_day = TypedDateField(label="From", required=False)
    after = TypedTimeField(label="Not before", required=False)
    before = TypedTimeField(label="Over by", required=False)

    def __init__(self, *args, family, **kwargs):
        super().__init__(*args, **kwargs)
        self.family = family
        self.initial = {"who": [str(member.patient.pk) for member in family.likely], "from_day": self.clinic.today()} | self.initial
        kinds = [(key, row.name) for key, row in family.kinds.items()]
        providers = [("", "Anyone"), *((key, row.short_name) for key, row in family.providers.items())]
        for member in family.members:
            key, name = str(member.patient.pk), member.patient.name
            self.fields[f"type-{key}"] = _choice(kinds, f"What {name} comes for", initial=member.kind and str(member.kind.pk))
            self.fields[f"with-{key}"] = _choice(providers, f"With whom {name} is")
        self.fields["who"].choices = [
            (key, key) for key in [*(str(member.patient.pk) for member in family.members), *family.barred]]

    @property
    def rows(self):
        """Each who can come: whether they are ticked, their fields, and two of their visits, of the chosen type first."""
        ticked = self["who"].value()
        for member in self.family.members:
            key = str(member.patient.pk)
            kind = self[f"type-{key}"]
            coming = [(visit, str(visit.kind_id) == kind.value()) for visit in member.coming]
            yield {"member": member, "comes": key in ticked, "kind": kind, "with": self[f"with-{key}"],
                   "coming": sorted(coming, key=lambda row: not row[1])[:2]}

    def clean_mode(self):
        return self.cleaned_data["mode"] or Mode.IN_TURN

    def clean_from_day(self):
        day = self.cleaned_data["from_day"]
        if day and day > last_day(self.clinic):
            raise ValidationError("Visits are booked at most five years ahead.")
        return day

    def clean_who(self):
        who = self.cleaned_data["who"]
        if why := [self.family.barred[key] for key in who if key in self.family.barred]:
            raise ValidationError(why)
        if not 2 <= len(who) <= MOST:
            raise ValidationError(f"Tick two to {MOST} who come. One alone is booked from their own page.")
        return who

    def clean(self):
        data = super().clean()
        data["wishes"] = [self._wish(member) for member in self.family.members if str(member.patient.pk) in data.get("who", ())]
        named = [wish.provider_id for wish in data["wishes"] if wish.provider_id]
        if data.get("mode") == Mode.AT_ONCE and len(named) > len(set(named)):
            self.add_error("mode", "One of the providers is named twice, and can't be with two at the same time.")
        if data.get("after") and data.get("before") and data["before"] <= data["after"]:
            self.add_error("before", "This lies before the start.")
        return data

    def _wish(self, member):
        key = str(member.patient.pk)
        kind = self.family.kinds.get(self.cleaned_data.get(f"type-{key}"))
        provider = self.family.providers.get(self.cleaned_data.get(f"with-{key}"))
        if kind is None:
            self.add_error(f"type-{key}", "Choose what they come for.")
        elif provider is not None:
            try:
                refuse_what_cannot_be(None, provider, kind, provider, kind)
            except ValidationError as refusal:
                self.add_error(f"with-{key}", refusal.messages)
        return Wish(member.patient, kind, provider and provider.pk)

    @property
    def asked(self):
        """All choices in one text: by it one sees whether somebody changed them since."""
        data = self.cleaned_data
        wishes = [f"{wish.patient.pk} {wish.appointment_type.pk} {wish.provider_id}" for wish in data["wishes"]]
        return "|".join([*wishes, *(str(data[name]) for name in ("mode", "from_day", "after", "before"))])


def _choice(choices, words, **more):
    """A select in a row of a table, named by words that are not shown."""
    widget = forms.Select(attrs={"class": "input", "aria-label": words})
    return forms.ChoiceField(choices=choices, required=False, widget=widget, **more)


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


class DayNoteForm(forms.Form):
    """What all should know of a day."""

    text = forms.CharField(
        label="For this day", required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True, "placeholder": "The compressor is serviced at 14:00."}))
    version = forms.IntegerField(widget=forms.HiddenInput)

    def settled(self, note):
        """The text to keep, after the choices of the conflict page."""
        mine = {"text": self.cleaned_data["text"]}
        return conflicts.settled(self.data, mine, {"text": note.text}, joinable={"text"}).get("text", note.text)

    def differences(self, current):
        """Where what was typed and the note as it stands now differ."""
        began = current.history.filter(version=self.cleaned_data["version"]).first()
        return conflicts.differences(
            {"text": "Note"}, began={"text": began.text if began else ""}, mine={"text": self.cleaned_data["text"]},
            theirs={"text": current.text}, joinable={"text"})


class CancelForm(forms.Form):
    reason = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autofocus": True, "list": "cancel-reasons"}))
    scope = forms.ChoiceField(label="Which visits", widget=forms.RadioSelect, required=False, initial=ONE)

    def __init__(self, *args, following=0, **kwargs):
        """`following`: how many visits of the same series come after this one."""
        super().__init__(*args, **kwargs)
        if following:
            self.fields["scope"].choices = scopes(following)
        else:
            del self.fields["scope"]

    @property
    def is_for_all(self):
        return self.cleaned_data.get("scope") == ALL


def scopes(following):
    """The choice between one visit of a series and those that follow it."""
    return [(ONE, "Only this visit"),
            (ALL, f"This and the {following} that follow{'s' if following == 1 else ''} in the series")]



class WaitlistForm(ScheduleForm):
    """What a patient waits for, and when they can."""

    appointment_type = RowField(AppointmentType.objects.all(), label="Type", empty_label=None)
    provider = RowField(Provider.objects.all(), empty_label="Anyone", required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label="Days", coerce=int, choices=list(enumerate(day[:3] for day in WEEKDAYS)), required=False,
        widget=forms.CheckboxSelectMultiple, help_text="None: any day.")
    part_of_day = forms.ChoiceField(
        label="Part of the day", choices=[(key, key.capitalize() or "Any time") for key in PARTS_OF_DAY], required=False)
    from_day = TypedDateField(label="From", required=False)
    until_day = TypedDateField(label="Until", required=False)
    notice_hours = forms.IntegerField(label="Hours of notice", min_value=0, max_value=336, initial=2)
    is_urgent = forms.BooleanField(label="Urgent: ask first", required=False)
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), max_length=2000, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["appointment_type"].widget.attrs["autofocus"] = True

    def values(self):
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class AttemptForm(forms.Form):
    """What came of trying to reach somebody."""

    outcome = forms.ChoiceField(
        choices=ContactAttempt.Outcome, widget=forms.RadioSelect, label="What came of it", initial=ContactAttempt.Outcome.REACHED)
    note = forms.CharField(max_length=200, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["outcome"].widget.attrs["autofocus"] = True


class CallForm(AttemptForm):
    """What came of calling about a visit that is not confirmed."""

    comes = forms.BooleanField(label="They come: confirm the visit", required=False)

    def __init__(self, *args, may_confirm, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = [
            choice for choice in ContactAttempt.Outcome.choices if choice[0] != ContactAttempt.Outcome.DECLINED]
        if not may_confirm:
            del self.fields["comes"]


class WhyForm(forms.Form):
    """The reason of an act that needs one."""

    reason = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autofocus": True}))


class FeedForm(ScheduleForm):
    """Whose calendar another program may read."""

    name = LineField(max_length=80, widget=forms.TextInput(attrs={"placeholder": "Dr. Marsh's phone"}))
    provider = RowField(Provider.objects.all(), required=False, empty_label="No provider")
    operatory = RowField(Operatory.objects.all(), required=False, empty_label="No operatory")

    def clean(self):
        data = super().clean()
        if (data.get("provider") is None) == (data.get("operatory") is None):
            raise ValidationError("Choose either a provider or an operatory.")
        return data

    def values(self):
        return dict(self.cleaned_data)


class ExceptionForm(ScheduleForm):
    """Days on which a provider is away or works other hours, or the practice is closed."""

    provider = RowField(Provider.objects.all(), label="Who", required=False, empty_label="The whole practice")
    first_day = TypedDateField(label="Day")
    last_day = TypedDateField(label="Until", required=False, help_text="Empty: that day alone.")
    starts = TypedTimeField(label="Works from", required=False, help_text="Empty: not at all.")
    ends = TypedTimeField(label="to", required=False)
    reason = LineField(max_length=120, widget=forms.TextInput(attrs={"placeholder": "Vacation, training, inventory"}))

    def clean(self):
        data = super().clean()
        data["last_day"] = data.get("last_day") or data.get("first_day")
        if (data.get("starts") is None) != (data.get("ends") is None) and not self.errors:
            self.add_error("ends", "Give both times, or neither for the whole day.")
        elif data.get("starts") and data.get("ends") and data["ends"] <= data["starts"]:
            self.add_error("ends", "The hours end before they start.")
        return data


def tell(form, error, **names):
    """What a verb refused, beside the field that it is about; `names`: fields that the form calls otherwise."""
    for name, lines in (error.message_dict if hasattr(error, "error_dict") else {None: error.messages}).items():
        name = names.get(name, name)
        form.add_error(name if name in form.fields else None, lines)
