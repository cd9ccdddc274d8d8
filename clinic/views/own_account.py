"""One's own account: name and address, password, second factor, and where one is signed in."""
from functools import wraps

from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import codes
from clinic.access import passkeys, sessions
from clinic.access.door import ENROL
from clinic.access.rules import held, may, signed_in
from clinic.db import cipher
from clinic.db.refusals import Refused
from clinic.forms import NotificationForm
from clinic.models import ApiToken, AuthenticatorApp
from clinic.qr import qr_path
from clinic.views.pause import WRONG
from clinic.views.sign_in import REST, oneself, own_address
from clinic.web.asked import key as read_key

SECRET = "app_secret"  # noqa: S105  the session's name for it


def freshly_confirmed(view):
    """What changes the way in asks for the password again, unless it was shown a moment ago."""
    @wraps(view)
    def wrapped(request, *args, **kwargs):
        if sessions.is_confirmed(request):
            return view(request, *args, **kwargs)
        way = request.get_full_path() if request.method in ("GET", "HEAD") else resolve_url("clinic:own_account")
        return HttpResponseRedirect(f"{resolve_url('clinic:confirm')}?{urlencode({'next': way})}")
    return wrapped


@signed_in
@require_safe
def own_account(request):
    """The page of one's own account. The keys of sessions shown are the database's, which open nothing."""
    mine = request.session.row
    return render(request, "clinic/own_account.html", {
        "app": AuthenticatorApp.objects.filter(user=request.user).first(),
        "passkeys": list(request.user.passkeys.all()),
        "codes_left": request.user.recovery_codes.filter(used_at=None).count(),
        "sessions": list(request.user.sessions.open()), "this": mine.pk if mine else "",
        "notices": NotificationForm(actor=request.actor) if may(request.actor, "clinic.use_staff_pages") else None,
        "tokens": list(ApiToken.objects.visible_to(request.actor).filter(revoked_at=None).select_related("clinic"))})


@held(ENROL)
@signed_in
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request):
    """The password again, before something about the sign-in changes."""
    next_url, error, status = own_address(request, request.POST.get("next") or request.GET.get("next")), "", 200
    if request.method == "POST":
        user = authenticate(request, username=request.user.email, password=request.POST.get("password", ""))
        if user is not None and user.pk == request.user.pk:
            sessions.confirm(request)
            return HttpResponseRedirect(next_url)
        error, status = (REST, 429) if getattr(request, "axes_locked_out", False) else (WRONG, 422)
    return render(request, "clinic/confirm.html", {"error": error, "next": next_url}, status=status)


@signed_in
@require_POST
def end_session(request):
    """End one of one's own sessions."""
    if not request.user.end_session(request.POST.get("session", ""), by=oneself(request)):
        raise Http404
    messages.success(request, "That machine is signed out.")
    return redirect("clinic:own_account")


@signed_in
@require_POST
def end_other_sessions(request):
    """End all of one's own sessions but this one."""
    ended = request.user.end_other_sessions(keep=sessions.digest(request.session.session_key), by=oneself(request))
    messages.success(request, f"Signed out on {ended} other machine{'' if ended == 1 else 's'}.")
    return redirect("clinic:own_account")


@held(ENROL)
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@freshly_confirmed
@sensitive_post_parameters("code")
def second_factor_setup(request):
    """Set up an authenticator app or a passkey. The app's secret waits encrypted in the session for its first code."""
    error = ""
    if request.method == "POST":
        try:
            fresh = _add_passkey(request) if "passkey" in request.POST else _add_app(request)
        except Refused as refused:
            error = str(refused)
        else:
            return _factor_added(request, fresh, "passkey" if "passkey" in request.POST else "app")
    if SECRET not in request.session:
        request.session[SECRET] = cipher.encrypt(codes.new_secret(), "session.app_secret")
    secret = _waiting_secret(request)
    size, path = qr_path(codes.address_of(secret, request.user.email))
    return render(request, "clinic/second_factor_setup.html", {
        "error": error, "secret": " ".join(secret[start:start + 4] for start in range(0, len(secret), 4)),
        "size": size, "path": path, "must": request.held == ENROL}, status=422 if error else 200)


def _waiting_secret(request):
    return cipher.decrypt(request.session[SECRET], "session.app_secret")


def _add_app(request):
    if SECRET not in request.session:
        raise Refused("This page was open too long. Scan the new picture.")
    return request.user.add_app(_waiting_secret(request), request.POST.get("code", ""), by=oneself(request))


def _add_passkey(request):
    made = passkeys.read_added(request, request.POST["passkey"])
    return request.user.add_passkey(name=request.POST.get("name", "").strip()[:60] or "Passkey", by=oneself(request), **made)


def _factor_added(request, fresh, kind):
    request.session.pop(SECRET, None)
    request.session[sessions.SECOND] = kind
    sessions.go_on(request, request.user)
    messages.success(request, "Your second step is set up.")
    return _show_codes(request, fresh) if fresh else redirect("clinic:own_account")


def _show_codes(request, fresh):
    """The codes, this once: only their hashes are kept."""
    return render(request, "clinic/recovery_codes.html", {"codes": fresh})


@held(ENROL)
@signed_in
@require_POST
@freshly_confirmed
def passkey_to_add(request):
    """What the browser needs before it can make a passkey."""
    return JsonResponse(passkeys.options_to_add(request, request.user))


@signed_in
@require_POST
@freshly_confirmed
def app_remove(request):
    """Take the authenticator app away."""
    request.user.remove_app(by=oneself(request))
    return _factor_removed(request, "The authenticator app is taken away.")


@signed_in
@require_POST
@freshly_confirmed
def passkey_remove(request):
    """Take one passkey away."""
    request.user.remove_passkey(read_key(request.POST.get("passkey")), by=oneself(request))
    return _factor_removed(request, "The passkey is taken away.")


def _factor_removed(request, words):
    if not request.user.has_second_factor:
        request.session.pop(sessions.SECOND, None)
    sessions.go_on(request, request.user)
    messages.success(request, words)
    return redirect("clinic:own_account")


@signed_in
@require_POST
@freshly_confirmed
def recovery_codes(request):
    """New recovery codes in place of the old ones; shown once."""
    if not request.user.has_second_factor:
        raise Refused("Recovery codes stand in for an app or a passkey. Set one of these up first.")
    fresh = request.user.renew_recovery_codes(by=oneself(request))
    sessions.go_on(request, request.user)
    return _show_codes(request, fresh)
