"""Forms of goals, of how they go, of what serves them, and of reviews."""
from datetime import timedelta
from functools import cached_property

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from charting.note_forms import VisitField
from clinic.forms import RecordForm
from clinic.web.fields import LineField, LinesField, TypedDateField
from scheduling.models import Appointment
from treatment.course import course_of
from treatment.measures import spelled
from treatment.models import Goal, GoalIntervention, Intervention
from treatment.models.goal import SMART

LATELY = timedelta(days=190)  # so long after a visit one may still write of it
FREQUENCIES = ["every session", "daily", "weekly", "as needed"]
# Two of the questions are answered by the goal's own fields: the target value and the target date.
OWN_FIELDS = {("measurable", "target"), ("time_bound", "deadline")}
LINES = {("achievable", "resources"), ("achievable", "barriers"), ("time_bound", "milestones"), ("specific", "what")}
ASKED = {f"{part}_{name}": (part, name) for part, names in SMART.items() for name in names if (part, name) not in OWN_FIELDS}


def plain(answer):
    """An answer to one of the questions as text; programs may send several lines as a list."""
    return "\n".join(answer) if isinstance(answer, list) else answer


class GoalForm(RecordForm):
    """A goal, new or again: each part is led by its questions, and only places that the tree allows are offered."""

    verb = "revise"

    place = forms.ChoiceField(label="Where it stands")
    target_date = TypedDateField(label=SMART["time_bound"]["deadline"], required=False)

    PARTS = (
        ("The goal", "", ["description", "place", "priority", "status"]),
        ("Specific", "S", ["specific_what", "specific_who", "specific_where"]),
        ("Measurable", "M", ["measurable_indicator", "measure", "baseline_value", "target_value", "current_value",
                             "measurable_criteria", "progress_percentage"]),
        ("Achievable", "A", ["achievable_resources", "achievable_barriers"]),
        ("Relevant", "R", ["relevant_alignment", "relevant_importance"]),
        ("Time-bound", "T", ["target_date", "time_bound_milestones"]),
        ("This change", "", ["because"]))
    WIDE = {"description", "measurable_criteria", "because", *(f"{part}_{name}" for part, name in LINES)}

    class Meta:
        model = Goal
        fields = ["description", "priority", "status", "measure", "baseline_value", "target_value", "current_value",
                  "measurable_criteria", "progress_percentage", "target_date"]
        labels = {
            "description": "The goal in one sentence", "baseline_value": "Baseline", "target_value": SMART["measurable"]["target"],
            "current_value": "Now", "measurable_criteria": "Reached when", "progress_percentage": "Own figure, %",
            "measure": "Measured by"}
        help_texts = {
            "current_value": "Not asked where it is measured live.",
            "progress_percentage": "Counts only while nothing else tells: no goals below, no rating, no live measure."}
        widgets = {name: forms.Textarea(attrs={"rows": 2}) for name in ("description", "measurable_criteria")}

    def __init__(self, *args, place="", **kwargs):
        super().__init__(*args, **kwargs)
        goal, is_new = self.instance, self.instance._state.adding
        for name, (part, key) in ASKED.items():
            kind = LinesField if (part, key) in LINES else LineField
            widget = {"widget": forms.Textarea(attrs={"rows": 2})} if kind is LinesField else {}
            self.fields[name] = kind(label=SMART[part][key], max_length=1000, required=False, **widget)
        self.fields["description"].widget.attrs["autofocus"] = True
        self.fields["place"].choices = self._places()
        self.fields["measure"].choices = self._measures()
        self.initial |= self._own(goal) | ({"place": place} if is_new and place else {})
        if is_new:
            del self.fields["status"], self.fields["progress_percentage"]

    def parts(self):
        """[(title, letter, [(bound field, whether it takes the whole width)])] as they stand on the page."""
        found = []
        for title, letter, names in self.PARTS:
            fields = [(self[name], name in self.WIDE) for name in names if name in self.fields]
            if fields:
                found.append((title, letter, fields))
        return found

    def set_out(self):
        """The new goal."""
        return Goal.set_out(by=self.actor, plan=self.instance.plan, **self.arguments(self.values()))

    @cached_property
    def _course(self):
        return course_of(self.instance.plan)

    def _of(self, record):
        own = {*ASKED, "place"}
        return {name: getattr(record, name) for name in self.fields if name not in (*self.OWN, *own)} | {
            name: value for name, value in self._own(record).items() if name in self.fields}

    def _own(self, goal):
        """The fields of the form that are no columns."""
        return {"place": f"{goal.goal_type}:{goal.parent_id or ''}" if goal.goal_type else ""} | {
            name: plain(getattr(goal, part).get(key, "")) for name, (part, key) in ASKED.items()}

    def arguments(self, values):
        """What the verbs take for these values."""
        values, parts = dict(values), {}
        for name in [name for name in values if name in ASKED]:
            part, key = ASKED[name]
            parts.setdefault(part, dict(getattr(self.instance, part)))[key] = values.pop(name)
        if "place" in values:
            level, _, key = values.pop("place").partition(":")
            values["goal_type"] = level
            values["parent"] = next(goal for goal in self._course.goals if str(goal.pk) == key) if key else None
        return values | {part: {key: said for key, said in answers.items() if said} for part, answers in parts.items()}

    def _places(self):
        """Level and parent as one choice, so that none is offered that the tree refuses."""
        goal, goals = self.instance, [row for row in self._course.goals if row.pk != self.instance.pk]
        below = [] if goal._state.adding else self._course.below(goal)
        levels = [goal.goal_type] if below else Goal.Type.values  # with goals below it the level stays
        found = []
        for level in levels:
            above = Goal.ABOVE.get(level)
            called = Goal.Type(level).label
            options = [(f"{level}:", called if above is None else f"{called} by itself")]
            options += [(f"{level}:{row.pk}", f"{called} under “{_short(row.description)}”") for row in goals if (
                row.goal_type == above and (row.status != Goal.Status.DISCONTINUED or row.pk == goal.parent_id))]
            found.append((called, options))
        return found

    def _measures(self):
        """Each live measure with its figure of now, so that one sees what it would tell."""
        plan, measures, found = self.instance.plan, self._course.measures, [("", Goal.Measure.NONE.label)]
        for measure in Goal.Measure:
            if measure:
                figure, source = measures.figure(measure, plan.start_date), measures.source(measure, plan.start_date)
                told = source if figure is None else f"{spelled(figure)} now, {source}"
                found.append((measure.value, f"{measure.label}: {told}"))
        return found


