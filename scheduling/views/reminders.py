"""Not yet confirmed: the board, asking by message, and calls."""
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import rule
from clinic.audit.looks import Kind, look
from clinic.web.asked import whole
from clinic.web.back import back
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.once import once
from scheduling import confirmations
from scheduling.forms import CallForm
from scheduling.looks import find_visit, visit_page
from scheduling.models import Appointment, ContactAttempt, Reminder


@rule("scheduling.confirm")
@require_safe
def unconfirmed(request):
    """Who has not confirmed, the next visit first; those who asked for another time on top."""
    days = whole(request.GET.get("days"), confirmations.USUAL_DAYS)
    days = days if days in confirmations.DAYS else confirmations.USUAL_DAYS
    wished = confirmations.rows_of(confirmations.wished(request.actor))
    others = confirmations.within(request.actor, days).exclude(pk__in=[row.visit.pk for row in wished])
    if wants_csv(request):
        return _csv(request, wished + confirmations.rows_of(others))
    page = Paginator(others, confirmations.MOST).get_page(request.GET.get("page"))
    rows = confirmations.rows_of(page.object_list)
    look(request, Kind.LIST, rows=len(wished) + len(rows))
    return render(request, "scheduling/unconfirmed.html", {
        "wished": wished, "rows": rows, "page": page, "days": days, "here": request.get_full_path(),
        "spans": [{"label": f"{count} day{'' if count == 1 else 's'}", "url": f"?days={count}", "current": count == days}
                  for count in confirmations.DAYS]})


def _csv(request, rows):
    head = ["day", "time", "last name", "first name", "phone", "type", "provider", "message", "call", "another time wanted"]
    zone = request.actor.clinic.zone
    return csv_answer(request, "not-yet-confirmed", head, (
        [*f"{row.visit.starts_at.astimezone(zone):%Y-%m-%d %H:%M}".split(), row.visit.patient.person.last_name,
         row.visit.patient.person.first_name, row.phone, row.visit.appointment_type, row.visit.provider.short_name,
         row.message["words"] if row.message else row.why_not_asked or "Not asked yet",
         row.call.get_outcome_display() if row.call else "", "yes" if row.wishes else "no"]
        for row in rows), count=len({row.visit.patient.person.pk for row in rows}))


@rule("scheduling.confirm")
@require_POST
@once
def ask(request, visit_id):
    """Ask the patient for confirmation now, by message."""
    visit = find_visit(request, visit_id)
    reminder = Reminder.ask(visit)
    messages.success(request, f"{visit.person.name} is asked by {reminder.get_channel_display().lower()}.")
    return back(request, "scheduling:visit", visit.pk)


@rule("scheduling.confirm")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def called(request, visit_id):
    """Write down a call, and confirm the visit when the patient said so."""
    visit = find_visit(request, visit_id)
    form = CallForm(request.POST or None, may_confirm=visit.status == Appointment.Status.SCHEDULED)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            if form.cleaned_data.get("comes"):
                visit.confirm(by=request.actor)
            ContactAttempt.log(
                by=request.actor, patient=visit.person, appointment=visit, about=ContactAttempt.About.CONFIRM,
                outcome=form.cleaned_data["outcome"], note=form.cleaned_data["note"])
        messages.success(request, f"The call to {visit.person.name} is written down.")
        return back(request, "scheduling:visit", visit.pk)
    return render(request, "scheduling/attempt.html", {
        **visit_page(request, visit.person), "form": form, "visit": visit, "patient": visit.person,
        "attempts": visit.contact_attempts.select_related("by")}, status=422 if form.errors else 200)
