"""The day sheet: a day's visits as they stand on paper, for the whole practice or provider by provider."""
from datetime import timedelta
from uuid import UUID

from clinic.models import Provider
from clinic.templatetags.chairside import age
from scheduling import slots
from scheduling.days import alerts_in, clock, newest_history
from scheduling.models import Appointment

COLUMNS = (
    "starts_at", "ends_at", "patient__first_name", "patient__last_name", "patient__preferred_name", "patient__date_of_birth",
    "patient__chart_number", "patient__phone", "patient__phone_home", "patient__guarantor_phone", "appointment_type__name",
    "operatory__name", "provider_id", "provider__short_name", "status", "note", "parts")
WORDS = dict(Appointment.Status.choices)


def visits_of(actor, day):
    """The visits that hold time on this day, in its order, as rows for the sheet. One query."""
    clinic = actor.clinic
    start, end = (slots.midnight(date, clinic.zone) for date in (day, day + timedelta(days=1)))
    visits = Appointment.objects.visible_to(actor).holding().between(start, end).order_by("starts_at", "operatory__sequence")
    return [_row(values, clinic.zone, day) for values in visits.annotate(medical=newest_history()).values_list(*COLUMNS, "medical")]


def _row(values, zone, day):
    (starts_at, ends_at, first, last, preferred, born, chart, mobile, home, guarantor, kind, operatory, provider_id, provider,
     status, note, parts, medical) = values
    return {
        "time": clock(starts_at.astimezone(zone)), "minutes": int((ends_at - starts_at).total_seconds() // 60),
        "patient": f"{last}, {preferred or first}", "chart": chart, "age": age(born, day), "type": kind, "operatory": operatory,
        "provider": provider, "phone": str(mobile or home or guarantor or ""), "status": WORDS[status], "note": note,
        "alerts": [alert["text"] for alert in alerts_in(medical)],
        "of": {provider_id, *(UUID(part[0]) for part in parts)},
    }


def sections(actor, day, provider=None, by_provider=False):
    """(what is on each sheet, how many visits): the whole day; a provider's; or each provider's own, a sheet each.

    A provider's list holds also the visits into which they only look. Two queries, the second only by provider.
    """
    rows = visits_of(actor, day)
    if provider is not None:
        chosen = [provider]
    elif by_provider:
        busy = set().union(*(row["of"] for row in rows))
        chosen = [each for each in Provider.objects.visible_to(actor) if each.pk in busy]
    else:
        return [_section("", rows)], len(rows)
    found = [_section(each.name, [row for row in rows if each.pk in row["of"]]) for each in chosen]
    return found, len(rows) if by_provider else len(found[0]["rows"])


def _section(name, rows):
    return {"name": name, "rows": [{key: value for key, value in row.items() if key != "of"} for row in rows]}
