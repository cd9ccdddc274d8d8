"""The schedule: a day by operatory or provider, and a provider's week."""
from calendar import monthrange
from datetime import date, timedelta

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from clinic.access.rules import may, rule
from clinic.audit.looks import Kind, look
from clinic.dates import read_date
from clinic.models import Provider
from clinic.web.fields import DAY_FIRST
from scheduling import slots
from scheduling.cards import month_of
from scheduling.days import day_grid, week_grid
from scheduling.models import Appointment
from scheduling.models.hours import Weekday

WEEKDAYS = tuple(Weekday.labels)


@rule("scheduling.view_schedule")
@require_safe
def schedule(request):
    """One day; `?day=`, `?by=operatory|provider`. With `?after=` only the grid, and 204 when nothing changed."""
    day = _day(request)
    by = "provider" if request.GET.get("by") == "provider" else "operatory"
    if "after" in request.GET and request.GET["after"] == _token(request, day, 1):
        return HttpResponse(status=204)
    grid = day_grid(request.actor, day, by)
    look(request, Kind.LIST, rows=grid.visits)
    context = _context(request, grid, day, by, keep="by=provider&" if by == "provider" else "")
    return _answer(request, context)


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
    grid = week_grid(request.actor, monday, provider)
    grid.token = token
    look(request, Kind.LIST, rows=grid.visits)
    context = _context(request, grid, day, "week", keep=f"provider={provider.pk}&")
    context |= {"providers": providers, "provider": provider, "monday": monday, "sunday": monday + timedelta(days=6)}
    return _answer(request, context)


def _answer(request, context):
    if "after" not in request.GET:
        return render(request, "scheduling/schedule.html", context)
    return render(request, "scheduling/_grid.html", context)


def _context(request, grid, day, by, keep):
    """`keep`: the part of the address that stays from day to day."""
    step = 7 if by == "week" else 1
    today = request.actor.clinic.today()
    address = reverse("scheduling:week" if by == "week" else "scheduling:schedule")
    return {
        "grid": grid, "day": day, "by": by, "today": today, "poll_seconds": settings.POLL_SECONDS,
        "previous": day - timedelta(days=step), "next": day + timedelta(days=step), "address": address, "keep": keep,
        "views": [
            {"label": "Operatories", "url": f"{reverse('scheduling:schedule')}?day={day}", "current": by == "operatory"},
            {"label": "Providers", "url": f"{reverse('scheduling:schedule')}?day={day}&by=provider", "current": by == "provider"},
            {"label": "Week", "url": f"{reverse('scheduling:week')}?day={day}", "current": by == "week"}],
        "month": month_of(day, today, f"{address}?{keep}"), "weekdays": WEEKDAYS,
        "month_before": _months_on(day, -1), "month_after": _months_on(day, 1),
        "date_order": "dmy" if DAY_FIRST.get(request.actor.clinic.country, True) else "mdy",
        "may_book": may(request.actor, "scheduling.add_appointment"),
        "may_move": may(request.actor, "scheduling.change_appointment"),
        "may_block": may(request.actor, "scheduling.add_block"),
    }


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
