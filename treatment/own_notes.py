"""Whose eyes the practice's own notes on a plan are for: those who read clinical notes. Everybody else sees how far it has come."""
from clinic.access.rules import may


def reads_notes(actor):
    """Whether this actor reads what was written on the way: progress notes, and notes on interventions."""
    return actor.hat == "staff" and may(actor, "charting.view_clinical_notes")


def reads_plan_notes(actor):
    """Whether this actor reads the notes of the plan itself: all staff who see it; patients see what was agreed."""
    return actor.hat == "staff"


def without_plan_notes(content):
    """A frozen copy's content, as a patient reads it."""
    return {**content, "plan": {name: value for name, value in content["plan"].items() if name != "notes"}}
