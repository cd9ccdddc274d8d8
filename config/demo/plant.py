"""Plants the demo: three clinics, their patients, the visits of the past, of today and of the months ahead."""
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from clinic.models import Patient, PortalAccess
from clinic.progress import Progress
from config.demo import courses, families, visits
from config.demo.care import plan_care
from config.demo.chance import Chance
from config.demo.charts import chart_patients
from config.demo.days import Place
from config.demo.gums import probe_gums
from config.demo.milestones import plan_orthodontics, reach_milestones
from config.demo.notes import NoteBook
from config.demo.opening import BECAUSE, across_clinics, acting, open_clinic, user_of
from config.demo.papers import file_papers
from config.demo.passwords import DEMO_PASSWORD
from config.demo.plans import plan_work
from config.demo.practices import COACH, MANAGES_TOO, PRACTICES, Person, enlarged
from config.demo.visit_types import BY_KEY
from config.demo.waiting import put_on_the_waitlist
from config.demo.wishes import wishes
from scheduling.models import Appointment

Status = Appointment.Status
AHEAD = 91  # days
BATCH = 500
MOST_PLANNED = 33  # patients with a coded plan: each is written by a dozen verbs
PATIENCE = 12  # days that a patient lets their wish be moved
REST = 14  # days between two visits that are only there to fill the days around today


class Planned(NamedTuple):
    """A visit that has its place in the schedule and its fate, not yet written."""

    day: Any
    place: Place
    key: str
    patient: families.Known
    fate: str  # a final status, "expected", or "today"


@transaction.atomic
def plant(*, patients=300, years=2, seed=1, now=None, out=None):
    """Make the demo practice with its two sisters, all or nothing; {key: House}. The same for the same seed and day."""
    now = now or timezone.now()
    password = make_password(DEMO_PASSWORD)  # once: the hash is slow on purpose
    houses = {}
    for practice in PRACTICES:
        count = max(6, round(patients * practice.share)) if practice.share < 1 else patients
        count = min(count, 40) if practice.share < 1 else count
        if practice.share == 1:
            practice = enlarged(practice, patients)
        houses[practice.key] = _fill(practice, count, years, f"{seed}:{practice.key}", now, password, out)
    chance = Chance(f"{seed}:across")
    across_clinics(houses, chance, password, COACH, MANAGES_TOO)
    _portal(next(iter(houses.values())), chance, password, now)
    file_papers(next(iter(houses.values())))
    put_on_the_waitlist(next(iter(houses.values())), now)
    plan_care(next(iter(houses.values())), now)
    for house in houses.values():
        plan_work(house, now, MOST_PLANNED if house.practice.share == 1 else 4)
    for house in houses.values():
        reach_milestones(house, now)
    plan_orthodontics(next(iter(houses.values())), now, chance, password)
    return houses


def _fill(practice, count, years, seed, now, password, out):
    chance = Chance(seed)
    today = now.astimezone(UTC).date()
    since = today - timedelta(days=round(years * 365.25))
    house = open_clinic(practice, chance, now, since, password)
    schedule = Schedule(house, since, now)
    with Progress(f"{house.clinic}: patients", count, out) as progress:
        for done in range(0, count, BATCH):
            batch = families.add_patients(house, min(BATCH, count - done), since)
            schedule.place_wishes(batch)
            charted = chart_patients(house, batch, f"{seed}:{done}", whole=done == 0)
            if done == 0:  # thirty rows an exam: of a large demo the first patients have them
                probe_gums(house, charted, seed)
            progress.step(len(batch))
    schedule.fill_up()
    notes = NoteBook(house, Chance(f"{seed}:notes"), now)
    with Progress(f"{house.clinic}: visits", len(schedule.planned), out) as progress:
        for batch in schedule.write():
            notes.of_visits(batch)
            progress.step(len(batch))
    return house


