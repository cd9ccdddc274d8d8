"""Sets `request.actor` from the session, and the way in."""
from dataclasses import replace

from django.utils import timezone

from clinic.access.hats import SESSION_KEY, hats_of, name_of


def actor(get_response):
    def middleware(request):
        request.actor, request.hats = None, []
        if request.user.is_authenticated:
            request.hats = [replace(hat, request_id=request.request_id) for hat in hats_of(request.user)]
            chosen = request.session.get(SESSION_KEY)
            request.actor = next((hat for hat in request.hats if name_of(hat) == chosen), None)
            if request.actor is None and request.hats:
                request.actor = request.hats[0]
            request.user.actor = request.actor
        if request.actor is None:
            return get_response(request)
        with timezone.override(request.actor.clinic.zone):  # everything shown is by the clinic's wall clock
            return get_response(request)
    return middleware
