"""Between a session and a page: what an idle or unfinished sign-in may still open, and where it leads everybody else.

A session is held back while it waits for the password after a pause ("locked"), for the second factor right after the
password ("pending"), or for a second factor to be set up ("enrol"). Then `request.user` is nobody, `request.holder` is
who it belongs to, and only views that say `@held(…)` let the holder in.
"""
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone

from clinic.access import sessions
from clinic.access.hats import SESSION_KEY as HAT
from clinic.access.hats import name_of
from clinic.access.pending import pending_user, wait_for_second

LOCKED, PENDING, ENROL = "locked", "pending", "enrol"
WAITS_AT = {LOCKED: "clinic:unlock", PENDING: "clinic:second_factor", ENROL: "clinic:second_factor_setup"}
NOT_TO_KEEP = {"q"}  # what was searched for does not go into the address of another page


def idle(get_response):
    """Hold an idle session back; note that a person acted. What a page asks by itself is no act."""
    def middleware(request):
        request.held, request.holder = "", None
        if request.user.is_authenticated:
            row, now = request.session.row, timezone.now()
            if row is not None and sessions.is_idle(row, now):
                leave_portal(request) if in_portal(request) else hold(request, LOCKED)
            elif row is not None and not is_poll(request):
                sessions.seen(request, row, now)
        else:
            request.holder = pending_user(request)
            request.held = PENDING if request.holder else ""
        return get_response(request)
    return middleware


class Door:
    """Led by it: strangers to the sign-in page, held sessions to what they wait for. Changed rights get a new key."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated and not request.by_token:
            renew_key_when_rights_changed(request)
            if must_enrol(request) and request.user.has_second_factor:
                # It has one and did not show it: set up on another machine since, or signed in past our page.
                wait_for_second(request, request.user, way_back(request))
                hold(request, PENDING)
            elif must_enrol(request):
                hold(request, ENROL)
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.held in getattr(view, "held", ()) and request.held:
            request.user = request.holder
            return None
        if not getattr(view, "login_required", True):
            return None
        if request.held:
            return answer_held(request)
        if not request.user.is_authenticated:
            of_portal = getattr(view, "rule", "") == "clinic.use_portal"
            return lead_to(request, "clinic:portal_sign_in" if of_portal else "clinic:sign_in", 401)
        if getattr(view, "rule", "") == "held":  # it waits for nothing any more
            return HttpResponseRedirect("/")
        if not request.by_token:
            leave_lost_hat(request)
        return None


def in_portal(request):
    """Whether this session wears a patient's hat: it has no password that could unlock it."""
    hat = request.session.get(HAT)
    return hat.startswith("portal:") if hat else request.user.uses_portal_only


def leave_portal(request):
    """Sign a patient out who was away too long: a phone is left on a table."""
    logout(request)
    request.holder = None


def hold(request, state):
    request.held, request.holder = state, request.user
    request.user, request.actor, request.hats = AnonymousUser(), None, []


def is_poll(request):
    return "X-Poll" in request.headers


def is_fetched(request):
    """Whether a script asked, which can't be led to another page."""
    return request.headers.get("HX-Request") == "true" or request.headers.get("Sec-Fetch-Dest") == "empty"


def must_enrol(request):
    """Whether this user's clinics, or the installation, ask for a second factor that this session has not shown."""
    if request.session.get(sessions.SECOND):
        return False
    if request.user.is_superuser:
        return settings.SUPERUSER_SECOND_FACTOR
    return any(hat.hat == "staff" and hat.clinic.requires_second_factor for hat in request.hats)


def renew_key_when_rights_changed(request):
    """A stolen key must not gain what its owner was just given, nor keep what was just taken."""
    known, now = request.session.get(sessions.RIGHTS), sessions.rights_of(request.user, request.hats)
    if known is not None and known != now:
        request.session.cycle_key()
        request.session[sessions.RIGHTS] = now
        if request.session.get(sessions.SECOND) and not request.user.has_second_factor:
            del request.session[sessions.SECOND]


def leave_lost_hat(request):
    """The hat one wore is gone: what was written under it must not be done under another one unseen."""
    chosen = request.session.get(HAT)
    if not chosen or request.actor is None or name_of(request.actor) == chosen:
        return
    if request.method in ("GET", "HEAD") and not is_fetched(request):
        request.session[HAT] = name_of(request.actor)
        messages.warning(request, f"Your access there has ended. You are in {request.actor.clinic} now.")
    else:
        request.actor = request.user.actor = None


def answer_held(request):
    if is_fetched(request):
        answer = HttpResponse(
            "Locked after a pause. Type your password to go on." if request.held == LOCKED
            else "Your sign-in is not complete.", status=401, content_type="text/plain; charset=utf-8")
        answer["X-Session"] = request.held
        return answer
    return lead_to(request, WAITS_AT[request.held], 401)


def lead_to(request, route, status):
    """A redirect that remembers the way; a script gets its status instead, never a page inside a fragment."""
    url, way = resolve_url(route), way_back(request)
    if way != "/":
        url = f"{url}?{urlencode({'next': way}, safe='/')}"
    if not is_fetched(request):
        return HttpResponseRedirect(url)
    answer = HttpResponse(status=status)
    answer["HX-Redirect"] = url
    answer["X-Session"] = "out"
    return answer


def way_back(request):
    """Where to go on afterwards: this page, or the one on which a form stood; without what was searched for."""
    came = request.get_full_path() if request.method in ("GET", "HEAD") else request.headers.get("Referer", "/")
    try:
        parts = urlsplit(came)
    except ValueError:  # a Referer that is no address
        return "/"
    if parts.netloc and parts.netloc != request.get_host():
        return "/"
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name not in NOT_TO_KEEP])
    return f"{parts.path or '/'}{f'?{query}' if query else ''}"
