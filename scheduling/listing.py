"""A patient's visits in a list: the columns that it shows, no model objects, each row drawn by `clinic.web.rows`."""
from datetime import datetime
from html import escape
from typing import Any, NamedTuple

from django.utils.safestring import mark_safe

from clinic.db.prepared import PreparedFor
from clinic.web.csv_out import csv_answer
from clinic.web.rows import Rows
from scheduling.models import Appointment

ROWS = Rows("scheduling/_patient_visit.html", keys=["pk"], texts=["when", "kind", "provider", "operatory"])
WORDS = dict(Appointment.Status.choices)


class Listed(NamedTuple):
    """What the list shows of a visit."""

    pk: Any
    starts_at: datetime
    ends_at: datetime
    status: str
    kind: str
    provider: str
    operatory: str

    def is_ahead(self, now):
        return self.ends_at >= now and self.status not in Appointment.FREE


class Look(NamedTuple):
    is_ahead: bool
    status: str
    status_word: str


NEWEST = PreparedFor(lambda actor, blank: Appointment.objects.visible_to(actor).of(
    blank("patient", Appointment, "patient")).in_order(newest_first=True).values_list(
    "pk", "starts_at", "ends_at", "status", "appointment_type__name", "provider__short_name", "operatory__name")[:12])


def newest(actor, patient):
    """The patient's newest twelve visits as Listed, in one query."""
    return [Listed._make(row) for row in NEWEST(actor, patient=patient.pk)]


def drawn(visits, now, zone):
    return mark_safe("\n".join([  # noqa: S308 (every text in them is escaped)
        ROWS.fill(Look(visit.is_ahead(now), visit.status, WORDS[visit.status]), {
            "pk": visit.pk, "when": f"{visit.starts_at.astimezone(zone):%a %-d %b %Y %-H:%M}", "kind": escape(visit.kind),
            "provider": escape(visit.provider), "operatory": escape(visit.operatory)})
        for visit in visits]))


CSV_HEAD = [
    "day", "time", "minutes", "last name", "first name", "chart number", "phone", "type", "provider", "operatory", "status"]


def visits_csv(request, name, visits, patient=None):
    """These visits as a file, in the order of time: the schedule's lists all have the same columns. One query."""
    zone = request.actor.clinic.zone
    rows = list(visits.order_by("starts_at", "operatory__sequence").values_list(
        "patient_id", "starts_at", "ends_at", "patient__last_name", "patient__first_name", "patient__chart_number",
        "patient__phone", "appointment_type__name", "provider__short_name", "operatory__name", "status"))
    lines = (
        [*f"{starts_at.astimezone(zone):%Y-%m-%d %H:%M}".split(), int((ends_at - starts_at).total_seconds() // 60), *told,
         WORDS[status]] for _, starts_at, ends_at, *told, status in rows)
    return csv_answer(request, name, CSV_HEAD, lines, count=len({row[0] for row in rows}), patient=patient)
