"""The visit that a request is about; the look at its patient is noted."""
from clinic.access.rules import find
from clinic.audit.looks import Kind, look
from scheduling.models import Appointment


def find_visit(request, visit_id):
    """The visit, if this actor may know of it (else 404)."""
    visit = find(Appointment.objects.select_related(
        "patient", "appointment_type", "provider", "operatory", "clinic"), request.actor, pk=visit_id)
    look(request, Kind.VIEW, visit.patient)
    return visit
