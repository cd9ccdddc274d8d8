"""Booking, moving, walk-ins, and what is still free."""
from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import find, may, rule
from clinic.audit.looks import find_patient
from clinic.db.refusals import Refused, Stale
from clinic.models import Provider
from clinic.web.asked import key, moment, whole
from clinic.web.back import back
from clinic.web.conflicts import conflict_page, who_saved
from clinic.web.once import once
from scheduling import hooks
from scheduling.forms import NextFreeForm, VisitForm, tell
from scheduling.looks import find_visit, scope_of, visit_page
from scheduling.models import Appointment, AppointmentType
from scheduling.offers import described, filled, posted_place, posted_slot, spread
from scheduling.openings import Calendar, nearest
from scheduling.refusals import TimeTaken
from scheduling.views import series

AHEAD = timedelta(days=42)
MOST_CARRIED = 40


@rule("scheduling.add_appointment")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def book(request):
    """Book a visit: by the fields, or by one of the free times beside them (`slot`)."""
    patient = _patient(request)
    carried = _carried(request, patient)
    form = VisitForm(
        _with_slot(request) if request.method == "POST" else None, actor=request.actor,
        initial=_initial(request, carried),
        may_double_book=may(request.actor, "scheduling.double_book"))
    taken = None
    if request.method == "POST" and patient is not None and form.is_valid():
        try:
            values = filled(request, form, patient)
            if form.repeats:
                return series.start(request, patient, values, **form.repeats)
            with transaction.atomic():
                visit = Appointment.book(by=request.actor, patient=patient, **values)
                for take in hooks.carry if carried else ():
                    take(request.actor, visit, [each.key for each in carried])
        except ValidationError as error:
            tell(form, error, starts_at="day", ends_at="minutes")
        except TimeTaken as refusal:
            taken = refusal
        else:
            local = visit.starts_at.astimezone(request.actor.clinic.zone)
            messages.success(request, f"Booked: {visit.appointment_type}, {local:%A %-d %B %-H:%M}, {visit.operatory}.")
            warn_outside_hours(request, visit)
            return back(request, "clinic:patient", patient.pk)
    return render(request, "scheduling/book.html", {
        **visit_page(request, patient), "form": form, "patient": patient, "taken": taken, "carried": carried,
        "nearest": _nearest(request, form, patient) if taken else [],
        **_free(request, patient, form), "may_register": may(request.actor, "clinic.add_patient"),
    }, status=409 if taken else 422 if form.is_bound else 200)


@rule("scheduling.add_appointment")
@require_safe
def next_free(request):
    """The free times alone, for the form that is being filled in."""
    patient = _patient(request)
    return render(request, "scheduling/_free_times.html", {**_free(request, patient), "patient": patient})


@rule("scheduling.change_appointment")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def move(request, visit_id):
    """Move, resize, or give to another chair or provider, by the form."""
    visit = find_visit(request, visit_id)
    local = visit.starts_at.astimezone(request.actor.clinic.zone)
    initial = {
        "appointment_type": visit.appointment_type_id, "provider": visit.provider_id, "operatory": visit.operatory_id,
        "day": local.date(), "time": local.time(), "minutes": visit.minutes, "note": visit.note, "version": visit.version,
        **scope_of(request)}
    form = VisitForm(_with_slot(request) if request.method == "POST" else None, actor=request.actor, initial=initial,
                     may_double_book=may(request.actor, "scheduling.double_book"),
                     following=visit.series.after(visit) if visit.series else 0)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            changed = form.changes(visit)
            if form.is_for_all:
                return series.start_move(request, visit, changed)
            if (slot := posted_slot(request)) is not None:
                changed["doctor"] = slot["doctor"]
            visit.reschedule(by=request.actor, version=form.cleaned_data["version"], **changed)
        except ValidationError as error:
            tell(form, error, starts_at="day", ends_at="minutes")
        except Stale as stale:
            return conflict_page(
                request, form.differences(stale.current), version_field="version", version=stale.current.version,
                who=who_saved(stale.current), back=reverse("scheduling:visit", args=[visit.pk]),
                context=visit_page(request, visit.person))
        except Refused as refusal:
            refused = refusal
        else:
            messages.success(request, "Saved.")
            warn_outside_hours(request, visit)
            return redirect("scheduling:visit", visit.pk)
    taken = refused if isinstance(refused, TimeTaken) else None
    if form.is_bound:  # a refused move has changed only the copy in memory
        visit.refresh_from_db()
    return render(request, "scheduling/move.html", {
        **visit_page(request, visit.person), "form": form, "visit": visit, "patient": visit.person, "taken": taken,
        "refused": refused,
        "nearest": _nearest(request, form, visit.person) if taken else [], **_free(request, visit.person, form),
    }, status=409 if refused else 422 if form.is_bound else 200)


@rule("scheduling.change_appointment")
@require_POST
@once
def drop(request, visit_id):
    """A card was dropped or pushed by keys: new start, length, column. A refusal is one line."""
    visit = find_visit(request, visit_id)
    values = posted_place(request)
    values = {name: value for name, value in values.items() if getattr(visit, name) != value}
    try:
        visit.reschedule(by=request.actor, version=whole(request.POST.get("version")), **values)
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    return redirect("scheduling:schedule")