class Schedule:
    """Finds a place for every wish, then writes the visits."""

    def __init__(self, house, since, now):
        self.house, self.since, self.now = house, since, now
        self.chance, self.today = house.chance, house.today
        self.planned, self.regulars, self.busy = [], [], set()
        self.course = courses.Course(house)
        self.doers = {key: house.of_kind(*BY_KEY[key].kinds) for key in house.types}
        self.dentists = house.of_kind("dentist")

    def place_wishes(self, patients):
        """Give each wish of these patients the first free place of the days after it; who finds none stays away."""
        for patient in patients:
            if patient.is_active:
                self.regulars.append(patient)
            for day, key in wishes(self.house, patient, self.since, self.today + timedelta(days=AHEAD)):
                for offset in range(PATIENCE):
                    if self._place(day + timedelta(days=offset), key, patient):
                        break

    def fill_up(self):
        """Fill today and the days around it, so that the demo opens on a busy week."""
        most = min(len(self.regulars) // 4, 5 * len(self.house.chairs))
        booked = Counter(visit.day for visit in self.planned)
        for offset in sorted(range(-9, 19), key=abs):  # today first, then outwards
            day = self.today + timedelta(days=offset)
            wanted = most if offset == 0 else most // 2 - max(0, abs(offset) - 5) * most // 40
            for _ in range(wanted * 3):
                if booked[day] >= wanted or not self.house.days[day].is_open:
                    break
                patient = self.chance.choice(self.regulars)
                if offset == 0 or not self._comes_around(day, patient):
                    booked[day] += self._place(day, self._usual(patient, day), patient)

    def _comes_around(self, day, patient):
        return any((patient.id, day + timedelta(days=offset)) in self.busy for offset in range(-REST, REST + 1))

    def _usual(self, patient, day):
        age = patient.age(day)
        often = {"child": 3, "filling": 1} if age < 14 else {"cleaning": 5, "filling": 3, "problem": 2, "crown": 1, "gums": 1}
        if 10 < age < 30:
            often |= {"adjustment": 4}
        return self.chance.pick({key: weight for key, weight in often.items() if key in self.house.types})

    def _place(self, day, key, patient):
        """Whether this visit found its place on this day."""
        kind, room = BY_KEY[key], self.house.days[day]
        if not room.is_open or (patient.id, day) in self.busy:
            return False
        wanted = 48 + self.chance.randrange(54)
        place = room.find(
            kind, self._preferred(self.doers[key], patient), self.house.chairs_of,
            self._preferred(self.dentists, patient), wanted)
        if place is None:
            return False
        fate = self._fate(day)
        if fate not in (Status.CANCELLED, Status.NO_SHOW):
            room.take(kind, place)
        self.busy.add((patient.id, day))
        self.planned.append(Planned(day, place, key, patient, fate))
        return True

    def _preferred(self, providers, patient):
        """These providers, the patient's own first, then in turn, so that all have work."""
        start = self.chance.randrange(len(providers))
        turned = providers[start:] + providers[:start]
        return sorted(turned, key=lambda index: index not in (patient.dentist, patient.hygienist))

    def _fate(self, day):
        if day == self.today:
            return "today"
        if day < self.today:
            return self.chance.pick({Status.CHECKED_OUT: 86, Status.CANCELLED: 9, Status.NO_SHOW: 5})
        return self.chance.pick({"expected": 96, Status.CANCELLED: 4})

    def write(self):
        """Write what is planned, the last days first: the guard against overlaps then looks at few rows."""
        desk = acting(self.house, "receptionist")
        self.states = self._states_of_today()
        self.planned.sort(key=lambda visit: (visit.day, visit.place.cell), reverse=True)
        for start in range(0, len(self.planned), BATCH):
            yield visits.write([self._built(visit) for visit in self.planned[start:start + BATCH]], desk)

    def _built(self, planned):
        house, kind, place = self.house, BY_KEY[planned.key], planned.place
        starts_at, ends_at = self._times(planned)
        walk_in = planned.key == "problem" and planned.fate == Status.CHECKED_OUT and self.chance.yes(0.5)
        steps = self._steps(planned, starts_at, ends_at, walk_in)
        because = self.chance.choice(courses.CANCELLATIONS) if steps[-1][0] == Status.CANCELLED else ""
        return visits.build(
            id=self.chance.key(steps[0][1]), clinic=house.clinic, patient_id=planned.patient.id,
            operatory=house.chairs[place.chair], provider=house.providers[place.provider],
            appointment_type=house.types[kind.key], starts_at=starts_at, ends_at=ends_at, steps=steps,
            doctor=None if place.doctor is None else house.providers[place.doctor], note=self.course.note(kind.key),
            is_walk_in=walk_in, because=because)

    def _times(self, planned):
        starts_at = self.house.days.instant(planned.day, planned.place.cell)
        return starts_at, starts_at + timedelta(minutes=BY_KEY[planned.key].minutes)

    def _steps(self, planned, starts_at, ends_at, walk_in):
        course, who = self.course, planned.place.provider
        joined = datetime.combine(planned.patient.since, time(16), tzinfo=UTC)
        booked = starts_at - timedelta(minutes=25) if walk_in else course.booked(joined, starts_at)
        fate = planned.fate
        if fate == "today":
            return self._steps_of_today(planned, booked, starts_at, ends_at)
        if planned.day < self.today:
            return course.past(fate, booked, starts_at, ends_at, who, walk_in)
        # What lies ahead was booked before now, whatever the clock says.
        booked = max(joined + timedelta(minutes=30), min(booked, self.now - timedelta(hours=self.chance.randint(20, 900))))
        if fate == Status.CANCELLED:
            at = self.now - timedelta(minutes=self.chance.randint(10, 1000))
            return [(Status.SCHEDULED, booked, course.desk), (fate, at, course.desk)]
        soon = (planned.day - self.today).days
        return course.expected(booked, starts_at, self.now, self.chance.yes(0.75 if soon <= 3 else 0.3 if soon < 10 else 0.04))

    # Today

    def _clock(self):
        """The hour that the demo shows today: now, kept within the middle of the day, so that no state is ever missing."""
        spans = sorted(self._times(visit) for visit in self.planned if visit.fate == "today")
        if not spans:
            return self.now
        first, last = spans[0][0], max(end for _, end in spans)
        third = (last - first) / 3
        return min(max(self.now, first + third), last - third)

    def _states_of_today(self):
        self.clock = self._clock()
        today = sorted((visit for visit in self.planned if visit.fate == "today"), key=self._times)
        states = courses.states_by_clock([self._times(visit) for visit in today], self.clock)
        return {visit.patient.id: states[index] for index, visit in enumerate(today)}

    def _steps_of_today(self, planned, booked, starts_at, ends_at):
        course, who = self.course, planned.place.provider
        status = self.states[planned.patient.id]
        booked = min(booked, self.now - timedelta(days=1))
        if status in Appointment.EXPECTED:
            return course.expected(booked, starts_at, self.now, status == Status.CONFIRMED)
        if status in (Status.CHECKED_IN, Status.SEATED, Status.COMPLETED):
            return course.live(status, booked, self.now, who)
        steps = course.past(status, booked, starts_at, ends_at, who, walk_in=False)
        # Nothing has happened yet that lies ahead of now: before opening, the morning's steps are moved into the past.
        over = max(timedelta(0), steps[-1][1] - self.now + timedelta(minutes=6))
        return [steps[0]] + [(step, max(at - over, booked), user) for step, at, user in steps[1:]]


def _portal(house, chance, password, now):
    """The portal of one believable adult who has been here and comes again."""
    coming = Appointment.objects.upcoming(now).filter(clinic=house.clinic).exclude(starts_at__date=house.today)
    for visit in coming.select_related("patient")[:200]:
        patient = visit.patient
        if patient.age(house.today) >= 25 and patient.appointments.filter(status=Status.CHECKED_OUT).exists():
            break
    else:
        patient = Patient.objects.filter(clinic=house.clinic).order_by("pk").first()
    user = user_of(chance, Person(patient.name, sign_in="patient"), password, house.began, house.by)
    PortalAccess.grant(
        user=user, patient=patient, relationship=PortalAccess.Relationship.SELF, by=acting(house, "receptionist"),
        because=BECAUSE)

