"""The year as the practice works it: who is away when, when it is closed, public holidays."""
import calendar
from collections import defaultdict
from datetime import date, timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.rules import find, rule
from clinic.web.asked import whole
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.once import once
from scheduling import slots
from scheduling.forms import ExceptionForm, tell
from scheduling.models import Appointment, HoursException, WorkingHours
from scheduling.models.hours import Weekday, public_holidays


@rule("scheduling.manage")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def hours(request):
    """A year of days, those that differ marked; a form to make days differ; the usual week below."""
    actor, clinic = request.actor, request.actor.clinic
    year = _year(request.GET.get("year"), clinic)
    form = ExceptionForm(request.POST or None, actor=actor)
    if request.method == "POST" and form.is_valid():
        try:
            rows = HoursException.set_days(by=actor, **form.cleaned_data)
        except ValidationError as error:
            tell(form, error)
        else:
            _tell(request, rows)
            return redirect(f"{reverse('scheduling:hours')}?year={rows[0].date.year}")
    exceptions = list(HoursException.objects.visible_to(actor).current().filter(date__year=year).select_related("provider"))
    if wants_csv(request):
        return csv_answer(request, f"hours-{year}", ["day", "who", "hours", "why"], (
            [row.date, row.provider or "The whole practice", row.hours, row.reason] for row in exceptions), count=0)
    holidays = public_holidays(clinic, year)
    closed = {row.date for row in exceptions if row.provider_id is None}
    return render(request, "scheduling/hours.html", {
        "form": form, "year": year, "months": _months(year, exceptions, clinic.today()), "exceptions": exceptions,
        "missing": [day for day in holidays if day not in closed], "knows_holidays": bool(holidays), "week": _week(actor)},
        status=422 if form.errors else 200)


@rule("scheduling.manage")
@require_POST
@once
def holidays_add(request):
    """Close the practice on the public holidays of a year."""
    year = _year(request.POST.get("year"), request.actor.clinic)
    rows = HoursException.keep_holidays(by=request.actor, year=year)
    _tell(request, rows)
    return redirect(f"{reverse('scheduling:hours')}?year={year}")


@rule("scheduling.manage")
@require_POST
@once
def exception_lift(request, exception_id):
    """The usual hours again."""
    row = find(HoursException.objects, request.actor, pk=exception_id)
    row.lift(by=request.actor, because="Taken back")
    messages.success(request, f"{row.date:%A %-d %B}: the usual hours again.")
    return redirect(f"{reverse('scheduling:hours')}?year={row.date.year}")


def _year(text, clinic):
    """The year that is asked for, from this one on for five years; else this one."""
    this = clinic.today().year
    asked = whole(text, default=this)
    return asked if this - 1 <= asked <= this + 5 else this


def _tell(request, rows):
    """What was done, and what it means for visits that are booked already."""
    messages.success(request, f"{len(rows)} day{'' if len(rows) == 1 else 's'} set.")
    if not rows:
        return
    zone, days = request.actor.clinic.zone, {row.date for row in rows}
    visits = Appointment.objects.visible_to(request.actor).filter(status__in=Appointment.EXPECTED).between(
        slots.midnight(min(days), zone), slots.midnight(max(days) + timedelta(days=1), zone))
    if rows[0].provider_id:
        visits = visits.filter(provider=rows[0].provider_id)
    count = sum(at.astimezone(zone).date() in days for at in visits.values_list("starts_at", flat=True))
    if count:
        messages.warning(request, f"{count} visit{' is' if count == 1 else 's are'} booked on these days. Move or cancel them.")


def _months(year, exceptions, today):
    """[(first of the month, [[day or None]])]; each day knows how it differs."""
    by_day = defaultdict(list)
    for row in exceptions:
        by_day[row.date].append(row)

    def told(day):
        rows = by_day.get(day, [])
        tone = "closed" if any(row.provider_id is None and row.starts is None for row in rows) else "differs" if rows else ""
        title = "; ".join(f"{row.provider.short_name if row.provider else 'Practice'}: {row.reason}" for row in rows)
        return {"day": day, "tone": tone, "title": title, "is_today": day == today}

    weeks = calendar.Calendar()
    return [
        (date(year, month, 1), [
            [told(day) if day.month == month else None for day in week] for week in weeks.monthdatescalendar(year, month)])
        for month in range(1, 13)]


def _week(actor):
    """[(provider, [spans of Monday, …])]: the usual hours."""
    rows = WorkingHours.objects.visible_to(actor).current().select_related("provider").order_by(
        "provider__sequence", "provider__name", "weekday", "starts")
    week = {}
    for row in rows:
        if row.provider.is_active:
            days = week.setdefault(row.provider, [[] for _ in Weekday.values])
            days[row.weekday].append(f"{row.starts:%-H:%M}-{row.ends:%-H:%M}")
    return list(week.items())
