"""Visits found by anything that somebody remembers of them: "lee next week", "2pm friday", "no-show june", "operatory 2".

Each word must fit, in any order. A word may mean several things, a first name and a month, a patient and a provider; then
any of them is enough, so that nothing is hidden by a guess. `read` says how it understood the text.
"""
import calendar
import re
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Q

from clinic.dates import WEEKDAYS, read_date, read_time
from clinic.db.fields import normalise
from clinic.models import Operatory, Patient, Provider
from clinic.search import MONTHS
from clinic.web.fields import DAY_FIRST
from scheduling.models import Appointment, AppointmentType
from scheduling.slots import midnight

LONGEST_TEXT = 200
LONGEST_RUN = 4  # words: "2 mar 2026", "the root canal room"
S = Appointment.Status
STATES = {
    "scheduled": S.SCHEDULED, "unconfirmed": S.SCHEDULED, "not confirmed": S.SCHEDULED, "confirmed": S.CONFIRMED,
    "waiting": S.CHECKED_IN, "arrived": S.CHECKED_IN, "checked in": S.CHECKED_IN, "seated": S.SEATED,
    "in the chair": S.SEATED, "completed": S.COMPLETED, "ready to leave": S.COMPLETED, "gone": S.CHECKED_OUT,
    "checked out": S.CHECKED_OUT, "cancelled": S.CANCELLED, "canceled": S.CANCELLED, "no-show": S.NO_SHOW,
    "no show": S.NO_SHOW, "missed": S.NO_SHOW}
# A telephone number in pieces is one word: +1 201 555 0124, (201) 555-0124, 201 555 0124, 040 123 45 67.
PHONE = re.compile(r"(?<!\S)(?:[+(][\d\s().-]{5,}\d|\d{3}[ .-]\d{3}[ .-]\d{4}|0\d{2,4}[ /-]\d[\d -]{3,}\d)(?!\S)")
HALVES = {"morning": Q(starts_at__hour__lt=12), "afternoon": Q(starts_at__hour__gte=12)}  # by the wall, as all times of requests
NEVER_A_NAME = {*STATES, *HALVES, "today", "tomorrow", "yesterday", *WEEKDAYS}


class Days(NamedTuple):
    """From the first to the last day, both of them included."""

    first: date
    last: date

    def __str__(self):
        said = f"{self.first:%a %-d %b %Y}"
        return said if self.first == self.last else f"{said} to {self.last:%a %-d %b %Y}"


class Part(NamedTuple):
    """A piece of the text, what it may mean, and the condition for a visit to fit it."""

    text: str
    meanings: list
    fits: Q


class Names(NamedTuple):
    """What the clinic calls its providers, types and operatories, also those no longer in use: visits still have them."""

    rows: list  # [(column, key, name as it is shown, name as it is searched)]

    @classmethod
    def of(cls, actor):
        """Three queries."""
        found = []
        for key, name, short in Provider.objects.visible_to(actor).values_list("pk", "name", "short_name"):
            found.append(("provider_id", key, name, f" {normalise(name)} {normalise(short)}"))
        for column, model in (("appointment_type_id", AppointmentType), ("operatory_id", Operatory)):
            for key, name in model.objects.visible_to(actor).values_list("pk", "name"):
                found.append((column, key, name, f" {normalise(name)}"))
        return cls(found)

    def meant_by(self, text):
        """The rows in whose name words begin so."""
        return [row for row in self.rows if f" {text}" in row[3]]


def found(actor, text, now):
    """(visits, parts): the visits that fit every part of the text, and how it was understood. No visits for no text."""
    parts = read(actor, text, now)
    visits = Appointment.objects.visible_to(actor)
    if not parts:
        return visits.none(), parts
    for part in parts:
        visits = visits.filter(part.fits)
    return visits, parts


def read(actor, text, now):
    """The parts of a text: at each word the longest run of words that means something; three queries."""
    text = PHONE.sub(lambda found: re.sub(r"[^+\d]", "", found[0]), normalise(text[:LONGEST_TEXT]).replace(",", " "))
    clinic, words, parts = actor.clinic, [word if re.search(r"\d", word) else word.rstrip(".") or word for word in text.split()], []
    reader = Reader(actor, Names.of(actor), clinic.today(now), clinic.zone, DAY_FIRST.get(clinic.country, True)) if words else None
    while words:
        length, part = next(
            (length, part) for length in range(min(LONGEST_RUN, len(words)), 0, -1)
            if (part := reader.part(" ".join(words[:length]), alone=length == 1)))
        parts.append(part)
        words = words[length:]
    return parts


