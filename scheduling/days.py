"""One day (or week) of the schedule as columns of cards, ready for the template: few queries, no model objects."""
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from html import escape
from typing import Any, NamedTuple

from django.db.models import FilteredRelation, Q, Subquery
from django.utils import timezone

from clinic.access.rules import may
from clinic.db.fields import EncryptedJSONField
from clinic.db.prepared import PreparedFor
from clinic.db.records import change_token, whose_row
from clinic.models import MedicalHistory, Operatory, Provider
from clinic.models.medical_history import alerts_of
from scheduling import cards, slots
from scheduling.cards import ICONS, Card, Look
from scheduling.models import Appointment, Block, HoursException, WorkingHours

OPENS, CLOSES = 7 * 60, 19 * 60  # minutes shown when nothing lies outside
VISIT_COLUMNS = (
    "id", "patient__first_name", "patient__last_name", "patient__preferred_name", "operatory_id", "provider_id",
    "appointment_type__name", "appointment_type__colour", "starts_at", "ends_at", "status", "version", "updated_at", "parts")
BLOCK_COLUMNS = ("id", "operatory_id", "provider_id", "title", "starts_at", "ends_at", "version", "offer_id")
MOVES = {"scheduled", "confirmed", "checked_in", "seated"}
WORDS = dict(Appointment.Status.choices)


class Visit(NamedTuple):
    """A row of the visits' query, its times by the clinic's wall clock."""

    id: Any
    first_name: str
    last_name: str
    preferred_name: str
    operatory_id: Any
    provider_id: Any
    kind: str
    colour: int
    starts_at: datetime
    ends_at: datetime
    status: str
    version: int
    updated_at: datetime
    parts: list  # see Appointment.parts
    medical: Any  # the content of the newest medical history


@dataclass
class Column:
    """One operatory, provider or day."""

    id: object
    name: str
    sub: str = ""
    colour: int = 0
    cards: list = field(default_factory=list)
    closed: tuple = ()  # ((at, rows), …) outside working hours
    day: object = None

    @property
    def drawn_cards(self):
        return cards.drawn(self.cards)


class Head(NamedTuple):
    """What stands above a column."""

    name: str
    sub: str
    colour: int
    is_today: bool


@dataclass
class Grid:
    day: object
    columns: list
    first: int  # minutes after midnight of the first row
    rows: int  # in ticks
    hours: tuple  # ((at, "9:00"), …)
    zone: object
    visits: int
    token: str = ""  # of the visits shown; see AppointmentQuerySet.change_token

    @property
    def heads(self):
        today = timezone.now().astimezone(self.zone).date()
        return tuple(Head(column.name, column.sub, column.colour, column.day == today) for column in self.columns)

    def wall_minutes(self, at):
        """Minutes after midnight on this day's wall clock; 0 or 24 h for what lies before or after the day.

        The grid shows wall time, so that 9:00 stands at 9:00 also on the days on which the clock changes.
        """
        local = at.astimezone(self.zone)
        if local.date() != self.day:
            return 0 if local.date() < self.day else 24 * 60
        return local.hour * 60 + local.minute

    @cached_property
    def now_at(self):
        """The row of the present moment, or None."""
        now = timezone.now()
        at = (self.wall_minutes(now) - self.first) // slots.TICK
        return at if now.astimezone(self.zone).date() == self.day and 0 <= at < self.rows else None


def newest_history():
    """The newest medical history's content of a visit's patient, as part of the visits' own query."""
    newest = MedicalHistory.objects.filter(patient=whose_row()).order_by("-number")
    return Subquery(
        newest.values("content")[:1], output_field=EncryptedJSONField(context="clinic_medicalhistory.content"))


def alerts_in(content):
    return alerts_of(content) if content else []


VISITS = PreparedFor(lambda actor, blank: Appointment.objects.visible_to(actor).holding().between(
    blank("starts_at", Appointment, "starts_at"), blank("ends_at", Appointment, "starts_at"),
).order_by("starts_at").values_list(*VISIT_COLUMNS, newest_history()))
OPERATORIES = PreparedFor(lambda actor, blank: Operatory.objects.visible_to(actor).values_list("id", "name", "is_active"))
PROVIDERS = PreparedFor(lambda actor, blank: Provider.objects.visible_to(actor).annotate(today=FilteredRelation(
    "working_hours",
    condition=Q(working_hours__weekday=blank("weekday", WorkingHours, "weekday"), working_hours__is_active=True)),
).order_by("sequence", "name", "today__starts").values_list(
    "id", "short_name", "colour", "is_active", "today__starts", "today__ends"))
