"""Free times as the screens offer them: a few, well apart, each a button that posts the whole of it."""
from datetime import timedelta

from django.http import Http404

from clinic.access.rules import find
from clinic.models import Operatory, Provider
from clinic.web.asked import key, moment

SHOWN = 9


def spread(openings):
    """The first few times, not all of one morning: at most three a day, an hour apart."""
    shown, per_day, last = [], {}, {}
    for opening in openings:
        day = opening.starts_at.date()
        if per_day.get(day, 0) >= 3 or (day in last and opening.starts_at - last[day] < timedelta(hours=1)):
            continue
        per_day[day], last[day] = per_day.get(day, 0) + 1, opening.starts_at
        shown.append(opening)
        if len(shown) == SHOWN:
            break
    return shown


def described(openings, calendar):
    """Openings as the templates draw them; `slot` is what the button posts."""
    rooms = {row.pk: row.name for row in calendar.operatories}
    return [{
        "slot": f"{opening.starts_at.isoformat()}|{opening.operatory_id}|{opening.provider_id}|{opening.doctor_id or ''}",
        "starts_at": opening.starts_at, "ends_at": opening.ends_at, "operatory": rooms[opening.operatory_id],
        "provider": calendar.providers[opening.provider_id].short_name} for opening in openings]


def posted_slot(request):
    """A free time as its button posts it, or None; rows of other clinics are not found."""
    if not request.POST.get("slot"):
        return None
    parts = request.POST["slot"].split("|")
    at = moment(parts[0])
    if len(parts) != 4 or at is None or at.tzinfo is None:
        raise Http404
    _, operatory, provider, doctor = parts
    return {
        "starts_at": at, "operatory": find(Operatory.objects, request.actor, pk=key(operatory)),
        "provider": find(Provider.objects, request.actor, pk=key(provider)),
        "doctor": find(Provider.objects, request.actor, pk=key(doctor)) if doctor else None}
