"""Where a visit of a type still fits: working hours less everything that is taken, for some days ahead."""
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from clinic.models import Operatory, Provider
from scheduling import slots
from scheduling.models import Appointment, Block, HoursException, ProviderTime, WorkingHours
from scheduling.models.appointment_type import DOCTOR_KINDS

PARTS_OF_DAY = {"": (time(0), time(23, 59)), "morning": (time(0), time(12)), "afternoon": (time(12), time(17)),
                "evening": (time(17), time(23, 59))}


@dataclass(frozen=True)
class Opening:
    """A time at which chair, provider and (when the type asks for one) doctor are free."""

    starts_at: datetime
    ends_at: datetime
    operatory_id: Any
    provider_id: Any
    doctor_id: Any = None


class Calendar:
    """Everything that decides about free time between two days of a clinic, loaded in seven queries."""

    def __init__(self, clinic, first_day, last_day):
        self.clinic, self.zone = clinic, clinic.zone
        self.first_day, self.last_day = first_day, last_day
        self.starts_at = slots.midnight(first_day, self.zone)
        self.ends_at = slots.midnight(last_day + timedelta(days=1), self.zone)
        self.providers = {row.pk: row for row in Provider.objects.filter(clinic=clinic).current()}
        self.operatories = list(Operatory.objects.filter(clinic=clinic).current())
        self.hours = defaultdict(list)
        for row in WorkingHours.objects.filter(clinic=clinic).current().values_list("provider_id", "weekday", "starts", "ends"):
            self.hours[row[0], row[1]].append(row[2:])
        self.exceptions = defaultdict(list)
        for row in HoursException.objects.filter(clinic=clinic, date__range=(first_day, last_day)).current():
            self.exceptions[row.provider_id, row.date].append((row.starts, row.ends))
        self.busy = defaultdict(list)
        self._load_busy()

    def _load_busy(self):
        span = {"clinic": self.clinic, "starts_at__lt": self.ends_at, "ends_at__gt": self.starts_at}
        for row in Block.objects.filter(**span).current().values_list("operatory_id", "provider_id", "starts_at", "ends_at"):
            self.busy[row[0] or row[1]].append(row[2:])
        chairs = Appointment.objects.filter(
            clinic=self.clinic, chair_starts_at__lt=self.ends_at, chair_ends_at__gt=self.starts_at,
            starts_at__gte=self.starts_at - timedelta(days=1), starts_at__lt=self.ends_at + timedelta(days=1)).holding()
        for operatory_id, patient_id, starts_at, ends_at in chairs.values_list(
                "operatory_id", "patient_id", "chair_starts_at", "chair_ends_at"):
            self.busy[operatory_id].append((starts_at, ends_at))
            self.busy[patient_id].append((starts_at, ends_at))
        # No row is longer than a day, so the index need not walk the past.
        for provider_id, starts_at, ends_at in ProviderTime.objects.filter(
                **span, starts_at__gt=self.starts_at - timedelta(hours=24)).values_list(
                "provider_id", "starts_at", "ends_at"):
            self.busy[provider_id].append((starts_at, ends_at))

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
        origin = slots.midnight(day, self.zone)
        for starts_at, ends_at in self.busy.get(key, ()):
            within &= ~slots.span_bits(starts_at, ends_at, origin)
        return within

    def working_bits(self, provider_id, day):
        origin, bits = slots.midnight(day, self.zone), 0
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
        origin = slots.midnight(day, self.zone)
        working = self.working_bits(provider.pk, day)
        length = slots.whole_ticks(minutes)
        starts = slots.starts_of_runs(working, length) & within
        if not starts:
            return
        own = self.free(provider.pk, day, working)
        for who, first, span in kind.parts(minutes):
            if who == "provider":
                starts &= slots.starts_of_runs(own, slots.whole_ticks(span)) >> first // slots.TICK
        if patient is not None:
            starts &= slots.starts_of_runs(self.free(patient.pk, day, slots.EVERY_TICK), length)
        doctors = self._doctors(day, provider, kind, minutes, patient)
        chairs = self._chairs(day, provider, kind, minutes)
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

    def _part_bits(self, day, part_of_day):
        origin = slots.midnight(day, self.zone)
        starts, ends = PARTS_OF_DAY.get(part_of_day, PARTS_OF_DAY[""])
        return slots.span_bits(slots.wall(day, starts, self.zone), slots.wall(day, ends, self.zone), origin)

    def _doctors(self, day, provider, kind, minutes, patient):
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

    def _chairs(self, day, provider, kind, minutes):
        """[(operatory's id, ticks at which a visit may start)]; a hygienist's own rooms first, a dentist's last."""
        hygienist = provider.kind == Provider.Kind.HYGIENIST
        before, after = kind.buffer_before, kind.buffer_after
        length = slots.whole_ticks(before + minutes + after)
        found = []
        for row in sorted(self.operatories, key=lambda row: (row.is_hygiene != hygienist, row.sequence, row.name)):
            free = self.free(row.pk, day, slots.EVERY_TICK)
            found.append((row.pk, slots.starts_of_runs(free, length) << slots.whole_ticks(before)))
        return found


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