EXCEPTIONS = PreparedFor(lambda actor, blank: HoursException.objects.visible_to(actor).filter(
    date=blank("day", HoursException, "date")).current().values_list("provider_id", "starts", "ends"))
BLOCKS = PreparedFor(lambda actor, blank: Block.objects.visible_to(actor).current().overlapping(
    blank("starts_at", Block, "starts_at"), blank("ends_at", Block, "ends_at"),
).values_list(*BLOCK_COLUMNS))


def day_grid(actor, day, by="operatory", colour="type"):
    """The day as columns of operatories or of providers. Five queries, whatever the number of visits.

    `colour`: what the colour of a card tells, "type", "provider" or "status".
    """
    clinic = actor.clinic
    starts_at, ends_at = slots.midnight(day, clinic.zone), slots.midnight(day + timedelta(days=1), clinic.zone)
    operatories = OPERATORIES(actor)
    providers, hours = _providers_with_hours(actor, day)
    hours = _with_exceptions(hours, EXCEPTIONS(actor, day=day))
    blocks = BLOCKS(actor, starts_at=starts_at, ends_at=ends_at)
    visits = _visits(VISITS(actor, starts_at=starts_at, ends_at=ends_at), clinic.zone)
    grid = _empty_grid(day, *_extent(visits, hours), clinic.zone, len(visits))
    grid.token = change_token(
        len(visits), sum(visit.version for visit in visits), max((visit.updated_at for visit in visits), default=None))
    team = _team((key, name, tint) for key, name, tint, _ in providers)
    rooms = {str(key): escape(name) for key, name, _ in operatories}
    in_use = {row[0] for row in (providers if by == "provider" else operatories) if row[-1]}
    if by == "provider":
        grid.columns = [Column(key, name, colour=tint, day=day) for key, name, tint, _ in providers]
        for column in grid.columns:
            column.closed = _closed(hours.get(column.id, []), grid)
    else:
        grid.columns = [Column(key, name, day=day) for key, name, _ in operatories]
        open_hours = [span for spans in hours.values() for span in spans]
        for column in grid.columns:
            column.closed = _closed(open_hours, grid)
    columns = {column.id: column for column in grid.columns}
    for visit in visits:
        for key, card in _cards(visit, by, colour, team, rooms, grid):
            if key in columns:
                columns[key].cards.append(card)
    moves = may(actor, "scheduling.change_block")
    for block in blocks:
        key = block[1] if by == "operatory" else block[2]
        if key in columns:
            columns[key].cards.append(_block_card(block, grid, moves))
    # What is no longer in use is shown as long as something stands there: it still holds its time.
    grid.columns = [column for column in grid.columns if column.id in in_use or column.cards]
    for column in grid.columns:
        set_lanes(column.cards)
    return grid


