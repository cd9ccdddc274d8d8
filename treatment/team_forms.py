"""Forms of a plan's care team."""
from django import forms

from clinic.models import Provider, User
from clinic.web.fields import LineField, RowField
from treatment.models import TreatmentPlan


class AssignForm(forms.Form):
    """To whom the plan is given, and why."""

    provider = RowField(Provider.objects.none(), label="Assign the plan to")
    because = LineField(label="Why", max_length=200, required=False)

    def __init__(self, *args, actor, plan, **kwargs):
        super().__init__(*args, **kwargs)
        providers = Provider.objects.visible_to(actor).current()
        self.fields["provider"].queryset = providers.filter(kind__in=TreatmentPlan.PROVIDERS).exclude(pk=plan.provider_id)


class MemberForm(forms.Form):
    """Who joins the care team, and whether they write."""

    user = RowField(User.objects.none(), label="Add to the care team")
    is_writer = forms.BooleanField(label="Writes the plan", required=False)

    def __init__(self, *args, actor, plan, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.working_in(actor.clinic_id)
