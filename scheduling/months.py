"""A month at a glance: how many visits each day has, and how much of the working time is taken."""
from collections import Counter
from datetime import date, timedelta
from typing import NamedTuple

from scheduling import slots
from scheduling.models import Appointment, DayNote, HoursException
from scheduling.openings import Calendar


class Load(NamedTuple):
    """One day. `working` and `free`: minutes of those who work then, all together."""

    day: date
    visits: int
    working: int
    free: int
    closed: str  # why the whole practice is
    note: str

    @property
    def share(self):
        """How much of the working time is taken, in percent; None when nobody works."""
        return round(100 * (self.working - self.free) / self.working) if self.working else None

    @property
    def tone(self):
        return "" if self.share is None or self.share < 75 else "amber" if self.share < 95 else "red"

    @property
    def free_hours(self):
        """3:20, the working time that is left."""
        return f"{self.free // 60}:{self.free % 60:02}"


def loads(actor, first, last, provider=None):
    """{day: Load} from first to last, of all providers or of one. Ten queries, for any number of visits.

    Blocks take working time as visits do: both can't be booked.
    """
    calendar = Calendar(actor.clinic, first, last)
    chosen = [provider.pk] if provider else list(calendar.providers)
    visits, closed = _visits(actor, first, last, provider), _closed(actor, first, last)
    notes = dict(DayNote.objects.visible_to(actor).filter(date__range=(first, last)).values_list("date", "text"))
    found, day = {}, first
    while day <= last:
        working = [(key, bits) for key in chosen if (bits := calendar.working_bits(key, day))]
        found[day] = Load(
            day, visits[day], slots.TICK * sum(bits.bit_count() for _, bits in working),
            slots.TICK * sum(calendar.free(key, day, bits).bit_count() for key, bits in working),
            closed.get(day, ""), notes.get(day, ""))
        day += timedelta(days=1)
    return found


def weeks_of(day):
    """The weeks that show the month of this day, Monday first."""
    first = day.replace(day=1)
    monday = first - timedelta(days=first.weekday())
    end = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    count = -(-(end - monday).days // 7)
    return [[monday + timedelta(days=week * 7 + n) for n in range(7)] for week in range(count)]


def _visits(actor, first, last, provider):
    zone = actor.clinic.zone
    rows = Appointment.objects.visible_to(actor).holding().between(
        slots.midnight(first, zone), slots.midnight(last + timedelta(days=1), zone)).order_by()
    if provider is not None:
        rows = rows.filter(provider_time__provider=provider).distinct()
    return Counter(at.astimezone(zone).date() for _, at in rows.values_list("pk", "starts_at"))


def _closed(actor, first, last):
    rows = HoursException.objects.visible_to(actor).current().filter(date__range=(first, last), provider=None, starts=None)
    return dict(rows.values_list("date", "reason"))
