"""What is said in the chart's entry line to be planned: it goes into the patient's newest draft, or begins one."""
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import date_format

from charting.entry import plan_work
from clinic.access.rules import may
from clinic.db.refusals import NotAllowed
from clinic.models import Provider
from treatment.entry import NO_CODE, Catalogue
from treatment.models import Procedure, TreatmentPlan


@plan_work.add
@transaction.atomic
def plan_items(by, patient, items):
    """Plan these items (dicts of the chart's grammar). Returns what the chart shows of them now."""
    if not may(by, "treatment.draw_up_plan"):
        raise NotAllowed("Only a dentist plans treatment.")
    catalogue = Catalogue(by.clinic)
    found = [catalogue.planned(**item) for item in items]
    if None in found:
        raise ValidationError({"entry": NO_CODE})
    plan = draft_of(by, patient)
    rows = [Procedure.add(by=by, plan=plan, **item.values()) for item in found]
    return [row.finding for row in rows if row.finding]


def draft_of(by, patient):
    """The patient's newest draft that this actor may write, else a new one."""
    for plan in TreatmentPlan.objects.visible_to(by).of(patient).filter(status=TreatmentPlan.Status.DRAFT).order_by("-created_at"):
        if plan.may_write(by):
            return plan
    provider = Provider.objects.that_is(by) or patient.primary_provider
    if provider is None:
        raise ValidationError({"entry": "Draw up a plan first: you are no provider here, and the patient has no primary one."})
    today = by.clinic.today()
    return TreatmentPlan.draw_up(
        by=by, patient=patient, title=f"Plan of {date_format(today, 'j F Y')}", provider=provider, start_date=today)
