"""Opens a demo clinic: its people, rooms, types, hours, days off and blocks. What comes in tens goes through the verbs."""
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import cached_property

import holidays
from django.contrib.auth.hashers import make_password

from clinic import catalogue
from clinic.access.actor import Actor
from clinic.db.fields import normalise
from clinic.db.records import record_bulk
from clinic.models import Clinic, Coaching, Membership, Operatory, ProcedureCode, Provider, User
from config.demo.chance import Chance
from config.demo.days import Days
from config.demo.practices import DOMAIN, Person, Practice
from config.demo.visit_types import VISIT_TYPES
from scheduling.models import AppointmentType, AppointmentTypeCode, Block, HoursException, WorkingHours
from scheduling.models.appointment_type import DOCTOR_KINDS

BECAUSE = "Demo practice"
EARLY = [(time(8), time(12)), (time(13), time(17))]
LATE = [(time(9), time(13)), (time(14), time(18))]
WEEKEND = {5: [(time(9), time(12)), (time(12, 30), time(15))], 6: [(time(10), time(14))]}
PALETTE = 12


@dataclass
class House:
    """A demo clinic while it is being filled: its rows, who acts there, and its free time."""

    practice: Practice
    clinic: Clinic
    chance: Chance
    today: object
    by: Actor
    users: dict = field(default_factory=dict)  # role: user
    providers: list = field(default_factory=list)
    chairs: list = field(default_factory=list)
    types: dict = field(default_factory=dict)
    days: Days = None

    @cached_property
    def index_of(self):
        """{provider id: index}."""
        return {provider.pk: index for index, provider in enumerate(self.providers)}

    @property
    def country(self):
        return self.practice.clinic["country"]

    def make(self, model, **values):
        """A row of this clinic that is not saved yet, with a key from the seed."""
        return model(id=self.chance.key(self.began), clinic=self.clinic, **values)

    @property
    def began(self):
        return datetime.combine(self.clinic.opened_on, time(12), tzinfo=self.clinic.zone)

    def of_kind(self, *kinds):
        """Indexes of the providers of these kinds."""
        return [index for index, provider in enumerate(self.providers) if provider.kind in kinds]

    @property
    def doctors(self):
        return self.of_kind(*DOCTOR_KINDS)

    @cached_property
    def chairs_of(self):
        """For each provider, the indexes of chairs in their order: their own, then those for the same work, then others."""
        orders, met = [], {True: 0, False: 0}
        for provider in self.providers:
            hygiene = provider.kind == "hygienist"
            same = [index for index, chair in enumerate(self.chairs) if chair.is_hygiene == hygiene]
            turn = met[hygiene] % len(same)
            met[hygiene] += 1
            orders.append(same[turn:] + same[:turn] + [index for index in range(len(self.chairs)) if index not in same])
        return orders


def open_clinic(practice, chance, now, since, password):
    """The clinic with all that is no patient and no visit. `since`: the first day of which visits will be told."""
    clinic = Clinic(
        opened_on=since.replace(year=since.year - 6, day=1), requires_second_factor=False, **practice.clinic)
    clinic.id = chance.key(datetime.combine(clinic.opened_on, time(12), tzinfo=clinic.zone))
    by = Actor.system(clinic)
    clinic.record(by=by, because=BECAUSE)
    house = House(practice, clinic, chance, clinic.today(now), by)
    _people(house, password)
    _rooms_and_types(house)
    _hours(house, since)
    return house


def user_of(house_or_chance, person, password, at, by):
    """The demo user of a person; who has no sign-in gets a password that fits nothing."""
    address = person.sign_in or person.name.removeprefix("Dr. ").lower().replace(" ", ".")
    user = User(
        id=house_or_chance.key(at), name=person.name, is_demo=True, is_staff="manager" in person.roles,
        email=f"{_plain(address)}@{DOMAIN}", password=password if person.sign_in else make_password(None))
    user._history_actor, user._change_reason = by, BECAUSE
    user.full_clean()
    user.save()
    return user


def _plain(text):
    return "".join(char for char in normalise(text) if char.isascii())


def _people(house, password):
    for index, person in enumerate(house.practice.people):
        user = None
        if person.sign_in or person.roles:
            user = user_of(house.chance, person, password, house.began, house.by)
            Membership.open(
                user=user, clinic=house.clinic, roles=person.roles, by=house.by, since=house.clinic.opened_on, because=BECAUSE)
            for role in person.roles:
                house.users.setdefault(role, user)
        if person.kind:
            house.providers.append(house.make(
                Provider, name=person.name, short_name=person.short, kind=person.kind, user=user, sequence=index,
                colour=index % PALETTE + 1).record(by=house.by, because=BECAUSE))


