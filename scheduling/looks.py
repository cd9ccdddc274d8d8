"""The visit that a request is about; the look at its patient is noted. And what every page about a visit shows."""
from clinic.access.rules import find
from clinic.audit.looks import Kind, look
from clinic.views.patients import patient_context
from scheduling.forms import ALL, ONE
from scheduling.models import Appointment


def find_visit(request, visit_id):
    """The visit, if this actor may know of it (else 404)."""
    visit = find(Appointment.objects.select_related(
        "patient__merged_into", "appointment_type", "provider", "operatory", "clinic", "series"), request.actor, pk=visit_id)
    look(request, Kind.VIEW, visit.patient)
    return visit


def visit_page(request, patient):
    """The patient's header on a page about one visit; its buttons are left to the page."""
    return {**patient_context(request, patient.person, "visits"), "header_actions": []} if patient is not None else {}


def scope_of(request):
    """What a link of the series page asks for: this visit alone, or those that follow too."""
    return {"scope": request.GET["scope"]} if request.GET.get("scope") in (ONE, ALL) else {}