def week_grid(actor, monday, provider, colour="type"):
    """The week of one provider: a column a day. `colour` as in `day_grid`."""
    clinic, days = actor.clinic, [monday + timedelta(days=n) for n in range(7)]
    starts_at, ends_at = slots.midnight(days[0], clinic.zone), slots.midnight(days[6] + timedelta(days=1), clinic.zone)
    visits = _visits(
        Appointment.objects.visible_to(actor).holding().between(starts_at, ends_at).filter(
            provider_time__provider=provider).distinct().order_by("starts_at").values_list(*VISIT_COLUMNS, newest_history()),
        clinic.zone)
    blocks = list(Block.objects.filter(clinic=clinic, provider=provider).current().overlapping(
        starts_at, ends_at).values_list(*BLOCK_COLUMNS))
    rooms = {str(key): escape(name) for key, name in Operatory.objects.filter(clinic=clinic).values_list("id", "name")}
    hours = defaultdict(list)
    for weekday, start, end in provider.working_hours.filter(is_active=True).values_list("weekday", "starts", "ends"):
        hours[weekday].append((start, end))
    exceptions = list(HoursException.objects.filter(clinic=clinic, date__range=(days[0], days[6])).filter(
        Q(provider=provider) | Q(provider=None)).current().values_list("date", "provider_id", "starts", "ends"))
    spans_of = {}
    for day in days:
        own = [(who, start, end) for date, who, start, end in exceptions if date == day]
        spans_of[day] = _with_exceptions({provider.pk: hours.get(day.weekday(), [])}, own).get(provider.pk, [])
    every = {day: spans for day, spans in spans_of.items() if spans}
    first, last = _extent(visits, every)
    grid = _empty_grid(monday, first, last, clinic.zone, len(visits))
    team = _team(Provider.objects.filter(clinic=clinic).values_list("id", "short_name", "colour"))
    moves = may(actor, "scheduling.change_block")
    for day in days:
        one = _empty_grid(day, first, last, clinic.zone, 0)
        column = Column(day.isoformat(), f"{day:%a}", sub=f"{day:%-d %b}", day=day)
        column.closed = _closed(spans_of[day], one)
        for visit in visits:
            if visit.starts_at.date() == day:
                column.cards += [
                    card for key, card in _cards(visit, "provider", colour, team, rooms, one) if key == provider.pk]
        column.cards += [_block_card(block, one, moves) for block in blocks if block[4].astimezone(clinic.zone).date() == day]
        set_lanes(column.cards)
        grid.columns.append(column)
    return grid


def _visits(rows, zone):
    """[Visit] of these rows of columns."""
    return [Visit(*row[:8], row[8].astimezone(zone), row[9].astimezone(zone), *row[10:]) for row in rows]


def _providers_with_hours(actor, day):
    """([(id, short name, colour, in use)], {provider id: [(start, end)]}) of this weekday, in one query."""
    rows = PROVIDERS(actor, weekday=day.weekday())
    providers, hours = {}, defaultdict(list)
    for key, name, colour, is_active, starts, ends in rows:
        providers[key] = (key, name, colour, is_active)
        if is_active and starts is not None:
            hours[key].append((starts, ends))
    return list(providers.values()), hours


def _with_exceptions(hours, exceptions):
    """The hours of a day once days off and other hours are counted in."""
    if any(provider_id is None and starts is None for provider_id, starts, _ in exceptions):
        return {}
    hours = dict(hours)
    for provider_id in {provider_id for provider_id, _, _ in exceptions if provider_id}:
        hours[provider_id] = [
            (starts, ends) for who, starts, ends in exceptions if who == provider_id and starts is not None]
    shorter = [(starts, ends) for who, starts, ends in exceptions if who is None]
    if shorter:
        hours = {key: [(max(a, c), min(b, d)) for a, b in spans for c, d in shorter if max(a, c) < min(b, d)]
                 for key, spans in hours.items()}
    return hours


def _extent(visits, hours):
    """The first and last minute to show: full hours around everything that happens."""
    first, last = OPENS, CLOSES
    for visit in visits:
        start, end = visit.starts_at, visit.ends_at
        first = min(first, start.hour * 60)
        last = max(last, 24 * 60 if end.date() > start.date() else (end.hour + (end.minute > 0)) * 60)
    for spans in hours.values():
        for starts, ends in spans:
            first = min(first, starts.hour * 60)
            last = max(last, (ends.hour + (ends.minute > 0)) * 60)
    return first, last


