"""Series: planned line by line, then booked or moved in one go."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access.rules import find, may, rule
from clinic.audit.looks import Kind, find_patient, look
from clinic.db.refusals import Refused
from clinic.models import Operatory, Provider
from clinic.web.asked import key, moment, whole
from clinic.web.csv_out import wants_csv
from clinic.web.once import once
from scheduling.listing import visits_csv
from scheduling.looks import find_visit, visit_page
from scheduling.models import AppointmentType, Series
from scheduling.models.appointment import refuse_what_cannot_be
from scheduling.offers import described, posted_slot, slot_text
from scheduling.openings import nearest
from scheduling.plans import Line, Plan, shifted, weekly

LONGEST_NOTE = 2000


def start(request, patient, values, times, every_weeks):
    """The plan of a series as the booking form asks for it; ValidationError when that provider does not do this type."""
    clinic, kind = request.actor.clinic, values["appointment_type"]
    refuse_what_cannot_be(values["operatory"], values["provider"], kind, values["provider"], kind)
    local = values["starts_at"].astimezone(clinic.zone)
    minutes = int((values["ends_at"] - values["starts_at"]).total_seconds() // 60)
    lines = [
        Line(at, minutes, values["operatory"], values["provider"], values.get("doctor"))
        for at in weekly(local.date(), every_weeks, times, local.time(), clinic.zone)]
    plan = Plan(clinic, patient, kind, lines).look()
    return _page(request, plan, every_weeks=every_weeks, note=values["note"])


def start_move(request, visit, changed):
    """The plan of moving a visit and those of its series that follow, as far as the first one moves."""
    clinic, visits = request.actor.clinic, list(visit.series.following(visit).select_related("operatory", "provider"))
    starts_at = changed.get("starts_at", visit.starts_at)
    length = changed["ends_at"] - starts_at if "ends_at" in changed else None
    lines = [
        Line(at, int(length.total_seconds() // 60) if length else row.minutes, changed.get("operatory") or row.operatory,
             changed.get("provider") or row.provider, visit_id=row.pk, version=row.version)
        for row, at in zip(visits, shifted(visits, visit.starts_at, starts_at, clinic.zone), strict=True)]
    plan = Plan(clinic, visit.person, visit.appointment_type, lines).look()
    return _page(request, plan, visit=visit)


@rule("scheduling.add_appointment")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def series_plan(request):
    """Decide about one line of a new series, or book them all. Without a plan, as after a reload, begin by booking."""
    if request.method != "POST":
        return redirect("scheduling:book")
    patient = find_patient(request, key(request.POST.get("patient")), related=("primary_provider",))
    kind = find(AppointmentType.objects, request.actor, pk=key(request.POST.get("appointment_type")))
    every_weeks = whole(request.POST.get("every_weeks"), default=1)
    note = request.POST.get("note", "")[:LONGEST_NOTE]
    plan = _decided(request, Plan(request.actor.clinic, patient, kind, _lines(request))).look()
    refused = None
    if "book" in request.POST and plan.open is None:
        try:
            series = Series.book(
                by=request.actor, patient=patient, every_weeks=every_weeks,
                visits=[{**line.values(), "appointment_type": kind, "note": note} for line in plan.chosen])
        except (ValidationError, Refused) as refusal:  # taken meanwhile, or not to be booked at all
            refused = refusal
            plan.look()
        else:
            messages.success(request, f"Booked: {len(plan.chosen)} visits, {series}.")
            return redirect("scheduling:series", series.pk)
    return _page(request, plan, every_weeks=every_weeks, note=note, refused=refused)


@rule("scheduling.change_appointment")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def series_move(request, visit_id):
    """Decide about one line of the visits that move, or move them all. Without a plan, begin by moving the visit."""
    visit = find_visit(request, visit_id)
    if visit.series is None:
        raise Http404
    if request.method != "POST":
        return redirect("scheduling:move", visit.pk)
    plan = _decided(request, Plan(request.actor.clinic, visit.person, visit.appointment_type, _lines(request))).look()
    refused = None
    if "book" in request.POST and plan.open is None:
        visits = {row.pk: row for row in visit.series.visits.filter(pk__in=[line.visit_id for line in plan.chosen])}
        moves = {visits[line.visit_id]: _changes(visits[line.visit_id], line) for line in plan.chosen if line.visit_id in visits}
        try:
            visit.series.move(by=request.actor, moves=moves)
        except (ValidationError, Refused) as refusal:  # taken meanwhile, or somebody changed one of them
            refused = refusal
            plan.look()
        else:
            messages.success(request, f"Moved: {len(moves)} visits.")
            return redirect("scheduling:series", visit.series_id)
    return _page(request, plan, visit=visit, refused=refused)


@rule("scheduling.view_appointment")
@require_safe
def series(request, series_id):
    """The visits of a series."""
    series = find(Series.objects.select_related("patient"), request.actor, pk=series_id)
    look(request, Kind.VIEW, series.patient)
    if wants_csv(request):
        return visits_csv(request, "series", series.visits.all(), patient=series.patient.person)
    visits = list(series.visits.select_related("operatory", "provider", "appointment_type").order_by("starts_at"))
    coming = [row for row in visits if row.status in row.EXPECTED and row.starts_at >= timezone.now()]
    return render(request, "scheduling/series.html", {
        **visit_page(request, series.patient), "patient": series.patient.person, "series": series, "visits": visits,
        "next": coming[0] if coming else None,
        "may_move": may(request.actor, "scheduling.change_appointment"), "may_cancel": may(request.actor, "scheduling.cancel")})


def cancel_following(request, visit, reason):
    """Cancel a visit and those of its series that follow; says how many."""
    cancelled = visit.series.cancel_from(visit, by=request.actor, because=reason)
    messages.success(request, f"Cancelled: {len(cancelled)} visits of {visit.person.name}.")
    return redirect("scheduling:series", visit.series_id)


def _changes(visit, line):
    """What of a visit's time, chair and provider is to be changed; the version that the plan saw goes with it."""
    values = {name: value for name, value in line.values().items() if getattr(visit, name, None) != value}
    return {"starts_at": line.starts_at, **values, "version": line.version}


