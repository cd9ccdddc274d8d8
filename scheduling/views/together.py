"""Several of a family booked in one act: who comes and for what, the times at which all of them can, and one press books them."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.rules import find, rule
from clinic.audit.looks import Kind, look_at_each
from clinic.db.refusals import Refused
from clinic.models import Account
from clinic.web.once import once
from scheduling.families import Family
from scheduling.forms import TogetherForm, tell
from scheduling.models import Appointment
from scheduling.models.reach import last_day
from scheduling.offers import described, read_slot
from scheduling.openings import Calendar
from scheduling.refusals import SomeTaken
from scheduling.together import AHEAD, proposals


@rule("scheduling.add_appointment")
@require_http_methods(["GET", "HEAD", "POST"])
def together(request, account_id):
    """Who comes, for what, with whom and when; sent, the times at which all of them can. Nothing is written."""
    return _page(request, _form(request, account_id))


@rule("scheduling.add_appointment")
@require_POST
@once
def together_book(request, account_id):
    """Book one of those times for all of them. What was taken meanwhile is said, above the times that are free now."""
    form, refused, why = _form(request, account_id), None, []
    if form.is_valid():
        try:
            chosen = _chosen(request, form)
            visits = Appointment.book_together(by=request.actor, visits=chosen)
        except ValidationError as error:
            tell(form, error, patient="who")
        except SomeTaken as refusal:
            refused, why = f"{refusal.how_many}.", _why(request, form, chosen, refusal.taken)
        except Refused as refusal:
            refused = refusal
        else:
            look_at_each(request, Kind.CHANGE, [visit.patient for visit in visits])
            messages.success(request, _booked(request, form, visits))
            return redirect("clinic:account", account_id)
    return _page(request, form, refused, why)


def _form(request, account_id):
    """The form of this account's family; who is none of them is not found. The look at each is noted."""
    family = Family(request.actor, find(Account.objects, request.actor, pk=account_id))
    look_at_each(request, Kind.LIST, [member.patient for member in family.members])
    known = {*family.barred, *(str(member.patient.pk) for member in family.members)}
    if not known.issuperset(request.POST.getlist("who")):
        raise Http404
    return TogetherForm(request.POST if request.method == "POST" else None, actor=request.actor, family=family)


def _chosen(request, form):
    """What the pressed time books; Refused when it was found for other choices than those that came with it."""
    texts = request.POST.get("times", "").split(";")
    if request.POST.get("asked") != form.asked or len(texts) != len(form.cleaned_data["wishes"]):
        raise Refused("Something was chosen anew after these times were found.")
    return [
        {**read_slot(request, text), "patient": wish.patient, "appointment_type": wish.appointment_type}
        for wish, text in zip(form.cleaned_data["wishes"], texts, strict=True)]


def _why(request, form, chosen, taken):
    """A line for each whose time can't be had, such as: Mia 9:00: Operatory 2 is taken 9:00-9:30."""
    zone, wishes = request.actor.clinic.zone, form.cleaned_data["wishes"]
    return [f"{wishes[place].called} {chosen[place]['starts_at'].astimezone(zone):%-H:%M}: {refusal.in_short}"
            for place, refusal in taken.items()]


def _booked(request, form, visits):
    """In words, such as: Booked 2 visits on Tuesday 1 December: Mia 9:00, Ben 9:40."""
    zone = request.actor.clinic.zone
    starts = sorted((visit.starts_at.astimezone(zone), wish.called)
                    for wish, visit in zip(form.cleaned_data["wishes"], visits, strict=True))
    return f"Booked {len(visits)} visits on {starts[0][0]:%A %-d %B}: {', '.join(f'{name} {at:%-H:%M}' for at, name in starts)}."


def _page(request, form, refused=None, why=()):
    """The choices, and beside them the times for what was chosen."""
    found = _found(request, form) if form.is_bound and form.is_valid() else None
    return render(request, "scheduling/together.html", {
        "form": form, "found": found, "refused": refused, "why": why, "today": request.actor.clinic.today()},
        status=409 if refused else 422 if form.errors else 200)


def _found(request, form):
    """The times as the template draws them; `times` is what the button posts."""
    clinic, asked = request.actor.clinic, form.cleaned_data
    first = max(asked["from_day"] or clinic.today(), clinic.today())
    calendar = Calendar(clinic, first, min(first + AHEAD, last_day(clinic)))
    found = []
    for proposal in proposals(calendar, asked["wishes"], asked["mode"], after=asked["after"], before=asked["before"],
                              not_before=timezone.now()):
        rows = described(proposal.openings, calendar)
        visits = [{**row, "called": wish.called} for wish, row in zip(asked["wishes"], rows, strict=True)]
        visits.sort(key=lambda visit: visit["starts_at"])
        found.append({
            "starts_at": visits[0]["starts_at"], "ends_at": max(visit["ends_at"] for visit in visits), "visits": visits,
            "times": ";".join(row["slot"] for row in rows)})
    return found
