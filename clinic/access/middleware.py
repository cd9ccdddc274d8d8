"""Sets `request.actor` from the session or from a program's token, and the way in."""
from dataclasses import replace

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from clinic.access import bearer
from clinic.access.hats import SESSION_KEY, hats_of, name_of
from clinic.web.problems import is_api


def actor(get_response):
    def middleware(request):
        request.actor, request.hats, request.by_token = None, [], False
        via = "api" if is_api(request) else "page"
        secret = bearer.secret_of(request) if via == "api" else None
        if secret is not None:  # a token that is no longer good does not fall back to a session
            request.by_token = True
            found = bearer.actor_of(secret)
            request.user = found.user if found else AnonymousUser()
            request.actor = found and replace(found, request_id=request.request_id, via=via)
            request.user.actor = request.actor
        elif request.user.is_authenticated:
            request.hats = [replace(hat, request_id=request.request_id, via=via) for hat in hats_of(request.user)]
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