def _lines(request):
    """The posted lines; 404 for what no page of ours sends."""
    operatories = {str(row.pk): row for row in Operatory.objects.visible_to(request.actor)}
    providers = {str(row.pk): row for row in Provider.objects.visible_to(request.actor)}
    lines = []
    for text in request.POST.getlist("line")[:Series.MOST]:
        parts = text.split("|")
        at = moment(parts[0])
        if len(parts) != 8 or at is None or at.tzinfo is None:
            raise Http404
        _, minutes, operatory, provider, doctor, left_out, visit_id, version = parts
        if operatory not in operatories or provider not in providers or (doctor and doctor not in providers):
            raise Http404
        lines.append(Line(
            at, max(5, whole(minutes, default=5)), operatories[operatory], providers[provider], providers.get(doctor),
            left_out == "out", key(visit_id) if visit_id else None, whole(version) if visit_id else None))
    if not lines:
        raise Http404
    return lines


def _written(line):
    """A line as its hidden field holds it."""
    return "|".join([
        line.starts_at.isoformat(), str(line.minutes), str(line.operatory.pk), str(line.provider.pk),
        str(line.doctor.pk) if line.doctor else "", "out" if line.left_out else "in", str(line.visit_id or ""),
        str(line.version or "")])


def _decided(request, plan):
    """The plan with what was just pressed: a free time for one line (`slot`), or `leave` and `take` by its place."""
    for name, left_out in (("leave", True), ("take", False)):
        place = whole(request.POST.get(name), default=len(plan.lines))
        if place < len(plan.lines):
            plan.decide(place, left_out=left_out)
    slot, place = posted_slot(request), whole(request.POST.get("place"), default=len(plan.lines))
    if slot is not None and place < len(plan.lines):
        plan.decide(place, **slot)
    return plan


def _page(request, plan, visit=None, refused=None, **more):
    """The plan as a page: the first line that is taken stands open, with the free times closest to it.

    A single visit that is left of a new series is booked by itself (`alone`), as the booking form would.
    """
    zone, open_at = request.actor.clinic.zone, plan.open
    offers = []
    if open_at is not None:
        line = plan.lines[open_at]
        found, calendar = nearest(
            plan.clinic, plan.appointment_type, line.starts_at, minutes=line.minutes, provider_id=line.provider.pk,
            patient=plan.patient, now=timezone.now(), count=4)
        offers = described(found, calendar)
    rows = [{
        "place": place, "line": line, "written": _written(line),
        "sentences": [conflict.sentence(zone) for conflict in plan.taken.get(place, ())],
        "is_open": place == open_at, "outside": place in plan.outside} for place, line in enumerate(plan.lines)]
    alone = plan.chosen[0] if visit is None and len(plan.chosen) == 1 and open_at is None else None
    return render(request, "scheduling/series_plan.html", {
        **visit_page(request, plan.patient), "patient": plan.patient, "plan": plan, "rows": rows, "offers": offers,
        "visit": visit, "open": len(plan.taken), "booked": len(plan.chosen), "alone": alone and {
            "minutes": alone.minutes,
            "slot": slot_text(alone.starts_at, alone.operatory.pk, alone.provider.pk, alone.doctor and alone.doctor.pk)},
        "refused": " ".join(refused.messages) if isinstance(refused, ValidationError) else refused, **more},
        status=422 if isinstance(refused, ValidationError) else 409 if refused else 200)
