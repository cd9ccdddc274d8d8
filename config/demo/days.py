"""Who and which chair is free when: ten-minute cells of a day as bits of a number, so that looking is quick."""
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

CELL = 10  # minutes
HOUR = 60 // CELL


def cell(at):
    return (at.hour * 60 + at.minute) // CELL


def span(start, end):
    """The bits from one cell up to another."""
    return ((1 << (end - start)) - 1) << start if end > start else 0


def runs(free, length):
    """The cells at which so many free ones follow each other."""
    have = 1
    while have < length:
        step = min(have, length - have)
        free &= free >> step
        have += step
    return free


def first_from(cells, wanted):
    """The first of these cells at or after the wanted one, else the last before it."""
    later = cells >> wanted
    return wanted + (later & -later).bit_length() - 1 if later else cells.bit_length() - 1


class Place(NamedTuple):
    """Where and when a visit finds room: cell of the day, and indexes into the house's lists."""

    cell: int
    provider: int
    chair: int
    doctor: int | None


@dataclass
class Day:
    chairs: list
    providers: list

    @property
    def is_open(self):
        return any(self.providers)

    def find(self, kind, providers, chairs_of, doctors, wanted):
        """A Place for a visit of this kind near the wanted cell, or None. The earlier of each list is preferred.

        `chairs_of`: for each provider, the chairs in their order of liking.
        """
        start, length = (minutes // CELL for minutes in kind.own or (0, kind.minutes))
        total = (kind.minutes + kind.after) // CELL
        rooms = {}
        for provider in providers:
            treats = runs(self.providers[provider], length) >> start
            if not treats:
                continue
            for chair in chairs_of[provider]:
                if chair not in rooms:
                    rooms[chair] = runs(self.chairs[chair], total)
                both = treats & rooms[chair]
                if not both:
                    continue
                doctor, both = self._with_doctor(kind, doctors, both)
                if both:
                    return Place(first_from(both, wanted), provider, chair, doctor)
        return None

    def _with_doctor(self, kind, doctors, both):
        if not kind.look:
            return None, both
        start, length = (minutes // CELL for minutes in kind.look)
        for doctor in doctors:
            looks = both & (runs(self.providers[doctor], length) >> start)
            if looks:
                return doctor, looks
        return None, 0

    def take(self, kind, place):
        """Mark chair, provider and doctor as taken by this visit."""
        at = place.cell
        self.chairs[place.chair] &= ~span(at, at + (kind.minutes + kind.after) // CELL)
        for who, part in ((place.provider, kind.own or (0, kind.minutes)), (place.doctor, kind.look)):
            if who is not None:
                self.providers[who] &= ~span(at + part[0] // CELL, at + sum(part) // CELL)


class Days:
    """The days of one clinic, made when first asked for."""

    def __init__(self, zone, chairs, hours, closed, away, blocks):
        """`hours`: per provider, {weekday: [(from, to)]}; `closed`: dates; `away`: {(provider, date): [(from, to)]};
        `blocks`: {date: [("chair" or "provider", index, from, to)]}; from and to are times of the wall clock."""
        self.zone, self.chairs, self.hours = zone, chairs, hours
        self.closed, self.away, self.blocks = closed, away, blocks
        self._days = {}

    def __getitem__(self, date):
        if date not in self._days:
            self._days[date] = self._make(date)
        return self._days[date]

    def _make(self, date):
        providers = [self._works(index, date) for index in range(len(self.hours))]
        together = 0
        for free in providers:
            together |= free
        first = (together & -together).bit_length() - 1
        day = Day([span(first, together.bit_length()) if together else 0] * self.chairs, providers)
        for what, index, start, end in self.blocks.get(date, ()):
            free = day.chairs if what == "chair" else day.providers
            free[index] &= ~span(cell(start), cell(end))
        return day

    def _works(self, provider, date):
        if date in self.closed:
            return 0
        free = 0
        for start, end in self.away.get((provider, date), self.hours[provider].get(date.weekday(), ())):
            free |= span(cell(start), cell(end))
        return free

    def instant(self, date, at):
        """The instant of a cell (or a time) of that day by the clinic's wall clock, in UTC."""
        if isinstance(at, time):
            wall = datetime.combine(date, at)
        else:
            wall = datetime.combine(date, time()) + timedelta(minutes=at * CELL)
        return wall.replace(tzinfo=self.zone).astimezone(UTC)