class ProgressForm(forms.Form):
    """How a goal goes, in a few seconds: a note, a value, a rating by one key, the visit, and what was used in it."""

    progress_note = LinesField(label="Note", max_length=8000, widget=forms.Textarea(attrs={
        "rows": 2, "data-key": "p", "data-key-name": "Write progress", "title": "Write progress (p)"}))
    progress_value = LineField(label="Value now", max_length=200, required=False)
    rating = forms.TypedChoiceField(
        label="Rating", coerce=int, empty_value=None, required=False, choices=[(number, number) for number in range(1, 11)],
        widget=forms.RadioSelect)
    appointment = VisitField(Appointment.objects.none(), label="Visit", required=False, empty_label="Not in a visit")
    used = forms.ModelMultipleChoiceField(
        GoalIntervention.objects.none(), label="Used in this visit", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, data=None, *, actor, goal, visit=None):
        super().__init__(data)
        now = timezone.now()
        visits = Appointment.objects.visible_to(actor).of(goal.patient.person).holding().filter(
            starts_at__gt=now - LATELY, starts_at__lt=now + timedelta(days=1))
        self.fields["appointment"].queryset = visits.select_related("appointment_type", "clinic", "provider").order_by("-starts_at")
        self.fields["used"].queryset = goal.interventions.serving().select_related("intervention")
        self.fields["used"].label_from_instance = lambda row: row.intervention.name
        if goal.measure:
            del self.fields["progress_value"]  # it is measured
        if visit is not None:
            self.initial = {"appointment": visit, "used": [
                row.goal_intervention_id for row in visit.interventions.filter(is_withdrawn=False)]}

    @property
    def ratings(self):
        """[(rating, key that picks it, whether it is chosen)]"""
        chosen = str(self["rating"].value() or "")
        return [(number, str(number % 10), str(number) == chosen) for number in range(1, 11)]

    def clean(self):
        found = super().clean()
        if found.get("used") and not found.get("appointment"):
            self.add_error("appointment", "Say in which visit this was used.")
        return found


