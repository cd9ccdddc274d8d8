"""The steps of a visit as the screens offer them: which come next, for whom, under which key."""
from dataclasses import dataclass

from clinic.access.rules import may
from scheduling.models.appointment import may_step_back


@dataclass(frozen=True)
class Step:
    """A button: `verb` is the model's method, `route` its address. `asks`: it opens a page with questions first."""

    verb: str
    label: str
    route: str
    icon: str
    key: str
    asks: bool = False
    quiet: bool = False


CONFIRM = Step("confirm", "Confirm", "scheduling:confirm", "circle-check", "f", quiet=True)
CHECK_IN = Step("check_in", "Check in", "scheduling:check_in", "log-in", "c")
SEAT = Step("seat", "Seat", "scheduling:seat", "armchair", "s")
COMPLETE = Step("complete", "Complete", "scheduling:complete", "check", "d")
CHECK_OUT = Step("check_out", "Check out", "scheduling:exit_card", "log-out", "o", asks=True)
CANCEL = Step("cancel", "Cancel", "scheduling:cancel", "x", "x", asks=True, quiet=True)
NO_SHOW = Step("no_show", "No-show", "scheduling:no_show", "user-x", "", quiet=True)
REACTIVATE = Step("reactivate", "Reactivate", "scheduling:reactivate", "rotate-ccw", "")
STEP_BACK = Step("step_back", "Undo last step", "scheduling:step_back", "undo-2", "", quiet=True)

NEXT = {
    "scheduled": [CHECK_IN, CONFIRM, NO_SHOW, CANCEL],
    "confirmed": [CHECK_IN, NO_SHOW, CANCEL, STEP_BACK],
    "checked_in": [SEAT, STEP_BACK, CANCEL],
    "seated": [COMPLETE, STEP_BACK],
    "completed": [CHECK_OUT, STEP_BACK],
    "checked_out": [STEP_BACK],
    "cancelled": [REACTIVATE],
    "no_show": [REACTIVATE],
}


def next_steps(actor, status, asks=False):
    """The steps that this actor may take from this status, the main one first."""
    steps = [step for step in NEXT[status] if may(actor, f"scheduling.{step.verb}")
             and (step is not STEP_BACK or may_step_back(actor, status))]
    if asks:
        steps = [Step(**{**vars(step), "asks": True}) if step.verb == "check_in" else step for step in steps]
    return steps
