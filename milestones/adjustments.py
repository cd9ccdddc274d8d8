"""Adjustment cards as pages show them: in words, with the months in treatment."""
from charting.teeth import TEETH
from milestones.models.adjustment import ORTHODONTIC, months_between, months_in_treatment
from milestones.models.types import MilestoneType
from treatment.models import TreatmentPlan


def plan_of(actor, patient):
    """The orthodontic plan that runs for this patient; the newest of several, None for none."""
    return TreatmentPlan.objects.visible_to(actor).of(patient).filter(
        treatment_type__in=ORTHODONTIC, status__in=TreatmentPlan.REVIEWED).select_related(
        "clinic", "patient__merged_into", "provider").newest_first().first()


class Card:
    """One card in words. `rows`: [(what, as it was)] without what was left empty."""

    def __init__(self, card, clinic, plan, dates=None):
        self.card = card
        self.months_then = self.months(plan, card.seen_on) if dates is None else months_between(*dates, card.seen_on)
        self.broken = ", ".join(TEETH[key].label(clinic.tooth_numbering) for key in card.broken_brackets)

    @property
    def rows(self):
        card = self.card
        said = [
            ("Upper wire", card.upper_wire), ("Lower wire", card.lower_wire), ("Elastics", card.elastics),
            ("Aligner", card.aligner), ("Hygiene", card.get_hygiene_display()), ("Broken brackets", self.broken),
            ("Next visit", card.next_in_weeks and f"in {card.next_in_weeks} week{'' if card.next_in_weeks == 1 else 's'}"),
            ("Note", card.note)]
        return [(name, value) for name, value in said if value]

    @staticmethod
    def months(plan, day):
        """Months in treatment on that day, of this plan; None before banding."""
        return months_in_treatment(plan, day)


def cards_of(plan, milestones, clinic):
    """[Card] of a plan, the newest first; one query. `milestones`: those of the plan, loaded."""
    days = {row.milestone_type: row.achieved_date for row in milestones if row.achieved_date}
    dates = days.get(MilestoneType.BONDING_COMPLETE), days.get(MilestoneType.DEBOND_COMPLETE)
    return [Card(row, clinic, plan, dates) for row in plan.adjustments.newest_first().select_related("appointment")]