@rule("scheduling.add_appointment")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def walk_in(request):
    """Somebody stands at the desk: what is free from now on today; one click books it and checks them in."""
    patient = _patient(request)
    now = timezone.now()
    if request.method == "POST" and patient is not None:
        slot = posted_slot(request)
        if slot is None:
            raise Http404
        kind = find(AppointmentType.objects, request.actor, pk=key(request.POST.get("appointment_type")))
        with transaction.atomic():
            visit = Appointment.book(
                by=request.actor, patient=patient, operatory=slot["operatory"], provider=slot["provider"],
                appointment_type=kind, starts_at=slot["starts_at"], doctor=slot["doctor"], is_walk_in=True)
            if may(request.actor, "scheduling.check_in"):
                visit.check_in(by=request.actor)
        messages.success(request, f"{patient.name} is checked in for {visit.operatory}.")
        return redirect("scheduling:today")
    offers = _offers(request, patient, now)
    return render(request, "scheduling/walk_in.html", {
        **visit_page(request, patient), "patient": patient, "offers": offers,
        "anything": any(openings for _, openings in offers),
        "nothing_for": [kind.name for kind, openings in offers if not openings]})


def warn_outside_hours(request, visit):
    """Booked all the same, but said: nobody works then, or the practice is closed."""
    day = visit.starts_at.astimezone(request.actor.clinic.zone).date()
    if not Calendar(request.actor.clinic, day, day).works(visit.provider_id, visit.starts_at, visit.ends_at):
        messages.warning(request, f"{visit.provider} does not work at that time. Check the hours, or move the visit.")


def _offers(request, patient, now):
    """[(type, the first free times from now on today)]."""
    clinic = request.actor.clinic
    if patient is None:
        return []
    calendar = Calendar(clinic, clinic.today(now), clinic.today(now))
    offers = []
    for kind in AppointmentType.objects.visible_to(request.actor).current():
        found = calendar.openings(kind, not_before=now - timedelta(minutes=10), patient=patient)
        offers.append((kind, described([opening for opening, _ in zip(found, range(3), strict=False)], calendar)))
    return offers


def _free(request, patient, form=None):
    """The next free times for what the form asks, as rows for the template."""
    asked = NextFreeForm(_asked(request, form), actor=request.actor)
    data = asked.cleaned_data if asked.is_valid() else {}
    kind = data.get("appointment_type") or AppointmentType.objects.visible_to(request.actor).current().first()
    if kind is None:
        return {"free": [], "asked": asked, "free_kind": None}
    clinic = request.actor.clinic
    first = max(data.get("from_day") or clinic.today(), clinic.today())
    calendar = Calendar(clinic, first, first + AHEAD)
    found = calendar.openings(
        kind, provider_id=data["provider"].pk if data.get("provider") else None, minutes=data.get("minutes"),
        part_of_day=data.get("part_of_day", ""), not_before=timezone.now(), patient=patient)
    return {"free": described(spread(found), calendar), "asked": asked, "free_kind": kind}


def _nearest(request, form, patient):
    """Free times close to the one that was refused, as the form would post them."""
    data = form.cleaned_data
    found, calendar = nearest(
        request.actor.clinic, data["appointment_type"], data["starts_at"], minutes=data.get("minutes"),
        provider_id=data["provider"].pk if data["provider"] else None, patient=patient, now=timezone.now())
    return described(found, calendar)


def _asked(request, form):
    """What the free times are looked for: what the form holds now, else what it began with."""
    data = request.POST if request.method == "POST" else request.GET
    asked = {name: data.get(name, "") for name in ("appointment_type", "provider", "minutes", "part_of_day", "from_day")}
    if form is not None and not form.is_bound:
        asked |= {name: asked[name] or form.initial.get(name) or "" for name in ("appointment_type", "provider", "minutes")}
    return asked


def _carried(request, patient):
    """What the visit is booked for, as later apps tell it."""
    keys = [key(text) for text in (request.POST or request.GET).getlist("carries")[:MOST_CARRIED]]
    return [each for found in hooks.carried(request.actor, patient, keys) for each in found] if patient and keys else []


def _initial(request, carried=()):
    """What the address says: a cell of the grid, a type, a provider; as long as what it is booked for takes."""
    clinic = request.actor.clinic
    names = ("appointment_type", "provider", "operatory", "minutes")
    initial = {name: request.GET[name] for name in names if request.GET.get(name)}
    if carried:
        initial.setdefault("minutes", max(5, min(sum(each.minutes for each in carried), 480)))
        initial.setdefault("provider", next((each.provider for each in carried if each.provider), None))
        asked = key(str(initial["provider"])) if initial["provider"] else None
        provider = Provider.objects.visible_to(request.actor).filter(pk=asked).first()
        kind = AppointmentType.for_work(request.actor, provider, [each.code for each in carried])
        initial.setdefault("appointment_type", kind and kind.pk)
    at = moment(request.GET.get("at"))
    if at is None:
        return initial | {"day": clinic.today()}
    local = at.astimezone(clinic.zone) if at.tzinfo else at
    initial["day"] = local.date()
    if "T" in request.GET["at"]:  # a day alone leaves the time open
        initial["time"] = local.time()
    return initial


def _with_slot(request):
    """The posted fields; a pressed free time puts its own day, time, chair and provider in their place."""
    slot = posted_slot(request)
    if slot is None:
        return request.POST
    data = request.POST.copy()
    local = slot["starts_at"].astimezone(request.actor.clinic.zone)
    data["day"], data["time"] = local.date().isoformat(), f"{local:%H:%M}"
    data["operatory"], data["provider"] = str(slot["operatory"].pk), str(slot["provider"].pk)
    return data


def _patient(request):
    asked = request.POST.get("patient") or request.GET.get("patient")
    if not asked:
        return None
    return find_patient(request, key(asked), related=("primary_provider",))
