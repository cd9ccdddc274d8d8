"""The Today board: who is expected, who waits, who sits, who leaves."""
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic.access.rules import rule
from clinic.audit.looks import Kind, look
from clinic.db.records import person_has, whose_row
from clinic.models import MedicalHistory
from clinic.models.medical_history import review_is_due
from clinic.web.csv_out import wants_csv
from scheduling import slots
from scheduling.cards import ICONS
from scheduling.days import alerts_in, newest_history
from scheduling.listing import visits_csv
from scheduling.models import Appointment
from scheduling.steps import next_steps

GROUPS = [
    ("expected", "Expected", ("scheduled", "confirmed")),
    ("waiting", "In the waiting room", ("checked_in",)),
    ("chair", "In the chair", ("seated",)),
    ("leaving", "Ready to leave", ("completed",)),
    ("gone", "Gone", ("checked_out",)),
    ("missed", "Cancelled and missed", ("cancelled", "no_show")),
]
AMBER_AFTER, RED_AFTER = 10, 20  # minutes in the waiting room
ASK_AGAIN = timedelta(days=183)


@dataclass
class Row:
    """A visit as the board shows it."""

    id: object
    patient_id: object
    name: str
    time: object
    minutes: int
    kind: str
    colour: int
    provider: str
    operatory: str
    status: str
    status_word: str
    icon: str
    alerts: list
    is_first: bool
    asks: bool
    waits: int = 0
    late: int = 0
    steps: list = field(default_factory=list)
    version: int = 0

    @property
    def tone(self):
        return "red" if self.waits >= RED_AFTER else "amber" if self.waits >= AMBER_AFTER else ""


@rule("scheduling.view_schedule")
@require_safe
def today(request):
    """Today in the order of the day; refreshes itself."""
    if wants_csv(request):
        return visits_csv(request, "today", _visits(request))
    return render(request, "scheduling/today.html", _board(request))


@rule("scheduling.view_schedule")
@require_safe
def today_board(request):
    """The board alone, when something changed since `?after=`; else 204."""
    token = _visits(request).change_token()
    if request.GET.get("after") == _with_minute(token):
        return HttpResponse(status=204)
    context = _board(request, token)
    response = render(request, "scheduling/_board.html", context)
    response["X-Change-Token"] = context["token"]
    return response


def _with_minute(token):
    """The minutes in the waiting room move on without any change of a visit, so the token does each minute."""
    return f"{token}:{timezone.now():%H%M}"


def _visits(request):
    clinic = request.actor.clinic
    day = clinic.today()
    return Appointment.objects.visible_to(request.actor).between(
        slots.midnight(day, clinic.zone), slots.midnight(day + timedelta(days=1), clinic.zone))


def _board(request, token=None):
    actor, now = request.actor, timezone.now()
    visits = _visits(request)
    rows = [_row(values, actor, now) for values in visits.order_by("starts_at", "operatory__sequence").annotate(
        earlier=person_has(Appointment.objects.filter(starts_at__lt=OuterRef("starts_at")).holding()),
        asked_on=Subquery(MedicalHistory.objects.filter(patient=whose_row()).order_by("-number").values("reviewed_on")[:1]),
        medical=newest_history(),
    ).values_list(
        "id", "patient_id", "patient__first_name", "patient__last_name", "patient__preferred_name",
        "patient__contact_confirmed_on", "starts_at", "ends_at", "status", "status_at", "appointment_type__name",
        "appointment_type__colour", "provider__short_name", "operatory__name", "version", "earlier", "asked_on", "medical")]
    look(request, Kind.LIST, rows=len(rows))
    by_status = {}
    for row in rows:
        by_status.setdefault(row.status, []).append(row)
    groups = [(key, title, [row for status in statuses for row in by_status.get(status, [])])
              for key, title, statuses in GROUPS]
    for _, _, group in groups:
        group.sort(key=lambda row: row.time)
    return {
        "groups": [group for group in groups if group[2] or group[0] in ("expected", "waiting", "chair")],
        "today": actor.clinic.today(now), "total": len(rows), "empty": not rows, "poll_seconds": settings.POLL_SECONDS,
        "token": _with_minute(token or visits.change_token()),
    }


def _row(values, actor, now):
    (key, patient_id, first, last, preferred, contact_on, starts_at, ends_at, status, status_at, kind, colour, provider,
     operatory, version, earlier, asked_on, medical) = values
    today = actor.clinic.today(now)
    row = Row(
        id=key, patient_id=patient_id, name=f"{last}, {preferred or first}", time=starts_at,
        minutes=int((ends_at - starts_at).total_seconds() // 60), kind=kind, colour=colour, provider=provider,
        operatory=operatory, status=status, status_word=Appointment.Status(status).label, icon=ICONS[status],
        alerts=alerts_in(medical), is_first=not earlier, version=version,
        asks=contact_on is None or today - contact_on > ASK_AGAIN or review_is_due(asked_on, actor.clinic, today))
    since = int((now - status_at).total_seconds() // 60)
    if status in ("checked_in", "seated"):
        row.waits = since if status == "checked_in" else 0
        row.late = since
    elif status in Appointment.EXPECTED:
        row.late = int((now - starts_at).total_seconds() // 60)
    row.steps = [step for step in next_steps(actor, status, row.asks) if not step.quiet]
    return row
