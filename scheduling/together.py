"""Times for several of a family: one after another, or side by side. Only a search; `Appointment.book_together` books them.

What each of them needs on a day is read from the calendar once, as ticks in bits (see `scheduling.slots`). Then visit after visit
is placed, and where the next one finds no place, the one before is placed otherwise.
"""
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Any, NamedTuple

from django.db.models import TextChoices

from scheduling import slots
from scheduling.openings import Opening

AHEAD = timedelta(days=42)
MOST = 8  # who come at once
SHOWN, A_DAY, APART = 6, 2, timedelta(hours=1)
GAP = 10  # minutes at most from the end of one to the start of the next, or between the starts of those who come side by side
STEP = slots.GRID // slots.TICK
TRIES = 20_000  # places looked at in one search: enough for eight who all want something else, and still soon over


class Mode(TextChoices):
    IN_TURN = "in_turn", "One after another"
    AT_ONCE = "at_once", "At the same time"


@dataclass(frozen=True)
class Wish:
    """Who comes, for what, and with whom (None: whoever is free)."""

    patient: Any
    appointment_type: Any
    provider_id: Any = None

    @property
    def called(self):
        return self.patient.preferred_name or self.patient.first_name


@dataclass(frozen=True)
class Proposal:
    """An opening for each wish, in the order of the wishes. `cost`: changes of provider, of room, and how long all of it takes."""

    openings: tuple
    cost: tuple

    @property
    def starts_at(self) -> datetime:
        return min(opening.starts_at for opening in self.openings)


def proposals(calendar, wishes, mode, *, after=None, before=None, not_before=None):
    """The soonest proposals: of each day the best few, well apart. `after`, `before`: wall times between which all of it lies."""
    found, day, tries = [], calendar.first_day, iter(range(TRIES))
    while day <= calendar.last_day and len(found) < SHOWN:
        starts_at, ends_at = (slots.wall(day, at, calendar.zone) for at in (after or time(0), before or time(23, 59)))
        within = max(starts_at, not_before or starts_at), ends_at
        found += _best(Day(calendar, day, wishes, *within, tries).proposals(mode))
        day += timedelta(days=1)
    return found[:SHOWN]


def _best(found):
    chosen = []
    for proposal in sorted(found, key=lambda proposal: (proposal.cost, proposal.starts_at)):
        if all(abs(proposal.starts_at - other.starts_at) >= APART for other in chosen):
            chosen.append(proposal)
    return sorted(chosen[:A_DAY], key=lambda proposal: proposal.starts_at)


class Way(NamedTuple):
    """With whom a type of visit can be: the ticks at which it may start, who can look in, and where; the preferred first."""

    provider_id: Any
    starts: int
    doctors: list
    chairs: list


class Need(NamedTuple):
    """What one of those who come needs on this day; `starts`: where at least one way is open to them."""

    place: int  # among the wishes
    wish: Wish
    starts: int
    ways: list

    @property
    def kind(self):
        return self.wish.appointment_type

    @property
    def like(self):
        """Who has the same can take each other's place."""
        return self.kind.pk, self.wish.provider_id, self.starts

    def doctors_at(self, way, tick):
        """Who can look in then, the patient's own first; nobody where nobody need."""
        usual = self.wish.patient.primary_provider_id
        return sorted((key for key, bits in way.doctors if bits >> tick & 1), key=lambda key: key != usual)


class Visit(NamedTuple):
    """A need that is placed."""

    need: Need
    tick: int
    way: Way
    operatory_id: Any = None
    doctor_id: Any = None

    @property
    def starts(self):
        """In minutes of the day, as all that follow."""
        return self.tick * slots.TICK

    @property
    def ends(self):
        return self.starts + self.need.kind.minutes

    @property
    def chair_ends(self):
        return self.ends + self.need.kind.buffer_after

    @property
    def provider_id(self):
        return self.way.provider_id

    def spans(self):
        """[(whose minutes, from, until)]"""
        who = {"provider": self.way.provider_id, "doctor": self.doctor_id}
        return [(who[part], self.starts + first, self.starts + first + length)
                for part, first, length in self.need.kind.parts(self.need.kind.minutes) if who[part] is not None]


