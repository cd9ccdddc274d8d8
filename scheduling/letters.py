"""What letters can say of a patient's visits: the one that a letter is about, and those to come."""
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from clinic.access.rules import find
from clinic.letters import NoValue, Occasion, Source
from scheduling import slots
from scheduling.models import Appointment

Status = Appointment.Status
FIELDS = {
    "next_visit": "The next visit: day, time and with whom",
    "next_visits": "All visits to come, a line each",
    "visit_date": "Day of the visit that the letter is about",
    "visit_time": "When that visit was to begin",
    "visit_type": "What that visit was for",
    "visit_provider": "With whom that visit was",
    "arrived_at": "When the patient came to it",
    "left_at": "When the patient left it, or was ready to leave",
    "kept_visit": "Day and time of a visit to which the patient came, and which is over",
    "missed_visit": "Day and time of a visit to which the patient did not come",
}
# Which letters a visit suits, by its status.
SUITS = {
    **dict.fromkeys(Appointment.EXPECTED, frozenset({"appointment_card", "other"})),
    **dict.fromkeys(Appointment.DONE, frozenset({"excuse", "other"})),
    Status.NO_SHOW: frozenset({"missed_visit", "other"}),
}
SHOWN = 30  # visits to choose from
MOST = 30  # lines on a card
NONE_CHOSEN = NoValue("No visit is chosen.")
NONE_BOOKED = NoValue("The patient has no visit booked.")


def values(actor, patient, key):
    """What each field says; `key`: of the visit that the letter is about, or None. At most three queries."""
    own = Appointment.objects.visible_to(actor).of(patient)
    visit = None
    if key is not None:
        visit = find(own.select_related("appointment_type", "provider"), actor, pk=key)
    return {**_of_visit(visit, actor.clinic), **_to_come(own, actor.clinic)}


def _to_come(own, clinic):
    rows = list(own.upcoming(timezone.now()).select_related("provider")[:MOST])
    if not rows:
        return {"next_visit": NONE_BOOKED, "next_visits": NONE_BOOKED}
    lines = [gettext("%(when)s, with %(provider)s") % {
        "when": day_and_time(row.starts_at, clinic), "provider": row.provider.name} for row in rows]
    return {"next_visit": lines[0], "next_visits": "\n".join(lines)}


def _of_visit(visit, clinic):
    if visit is None:
        return {
            **dict.fromkeys(("visit_date", "visit_time", "visit_type", "visit_provider", "arrived_at", "left_at"), NONE_CHOSEN),
            "kept_visit": NoValue("The patient has kept no visit yet."),
            "missed_visit": NoValue("The patient has missed no visit."),
        }
    when, (came, left) = day_and_time(visit.starts_at, clinic), _presence(visit)
    return {
        "visit_date": date_format(visit.starts_at.astimezone(clinic.zone), "l, j F Y"),
        "visit_time": clock(visit.starts_at, clinic),
        "visit_type": visit.appointment_type.name,
        "visit_provider": visit.provider.name,
        "arrived_at": clock(came, clinic) if came else NoValue("It is not on record when the patient came."),
        "left_at": clock(left, clinic) if left else NoValue("It is not on record when the patient left."),
        "kept_visit": when if visit.status in Appointment.DONE else NoValue(_not_kept(visit)),
        "missed_visit": when if visit.status == Status.NO_SHOW else NoValue("This visit was not missed."),
    }


def _not_kept(visit):
    if visit.status in (Status.CHECKED_IN, Status.SEATED):
        return "The patient has not left yet: complete the visit first."
    return f"This visit was not kept: it is marked as {visit.get_status_display().lower()}."


def _presence(visit):
    """When the patient came and left, by the visit's steps; a step that was taken back does not count."""
    came = done = gone = None
    for status, at in visit.steps.order_by("at", "id").values_list("status", "at"):
        came = None if status in (*Appointment.EXPECTED, *Appointment.FREE) else came or at
        done = (done or at) if status in Appointment.DONE else None
        gone = at if status == Status.CHECKED_OUT else None
    return came, gone or done


def occasions(actor, patient, key):
    """The patient's visits up to today or over already, newest first, and the one with this key; each with what it suits."""
    own = Appointment.objects.visible_to(actor).of(patient).select_related("appointment_type")
    tomorrow = slots.midnight(actor.clinic.today() + timedelta(days=1), actor.clinic.zone)
    over = [*Appointment.DONE, Status.NO_SHOW]
    rows = own.filter(Q(starts_at__lt=tomorrow) | Q(status__in=over) | Q(pk=key)).in_order(newest_first=True)[:SHOWN]
    zone = actor.clinic.zone
    return [Occasion(
        row.pk, f"{row.starts_at.astimezone(zone):%a %-d %b %Y %-H:%M}, {row.appointment_type}, {row.get_status_display().lower()}",
        SUITS.get(row.status, frozenset({"other"}))) for row in rows]


def day_and_time(at, clinic):
    local = at.astimezone(clinic.zone)
    return gettext("%(day)s at %(time)s") % {"day": date_format(local, "l, j F Y"), "time": clock(at, clinic)}


def clock(at, clinic):
    return date_format(at.astimezone(clinic.zone), "G:i")


SOURCE = Source(FIELDS, values, occasions)
