"""Forms of milestones: what people type, turned into what the verbs take."""
from django import forms

from clinic.forms import RecordForm
from clinic.mail import sms
from clinic.mail.to_patients import way_to
from clinic.web.fields import AmountField, LineField, LinesField, RowField, TypedDateField, keep_chosen
from milestones.models import Milestone, MilestoneNews, News, Way
from treatment.models import Goal, Phase


class MilestoneForm(RecordForm):
    """A milestone of a plan, new or again."""

    verb = "revise"

    target_date = TypedDateField(label="Due on", required=False)
    phase = RowField(Phase.objects.none(), required=False, empty_label="No phase")
    goal = RowField(Goal.objects.none(), required=False, empty_label="No goal")
    charge_amount = AmountField(
        label="Falls due", min_value=0, required=False, help_text="Charged when it is achieved; it then needs approval.")
    notes = LinesField(label="Notes", required=False, max_length=8000, widget=forms.Textarea(attrs={"rows": 3}))
    sequence = forms.IntegerField(label="Place in the plan", min_value=1, max_value=1000, required=False)

    class Meta:
        model = Milestone
        fields = ["name", "milestone_type", "target_date", "description", "completion_criteria", "phase", "goal",
                  "requires_evidence", "requires_approval", "charge_amount", "notes"]
        widgets = {name: forms.Textarea(attrs={"rows": 2}) for name in ("description", "completion_criteria")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        plan = self.instance.plan
        self.fields["name"].widget.attrs |= {"autofocus": True, "autocomplete": "off"}
        self.fields["phase"].queryset = plan.phases.in_force()
        self.fields["goal"].queryset = plan.goals.in_force()
        for name in ("phase", "goal"):
            keep_chosen(self.fields[name], getattr(self.instance, f"{name}_id"))
        self.initial["sequence"] = self.instance.sequence if not self.instance._state.adding else None

    def add(self):
        """The new milestone, at the place that was said or at the end."""
        values = self.values()
        if not values["requires_approval"]:
            del values["requires_approval"]  # an amount that falls due brings it along
        return Milestone.add(by=self.actor, plan=self.instance.plan, **values)


class StepForm(forms.Form):
    """What a step of a milestone asks: why, and for some a day."""

    because = LineField(max_length=200, required=False)
    on = TypedDateField(required=False)

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["on"].at(actor.clinic)

    def arguments(self, verb):
        """What the verb takes."""
        values, day = {"because": self.cleaned_data["because"]}, self.cleaned_data["on"]
        if verb == "achieve":
            values["on"] = day
        elif verb in ("defer", "reopen"):
            values["target_date"] = day
        return values


class NewsForm(RecordForm):
    """Of which news of milestones a patient is told, and by which way."""

    verb = "choose"

    class Meta:
        model = MilestoneNews
        fields = ["approval", "upcoming", "achieved", "overdue"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        known = [way for way in Way if way != Way.SMS or sms.is_possible()]
        for kind in News:
            field, chosen = self.fields[kind], getattr(self.instance, kind)
            field.choices = [(way, name) for way, name in Way.choices if way in (chosen, *known)]

    @property
    def usual(self):
        """What the first choice comes to, in words."""
        person = self.instance.patient.person
        if way := way_to(person):
            return f"by e-mail to {person.email}" if way == Way.EMAIL else f"by text message to {person.phone}"
        unknown = ", and no address is known" if person.contact_by in (Way.EMAIL, Way.SMS) else ""
        return f"nothing is sent, because they are reached by {person.get_contact_by_display().lower()}{unknown}"
