"""What a patient does by a link that was sent: confirm a visit or ask for another time, take a freed time or leave it."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access.actor import Actor
from clinic.audit.looks import Kind, look
from clinic.db.refusals import Refused
from clinic.views.patient_links import opener, page_of
from scheduling.models import Appointment, Offer, OfferLetter, Reminder, TimeWish
from scheduling.refusals import TimeTaken

STALE = "scheduling/answer_stale.html"
answer_link = opener(Reminder.PURPOSE, "scheduling:answer")
offer_link = opener(OfferLetter.PURPOSE, "scheduling:offer")


@page_of(Reminder.PURPOSE, STALE)
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request, link):
    """The visit's day and time with two buttons; afterwards what was answered. The link itself makes an answer count once."""
    reminder = Reminder.objects.select_related("appointment__patient", "clinic", "link").get(link=link)
    by = _patient(request, link, {"scheduling.confirm", "scheduling.step_back"})
    if request.method == "POST":
        said = request.POST.get("answer")
        if said == Reminder.Answer.COMING:
            _try(request, lambda: reminder.confirm(by=by))
        elif said == Reminder.Answer.ANOTHER_TIME:
            _try(request, lambda: reminder.ask_for_another_time(by=by, wish=request.POST.get("wish", "")))
        return redirect("scheduling:answer")
    return render(request, "scheduling/answer.html", {
        "clinic": link.clinic, "visit": reminder.appointment, "longest": TimeWish.LONGEST,
        "state": _state_of_answer(reminder, link)})


def _state_of_answer(reminder, link):
    """What the page says: what was answered, "open" with its buttons, or "over"; "confirmed": by another way before."""
    if reminder.answer:
        return reminder.answer
    if not (reminder.is_about_present_time and link.is_good()):
        return "over"
    return "confirmed" if reminder.appointment.status == Appointment.Status.CONFIRMED else "open"


@page_of(OfferLetter.PURPOSE, STALE)
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request, link):
    """The free time, until when it is held, and two buttons; afterwards what was answered."""
    letter = OfferLetter.objects.select_related(
        "offer__slot__provider", "offer__slot__clinic", "offer__entry__patient", "link").get(link=link)
    by = _patient(request, link)
    if request.method == "POST":
        said = request.POST.get("answer")
        if said in ("take", "leave"):
            _try(request, lambda: (letter.take if said == "take" else letter.leave)(by=by))
        return redirect("scheduling:offer")
    holds = letter.is_wanted(timezone.now()) and link.is_good()
    answered = letter.offer.status if letter.offer.status in (Offer.Status.ACCEPTED, Offer.Status.DECLINED) else "over"
    return render(request, "scheduling/offer.html", {
        "clinic": link.clinic, "offer": letter.offer, "slot": letter.offer.slot, "state": "open" if holds else answered})


def _patient(request, link, permissions=()):
    """The patient as the one who acts; that they look at their own data is on record."""
    request.actor = Actor.of_link(link, permissions, request.request_id)
    look(request, Kind.VIEW, link.patient)
    return request.actor


def _try(request, act):
    """Do it. When it was answered before or too late, the page that follows says what stands."""
    try:
        act()
    except (TimeTaken, ValidationError):
        messages.warning(request, _("This can't be booked here any more. Call us, and we find a time together."))
    except Refused:
        pass
