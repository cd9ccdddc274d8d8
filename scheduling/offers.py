"""Free times as the screens offer them: a few, well apart, each a button that posts the whole of it."""
from datetime import timedelta

from django.http import Http404
from django.utils import timezone

from clinic.access.rules import find
from clinic.models import Operatory, Provider
from clinic.web.asked import key, moment, whole
from scheduling import slots
from scheduling.openings import fitting
from scheduling.refusals import TimeTaken

SHOWN = 9


def spread(openings):
    """The first few times, not all of one morning: at most three a day, an hour apart."""
    shown, per_day, last = [], {}, {}
    for opening in openings:
        day = timezone.localdate(opening.starts_at)
        if per_day.get(day, 0) >= 3 or (day in last and opening.starts_at - last[day] < timedelta(hours=1)):
            continue
        per_day[day], last[day] = per_day.get(day, 0) + 1, opening.starts_at
        shown.append(opening)
        if len(shown) == SHOWN:
            break
    return shown


def described(openings, calendar):
    """Openings as the templates draw them, by the clinic's clock; `slot` is what the button posts."""
    rooms, zone = {row.pk: row.name for row in calendar.operatories}, calendar.zone
    return [{
        "slot": slot_text(opening.starts_at, opening.operatory_id, opening.provider_id, opening.doctor_id),
        "starts_at": opening.starts_at.astimezone(zone), "ends_at": opening.ends_at.astimezone(zone),
        "operatory": rooms[opening.operatory_id], "provider": calendar.providers[opening.provider_id].short_name,
    } for opening in openings]


def slot_text(starts_at, operatory_id, provider_id, doctor_id=None):
    """A time as its button posts it."""
    return f"{starts_at.isoformat()}|{operatory_id}|{provider_id}|{doctor_id or ''}"


def posted_slot(request):
    """A free time as its button posts it, or None; rows of other clinics are not found."""
    return read_slot(request, request.POST["slot"]) if request.POST.get("slot") else None


def read_slot(request, text):
    """The free time that such a text means; 404 for what makes no sense."""
    parts = text.split("|")
    at = moment(parts[0])
    if len(parts) != 4 or at is None or at.tzinfo is None:
        raise Http404
    _, operatory, provider, doctor = parts
    return {
        "starts_at": at, "operatory": find(Operatory.objects, request.actor, pk=key(operatory)),
        "provider": find(Provider.objects, request.actor, pk=key(provider)),
        "doctor": find(Provider.objects, request.actor, pk=key(doctor)) if doctor else None}


def posted_place(request):
    """Where a card was dropped: start, end, and its new column when that is one; 404 for what makes no sense."""
    at, minutes = moment(request.POST.get("starts_at")), whole(request.POST.get("minutes"))
    if at is None or not 5 <= minutes <= 720:
        raise Http404
    starts_at = at if at.tzinfo else slots.wall(at.date(), at.time(), request.actor.clinic.zone)
    values = {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=minutes)}
    for name, model in (("operatory", Operatory), ("provider", Provider)):
        if asked := request.POST.get(name):
            values[name] = find(model.objects, request.actor, pk=key(asked))
    return values


def filled(request, form, patient):
    """The form's values; a provider or operatory that was left open is whoever and whichever is free then."""
    values, slot = form.values(), posted_slot(request)
    if slot is not None:  # who looks in is part of what was offered
        return values | {"doctor": slot["doctor"]}
    if values["provider"] and values["operatory"]:
        return values
    found = fitting(
        request.actor.clinic, values["appointment_type"], values["starts_at"], minutes=form.cleaned_data.get("minutes"),
        provider=values["provider"], operatory=values["operatory"], patient=patient)
    if found is None:
        raise TimeTaken([], because="Nobody and no operatory is free then for this type of visit.")
    return values | {
        "provider": Provider.objects.get(pk=found.provider_id), "operatory": Operatory.objects.get(pk=found.operatory_id),
        "doctor": Provider.objects.get(pk=found.doctor_id) if found.doctor_id else None}