class Day:
    """One day of the calendar for those who come, between two instants."""

    def __init__(self, calendar, day, wishes, starts_at, ends_at, tries):
        self.calendar, self.day, self.origin = calendar, day, calendar.midnight(day)
        self.within = slots.span_bits(starts_at, ends_at, self.origin, outward=False)
        self.ways, self.hopeless, self.tries = {}, set(), tries
        self.needs = [self._need(place, wish) for place, wish in enumerate(wishes)]

    def proposals(self, mode):
        """A proposal for each full ten minutes from which on all of them can come."""
        if not all(need.starts for need in self.needs):
            return
        if mode == Mode.AT_ONCE and not matched([[way.provider_id for way in need.ways] for need in self.needs]):
            return
        place = self._in_turn if mode == Mode.IN_TURN else self._at_once
        for tick in slots.ticks_of(reduce(or_, (need.starts for need in self.needs)) & slots.GRID_BITS):
            if visits := place(tick):
                yield self._proposal(visits)

    def _need(self, place, wish):
        """Nobody's taken time is asked for where nobody works."""
        kind, patient = wish.appointment_type, wish.patient
        ways = self._ways(kind, wish.provider_id) if self.within else []
        if not ways:
            return Need(place, wish, 0, ways)
        own = patient.primary_provider_id, patient.primary_hygienist_id
        free = slots.starts_of_runs(self.calendar.free(patient.pk, self.day, self.within), slots.whole_ticks(kind.minutes))
        return Need(place, wish, free & reduce(or_, (way.starts for way in ways)),
                    sorted(ways, key=lambda way: way.provider_id not in own))

    def _ways(self, kind, provider_id):
        """The ways to have this type of visit, looked up once for all who want the same."""
        if (kind.pk, provider_id) not in self.ways:
            found = [self._way(kind, provider) for provider in self.calendar.providers.values()
                     if kind.allows(provider) and provider_id in (None, provider.pk)]
            self.ways[kind.pk, provider_id] = [way for way in found if way.starts]
        return self.ways[kind.pk, provider_id]

    def _way(self, kind, provider):
        starts = self.calendar.starts(self.day, provider, kind, kind.minutes)
        if not starts:
            return Way(provider.pk, 0, [], [])
        doctors = self.calendar.doctors(self.day, provider, kind, kind.minutes, None) or [(None, slots.EVERY_TICK)]
        chairs = self.calendar.chairs(self.day, provider, kind, kind.minutes)
        for rows in (doctors, chairs):
            starts &= reduce(or_, (bits for _, bits in rows), 0)
        return Way(provider.pk, starts, doctors, chairs)

    # One after another

    def _in_turn(self, tick):
        """The visits in a row from this tick on, with as few changes of provider as can be; None when they don't fit."""
        visits = self._follow((), self.needs, [tick], len(self.needs))
        for fewer in range(_changes(visits)[0] if visits else 0):
            if found := self._follow((), self.needs, [tick], fewer):
                visits = found
                break
        return visits and [visit._replace(doctor_id=visit.need.doctors_at(visit.way, visit.tick)[0]) for visit in visits]

    def _follow(self, placed, left, ticks, changes):
        """What is placed, followed by those who are left, the next at one of these ticks; None where they find no place."""
        if not left:
            return placed
        with_whom = placed[-1].provider_id if placed and changes < len(left) else None
        state = with_whom, min(changes, len(left)), tuple(ticks), tuple(need.place for need in left)
        if state in self.hopeless or next(self.tries, None) is None:
            return None
        for visit in self._next(placed, left, ticks):
            spent = bool(placed) and visit.provider_id != placed[-1].provider_id
            if spent <= changes:
                rest = [need for need in left if need is not visit.need]
                if found := self._follow((*placed, visit), rest, _after(visit), changes - spent):
                    return found
        self.hopeless.add(state)
        return None

    def _next(self, placed, left, ticks):
        """Every visit that could come next: with the same provider first, then in the same room, then the soonest."""
        found = [
            Visit(need, tick, way, room)
            for need in _unlike(left)
            for tick in ticks if need.starts >> tick & 1
            for way in need.ways if way.starts >> tick & 1 and (room := _room(placed, need, way, tick))]
        if not placed:
            return found
        last = placed[-1]
        return sorted(found, key=lambda visit: (
            visit.provider_id != last.provider_id, visit.operatory_id != last.operatory_id, visit.tick))

    # At the same time

    def _at_once(self, tick, placed=()):
        """The visits side by side, the first at this tick: each with another provider, in another room; or None."""
        if len(placed) == len(self.needs):
            return _in_rooms(placed) if min(visit.tick for visit in placed) == tick else None
        if next(self.tries, None) is None:
            return None
        need = self.needs[len(placed)]
        alike = [visit for visit in placed if visit.need.like == need.like]
        for start in (tick, tick + STEP):
            if not need.starts >> start & 1 or (alike and start < alike[-1].tick):
                continue
            for way in need.ways:
                if not way.starts >> start & 1 or any(visit.provider_id == way.provider_id for visit in placed):
                    continue
                for doctor_id in need.doctors_at(way, start):
                    visit = Visit(need, start, way, doctor_id=doctor_id)
                    if not _clash(visit, placed) and (found := self._at_once(tick, (*placed, visit))):
                        return found
        return None

    def _proposal(self, visits):
        length = max(visit.ends for visit in visits) - min(visit.starts for visit in visits)
        return Proposal(tuple(self._opening(visit) for visit in sorted(visits, key=lambda visit: visit.need.place)),
                     (*_changes(visits), length))

    def _opening(self, visit):
        starts_at, ends_at = (self.origin + timedelta(minutes=at) for at in (visit.starts, visit.ends))
        return Opening(starts_at, ends_at, visit.operatory_id, visit.provider_id, visit.doctor_id)


