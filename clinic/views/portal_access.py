"""Who may use the portal of a patient: invited, ended, taken back by the practice."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.rules import find, rule
from clinic.audit.looks import Kind, find_patient, look
from clinic.db.refusals import Refused
from clinic.models import PortalAccess, PortalInvitation
from clinic.portal_forms import EndForm, InvitationForm
from clinic.views.patients import patient_context
from clinic.web.once import once

MOST = 30


@rule("clinic.invite_to_portal")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def portal_accesses(request, patient_id):
    """Who has access and who was invited; a POST invites."""
    patient = find_patient(request, patient_id)
    form = InvitationForm(request.POST or None, patient=patient)
    if form.is_bound and form.is_valid():
        try:
            made = PortalInvitation.invite(by=request.actor, patient=patient, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error) if not hasattr(error, "error_dict") else form._update_errors(error)
        else:
            messages.success(request, f"The invitation goes to {made.email}. Its link is good for a week.")
            return redirect("clinic:portal_accesses", patient.pk)
    return _page(request, patient, form)


@rule("clinic.invite_to_portal")
@require_POST
@once
def portal_access_end(request, access_id):
    """End somebody's access: their very next request is refused."""
    found = find(PortalAccess.objects.select_related("patient", "clinic", "user"), request.actor, pk=access_id)
    return _end(request, found, found.revoke, f"The access of {found.user} has ended.")


@rule("clinic.invite_to_portal")
@require_POST
@once
def portal_invitation_withdraw(request, invitation_id):
    """Take an invitation back: its link opens nothing any more."""
    found = find(PortalInvitation.objects.select_related("patient", "clinic", "letter__link"), request.actor, pk=invitation_id)
    return _end(request, found, found.withdraw, f"The invitation of {found.name} is taken back.")


def _end(request, row, verb, done):
    look(request, Kind.VIEW, row.patient)
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            verb(by=request.actor, because=form.cleaned_data["because"])
        except (ValidationError, Refused) as error:
            messages.error(request, " ".join(getattr(error, "messages", [str(error)])))
        else:
            messages.success(request, done)
    else:
        messages.error(request, "Write why: that stays on record.")
    return redirect("clinic:portal_accesses", row.patient.pk)


def _page(request, patient, form):
    today = patient.clinic.today()
    accesses = PortalAccess.objects.visible_to(request.actor).of(patient).select_related("user", "patient__merged_into")
    rows = [(row, row.holds(today)) for row in accesses.order_by("until", "-since", "-id")[:MOST]]
    invitations = PortalInvitation.objects.visible_to(request.actor).of(patient).filter(access=None).newest_first()
    return render(request, "clinic/portal_accesses.html", {
        **patient_context(request, patient, "overview"), "form": form, "accesses": rows,
        "invitations": [(row, row.state()) for row in invitations[:MOST]]}, status=422 if form.is_bound else 200)