class Reader(NamedTuple):
    """What a run of words means to this actor."""

    actor: Any
    names: Names
    today: date
    zone: Any
    day_first: bool

    def part(self, run, alone):
        """The run as a Part, or None when it means nothing as a whole; `alone`: one word, which always means something."""
        if run in STATES:
            return Part(run, [STATES[run].label], Q(status=STATES[run]))
        if run in HALVES:
            return Part(run, [f"in the {run}"], HALVES[run])
        readings = [*self._days(run), *self._time(run), *self._names(run)]
        if alone or readings:
            readings += self._people(run)
        if not readings:
            return None
        return Part(run, [meaning for meaning, _ in readings], reduce(or_, (fits for _, fits in readings)))

    def _days(self, run):
        if days := days_meant(run, self.today, self.day_first):
            yield str(days), Q(
                starts_at__gte=midnight(days.first, self.zone), starts_at__lt=midnight(days.last + timedelta(days=1), self.zone))

    def _time(self, run):
        if at := time_meant(run):  # by the wall clock of the clinic, which is the time zone of its requests
            yield f"at {at:%-H:%M}", Q(starts_at__hour=at.hour, starts_at__minute=at.minute)

    def _names(self, run):
        meant = self.names.meant_by(run)
        for column in dict.fromkeys(row[0] for row in meant):
            named = [row for row in meant if row[0] == column]
            yield ", ".join(row[2] for row in named[:3]) + (" …" if len(named) > 3 else ""), Q(
                **{f"{column}__in": [row[1] for row in named]})

    def _people(self, run):
        if time_meant(run) or run in NEVER_A_NAME or re.fullmatch("(this|next|last) .*", run):
            return
        people = Patient.objects.visible_to(self.actor).matching(run).order_by().values("pk")
        fits = Q(patient__in=people) | Q(patient__merged_into__in=people)
        if re.search(r"\d", run):  # the number that a visit had where it was imported from
            fits |= Q(external_id=run)
        yield f"a patient with “{run}”", fits


def days_meant(run, today, day_first=False):
    """The days that a run of words means, or None: one day, this, next or last week or month, a month, a year."""
    run = re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", run)
    if match := re.fullmatch(r"in (\d{1,3}) (day|week|month)s?", run):
        run = f"+{match[1]}{match[2][0]}"
    if (match := re.fullmatch(r"([a-z]{3,9}) (.*\d.*)", run)) and _is_weekday(match[1]):
        run = match[2]  # Mon 23 Nov 2026, as the page itself writes it
    if match := re.fullmatch(r"(this|next|last) (week|month)", run):
        step = {"this": 0, "next": 1, "last": -1}[match[1]]
        if match[2] == "week":
            monday = today - timedelta(days=today.weekday()) + timedelta(weeks=step)
            return Days(monday, monday + timedelta(days=6))
        year, month = divmod(today.year * 12 + today.month - 1 + step, 12)
        return _month(year, month + 1)
    if match := re.fullmatch(r"(last|next) ([a-z]+)", run):
        if match[2] in WEEKDAYS:
            ahead = (WEEKDAYS.index(match[2]) - today.weekday() - 1) % 7 + 1
            day = today + timedelta(days=ahead if match[1] == "next" else ahead - 7 if ahead < 7 else -7)
            return Days(day, day)
        return None
    if match := re.fullmatch(r"([a-z]{3,9})(?: ((?:19|20)\d\d))?", run):
        if match[1] in MONTHS:
            return _month(int(match[2]) if match[2] else _nearest_year(MONTHS[match[1]], today), MONTHS[match[1]])
        if match[2] or not (_is_weekday(match[1]) or match[1] in ("today", "tomorrow", "yesterday")):
            return None
    if re.fullmatch(r"(19|20)\d\d", run):
        return Days(date(int(run), 1, 1), date(int(run), 12, 31))
    if len(run) < 3 and run.isalpha():
        return None  # "fr" and "we" are days in a date field; here they begin names
    day = read_date(run, today, day_first=day_first)
    return Days(day, day) if day and 1900 <= day.year < 2200 else None


def _is_weekday(word):
    """Mon, tues, friday: from three letters on, since fewer begin names."""
    return len(word) >= 3 and any(name.startswith(word) for name in WEEKDAYS)


def time_meant(run):
    """The time of day that a run means, or None: 9:30, 2pm, 2 pm, but not 930, which is a chart number."""
    return read_time(run) if re.fullmatch(r"\d{1,2}(:\d\d ?([ap]m?)?| ?[ap]m)", run) else None


def _month(year, month):
    return Days(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def _nearest_year(month, today):
    """The year in which that month lies nearest to today, the coming one of two as near."""
    return min((today.year, today.year + 1, today.year - 1), key=lambda year: abs((year - today.year) * 12 + month - today.month))
