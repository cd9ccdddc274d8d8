"""The visit that a request is about; the look at its patient is noted. And what every page about a visit shows."""
from datetime import timedelta

from clinic.access.rules import find
from clinic.audit.looks import Kind, look
from clinic.views.patients import patient_context
from scheduling.forms import ALL, ONE
from scheduling.models import Appointment
from scheduling.slots import midnight


def find_visit(request, visit_id):
    """The visit, if this actor may know of it (else 404)."""
    visit = find(Appointment.objects.select_related(
        "patient__merged_into", "appointment_type", "provider", "operatory", "clinic", "series"), request.actor, pk=visit_id)
    look(request, Kind.VIEW, visit.patient)
    return visit


def visit_of_today(actor, patient):
    """The patient's visit of today: the one in the chair, else the one that waits, else the first; None for none."""
    today, zone = actor.clinic.today(), actor.clinic.zone
    rows = Appointment.objects.visible_to(actor).of(patient).holding().between(
        midnight(today, zone), midnight(today + timedelta(days=1), zone))
    nearest = [Appointment.Status.SEATED, Appointment.Status.CHECKED_IN]
    visits = rows.select_related("appointment_type", "provider", "clinic").order_by("starts_at")
    return min(visits, key=lambda visit: nearest.index(visit.status) if visit.status in nearest else len(nearest), default=None)


def visit_page(request, patient):
    """The patient's header on a page about one visit; its buttons are left to the page."""
    return {**patient_context(request, patient.person, "visits"), "header_actions": []} if patient is not None else {}


def scope_of(request):
    """What a link of the series page asks for: this visit alone, or those that follow too."""
    return {"scope": request.GET["scope"]} if request.GET.get("scope") in (ONE, ALL) else {}
