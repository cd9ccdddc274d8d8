"""Links that were sent to patients: the address opens its page without the secret; only that page's buttons act."""
from functools import wraps

from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from clinic.access import guessing
from clinic.access.rules import public
from clinic.models import PatientLink

KEPT = "patient_link"  # the session's name for it
TOO_MANY = "Links that don't exist were opened too often from here. Try again in half an hour."


def opener(purpose, page):
    """The view behind the address in a message: it remembers the link and shows `page`. Nothing is used up, nothing is shown."""
    @public
    @csrf_exempt  # it takes no POST; and the log of a refused token would hold the address
    @require_safe
    def open_link(request, secret):
        if guessing.source_is_locked(request):
            return render(request, "429.html", {"message": TOO_MANY}, status=429)
        link = PatientLink.objects.opened_by(secret, purpose)
        if link is None:
            request.session.pop(KEPT, None)
            guessing.count(request, guessing.account_of("", guessing.LINK))
        else:  # its key, not its secret: who reads the sessions' table must not be able to use it
            request.session[KEPT] = str(link.pk)
        response = redirect(page)
        response["Referrer-Policy"] = "no-referrer"
        return response
    return open_link


def page_of(purpose, stale):
    """A page that a remembered link opens: its view gets the link, good or not, in the patient's language and the clinic's
    time. Without one the template `stale` is shown.
    """
    def decorate(view):
        @public
        @wraps(view)
        def wrapped(request):
            link = PatientLink.objects.filter(pk=request.session.get(KEPT), purpose=purpose).select_related(
                "clinic", "patient").first() if KEPT in request.session else None
            if link is None:
                return render(request, stale)
            with translation.override(link.patient.language), timezone.override(link.clinic.zone):
                return view(request, link)
        return wrapped
    return decorate
