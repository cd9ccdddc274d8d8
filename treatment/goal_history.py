"""A goal's past as one list: what was written of how it goes, and what was changed in it."""
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from clinic.audit.changes import changes_of
from treatment.models import Goal, GoalIntervention, GoalProgress

NOTES = "Notes"  # as a change of them is called


@dataclass(frozen=True)
class Step:
    """An entry (`entry`, with the GoalInterventions that it says were `used`) or a change (`fields`: [(label, before, after)])."""

    at: datetime
    who: str
    what: str
    why: str = ""
    fields: list = field(default_factory=list)
    entry: GoalProgress | None = None
    used: list = field(default_factory=list)

    @property
    def kind(self):
        return "change" if self.entry is None else "progress"


def history_of(goal, with_notes=True):
    """All Steps of a goal, newest first; the same number of queries for any number of them. `with_notes`: also what notes on its
    interventions said."""
    servings = {row.pk: row for row in GoalIntervention.objects.filter(goal=goal).select_related("intervention")}
    entries = goal.progress.select_related("by", "appointment__appointment_type", "clinic")
    steps = [
        Step(entry.at, str(entry.by or "The installation"), "Progress", entry=entry,
             used=[servings[UUID(key)] for key in entry.used])
        for entry in entries]
    changes = changes_of(Goal, list(goal.history.select_related("clinic")), lambda row: "Goal")
    changes += changes_of(
        GoalIntervention, list(GoalIntervention.history.filter(goal=goal.pk).select_related("clinic")),
        lambda row: servings[row.id].intervention.name)
    steps += [Step(each.at, each.who, each.what, each.why, [
        field for field in each.fields if with_notes or field[0] != NOTES]) for each in changes]
    return sorted(steps, key=lambda step: step.at, reverse=True)
