"""The waitlist and its neighbours: who waits, which times are being offered, and whom to call about a visit."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, F, OuterRef, Subquery
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import find, rule
from clinic.audit.looks import Kind, find_patient, look
from clinic.db.records import whose_row
from clinic.db.refusals import Refused
from clinic.web.asked import key, whole
from clinic.web.back import back
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.once import once
from scheduling.forms import AttemptForm, WaitlistForm, WhyForm, tell
from scheduling.looks import find_visit, visit_page
from scheduling.models import Appointment, ContactAttempt, FreedSlot, Offer, WaitlistEntry

PAGE = 50
FORM_FIELDS = (
    "appointment_type", "provider", "weekdays", "part_of_day", "from_day", "until_day", "notice_hours", "is_urgent", "note")


def tabs(current):
    return [
        {"label": label, "url": reverse(f"scheduling:{route}"), "current": route == current} for label, route in (
            ("Waiting", "waitlist"), ("Freed times", "freed_times"), ("Cancelled and missed", "missed"),
            ("Nothing booked", "unscheduled"))]


@rule("scheduling.view_waitlist")
@require_safe
def waitlist(request):
    """Who waits, in the order in which they are asked."""
    held = Offer.objects.filter(entry=OuterRef("pk"), status=Offer.Status.ASKED)
    rows = WaitlistEntry.objects.visible_to(request.actor).waiting().select_related(
        "patient", "appointment_type", "provider", "appointment").annotate(
        asked_until=Subquery(held.values("holds_until")[:1]))
    head = ["last name", "first name", "phone", "for what", "with", "can come", "hours of notice", "urgent", "waits since"]
    return _list(request, "waitlist", rows, "scheduling/waitlist.html", head, lambda entry: [
        entry.patient.last_name, entry.patient.first_name, entry.patient.phone, entry.appointment_type, entry.provider or "anyone",
        entry.when, entry.notice_hours, "yes" if entry.is_urgent else "no", timezone.localtime(entry.created_at).date()])


@rule("scheduling.view_waitlist")
@require_safe
def freed_times(request):
    """The times that are being offered, with whom to call, and what became of the last ones."""
    slots = FreedSlot.objects.visible_to(request.actor).select_related("operatory", "provider", "appointment__appointment_type")
    open_slots = slots.open().annotate(asked=Count("offers"))
    open_slots = list(open_slots if wants_csv(request) else open_slots[:PAGE])
    offers = Offer.objects.filter(slot__in=[slot.pk for slot in open_slots], status=Offer.Status.ASKED).select_related(
        "entry__patient", "entry__appointment_type", "entry__appointment")
    standing = {offer.slot_id: offer for offer in offers}
    if wants_csv(request):
        return _freed_csv(request, [(slot, standing.get(slot.pk)) for slot in open_slots])
    look(request, Kind.LIST, rows=len(standing))
    return render(request, "scheduling/freed_times.html", {
        "tabs": tabs("freed_times"), "slots": [(slot, standing.get(slot.pk)) for slot in open_slots],
        "ended": slots.exclude(status=FreedSlot.Status.OPEN).order_by("-updated_at")[:10]})


def _freed_csv(request, rows):
    head = ["day", "time", "minutes", "provider", "operatory", "last name", "first name", "phone", "for what", "asked by", "until"]
    zone = request.actor.clinic.zone
    lines = (
        [*f"{slot.starts_at.astimezone(zone):%Y-%m-%d %H:%M}".split(), slot.minutes, slot.provider.short_name, slot.operatory, *(
            [offer.entry.patient.last_name, offer.entry.patient.first_name, offer.entry.patient.phone,
             offer.entry.appointment_type, offer.get_channel_display(), f"{offer.holds_until.astimezone(zone):%Y-%m-%d %H:%M}"]
            if offer else [""] * 6)] for slot, offer in rows)
    return csv_answer(request, "freed-times", head, lines, count=sum(offer is not None for _, offer in rows))


@rule("scheduling.view_waitlist")
@require_safe
def missed(request):
    """Cancelled and missed visits whose patients have nothing booked."""
    rows = Appointment.objects.visible_to(request.actor).to_rebook(timezone.now())
    return _calls(request, "missed", rows, ContactAttempt.About.MISSED)


@rule("scheduling.view_waitlist")
@require_safe
def unscheduled(request):
    """Patients who were here half a year to two years ago and have nothing booked."""
    rows = Appointment.objects.visible_to(request.actor).last_seen(timezone.now())
    return _calls(request, "unscheduled", rows, ContactAttempt.About.UNSCHEDULED)


@rule("scheduling.change_waitlist")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def entry_new(request):
    """Put a patient on the list; `?visit=` when it is a booked visit that would come sooner."""
    sent = request.POST if request.method == "POST" else request.GET
    visit = find_visit(request, key(sent["visit"])) if sent.get("visit") else None
    patient = visit.person if visit else find_patient(request, key(sent["patient"])) if sent.get("patient") else None
    initial = {"appointment_type": visit.appointment_type_id, "provider": visit.provider_id} if visit else {}
    form = WaitlistForm(request.POST or None, actor=request.actor, initial=initial)
    if request.method == "POST" and patient is not None and form.is_valid():
        try:
            WaitlistEntry.add(by=request.actor, patient=patient, appointment=visit, **form.values())
        except ValidationError as error:
            tell(form, error)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{patient.name} is on the waitlist.")
            return back(request, "scheduling:waitlist")
    return render(request, "scheduling/waitlist_form.html", {
        **visit_page(request, patient), "form": form, "patient": patient, "visit": visit},
        status=422 if form.errors else 200)


@rule("scheduling.change_waitlist")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def entry_edit(request, entry_id):
    """Change what they wait for, and when they can."""
    entry = find_entry(request, entry_id)
    initial = {name: getattr(entry, f"{name}_id", getattr(entry, name)) for name in FORM_FIELDS}
    form = WaitlistForm(request.POST or None, actor=request.actor, initial=initial | {"version": entry.version})
    if request.method == "POST" and form.is_valid():
        try:
            entry.change(by=request.actor, version=form.cleaned_data["version"], **form.values())
        except ValidationError as error:
            tell(form, error)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Saved.")
            return redirect("scheduling:waitlist")
    return render(request, "scheduling/waitlist_form.html", {
        **visit_page(request, entry.patient), "form": form, "patient": entry.patient.person, "entry": entry,
        "visit": entry.appointment}, status=422 if form.errors else 200)


@rule("scheduling.change_waitlist")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def entry_withdraw(request, entry_id):
    """Take somebody off the list."""
    entry = find_entry(request, entry_id)
    form = WhyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        entry.withdraw(by=request.actor, because=form.cleaned_data["reason"])
        messages.success(request, f"{entry.patient.name} is off the waitlist.")
        return redirect("scheduling:waitlist")
    return render(request, "scheduling/waitlist_withdraw.html", {
        **visit_page(request, entry.patient), "form": form, "patient": entry.patient.person, "entry": entry},
        status=422 if form.errors else 200)


@rule("scheduling.change_waitlist")
@require_POST
@once
def offer_accept(request, offer_id):
    """The patient takes the time: booked."""
    offer = find_offer(request, offer_id)
    visit = offer.accept(by=request.actor)
    local = visit.starts_at.astimezone(request.actor.clinic.zone)
    messages.success(request, f"Booked: {visit.person.name}, {local:%A %-d %B %-H:%M}.")
    return redirect("scheduling:freed_times")


@rule("scheduling.change_waitlist")
@require_POST
@once
def offer_decline(request, offer_id):
    """The patient does not want this time: the next one is asked."""
    offer = find_offer(request, offer_id)
    offer.decline(by=request.actor)
    return redirect("scheduling:freed_times")


@rule("scheduling.change_waitlist")
@require_POST
@once
def slot_ask(request, slot_id):
    """Ask the first, or the next one without waiting for the answer; nobody answered the phone."""
    slot = find(FreedSlot.objects, request.actor, pk=slot_id)
    current = slot.current_offer()
    offer = slot.ask_next(by=request.actor, instead_of=key(request.POST["offer"]) if request.POST.get("offer") else None)
    if current is not None:
        ContactAttempt.log(
            by=request.actor, patient=current.entry.patient, about=ContactAttempt.About.FREED,
            outcome=ContactAttempt.Outcome.NO_ANSWER)
    if offer is None:
        messages.info(request, "Nobody else who waits fits this time, so it is free in the schedule again.")
    return redirect("scheduling:freed_times")


@rule("scheduling.change_waitlist")
@require_POST
@once
def slot_stop(request, slot_id):
    """Have the time back for something else."""
    slot = find(FreedSlot.objects, request.actor, pk=slot_id)
    slot.stop(by=request.actor, because="Stopped by the desk")
    messages.success(request, "The time is free in the schedule again.")
    return redirect("scheduling:freed_times")


@rule("scheduling.change_waitlist")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def attempt(request, visit_id):
    """Log that the patient of a visit was called, and what came of it."""
    visit = find_visit(request, visit_id)
    about = ContactAttempt.About.MISSED if visit.status in visit.FREE else ContactAttempt.About.UNSCHEDULED
    form = AttemptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ContactAttempt.log(
            by=request.actor, patient=visit.person, appointment=visit, about=about, **form.cleaned_data)
        messages.success(request, f"Noted: {visit.person.name}.")
        return redirect("scheduling:missed" if about == ContactAttempt.About.MISSED else "scheduling:unscheduled")
    return render(request, "scheduling/attempt.html", {
        **visit_page(request, visit.person), "form": form, "visit": visit, "patient": visit.person,
        "attempts": ContactAttempt.objects.of(visit.person).select_related("by")[:10]}, status=422 if form.errors else 200)


def find_entry(request, entry_id):
    entry = find(WaitlistEntry.objects.select_related("patient", "appointment_type", "appointment"), request.actor, pk=entry_id)
    look(request, Kind.VIEW, entry.patient)
    return entry


def find_offer(request, offer_id):
    offer = find(Offer.objects.select_related("slot", "entry__patient"), request.actor, pk=offer_id)
    look(request, Kind.VIEW, offer.entry.patient)
    return offer


def _list(request, tab, rows, template, head, line, **context):
    if wants_csv(request):
        found = list(rows)
        return csv_answer(request, tab, head, (line(row) for row in found), count=len(found))
    start = whole(request.GET.get("start"))
    shown = list(rows[start:start + PAGE + 1])
    look(request, Kind.LIST, rows=len(shown[:PAGE]))
    return render(request, template, {
        "tabs": tabs(tab), "rows": shown[:PAGE], "next_url": f"?start={start + PAGE}" if len(shown) > PAGE else "",
        "previous_url": f"?start={max(start - PAGE, 0)}" if start else "", "words": f"{start + 1} to {start + len(shown[:PAGE])}",
        **context})


def _calls(request, tab, rows, about):
    """A list of patients to call: with how often they were called about it, and what came of the last time."""
    made = ContactAttempt.objects.filter(patient=whose_row(), about=about, at__gte=OuterRef("starts_at")).order_by("-at")
    counted = made.order_by().values("about").annotate(count=Count("pk")).values("count")
    rows = rows.select_related("patient", "appointment_type", "provider").annotate(
        attempts=Subquery(counted), last_outcome=Subquery(made.values("outcome")[:1]), last_at=Subquery(made.values("at")[:1]),
        phone=F("patient__phone"))
    outcomes = dict(ContactAttempt.Outcome.choices)
    told, tell_of = ("why", _why) if about == ContactAttempt.About.MISSED else ("with", lambda visit: visit.provider.short_name)
    head = ["last name", "first name", "phone", "visit", "type", "status", told, "called", "last time"]
    return _list(request, tab, rows, "scheduling/calls.html", head, lambda visit: [
        visit.person.last_name, visit.person.first_name, visit.phone, timezone.localtime(visit.starts_at).date(),
        visit.appointment_type, visit.get_status_display(), tell_of(visit), visit.attempts or 0,
        outcomes.get(visit.last_outcome, "")], about=about, outcomes=outcomes, told=told.capitalize())


def _why(visit):
    return visit.cancel_reason or visit.get_status_display().lower()
