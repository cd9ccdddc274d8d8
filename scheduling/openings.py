"""Where a visit of a type still fits: working hours less everything that is taken, for some days ahead."""
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from clinic.db.prepared import Prepared
from clinic.models import Operatory, Provider
from scheduling import slots
from scheduling.models import Appointment, Block, HoursException, ProviderTime, WorkingHours
from scheduling.models.appointment_type import DOCTOR_KINDS
from scheduling.parts_of_day import PARTS_OF_DAY

SPILL = timedelta(hours=3)  # so far a day's row of ticks may reach into the next day
HOURS = Prepared(lambda blank: _hours(blank))
HOURS_OF_DAY = Prepared(lambda blank: _hours(blank).filter(weekday=blank("weekday", WorkingHours, "weekday")))
EXCEPTIONS = Prepared(lambda blank: HoursException.objects.filter(
    clinic=blank("clinic", HoursException, "clinic"), date__gte=blank("first_day", HoursException, "date"),
    date__lte=blank("last_day", HoursException, "date"),
).current().values_list("provider_id", "date", "starts", "ends"))


def _hours(blank):
    return WorkingHours.objects.filter(clinic=blank("clinic", WorkingHours, "clinic")).current().values_list(
        "provider_id", "weekday", "starts", "ends")


@dataclass(frozen=True)
class Opening:
    """A time at which chair, provider and (when the type asks for one) doctor are free."""

    starts_at: datetime
    ends_at: datetime
    operatory_id: Any
    provider_id: Any
    doctor_id: Any = None


