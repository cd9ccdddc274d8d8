"""The lock after a pause: who sits here says the password and goes on where they were."""
from django.contrib.auth import authenticate
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token, rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access import passkeys, sessions
from clinic.access.door import LOCKED, is_fetched
from clinic.access.rules import held, public, signed_in
from clinic.audit.looks import Kind, write_event
from clinic.views.sign_in import REST, own_address

WRONG = "This is not your password."


@held(LOCKED)
@sensitive_post_parameters("password", "passkey")
@require_http_methods(["GET", "HEAD", "POST"])
def unlock(request):
    """Go on within the absolute limit: the password or a passkey of the same person; the page's sheet posts here too."""
    next_url, error, status = own_address(request, request.POST.get("next") or request.GET.get("next")), "", 200
    if request.method == "POST":
        error, status = _check(request)
        if not error:
            sessions.unlock(request)
            write_event(request, Kind.UNLOCK, rows=0)
            if not is_fetched(request):
                # The token stays, so that the form one finds with the browser's Back can still be sent.
                return HttpResponseRedirect(next_url)
            rotate_token(request)
            return JsonResponse({"csrf": get_token(request)})
        write_event(request, Kind.SIGN_IN_FAILED, rows=0)
        if is_fetched(request):
            return JsonResponse({"error": error}, status=status)
    return render(request, "clinic/unlock.html", {
        "error": error, "next": next_url, "has_passkey": request.holder.passkeys.exists()}, status=status)


def _check(request):
    """("", 200) when it is the same person, else (why not, status)."""
    if "passkey" in request.POST:
        fits = passkeys.user_of(request, request.POST["passkey"], request.holder) is not None
        return ("", 200) if fits else (passkeys.NOT_GOOD, 422)
    user = authenticate(request, username=request.holder.email, password=request.POST.get("password", ""))
    if user is not None and user.pk == request.holder.pk:
        return "", 200
    return (REST, 429) if getattr(request, "axes_locked_out", False) else (WRONG, 422)


@signed_in
@require_POST
def lock(request):
    """Wait for the password from now on: pressed by somebody who leaves, or by a page that was left alone."""
    sessions.lock(request)
    return HttpResponse(status=204) if is_fetched(request) else redirect("clinic:unlock")


@signed_in
@require_POST
def seen(request):
    """That somebody types or points on a page which has nothing to ask; `clinic.access.door` notes it."""
    return HttpResponse(status=204)


@public
@require_safe
def state(request):
    """How the session stands, for a page that wonders: open, locked or out; whose it is; a token for its forms."""
    who = request.user if request.user.is_authenticated else request.holder if request.held == LOCKED else None
    return JsonResponse({
        "state": "open" if request.user.is_authenticated else "locked" if who else "out",
        "who": str(who.pk) if who else "", "csrf": get_token(request)})
