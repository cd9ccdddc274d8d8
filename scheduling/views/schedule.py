"""The schedule: a day by operatory or provider, and a provider's week."""
from calendar import monthrange
from datetime import date, timedelta

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access.rules import may, rule
from clinic.audit.looks import Kind, look
from clinic.dates import read_date
from clinic.db.prepared import PreparedFor
from clinic.db.refusals import Stale
from clinic.models import Provider
from clinic.web.conflicts import conflict_page, who_saved
from clinic.web.fields import DAY_FIRST
from clinic.web.once import once
from scheduling import slots
from scheduling.cards import month_of
from scheduling.days import day_grid, week_grid
from scheduling.forms import DayNoteForm
from scheduling.models import Appointment, DayNote
from scheduling.models.hours import Weekday
from scheduling.months import loads, weeks_of
from scheduling.production import of_day
from scheduling.views.preferences import COLOURS, ZOOMS, asked_view, keep

WEEKDAYS = tuple(Weekday.labels)
NOTES = PreparedFor(lambda actor, blank: DayNote.objects.visible_to(actor).filter(
    date=blank("day", DayNote, "date")).only("text"))


@rule("scheduling.view_schedule")
@require_safe
def schedule(request):
    """One day; `?day=`, `?by=operatory|provider`. With `?after=` only the grid, and 204 when nothing changed."""
    day = _day(request)
    by = "provider" if request.GET.get("by") == "provider" else "operatory"
    if "after" in request.GET and request.GET["after"] == _token(request, day, 1):
        return HttpResponse(status=204)
    view = asked_view(request)
    grid = day_grid(request.actor, day, by, view.colour)
    look(request, Kind.LIST, rows=grid.visits)
    context = _context(request, grid, day, by, view, keep="by=provider&" if by == "provider" else "")
    return _answer(request, context | {"notes": NOTES(request.actor, day=day)}, view)


@rule("scheduling.view_schedule")
@require_safe
def week(request):
    """Seven days of one provider; `?day=`, `?provider=`."""
    day = _day(request)
    monday = day - timedelta(days=day.weekday())
    providers = list(Provider.objects.visible_to(request.actor).current())
    chosen = request.GET.get("provider")
    provider = next((row for row in providers if str(row.pk) == chosen), None) or next(
        (row for row in providers if row.user_id == request.user.pk), providers[0] if providers else None)
    if provider is None:
        return render(request, "scheduling/no_providers.html", {})
    token = _token(request, monday, 7)
    if request.GET.get("after") == token:
        return HttpResponse(status=204)
    view = asked_view(request)
    grid = week_grid(request.actor, monday, provider, view.colour)
    grid.token = token
    look(request, Kind.LIST, rows=grid.visits)
    context = _context(request, grid, day, "week", view, keep=f"provider={provider.pk}&")
    context |= {"providers": providers, "provider": provider, "monday": monday, "sunday": monday + timedelta(days=6)}
    return _answer(request, context, view)


@rule("scheduling.view_schedule")
@require_safe
def month(request):
    """How full each day of a month is; `?day=`, `?provider=` for one alone."""
    day, today = _day(request), request.actor.clinic.today()
    providers = list(Provider.objects.visible_to(request.actor).current())
    provider = next((row for row in providers if str(row.pk) == request.GET.get("provider")), None)
    weeks = weeks_of(day)
    found = loads(request.actor, weeks[0][0], weeks[-1][-1], provider)
    keep = f"provider={provider.pk}&" if provider else ""
    return render(request, "scheduling/month.html", {
        "day": day, "today": today, "weeks": [[found[date] for date in week] for week in weeks], "weekdays": WEEKDAYS,
        "providers": providers, "provider": provider, "previous": _months_on(day, -1), "next": _months_on(day, 1), "keep": keep,
        "views": _views(day, "month")})


@rule("scheduling.change_day_note")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def day_note(request):
    """What all should know of a day; `?day=`."""
    day = _day(request)
    note = DayNote.of(request.actor, day)
    form = DayNoteForm(request.POST or None, initial={"text": note.text, "version": note.version})
    address = f"{reverse('scheduling:schedule')}?day={day}"
    if request.method == "POST" and form.is_valid():
        try:
            note.write(form.settled(note), by=request.actor, version=form.cleaned_data["version"])
        except Stale as stale:
            return conflict_page(
                request, form.differences(stale.current), version_field="version", version=stale.current.version,
                who=who_saved(stale.current), back=address)
        return redirect(address)
    return render(request, "scheduling/day_note.html", {"form": form, "day": day, "address": address},
                  status=422 if form.errors else 200)


@rule("scheduling.view_production")
@require_safe
def production(request):
    """What the visits of a day are expected to bring, and why; the schedule shows only the sum."""
    day = _day(request)
    context = {"production": of_day(request.actor, day), "day": day, "currency": request.actor.clinic.currency}
    if request.htmx:
        return render(request, "scheduling/_production.html", context)
    look(request, Kind.LIST, rows=len(context["production"].lines))
    return render(request, "scheduling/production.html", context)


def _answer(request, context, view):
    """The page, or only its grid for who polls."""
    if "after" in request.GET:
        return render(request, "scheduling/_grid.html", context)
    return keep(render(request, "scheduling/schedule.html", context), request, view)


def _views(day, current):
    """The four ways to look at the schedule, as links."""
    ways = (("operatory", "Operatories", "schedule", ""), ("provider", "Providers", "schedule", "&by=provider"),
            ("week", "Week", "week", ""), ("month", "Month", "month", ""))
    return [{"label": label, "url": f"{reverse(f'scheduling:{route}')}?day={day}{more}", "current": name == current}
            for name, label, route, more in ways]


def _context(request, grid, day, by, view, keep):
    """`keep`: the part of the address that stays from day to day."""
    step = 7 if by == "week" else 1
    today = request.actor.clinic.today()
    address = reverse("scheduling:week" if by == "week" else "scheduling:schedule")
    return {
        "grid": grid, "day": day, "by": by, "today": today, "poll_seconds": settings.POLL_SECONDS,
        "previous": day - timedelta(days=step), "next": day + timedelta(days=step), "address": address, "keep": keep,
        "views": _views(day, by), "view": view, "colours": _choices(COLOURS, view.colour), "zooms": _choices(ZOOMS, view.zoom),
        "month": month_of(day, today, f"{address}?{keep}"), "weekdays": WEEKDAYS,
        "month_before": _months_on(day, -1), "month_after": _months_on(day, 1),
        "date_order": "dmy" if DAY_FIRST.get(request.actor.clinic.country, True) else "mdy",
        "may_book": may(request.actor, "scheduling.add_appointment"),
        "may_move": may(request.actor, "scheduling.change_appointment"),
        "may_block": may(request.actor, "scheduling.add_block"),
        "may_see_production": may(request.actor, "scheduling.view_production"),
        "may_note": may(request.actor, "scheduling.change_day_note"),
    }


def _choices(labels, current):
    return [(value, label, value == current) for value, label in labels.items()]


def _token(request, day, days):
    clinic = request.actor.clinic
    return Appointment.objects.visible_to(request.actor).holding().between(
        slots.midnight(day, clinic.zone), slots.midnight(day + timedelta(days=days), clinic.zone)).change_token()


def _day(request):
    """The day that is asked for; today for none and for what is no date."""
    today = request.actor.clinic.today()
    found = read_date(request.GET.get("day", ""), today) if request.GET.get("day") else today
    return found if found and 1990 <= found.year <= today.year + 6 else today


def _months_on(day, count):
    """The same day of another month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
