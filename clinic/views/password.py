"""The password and the address: changed by oneself, or by a link that was mailed."""
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access import sessions
from clinic.access.actor import Actor
from clinic.access.guessing import account_of
from clinic.access.rules import public, signed_in
from clinic.access.source import network_of
from clinic.audit.looks import Kind, write_event
from clinic.db.refusals import Refused
from clinic.forms import AddressForm, ChangePasswordForm, ForgottenForm, NewPasswordForm
from clinic.models import Mail, MailedLink
from clinic.views.own_account import freshly_confirmed
from clinic.views.sign_in import oneself

LINK = "mailed_link"
STALE = "This link was used, is too old, or a newer one was sent. Ask for a new one."


@signed_in
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def password_change(request):
    """A new password; sessions on other machines end."""
    form = ChangePasswordForm(request.user, request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        request.user.change_password(
            form.cleaned_data["new_password1"], by=oneself(request), keep=sessions.digest(request.session.session_key))
        sessions.go_on(request, request.user)
        messages.success(request, "Your password is changed. Other machines are signed out.")
        return redirect("clinic:own_account")
    return render(request, "clinic/password_change.html", {"form": form}, status=422 if form.errors else 200)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request):
    """Ask for a link. The answer and the work are the same for everybody: whose address it is shows when mail leaves."""
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address, now = form.cleaned_data["email"], timezone.now()
        if Mail.too_many_from(network_of(request), now):
            return render(request, "429.html", {
                "message": "Links were asked for too often from here. Nothing more is sent for an hour."}, status=429)
        Mail.write(
            Mail.Kind.RESET, address=address, site=site_of(request), source=network_of(request),
            key=f"{account_of(address)[:32]}:{int(now.timestamp() // 300)}")
        return redirect("clinic:forgotten_sent")
    return render(request, "clinic/forgotten.html", {"form": form}, status=422 if form.errors else 200)


@public
@require_safe
def forgotten_sent(request):
    return render(request, "clinic/forgotten_sent.html")


@public
@csrf_exempt  # it takes no POST; and the log of a refused token would hold the address
@require_safe
def reset_link(request, secret):
    """The mailed address: it puts the link's key into the session and shows a page without it. Nothing is used up."""
    _remember(request, secret, MailedLink.Kind.RESET)
    return _private(redirect("clinic:reset"))


@public
@sensitive_post_parameters("new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request):
    """Set the new password. It signs nobody in: the next page asks for it, and for the second factor as always."""
    link = _remembered(request, MailedLink.Kind.RESET)
    if link is None:
        return render(request, "clinic/link_stale.html", {"message": STALE})
    form = NewPasswordForm(link.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        by = Actor(user=link.user, clinic=None, request_id=request.request_id)
        link.user.reset_password(link, form.cleaned_data["new_password1"], by=by)
        request.session.flush()
        write_event(request, Kind.CHANGE, rows=0, user=link.user)
        messages.success(request, "Your new password holds. Sign in with it.")
        return redirect("clinic:sign_in")
    return render(request, "clinic/reset.html", {"form": form}, status=422 if form.errors else 200)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@freshly_confirmed
def address_change(request):
    """Ask for another address: a link goes there, and only opening it changes anything."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address, now = form.cleaned_data["email"], timezone.now()
        if Mail.too_many_from(network_of(request), now):
            raise Refused("Links were asked for too often from here. Nothing more is sent for an hour.")
        Mail.write(
            Mail.Kind.CONFIRM_ADDRESS, user=request.user, address=address, site=site_of(request), source=network_of(request),
            key=f"{request.user.pk}:{account_of(address)[:32]}:{int(now.timestamp() // 300)}")
        messages.success(request, f"A link is on its way to {address}. Until you open it, nothing changes.")
        return redirect("clinic:own_account")
    return render(request, "clinic/address_change.html", {"form": form}, status=422 if form.errors else 200)


@public
@csrf_exempt
@require_safe
def address_link(request, secret):
    """The address mailed to the new address; see `reset_link`."""
    _remember(request, secret, MailedLink.Kind.ADDRESS)
    return _private(redirect("clinic:address_confirm"))


@public
@require_http_methods(["GET", "HEAD", "POST"])
def address_confirm(request):
    """One button that makes the new address one's own."""
    link = _remembered(request, MailedLink.Kind.ADDRESS)
    if link is None:
        return render(request, "clinic/link_stale.html", {"message": STALE})
    if request.method == "POST":
        link.user.change_address(link, by=Actor(user=link.user, clinic=None, request_id=request.request_id))
        request.session.pop(LINK, None)
        write_event(request, Kind.CHANGE, rows=0, user=link.user)
        messages.success(request, f"You sign in with {link.address} from now on.")
        return redirect("clinic:sign_in")
    return render(request, "clinic/address_confirm.html", {"address": link.address})


def site_of(request):
    """Where links lead: the host that was asked, which ALLOWED_HOSTS vouches for."""
    return f"{request.scheme}://{request.get_host()}"


def _remember(request, secret, kind):
    """Keep the link's key, not its secret: who reads the sessions' table must not be able to use it."""
    link = MailedLink.objects.opened_by(secret, kind)
    if link is None:
        request.session.pop(LINK, None)
    else:
        request.session[LINK] = str(link.pk)


def _remembered(request, kind):
    return MailedLink.objects.good().filter(
        pk=request.session.get(LINK), kind=kind).select_related("user").first() if LINK in request.session else None


def _private(response):
    """The way here stays out of the Referer of whatever follows."""
    response["Referrer-Policy"] = "no-referrer"
    return response