def _rooms_and_types(house):
    for index, (name, is_hygiene) in enumerate(house.practice.chairs):
        house.chairs.append(house.make(
            Operatory, name=name, is_hygiene=is_hygiene, sequence=index).record(by=house.by, because=BECAUSE))
    catalogue.load_starter(house.by)
    codes = dict(ProcedureCode.objects.filter(clinic=house.clinic).values_list("code", "pk"))
    kinds = [kind for kind in VISIT_TYPES if not house.practice.types or kind.key in house.practice.types]
    for index, kind in enumerate(kinds):
        house.types[kind.key] = house.make(
            AppointmentType, name=kind.german if house.country == "DE" else kind.name, minutes=kind.minutes,
            buffer_after=kind.after, colour=kind.colour, pattern=kind.pattern, kinds=list(kind.kinds), sequence=index,
        ).record(by=house.by, because=BECAUSE)
    record_bulk([
        house.make(AppointmentTypeCode, appointment_type=house.types[kind.key], procedure_code_id=codes[code])
        for kind in kinds for code in kind.codes], by=house.by, because=BECAUSE)


def _hours(house, since):
    people = [person for person in house.practice.people if person.kind]
    hours = [_week(person) for person in people]
    record_bulk([
        house.make(WorkingHours, provider=house.providers[index], weekday=weekday, starts=starts, ends=ends)
        for index, week in enumerate(hours) for weekday, spans in week.items() for starts, ends in spans
    ], by=house.by, because=BECAUSE)
    until = house.today + timedelta(days=100)
    closed = _closed(house, since, house.today.year + 1)
    away = _away(house, hours, since, until, closed)
    house.days = Days(house.clinic.zone, len(house.chairs), hours, set(closed), away, {})
    house.days.blocks = _blocks(house, closed)


def _week(person: Person):
    spans = EARLY if person.early else LATE
    week = dict.fromkeys(range(5), spans)
    return week | {weekday: WEEKEND[weekday] for weekday in person.days}


def _closed(house, since, last_year):
    """{date: name} of the public holidays; a holiday that is today finds the demo open all the same."""
    clinic = house.clinic
    days = holidays.country_holidays(clinic.country, subdiv=clinic.region, years=range(since.year, last_year + 1))
    closed = {day: name for day, name in sorted(days.items()) if day >= since and day != house.today}
    record_bulk(
        [house.make(HoursException, date=day, reason=name[:120]) for day, name in closed.items()],
        by=house.by, because=BECAUSE)
    return closed


def _away(house, hours, since, until, closed):
    """{(provider, date): spans}: weeks of vacation, sick days, shorter days; never today, so that the demo is full."""
    away, reasons = {}, {}
    length = (until - since).days
    for index in range(len(house.providers)):
        for _ in range(max(1, length // 180)):
            monday = since + timedelta(days=house.chance.randrange(length))
            monday -= timedelta(days=monday.weekday())
            for offset in range(5):
                away[index, monday + timedelta(days=offset)] = []
                reasons[index, monday + timedelta(days=offset)] = "Vacation"
        for reason, spans in (("Ill", []), ("Training", []), ("Leaves at noon", [(time(8), time(12))])):
            day = since + timedelta(days=house.chance.randrange(length))
            away[index, day], reasons[index, day] = spans, reason
    away = {
        (index, day): spans for (index, day), spans in away.items()
        if day != house.today and since <= day <= until and day not in closed and hours[index].get(day.weekday())}
    record_bulk([
        house.make(
            HoursException, provider=house.providers[index], date=day, reason=reasons[index, day],
            starts=spans[0][0] if spans else None, ends=spans[0][1] if spans else None)
        for (index, day), spans in away.items()], by=house.by, because=BECAUSE)
    return away


def _blocks(house, closed):
    """{date: [(what, index, from, to)]}: paperwork of the first doctor each week, service of the last chair each month."""
    found, rows = {}, []
    doctor, chair = house.doctors[0], len(house.chairs) - 1
    for offset in range(-84, 85):
        day = house.today + timedelta(days=offset)
        if day in closed or day.weekday() > 4:
            continue
        if day.weekday() == 2:
            found.setdefault(day, []).append(("provider", doctor, time(16), time(17), "Paperwork and lab calls"))
        if (day.weekday() == 3 and day.day <= 7) or offset == 0:
            found.setdefault(day, []).append(("chair", chair, time(16, 30), time(17), "Service of the unit"))
    for day, blocks in found.items():
        for what, index, start, end, title in blocks:
            rows.append(house.make(
                Block, title=title, starts_at=house.days.instant(day, start), ends_at=house.days.instant(day, end),
                **({"provider": house.providers[index]} if what == "provider" else {"operatory": house.chairs[index]})))
    record_bulk(rows, by=house.by, because=BECAUSE)
    return {day: [block[:4] for block in blocks] for day, blocks in found.items()}


def across_clinics(houses, chance, password, coach, manages_too):
    """The manager's second membership, and the coach who follows every clinic."""
    first, *_ = houses.values()
    second = houses[manages_too]
    Membership.open(
        user=first.users["manager"], clinic=second.clinic, roles=["manager"], by=second.by,
        since=second.clinic.opened_on, because=BECAUSE)
    user = user_of(chance, coach, password, first.began, first.by)
    for house in houses.values():
        Coaching.grant(user=user, clinic=house.clinic, by=house.by, because=BECAUSE, since=house.clinic.opened_on)
    return user


def acting(house, role):
    """The actor under whose name rows of this role's work are written; the way in stays `command`."""
    return replace(house.by, user=house.users.get(role) or house.users.get("receptionist"))
