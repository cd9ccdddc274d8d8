"""Sign-in in one or two steps, sign-out, and the hat one wears."""
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access import guessing, passkeys, sessions
from clinic.access.actor import Actor
from clinic.access.door import ENROL, LOCKED, PENDING
from clinic.access.hats import SESSION_KEY, name_of
from clinic.access.pending import KEY as PENDING_KEY
from clinic.access.pending import wait_for_second
from clinic.access.rules import held, public, signed_in
from clinic.audit.looks import Kind, write_event
from clinic.forms import SignInForm
from clinic.models import AuthenticatorApp, RecoveryCode

REST = "Too many wrong tries, so signing in rests for 30 minutes. Then it goes on as always."
WRONG_CODE = "This is not a code that counts now. Take the one that the app shows, or another recovery code."


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request):
    """The first page. A failure says the same, and takes as long, for known, unknown, locked and disabled addresses."""
    next_url = own_address(request, request.POST.get("next") or request.GET.get("next"))
    if request.user.is_authenticated:
        return HttpResponseRedirect(next_url)
    form = SignInForm(request, request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            user = form.get_user()
            if user.has_second_factor:
                wait_for_second(request, user, next_url)
                return redirect("clinic:second_factor")
            return _let_in(request, user, next_url)
        write_event(request, Kind.SIGN_IN_FAILED, rows=0)
    rests = getattr(request, "axes_locked_out", False)
    return render(request, "clinic/sign_in.html", {"form": form, "next": next_url, "rests": REST if rests else ""},
                  status=429 if rests else 422 if form.errors else 200)


@held(PENDING)
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request):
    """The second step: a code of the app, a recovery code, or a passkey."""
    user, error, status = request.holder, "", 200
    if request.method == "POST":
        kind, status = _second_of(request, user)
        if kind:
            return _let_in(request, user, request.session[PENDING_KEY]["next"], second=kind)
        write_event(request, Kind.SIGN_IN_FAILED, rows=0, user=user)
        error = REST if status == 429 else passkeys.NOT_GOOD if "passkey" in request.POST else WRONG_CODE
    return render(request, "clinic/second_factor.html", {
        "error": error, "has_app": AuthenticatorApp.objects.filter(user=user).exists(),
        "has_passkey": user.passkeys.exists()}, status=status)


def _second_of(request, user):
    """(kind of the factor that was shown, 200), or ("", status). A locked one is not even compared."""
    account = guessing.account_of(user.email, guessing.SECOND)
    if guessing.is_locked(request, account):
        return "", 429
    code = request.POST.get("code", "")[:40]
    if "passkey" in request.POST:
        kind = "passkey" if passkeys.user_of(request, request.POST["passkey"], user) else ""
    else:
        app = AuthenticatorApp.objects.filter(user=user).first()
        kind = "app" if app and app.accept(code) else "recovery" if RecoveryCode.accept(user, code) else ""
    if kind == "recovery":
        left = user.recovery_codes.filter(used_at=None).count()
        messages.warning(request, f"That was a recovery code. {left} of {RecoveryCode.COUNT} are left; make new ones in time.")
    if not kind and guessing.wrong_second(request, user):
        return "", 429
    return kind, 200 if kind else 422


@public
@sensitive_post_parameters("passkey")
@require_POST
def sign_in_with_passkey(request):
    """A passkey alone: it proves the device and, by finger or PIN, the person, so it is both steps at once."""
    next_url = own_address(request, request.POST.get("next"))
    user = passkeys.user_of(request, request.POST.get("passkey", ""))
    if user is None:
        write_event(request, Kind.SIGN_IN_FAILED, rows=0)
        messages.error(request, passkeys.NOT_GOOD)
        return redirect("clinic:sign_in")
    return _let_in(request, user, next_url, second="passkey")


@public
@require_POST
def passkey_options(request):
    """What the browser needs before it can show a passkey: of whoever the session waits for, or of anybody."""
    return JsonResponse(passkeys.options_to_show(request, request.holder if request.held in (LOCKED, PENDING) else None))


def _let_in(request, user, next_url, second=""):
    noted = list(messages.get_messages(request))
    hats = sessions.begin(request, user, second=second)
    for message in noted:
        messages.add_message(request, message.level, message.message)
    write_event(request, Kind.SIGN_IN, rows=0, user=user, actor=next(iter(hats), None))
    return HttpResponseRedirect(next_url)


@held(LOCKED, ENROL, PENDING)
@signed_in
@require_POST
def sign_out(request):
    write_event(request, Kind.SIGN_OUT, rows=0)
    logout(request)
    messages.success(request, "You are signed out.")
    return redirect("clinic:sign_in")


@signed_in
@require_POST
def sign_out_everywhere(request):
    """End every session of this user, on every machine; and the programs' tokens, when the box is ticked."""
    request.user.sign_out_everywhere(by=oneself(request), tokens="tokens" in request.POST)
    write_event(request, Kind.SIGN_OUT, rows=0)
    logout(request)
    messages.success(request, "You are signed out on every machine.")
    return redirect("clinic:sign_in")


@signed_in
@require_POST
def switch_clinic(request):
    """Wear another of one's own hats."""
    chosen = request.POST.get("clinic", "")
    if not any(name_of(hat) == chosen for hat in request.hats):
        raise Http404
    request.session[SESSION_KEY] = chosen
    request.session.cycle_key()
    return redirect("/")


def oneself(request):
    """The actor of one's own account; somebody without any clinic has one too."""
    return request.actor or Actor(user=request.user, clinic=None, request_id=request.request_id)


def own_address(request, url):
    """This address when it is one of ours, else the first page."""
    ours = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return url if url and ours else "/"