class ServingForm(RecordForm):
    """How often an intervention is used for a goal, and how well it does."""

    notes = LinesField(label="Notes", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    effectiveness_rating = forms.TypedChoiceField(
        label="Effect on this goal", coerce=int, empty_value=None, required=False,
        choices=[("", "Not rated"), (1, "1, none"), (2, "2, little"), (3, "3, some"), (4, "4, good"), (5, "5, very good")])

    verb = "revise"

    class Meta:
        model = GoalIntervention
        fields = ["frequency", "effectiveness_rating", "notes"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields.pop("because", None)
        self.fields["frequency"].widget.attrs |= {"list": "frequencies", "autocomplete": "off", "autofocus": True}


class ChoosingForm(forms.Form):
    """Which interventions of the library are to serve a goal, and how often."""

    chosen = forms.ModelMultipleChoiceField(
        Intervention.objects.none(), error_messages={"required": "Tick what is to serve this goal."})
    frequency = LineField(label="How often", max_length=100, required=False, widget=forms.TextInput(attrs={
        "list": "frequencies", "autocomplete": "off"}))

    def __init__(self, *args, rows, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["chosen"].queryset = rows


class InterventionForm(forms.Form):
    """One of the practice's own."""

    name = LineField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    modality = LineField(max_length=50, required=False, widget=forms.TextInput(attrs={"list": "modalities", "autocomplete": "off"}))
    evidence_level = forms.ChoiceField(
        label="Evidence", required=False, choices=[("", "Not known"), *Intervention.Evidence.choices])
    description = LinesField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class UsedForm(forms.Form):
    """Whether one intervention was used in a visit, and how well it went; one such form a row."""

    used = forms.BooleanField(required=False)
    effectiveness_rating = forms.TypedChoiceField(
        coerce=int, empty_value=None, required=False, choices=[("", "")] + [(number, number) for number in range(1, 6)])
    notes = LineField(max_length=2000, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, data=None, *, serving, row=None):
        super().__init__(data, prefix=str(serving.pk), initial={"used": True, **{
            name: getattr(row, name) for name in ("notes", "effectiveness_rating", "version")}} if row else None)
        self.serving, self.was_used = serving, row is not None

    @property
    def effects(self):
        """[(effect, whether it is chosen)]"""
        chosen = str(self["effectiveness_rating"].value() or "")
        return [(number, str(number) == chosen) for number in range(1, 6)]

    def meet(self, row):
        """After somebody ticked the list otherwise: say what stands now; sent again, what is typed here holds."""
        if self.cleaned_data["version"] != (row.version if row else None):
            effect = f", effect {row.effectiveness_rating}" if row and row.effectiveness_rating else ""
            note = f": {row.notes}" if row and row.notes else ""
            said = f"saved here: used{effect}{note}" if row else "took this off."
            self.add_error(None, f"Meanwhile somebody {said}")
            self.data = self.data.copy()
            self.data[self.add_prefix("version")] = row.version if row else ""

    @property
    def told(self):
        """What `SessionIntervention.settle` takes. A new effect or note says that it was used; taking the tick off, that it was
        not."""
        values = {name: self.cleaned_data[name] for name in ("notes", "effectiveness_rating")}
        return values if self.cleaned_data["used"] or (any(values.values()) and not self.was_used) else None


class ReviewForm(forms.Form):
    """A review of a plan: what was found, how many goals are on track, what was changed, when next."""

    review_date = TypedDateField(label="Held on")
    goals_reviewed = forms.IntegerField(min_value=0, max_value=500)
    goals_on_track = forms.IntegerField(label="Of them on track", min_value=0, max_value=500)
    summary = LinesField(label="What was found", max_length=8000, widget=forms.Textarea(attrs={"rows": 4, "autofocus": True}))
    modifications_made = LinesField(
        label="What was changed", max_length=8000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    next_review_date = TypedDateField(label="Next review")

    def __init__(self, data=None, *, actor, plan, counted, changed=""):
        today = actor.clinic.today()
        reviewed, on_track = counted
        super().__init__(data, initial={
            "review_date": today, "goals_reviewed": reviewed, "goals_on_track": on_track, "modifications_made": changed,
            "next_review_date": plan.review_after(today)})
        for name in ("review_date", "next_review_date"):
            self.fields[name].at(actor.clinic)

    def clean(self):
        found = super().clean()
        if None not in (found.get("goals_reviewed"), found.get("goals_on_track")) and (
                found["goals_on_track"] > found["goals_reviewed"]):
            raise ValidationError({"goals_on_track": "More goals can't be on track than were reviewed."})
        return found


def _short(text):
    return text if len(text) <= 70 else f"{text[:69]}…"
