"""Why a time can't be had, in words for the desk and in data for programs."""
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clinic.db.refusals import Refused


@dataclass(frozen=True)
class Conflict:
    """What stands in the way: an appointment (or a block, then `appointment_id` is None) and the resource it holds."""

    appointment_id: Any
    resource: str  # operatory, provider, patient
    name: str
    starts_at: datetime
    ends_at: datetime
    block_id: Any = None

    def sentence(self, zone):
        start, end = (at.astimezone(zone).strftime("%-H:%M") for at in (self.starts_at, self.ends_at))
        what = "is blocked" if self.block_id else "has another visit" if self.resource == "patient" else "is taken"
        return f"{self.name} {what} {start}-{end}."


class TimeTaken(Refused):
    """Double booking: the database refused it, or a block stands there."""

    def __init__(self, conflicts, zone=None, because="This time was just taken by somebody else."):
        self.conflicts = conflicts
        self.zone = zone or (conflicts[0].starts_at.tzinfo if conflicts else None)
        super().__init__(" ".join(dict.fromkeys(conflict.sentence(self.zone) for conflict in conflicts)) or because)

    @property
    def in_short(self):
        """One sentence of it: what the patient has booked then, else the first that stands in the way."""
        own = [conflict for conflict in self.conflicts if conflict.resource == "patient"]
        return next((conflict.sentence(self.zone) for conflict in [*own, *self.conflicts]), str(self))

    def details(self):
        return {"conflicts": [
            {"appointment_id": conflict.appointment_id, "resource": conflict.resource,
             "starts_at": conflict.starts_at.astimezone(self.zone), "ends_at": conflict.ends_at.astimezone(self.zone)}
            for conflict in self.conflicts]}


class SomeTaken(Refused):
    """Of several visits that were to be booked or moved together, these can't be; nothing was saved."""

    def __init__(self, taken, zone):
        self.taken = taken  # {place in the list: TimeTaken}
        self.zone = zone
        self.how_many = f"{len(taken)} of these times can't be had any more, so nothing was saved"
        super().__init__(f"{self.how_many}: " + " ".join(str(refusal) for refusal in taken.values()))


class OutOfOrder(Refused):
    """The visit is not at the step from which this verb leads on."""