def _empty_grid(day, first, last, zone, visits):
    hours = tuple(((minute - first) // slots.TICK, f"{minute // 60}:00") for minute in range(first, last, 60))
    return Grid(day, [], first, (last - first) // slots.TICK, hours, zone, visits)


def _place(starts_at, ends_at, grid):
    """(at, rows) in ticks, cut at the grid's edges."""
    start = max(0, (grid.wall_minutes(starts_at) - grid.first) // slots.TICK)
    end = min(grid.rows, -(-(grid.wall_minutes(ends_at) - grid.first) // slots.TICK))
    return start, max(1, end - start)


class Member(NamedTuple):
    """A provider as the cards show them."""

    id: Any
    name: str  # escaped
    colour: int
    badge: str


def _team(rows):
    """{text of the provider's id: Member}, of rows of id, short name and colour."""
    return {str(key): Member(key, escape(name), colour, cards.badge(name, colour)) for key, name, colour in rows}


def _cards(visit, by, colour, team, rooms, grid):
    """(column's id, Card) of a visit: in its operatory, or with every provider whose minutes it takes."""
    alerts = alerts_in(visit.medical)
    parts = [(team[who], start, length) for who, start, length in visit.parts if who in team]
    provider = team.get(str(visit.provider_id))
    several = len(parts) > 1
    texts = {
        "name": escape(f"{visit.last_name}, {visit.preferred_name or visit.first_name}"), "kind": escape(visit.kind),
        "colour": cards.STATUS_COLOURS[visit.status] if colour == "status" else provider.colour if colour == "provider" and provider
        else visit.colour,
        "team": "".join(dict.fromkeys(member.badge for member, _, _ in parts)) if several else provider.badge if provider else "",
        "who": _who(parts, visit) if several else provider.name if provider else "", "parts": "",
        "operatory": rooms.get(str(visit.operatory_id), ""), "version": visit.version, **cards.texts_of_alerts(alerts)}
    look = Look(
        visit.status, WORDS[visit.status], ICONS[visit.status], alerts[0]["tone"] if alerts else "", by == "provider",
        moves=visit.status in MOVES)
    if by == "operatory":
        if several:
            texts["parts"] = "".join([
                cards.part(start // slots.TICK, slots.whole_ticks(length), member.colour) for member, start, length in parts])
        yield visit.operatory_id, _card(visit.id, look, visit.starts_at, visit.ends_at, texts, grid)
        return
    for member, start, length in parts:
        begins = _after(visit, start)
        own = look if member.id == visit.provider_id else look._replace(is_look_in=True, moves=False)
        yield member.id, _card(visit.id, own, begins, begins + timedelta(minutes=length), texts, grid)


def _after(visit, minutes):
    """So many real minutes after the start, also where the clock changes."""
    return visit.starts_at.astimezone(UTC) + timedelta(minutes=minutes)


def _who(parts, visit):
    """Who is in the room from when to when, where several are."""
    zone = visit.starts_at.tzinfo
    return ", ".join([
        f"{member.name} {clock(_after(visit, start).astimezone(zone))}-{clock(_after(visit, start + length).astimezone(zone))}"
        for member, start, length in parts])


def _card(key, look, starts_at, ends_at, texts, grid):
    starts_at, ends_at = starts_at.astimezone(grid.zone), ends_at.astimezone(grid.zone)
    at, rows = _place(starts_at, ends_at, grid)
    return Card(key, look, at, rows, {**texts, "starts": clock(starts_at), "ends": clock(ends_at)})


def clock(at):
    """9:05, as the template's date:"G:i" writes it."""
    return f"{at.hour}:{at.minute:02}"


def _block_card(block, grid, may_move):
    key, _, _, title, starts_at, ends_at, version, offer = block
    return _card(key, Look(moves=may_move and offer is None), starts_at, ends_at, {"name": escape(title), "version": version}, grid)


def _closed(spans, grid):
    """[(at, rows)] of the grid in which nobody of these works."""
    open_bits = 0
    for starts, ends in spans:
        start = (starts.hour * 60 + starts.minute - grid.first) // slots.TICK
        end = (ends.hour * 60 + ends.minute - grid.first) // slots.TICK
        if end > max(0, start):
            open_bits |= ((1 << (end - max(0, start))) - 1) << max(0, start)
    closed, start = [], None
    for tick in range(grid.rows + 1):
        is_open = tick == grid.rows or open_bits >> tick & 1
        if not is_open and start is None:
            start = tick
        elif is_open and start is not None:
            closed.append((start, tick - start))
            start = None
    return tuple(closed)


def set_lanes(cards):
    """Beside each other what shares time: a knowing double booking, or two that share a row of the grid."""
    cards.sort(key=lambda card: (card.at, -card.rows))
    group, ends = [], []
    for card in cards:
        if group and card.at >= max(ends):
            _close(group, ends)
            group, ends = [], []
        lane = next((number for number, end in enumerate(ends) if end <= card.at), len(ends))
        ends[lane:lane + 1] = [card.at + card.rows]
        card.lane = lane
        group.append(card)
    _close(group, ends)


def _close(group, ends):
    for card in group:
        card.lanes = len(ends)