class Calendar:
    """Everything that decides about free time between two days of a clinic, loaded when it is asked for.

    What is taken comes in two parts, three queries each: the first free times mostly lie in the first week.
    """

    FIRST = timedelta(days=7)

    def __init__(self, clinic, first_day, last_day):
        self.clinic, self.zone = clinic, clinic.zone
        self.first_day, self.last_day = first_day, last_day
        self.busy = defaultdict(int)  # (key of a chair, provider or patient, day): its taken ticks as bits
        self.loaded_until = first_day - timedelta(days=1)

    @cached_property
    def providers(self):
        return {row.pk: row for row in Provider.objects.filter(clinic=self.clinic).current()}

    @cached_property
    def operatories(self):
        return list(Operatory.objects.filter(clinic=self.clinic).current())

    @cached_property
    def hours(self):
        hours = defaultdict(list)
        one_day = self.first_day == self.last_day
        rows = HOURS_OF_DAY(clinic=self.clinic.pk, weekday=self.first_day.weekday()) if one_day else HOURS(clinic=self.clinic.pk)
        for provider_id, weekday, starts, ends in rows:
            hours[provider_id, weekday].append((starts, ends))
        return hours

    @cached_property
    def exceptions(self):
        exceptions = defaultdict(list)
        for provider_id, day, starts, ends in EXCEPTIONS(
                clinic=self.clinic.pk, first_day=self.first_day, last_day=self.last_day):
            exceptions[provider_id, day].append((starts, ends))
        return exceptions

    def _load_busy(self, first_day, last_day):
        starts_at, ends_at = self.midnight(first_day), self.midnight(last_day + timedelta(days=1))
        span = {"clinic": self.clinic, "starts_at__lt": ends_at, "ends_at__gt": starts_at}
        for operatory_id, provider_id, start, end in Block.objects.filter(**span).current().values_list(
                "operatory_id", "provider_id", "starts_at", "ends_at"):
            self._take(start, end, operatory_id or provider_id)
        chairs = Appointment.objects.filter(
            clinic=self.clinic, chair_starts_at__lt=ends_at, chair_ends_at__gt=starts_at,
            starts_at__gte=starts_at - timedelta(days=1), starts_at__lt=ends_at + timedelta(days=1)).holding()
        for operatory_id, patient_id, start, end in chairs.values_list(
                "operatory_id", "patient_id", "chair_starts_at", "chair_ends_at"):
            self._take(start, end, operatory_id, patient_id)
        # No row is longer than a day, so the index need not walk the past.
        for provider_id, start, end in ProviderTime.objects.filter(
                **span, starts_at__gt=starts_at - timedelta(hours=24)).values_list("provider_id", "starts_at", "ends_at"):
            self._take(start, end, provider_id)

    def _take(self, starts_at, ends_at, *keys):
        """Mark this time as taken on every day that it touches, or whose last ticks it touches (see EVERY_TICK)."""
        day = (starts_at - SPILL).astimezone(self.zone).date()
        while (origin := self.midnight(day)) < ends_at:
            bits = slots.span_bits(starts_at, ends_at, origin) & slots.EVERY_TICK
            for key in keys:
                self.busy[key, day] |= bits
            day += timedelta(days=1)

    def midnight(self, day):
        return _midnight(day, self.zone)

    def working(self, provider_id, day):
        """[(start, end)] in wall time: an exception of the provider replaces the day, one of the practice closes it."""
        if any(starts is None for starts, _ in self.exceptions.get((None, day), ())):
            return []
        own = self.exceptions.get((provider_id, day))
        spans = [span for span in own if span[0] is not None] if own else self.hours.get((provider_id, day.weekday()), [])
        shorter = self.exceptions.get((None, day))
        if shorter:
            spans = [(max(a, c), min(b, d)) for a, b in spans for c, d in shorter if max(a, c) < min(b, d)]
        return spans

    def works(self, provider_id, starts_at, ends_at):
        """Whether this whole time lies within one working span."""
        day = starts_at.astimezone(self.zone).date()
        return any(
            slots.wall(day, start, self.zone) <= starts_at and ends_at <= slots.wall(day, end, self.zone)
            for start, end in self.working(provider_id, day))

    def free(self, key, day, within):
        """The free ticks of a chair, a provider or a patient on that day, out of the bits `within`."""
        while self.loaded_until < day:
            first = self.loaded_until + timedelta(days=1)
            week = first == self.first_day and self.last_day - first > self.FIRST
            self.loaded_until = first + self.FIRST - timedelta(days=1) if week else self.last_day
            self._load_busy(first, self.loaded_until)
        return within & ~self.busy.get((key, day), 0)

    def working_bits(self, provider_id, day):
        origin, bits = self.midnight(day), 0
        for starts, ends in self.working(provider_id, day):
            bits |= slots.span_bits(
                slots.wall(day, starts, self.zone), slots.wall(day, ends, self.zone), origin, outward=False)
        return bits

    def openings(self, appointment_type, *, provider_id=None, minutes=None, part_of_day="", not_before=None,
                 patient=None, every_operatory=False, grid=slots.GRID_BITS):
        """Every `Opening` in order of time; with `every_operatory` one for each chair, else the first free one.

        `grid`: the ticks on which a visit may start, full ten minutes unless said otherwise.
        """
        minutes = minutes or appointment_type.minutes
        chosen = [row for row in self.providers.values()
                  if appointment_type.allows(row) and (provider_id is None or str(row.pk) == str(provider_id))]
        day = self.first_day
        while day <= self.last_day:
            found = []
            for provider in chosen:
                within = self._part_bits(day, part_of_day) & grid
                found += self._openings_on(day, provider, appointment_type, minutes, within, patient, every_operatory)
            found.sort(key=lambda opening: opening.starts_at)
            for opening in found:
                if not_before is None or opening.starts_at >= not_before:
                    yield opening
            day += timedelta(days=1)

    def _openings_on(self, day, provider, kind, minutes, within, patient, every_operatory):
        origin = self.midnight(day)
        starts = self.starts(day, provider, kind, minutes) & within
        if not starts:
            return
        if patient is not None:
            starts &= slots.starts_of_runs(self.free(patient.pk, day, slots.EVERY_TICK), slots.whole_ticks(minutes))
        doctors = self.doctors(day, provider, kind, minutes, patient)
        chairs = self.chairs(day, provider, kind, minutes)
        for tick in slots.ticks_of(starts):
            doctor_id = next((key for key, bits in doctors if bits >> tick & 1), None)
            if doctors and doctor_id is None:
                continue
            starts_at = origin + timedelta(minutes=tick * slots.TICK)
            for operatory_id, bits in chairs:
                if bits >> tick & 1:
                    yield Opening(starts_at, starts_at + timedelta(minutes=minutes), operatory_id, provider.pk, doctor_id)
                    if not every_operatory:
                        break

    def starts(self, day, provider, kind, minutes):
        """The ticks at which this provider may begin such a visit: at work until its end, and free in their own part of it."""
        working = self.working_bits(provider.pk, day)
        starts = slots.starts_of_runs(working, slots.whole_ticks(minutes))
        if not starts:
            return 0
        own = self.free(provider.pk, day, working)
        for who, first, span in kind.parts(minutes):
            if who == "provider":
                starts &= slots.starts_of_runs(own, slots.whole_ticks(span)) >> first // slots.TICK
        return starts

    def _part_bits(self, day, part_of_day):
        origin = self.midnight(day)
        starts, ends = PARTS_OF_DAY.get(part_of_day, PARTS_OF_DAY[""])
        return slots.span_bits(slots.wall(day, starts, self.zone), slots.wall(day, ends, self.zone), origin)

    def doctors(self, day, provider, kind, minutes, patient):
        """[(doctor's id, ticks at which a visit may start so that they can look in)], the patient's own first."""
        if provider.kind in DOCTOR_KINDS:
            return []
        looks = [part for part in kind.parts(minutes) if part[0] == "doctor"]
        if not looks:
            return []
        usual = getattr(patient, "primary_provider_id", None)
        doctors = [row for row in self.providers.values() if row.kind in DOCTOR_KINDS]
        doctors.sort(key=lambda row: row.pk != usual)
        found = []
        for doctor in doctors:
            free = self.free(doctor.pk, day, self.working_bits(doctor.pk, day))
            bits = -1
            for _, first, span in looks:
                bits &= slots.starts_of_runs(free, slots.whole_ticks(span)) >> first // slots.TICK
            found.append((doctor.pk, bits))
        return found

    def chairs(self, day, provider, kind, minutes):
        """[(operatory's id, ticks at which a visit may start)]; a hygienist's own rooms first, a dentist's last."""
        hygienist = provider.kind == Provider.Kind.HYGIENIST
        before, after = kind.buffer_before, kind.buffer_after
        length = slots.whole_ticks(before + minutes + after)
        found = []
        for row in sorted(self.operatories, key=lambda row: (row.is_hygiene != hygienist, row.sequence, row.name)):
            free = self.free(row.pk, day, slots.EVERY_TICK)
            found.append((row.pk, slots.starts_of_runs(free, length) << slots.whole_ticks(before)))
        return found