def _unlike(needs):
    """The first of all who need the same."""
    first = {}
    for need in needs:
        first.setdefault(need.like, need)
    return first.values()


def _room(placed, need, way, tick):
    """The room of the visit before if it is free again by then, else the first that is free; None without one."""
    free_from = {visit.operatory_id: visit.chair_ends for visit in placed}
    chair_starts = tick * slots.TICK - need.kind.buffer_before
    free = [key for key, bits in way.chairs if bits >> tick & 1 and free_from.get(key, chair_starts) <= chair_starts]
    return placed[-1].operatory_id if placed and placed[-1].operatory_id in free else next(iter(free), None)


def _in_rooms(placed):
    """The visits in rooms of their own, or None."""
    rooms = matched([[key for key, bits in visit.way.chairs if bits >> visit.tick & 1] for visit in placed])
    return rooms and [visit._replace(operatory_id=room) for visit, room in zip(placed, rooms, strict=True)]


def _after(visit):
    """The ticks at which the next one may start: at once, or at the next full ten minutes."""
    soon = slots.whole_ticks(visit.ends)
    return [tick for tick in (soon, soon - soon % STEP + STEP) if tick * slots.TICK - visit.ends <= GAP]


def _clash(visit, placed):
    """Whether somebody's minutes would be taken twice."""
    taken = [span for other in placed for span in other.spans()]
    return any(who == other and starts < until and ends > since
               for who, starts, ends in visit.spans() for other, since, until in taken)


def _changes(visits):
    """How often provider and room change from one visit to the next."""
    pairs = list(pairwise(visits))
    return (sum(one.provider_id != next_one.provider_id for one, next_one in pairs),
            sum(one.operatory_id != next_one.operatory_id for one, next_one in pairs))


def matched(options):
    """For each row one of its options, all different, or None: [[1, 2], [1]] gives [2, 1]."""
    row_of = {}

    def seat(row, tried):
        for option in sorted(options[row], key=row_of.__contains__):  # what nobody has comes first
            if option not in tried:
                tried.add(option)
                if option not in row_of or seat(row_of[option], tried):
                    row_of[option] = row
                    return True
        return False

    if not all(seat(row, set()) for row in range(len(options))):
        return None
    return sorted(row_of, key=row_of.get)
