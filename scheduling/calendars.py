"""A feed's visits as an iCalendar file (RFC 5545)."""
from datetime import timedelta

from icalendar import Calendar, Event

from scheduling.models import Appointment, Block, FrontDesk

BEFORE, AHEAD = timedelta(days=31), timedelta(days=366)
STATUS = {Appointment.Status.SCHEDULED: "TENTATIVE", Appointment.Status.CANCELLED: "CANCELLED"}


def visits_of(feed, now):
    """The visits that a feed shows, in one query: of a provider also those on which they only look in."""
    rows = Appointment.objects.filter(clinic=feed.clinic_id).holding().between(now - BEFORE, now + AHEAD)
    whose = {"provider_time__provider": feed.provider_id} if feed.provider_id else {"operatory": feed.operatory_id}
    return rows.filter(**whose).distinct().select_related("patient", "appointment_type", "provider", "operatory").order_by(
        "starts_at", "pk")


def written(feed, now):
    """(the file's bytes, how many patients it names)."""
    names = FrontDesk.of(feed.clinic).feeds_name_patients
    calendar, zone, count = Calendar(), feed.clinic.zone, 0
    calendar.add("prodid", "-//Chairside//Schedule//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{feed.shows}, {feed.clinic}")
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    for visit in visits_of(feed, now):
        what = f"{visit.patient.name}, {visit.appointment_type}" if names else str(visit.appointment_type)
        count += names
        event = _event(visit, what, zone)
        event.add("location", visit.operatory.name)
        event.add("status", STATUS.get(visit.status, "CONFIRMED"))
        calendar.add_component(event)
    blocks = Block.objects.current().filter(
        clinic=feed.clinic_id, provider=feed.provider_id, operatory=feed.operatory_id).overlapping(now - BEFORE, now + AHEAD)
    for block in blocks.order_by("starts_at", "pk"):
        calendar.add_component(_event(block, block.title, zone))
    calendar.add_missing_timezones()
    return calendar.to_ical(), count


def _event(row, what, zone):
    """`row` is told from later versions of itself by UID and SEQUENCE, so that a calendar moves it instead of adding one."""
    event = Event()
    event.add("uid", f"{row.pk}@chairside")
    event.add("sequence", row.version)
    event.add("dtstamp", row.updated_at)
    event.add("last-modified", row.updated_at)
    event.add("dtstart", row.starts_at.astimezone(zone))
    event.add("dtend", row.ends_at.astimezone(zone))
    event.add("summary", what)
    return event
