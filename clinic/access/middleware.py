"""Sets `request.user`, and `request.actor` from the session or from a program's token, and the way in."""
from contextlib import nullcontext
from dataclasses import replace

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from clinic.access import bearer
from clinic.access.hats import SESSION_KEY, hats_of, name_of
from clinic.web.problems import is_api


class Authentication(AuthenticationMiddleware):
    """Django's, but the user comes with the session's row instead of by a question of their own."""

    def process_request(self, request):
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request.session))


def user_of(session):
    """Who this session belongs to, by the rules of `django.contrib.auth.get_user`: else nobody."""
    if session.get(USER_KEY) is None or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return AnonymousUser()
    user, known = session.row.user, session.get(HASH_SESSION_KEY, "")
    if user is None or not user.is_active:
        return AnonymousUser()
    if constant_time_compare(known, user.get_session_auth_hash()):
        return user
    if any(constant_time_compare(known, older) for older in user.get_session_auth_fallback_hash()):
        session.cycle_key()  # SECRET_KEY was changed, and the one before is still good
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        return user
    session.flush()
    return AnonymousUser()


def language_of(actor):
    """Patients, and who acts for them, read in the patient's language; staff in English."""
    return translation.override(actor.patient.language) if actor.hat == "portal" else nullcontext()


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
        with timezone.override(request.actor.clinic.zone), language_of(request.actor):  # all that is shown is by the clinic's clock
            return get_response(request)
    return middleware
