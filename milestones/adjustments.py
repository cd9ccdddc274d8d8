"""Adjustment cards as pages show them: in words, with the months in treatment."""
from charting.teeth import TEETH
from milestones.models.adjustment import ORTHODONTIC, months_between
from milestones.models.types import MilestoneType
from treatment.models import TreatmentPlan


def plan_of(actor, patient):
    """The orthodontic plan that runs for this patient; the newest of several, None for none."""
    return TreatmentPlan.objects.visible_to(actor).of(patient).filter(
        treatment_type__in=ORTHODONTIC, status__in=TreatmentPlan.REVIEWED).select_related(
        "clinic", "patient__merged_into", "provider").newest_first().first()


class Card:
    """One card in words, with the months in treatment on its day. `rows`: [(what, as it was)] without what was left empty."""

    def __init__(self, card, clinic, months_then):
        self.card, self.months_then = card, months_then
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


def cards_of(plan, milestones, clinic):
    """[Card] of a plan, the newest first; one query. `milestones`: those of the plan, loaded."""
    days = {row.milestone_type: row.achieved_date for row in milestones if row.achieved_date}
    banded, debonded = days.get(MilestoneType.BONDING_COMPLETE), days.get(MilestoneType.DEBOND_COMPLETE)
    return [Card(row, clinic, months_between(banded, debonded, row.seen_on)) for row in plan.adjustments.newest_first()]
