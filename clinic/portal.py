"""The patient's own pages."""
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic import hooks
from clinic.access.rules import find, rule
from clinic.audit.looks import Kind, look
from clinic.models import Patient


@rule("clinic.use_portal")
@require_safe
def home(request):
    """Where I am, and what is next."""
    patient = find(Patient.objects.select_related("clinic"), request.actor, pk=request.actor.patient.pk)
    look(request, Kind.VIEW, patient)
    return render(request, "clinic/portal_home.html", {"patient": patient, "panels": hooks.portal_panels(request.actor)})