@lru_cache(maxsize=1024)
def _midnight(day, zone):
    return slots.midnight(day, zone)


def nearest(clinic, appointment_type, starts_at, *, minutes=None, provider_id=None, patient=None, count=3, now=None):
    """The free times closest to a wanted one, on that day and the next three: for "taken; free at …"."""
    day = starts_at.astimezone(clinic.zone).date()
    calendar = Calendar(clinic, day, day + timedelta(days=3))
    found = list(calendar.openings(
        appointment_type, provider_id=provider_id, minutes=minutes, patient=patient, not_before=now))
    found.sort(key=lambda opening: abs((opening.starts_at - starts_at).total_seconds()))
    return found[:count], calendar



def fitting(clinic, appointment_type, starts_at, *, minutes=None, provider=None, operatory=None, patient=None):
    """The opening at exactly this time for whoever and wherever is left open, or None. Working hours are kept."""
    day = starts_at.astimezone(clinic.zone).date()
    calendar = Calendar(clinic, day, day)
    found = calendar.openings(
        appointment_type, provider_id=provider.pk if provider else None, minutes=minutes, patient=patient,
        not_before=starts_at, every_operatory=operatory is not None, grid=slots.EVERY_TICK)
    return next((row for row in found if row.starts_at == starts_at
                 and (operatory is None or row.operatory_id == operatory.pk)), None)
