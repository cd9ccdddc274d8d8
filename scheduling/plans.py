"""Several visits before they are booked or moved together: which times are taken, and what the desk decided about each.

A plan travels between page and server as the lines of its form, one a visit. Nothing is kept until all of it is booked.
"""
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from scheduling import conflicts, slots
from scheduling.models import Appointment
from scheduling.openings import Calendar


@dataclass(frozen=True)
class Line:
    """One visit of a plan: when, where, with whom. `visit_id` and `version`: it is booked already and would move."""

    starts_at: Any
    minutes: int
    operatory: Any
    provider: Any
    doctor: Any = None
    left_out: bool = False
    visit_id: Any = None
    version: int | None = None

    @property
    def ends_at(self):
        return self.starts_at + timedelta(minutes=self.minutes)

    def values(self):
        """What the verbs take."""
        values = {
            "starts_at": self.starts_at, "ends_at": self.ends_at, "operatory": self.operatory, "provider": self.provider}
        return values | ({"doctor": self.doctor} if self.doctor is not None else {})


@dataclass
class Plan:
    """The lines of a series for one patient and type, with what stands in the way of each."""

    clinic: Any
    patient: Any
    appointment_type: Any
    lines: list
    taken: dict = field(default_factory=dict)  # {place: [Conflict]}
    outside: set = field(default_factory=set)  # places at which the provider does not work

    def look(self):
        """Find out what is taken and who does not work then; six queries, whatever the number of lines."""
        chosen = {place: self._draft(line) for place, line in enumerate(self.lines) if not line.left_out}
        if not chosen:
            return self
        moved = [line for line in self.lines if line.visit_id and not line.left_out]
        found = conflicts.of_all(list(chosen.values()), besides=[Appointment(pk=line.visit_id) for line in moved])
        self.taken = {place: found[draft.pk] for place, draft in chosen.items() if found[draft.pk]}
        days = [draft.starts_at.astimezone(self.clinic.zone).date() for draft in chosen.values()]
        calendar = Calendar(self.clinic, min(days), max(days))
        self.outside = {
            place for place, draft in chosen.items() if place not in self.taken
            and not calendar.works(draft.provider_id, draft.starts_at, draft.ends_at)}
        return self

    def _draft(self, line):
        values = line.values()
        if line.visit_id:
            values["id"] = line.visit_id
        return Appointment.drafted(
            clinic=self.clinic, patient=self.patient, appointment_type=self.appointment_type, **values)

    @property
    def open(self):
        """The place of the first line that is taken: the one to decide about now; None when nothing is open."""
        return min(self.taken, default=None)

    @property
    def chosen(self):
        return [line for line in self.lines if not line.left_out]

    def decide(self, place, **changes):
        """Another time for this line, or leave it out."""
        self.lines[place] = replace(self.lines[place], **changes)
        return self


def weekly(first, every_weeks, count, at, zone):
    """The instants of a series: the same weekday and wall time, also where the clock changes in between.

    A wall time that a day skips (the gap of spring) is an hour later on that day alone; one that comes twice is the first.
    """
    return [slots.wall(first + timedelta(weeks=every_weeks * number), at, zone) for number in range(count)]


def shifted(visits, was, becomes, zone):
    """The visits' starts moved as far as from one instant to another, counted in days and minutes of the wall clock."""
    was, becomes = was.astimezone(zone), becomes.astimezone(zone)
    days, minutes = (becomes.date() - was.date()).days, _minutes(becomes) - _minutes(was)
    for visit in visits:
        local = visit.starts_at.astimezone(zone).replace(tzinfo=None) + timedelta(days=days, minutes=minutes)
        yield slots.wall(local.date(), local.time(), zone)


def _minutes(at):
    return at.hour * 60 + at.minute
