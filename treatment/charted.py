"""What is said in the chart's entry line to be planned: it goes into the patient's newest draft, or begins one."""
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import date_format

from charting.conditions import MATERIAL_WORDS, MATERIALS, STANDARD
from charting.entry import plan_work, quick_plans
from clinic.access.rules import may
from clinic.db.refusals import NotAllowed
from clinic.models import Provider
from treatment.entry import NO_CODE, Catalogue
from treatment.models import CodeRule, Procedure, TreatmentPlan


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
    rows = Procedure.add_all(by=by, plan=plan, items=[item.values() for item in found])
    return [row.finding for row in rows if row.finding]


@quick_plans.add
def quick_buttons(actor):
    """The quick buttons of the code rules, each once: what it is called, and the words that plan it; one query."""
    if not may(actor, "treatment.draw_up_plan"):
        return []
    rules = CodeRule.objects.filter(clinic=actor.clinic_id, quick_button__isnull=False, procedure_code__is_active=True).exclude(
        condition="").order_by("quick_button", "procedure_code__code").values_list("quick_button", "condition", "material")
    words = {material: word for word, material in reversed(MATERIAL_WORDS.items())}
    found = {}
    for place, condition, material in rules:
        kind = STANDARD.get(condition)
        if kind is not None and place not in found:
            name = f"{kind.name}, {MATERIALS[material].lower()}" if material else kind.name
            found[place] = name, " ".join(filter(None, (kind.words[0], words.get(material), "plan")))
    return list(found.values())


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
