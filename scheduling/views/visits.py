"""The visit and its steps: each step has its own address, all lead through the model's verb."""
from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import may, rule
from clinic.models import MedicalHistory
from clinic.web.asked import whole
from clinic.web.back import back
from clinic.web.once import once
from scheduling import confirmations, hooks
from scheduling.forms import CancelForm
from scheduling.looks import find_visit, scope_of, visit_page
from scheduling.models import Appointment
from scheduling.offers import described, posted_slot, spread
from scheduling.openings import Calendar
from scheduling.steps import next_steps
from scheduling.views.series import cancel_following
from scheduling.views.today import ASK_AGAIN

SAID = {
    "confirm": "is confirmed", "check_in": "is checked in", "seat": "is in the chair", "complete": "is ready to leave",
    "check_out": "is checked out", "no_show": "is marked as no-show", "reactivate": "is booked again",
    "step_back": "is one step back",
}


@rule("scheduling.view_appointment")
@require_safe
def visit(request, visit_id):
    """One visit with its steps; as a drawer when htmx asks."""
    visit = find_visit(request, visit_id)
    history = visit.person.medical_history
    return render(request, "scheduling/_visit_drawer.html" if request.htmx else "scheduling/visit.html", {
        **({} if request.htmx else visit_page(request, visit.person)), "visit": visit, "patient": visit.person,
        "steps": next_steps(request.actor, visit.status, bool(questions(visit, history))),
        "back": request.htmx.current_url_abs_path if request.htmx else "",  # a drawer's steps lead back to its page
        "past": visit.steps.select_related("by"), "alerts": history.alerts if history else [],
        "time": visit.provider_time.select_related("provider").order_by("starts_at"),
        "may_move": may(request.actor, "scheduling.change_appointment") and visit.status not in (*visit.FREE, *visit.DONE),
        "may_wait": may(request.actor, "scheduling.change_waitlist") and visit.status in visit.EXPECTED,
        "may_write": may(request.actor, "clinic.write_letters"),
        "actions": [act for found in hooks.visit_actions(request.actor, visit) for act in found],
        "today": request.actor.clinic.today(), **confirmations.of_visit(visit),
        "may_ask": may(request.actor, "scheduling.confirm") and visit.status == visit.Status.SCHEDULED and visit.is_ahead,
    })


def step(verb):
    """A view that takes one step of the visit and goes back to where it was pressed."""
    @rule(f"scheduling.{verb}")
    @require_POST
    @once
    def view(request, visit_id):
        visit = find_visit(request, visit_id)
        getattr(visit, verb)(by=request.actor)
        messages.success(request, f"{visit.person.name} {SAID[verb]}.")
        return back(request, "scheduling:visit", visit.pk)
    view.__name__ = verb
    return view


confirm, seat, complete = step("confirm"), step("seat"), step("complete")
no_show, reactivate, step_back = step("no_show"), step("reactivate"), step("step_back")


@rule("scheduling.check_in")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def check_in(request, visit_id):
    """Ask what is to be asked (contact data, a medical history older than six months), then check in. Nothing blocks."""
    visit = find_visit(request, visit_id)
    history = visit.person.medical_history
    if request.method == "POST":
        with transaction.atomic():
            visit.check_in(by=request.actor)
            if request.POST.get("contact_confirmed") and may(request.actor, "clinic.change_patient"):
                visit.person.confirm_contact(by=request.actor)
            asked = request.POST.get("medical_reviewed") and may(request.actor, "clinic.change_medicalhistory")
            if asked and history is not None:
                MedicalHistory.review(
                    patient=visit.person, by=request.actor, seen_number=whole(request.POST["medical_reviewed"]))
        messages.success(request, f"{visit.person.name} is checked in.")
        return back(request, "scheduling:visit", visit.pk)
    return render(request, "scheduling/check_in.html", {
        **visit_page(request, visit.person), "visit": visit, "patient": visit.person, "history": history,
        "questions": questions(visit, history),
        "alerts": history.alerts if history else [], "today": request.actor.clinic.today(),
        "may_change_medical": may(request.actor, "clinic.change_medicalhistory"),
    })


def questions(visit, history):
    """What check-in asks: names of the questions that are open."""
    today = visit.clinic.today()
    confirmed = visit.person.contact_confirmed_on
    asked = []
    if confirmed is None or today - confirmed > ASK_AGAIN:
        asked.append("contact")
    if history is None or history.is_due(today):
        asked.append("medical")
    if visit.starts_at.astimezone(visit.clinic.zone).date() != today:
        asked.append("day")
    return asked


@rule("scheduling.check_out")
@require_safe
def exit_card(request, visit_id):
    """What is still open before the patient leaves: the next visit, what is unfinished."""
    visit = find_visit(request, visit_id)
    clinic, now = request.actor.clinic, timezone.now()
    coming = Appointment.objects.visible_to(request.actor).of(visit.person).exclude(
        pk=visit.pk).upcoming(now).select_related("appointment_type", "provider").first()
    first = clinic.today(now) + timedelta(days=182)
    calendar = Calendar(clinic, first, first + timedelta(days=21))
    found = calendar.openings(visit.appointment_type, provider_id=visit.provider_id, patient=visit.person)
    return render(request, "scheduling/exit_card.html", {
        **visit_page(request, visit.person), "visit": visit, "patient": visit.person, "coming": coming,
        "proposed": described(spread(found)[:3], calendar) if coming is None else [],
        "sections": hooks.checkout_sections(request.actor, visit), "unfinished": questions(visit, visit.person.medical_history),
        "ready": visit.status == Appointment.Status.COMPLETED,
    })


@rule("scheduling.check_out")
@require_POST
@once
def check_out(request, visit_id):
    """Finish: book the proposed next visit when one was chosen, then check out."""
    visit = find_visit(request, visit_id)
    slot = posted_slot(request)
    with transaction.atomic():
        visit.check_out(by=request.actor)  # first its row, then the queue, as every verb does
        following = _book_following(request, visit, slot) if slot is not None else None
    if following is not None:
        local = following.starts_at.astimezone(request.actor.clinic.zone)
        messages.success(request, f"Next visit: {local:%A %-d %B %Y %-H:%M}.")
    messages.success(request, f"{visit.person.name} is checked out.")
    return redirect("scheduling:today")


def _book_following(request, visit, slot):
    """The proposed next visit: the same type, at the chosen free time."""
    return Appointment.book(
        by=request.actor, patient=visit.person, appointment_type=visit.appointment_type, operatory=slot["operatory"],
        provider=slot["provider"], doctor=slot["doctor"], starts_at=slot["starts_at"], because="Booked at check-out")


@rule("scheduling.cancel")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def cancel(request, visit_id):
    """Cancel with a reason."""
    visit = find_visit(request, visit_id)
    form = CancelForm(request.POST or None, initial=scope_of(request), following=visit.series.after(visit) if visit.series else 0)
    if request.method == "POST" and form.is_valid():
        if form.is_for_all:
            return cancel_following(request, visit, form.cleaned_data["reason"])
        visit.cancel(by=request.actor, because=form.cleaned_data["reason"])
        messages.success(request, f"The visit of {visit.person.name} is cancelled.")
        return back(request, "scheduling:visit", visit.pk)
    return render(request, "scheduling/cancel.html", {
        **visit_page(request, visit.person), "visit": visit, "patient": visit.person, "form": form},
                  status=422 if form.errors else 200)

