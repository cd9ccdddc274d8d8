"""How each visit went, step by step: those of the past, those to come, and today's by the clock."""
from collections import Counter
from datetime import timedelta

from scheduling.models import Appointment

Status = Appointment.Status
# From what lies behind to what lies ahead, as a day's visits stand in the list.
IN_ORDER = [
    Status.CHECKED_OUT, Status.NO_SHOW, Status.CANCELLED, Status.COMPLETED, Status.SEATED, Status.CHECKED_IN,
    Status.CONFIRMED, Status.SCHEDULED,
]
# On a day of few visits not all states fit: these first.
MISSED_FIRST = [
    Status.CHECKED_IN, Status.SEATED, Status.CHECKED_OUT, Status.CONFIRMED, Status.SCHEDULED, Status.COMPLETED,
    Status.NO_SHOW, Status.CANCELLED,
]
CANCELLATIONS = [
    "Patient is ill", "Could not leave work", "No ride to the practice", "Child is ill", "Wants a later time", "Weather",
    "Moved away", "Provider was away", "Feels better, called to cancel",
]
NOTES = {
    "cleaning": ["Wants to ask about whitening.", "Sensitive lower front teeth.", "Running late by ten minutes, called."],
    "child": ["First time without a parent in the room.", "Likes the strawberry paste."],
    "problem": ["Broken filling, upper left.", "Pain when biting, since Sunday.", "Chipped front tooth at sport."],
    "filling": ["Numb slowly, allow time.", "Prefers no adrenaline."],
    "crown": ["Shade taken, see photographs.", "Lab case must be back the day before."],
    "adjustment": ["Lost a bracket on the lower right.", "Asks for blue elastics."],
    "braces": ["Parent comes along, wants the payment plan explained."],
}


def minutes(count):
    return timedelta(minutes=count)


class Course:
    """Draws the steps of visits; `staff` gives the ids of those who did them."""

    def __init__(self, house):
        users = house.users
        desk = users.get("receptionist")
        self.desk = desk and desk.pk
        self.confirmer = (users.get("coordinator") or desk).pk
        self.seater = (users.get("assistant") or users.get("hygienist") or desk).pk
        self.chance, self.house = house.chance, house

    def note(self, key):
        notes = NOTES.get(key)
        return self.chance.choice(notes) if notes and self.chance.yes(0.22) else ""

    def booked(self, wish_since, starts_at, longest=170):
        """When the visit was booked: some days ahead, not before the patient joined."""
        day = starts_at - timedelta(days=self.chance.randint(2, longest), minutes=self.chance.randrange(240))
        return max(day, min(wish_since + minutes(30), starts_at - timedelta(days=1)))

    def past(self, fate, booked, starts_at, ends_at, provider, walk_in):
        """The steps of a visit that is over: gone, cancelled or missed."""
        chance, steps = self.chance, [(Status.SCHEDULED, booked, self.desk)]
        if fate == Status.CANCELLED:
            at = max(booked + minutes(5), starts_at - minutes(chance.randint(30, 6000)))
            return [*steps, (fate, at, self.desk)]
        if not walk_in and chance.yes(0.8):
            steps.append((Status.CONFIRMED, max(booked + minutes(1), starts_at - minutes(chance.randint(600, 4000))),
                          self.confirmer))
        if fate == Status.NO_SHOW:
            return [*steps, (fate, starts_at + minutes(20), self.desk)]
        here = max(booked + minutes(1), starts_at - minutes(chance.randint(-4, 12)))
        seated = max(here + minutes(1), starts_at + minutes(chance.randint(0, 6)))
        done = max(seated + minutes(8), ends_at + minutes(chance.randint(-9, 4)))
        return [*steps, (Status.CHECKED_IN, here, self.desk), (Status.SEATED, seated, self.seater),
                (Status.COMPLETED, done, self._treated(provider)),
                (Status.CHECKED_OUT, done + minutes(chance.randint(2, 9)), self.desk)]

    def expected(self, booked, starts_at, now, confirmed):
        """The steps of a visit to come."""
        steps = [(Status.SCHEDULED, booked, self.desk)]
        if confirmed:
            hours = self.chance.randint(1, 60)
            at = min(max(booked + minutes(1), starts_at - timedelta(hours=24 + hours)), now - minutes(1))
            steps.append((Status.CONFIRMED, max(at, booked), self.confirmer))
        return steps

    def live(self, status, booked, now, provider):
        """The steps of a visit that is going on: it came to this one a few minutes ago."""
        ago = {
            Status.CHECKED_IN: [8], Status.SEATED: [24, 16], Status.COMPLETED: [64, 55, 4]}[status]
        did = [(Status.CHECKED_IN, self.desk), (Status.SEATED, self.seater), (Status.COMPLETED, self._treated(provider))]
        steps = self.expected(booked, now, now, confirmed=True)
        late = self.chance.randint(0, 4)
        return steps + [
            (step, max(now - minutes(before + late), steps[-1][1]), user) for (step, user), before in zip(did, ago, strict=False)]

    def _treated(self, provider):
        return self.house.providers[provider].user_id or self.seater


def states_by_clock(visits, clock):
    """Which state each of today's visits is in: {index: status}, every state at least once where there are enough.

    `visits`: [(starts_at, ends_at)] in order of their start; `clock`: the time of day that the demo shows.
    """
    states = {}
    for index, (starts_at, ends_at) in enumerate(visits):
        if ends_at <= clock - minutes(15):
            states[index] = Status.CHECKED_OUT
        elif ends_at <= clock:
            states[index] = Status.COMPLETED
        elif starts_at <= clock:
            states[index] = Status.SEATED
        elif starts_at <= clock + minutes(20):
            states[index] = Status.CHECKED_IN
        else:
            states[index] = Status.SCHEDULED if index % 3 else Status.CONFIRMED
    _make_sure(states)
    return states


def _make_sure(states):
    """Let every state be seen: one that is missing is given to the nearest visit of a state that has several."""
    for state in MISSED_FIRST:
        count = Counter(states.values())
        donors = [index for index, held in states.items() if count[held] > 1]
        if count[state] or not donors:
            continue

        nearest = min((_distance(states[index], state, index), index) for index in donors)
        states[nearest[1]] = state


def _distance(held, wanted, index):
    """How far one state lies from another; among the equally far, the visit nearest to now."""
    away = IN_ORDER.index(held) - IN_ORDER.index(wanted)
    return abs(away), index if away > 0 else -index
