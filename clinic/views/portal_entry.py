"""The ways into the portal: an invitation that is confirmed, a mailed code; and out of it."""
from functools import wraps

from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access import guessing, sessions
from clinic.access.actor import Actor
from clinic.access.pending import wait_for_second
from clinic.access.rules import public, signed_in
from clinic.access.source import network_of
from clinic.audit.looks import Kind, write_event
from clinic.db.refusals import Refused
from clinic.models import PortalInvitation, SignInCode
from clinic.portal_forms import AddressForm, BirthDateForm, CodeForm
from clinic.views.patient_links import opener, page_of
from clinic.views.sign_in import own_address

ASKED = "sign_in_code"  # the session's name for the code that was asked for here
WRONG = gettext_lazy("This code does not fit, or it is too old. Look at the newest letter, or ask for another code.")
TOO_OFTEN = gettext_lazy("Too many codes were asked for from here. Try again in an hour.")
portal_invitation = opener(PortalInvitation.PURPOSE, "clinic:portal_join")


def in_own_language(view):
    """For whoever has not said who they are: the language of their browser, if we have it."""
    @wraps(view)
    def wrapped(request, *args, **kwargs):
        with translation.override(translation.get_language_from_request(request)):
            return view(request, *args, **kwargs)
    return wrapped


@page_of(PortalInvitation.PURPOSE, "clinic/portal_stale.html")
@sensitive_post_parameters("born")
@require_http_methods(["GET", "HEAD", "POST"])
def portal_join(request, link):
    """What the link of an invitation opens: the practice's name and a button. The birth date, then one is in."""
    invitation = PortalInvitation.objects.select_related("patient__clinic").get(letter__link=link)
    if invitation.state() != PortalInvitation.State.WAITING or not link.is_good():
        return render(request, "clinic/portal_stale.html", {"clinic": link.clinic})
    form = BirthDateForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            user = invitation.accept(by=Actor.of_link(link, request_id=request.request_id), born=form.cleaned_data["born"])
        except (ValidationError, Refused) as error:
            guessing.count(request, guessing.account_of("", guessing.LINK))
            form.add_error("born", _(getattr(error, "messages", [str(error)])[0]))
        else:
            return _enter(request, user, "/")
    return render(request, "clinic/portal_join.html", {
        "clinic": link.clinic, "form": form, "invitation": invitation}, status=422 if form.is_bound else 200)


@public
@in_own_language
@require_http_methods(["GET", "HEAD", "POST"])
def portal_sign_in(request):
    """Ask for a code. The answer is the same, and takes as long, whether or not somebody has this address."""
    if request.user.is_authenticated:
        return redirect("/")
    form, status = AddressForm(request.POST or None), 200
    if form.is_bound and form.is_valid():
        code = SignInCode.ask(form.cleaned_data["email"], source=network_of(request))
        if code is not None:
            next_url = own_address(request, request.POST.get("next"))
            request.session[ASKED] = {"key": str(code.pk), "address": form.cleaned_data["email"], "next": next_url}
            return redirect("clinic:portal_code")
        form.add_error(None, TOO_OFTEN)
        status = 429
    return render(request, "clinic/portal_sign_in.html", {
        "form": form, "next": request.GET.get("next", "")}, status=status if status == 429 or not form.errors else 422)


@public
@in_own_language
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def portal_code(request):
    """The six digits, typed in the browser that asked for them."""
    asked = request.session.get(ASKED)
    if asked is None:
        return redirect("clinic:portal_sign_in")
    form, status = CodeForm(request.POST or None), 200
    if form.is_bound and form.is_valid():
        user, status = _user_of(request, asked, form.cleaned_data["code"])
        if user is not None:
            return _enter(request, user, asked["next"])
        write_event(request, Kind.SIGN_IN_FAILED, rows=0)
        form.add_error("code", WRONG)
    return render(request, "clinic/portal_code.html", {
        "form": form, "address": asked["address"]}, status=status if status != 200 or not form.errors else 422)


def _user_of(request, asked, code):
    """(whose code this is, 200), or (None, status). Who guesses too often waits, and is not compared."""
    account = guessing.account_of(asked["address"], guessing.CODE)
    if guessing.is_locked(request, account):
        return None, 429
    row = SignInCode.objects.filter(pk=asked["key"]).first()
    user = row.accept(code) if row else None
    if user is None:
        guessing.count(request, account)
        return None, 422
    guessing.forget(account)
    return user, 200


@signed_in
@require_POST
def portal_sign_out(request):
    """Leave the portal; the next page is its own sign-in."""
    write_event(request, Kind.SIGN_OUT, rows=0)
    logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("clinic:portal_sign_in")


def _enter(request, user, next_url):
    """In, or to the second step of who has one: neither a letter nor a birth date goes past it."""
    if user.has_second_factor:
        wait_for_second(request, user, next_url)
        return redirect("clinic:second_factor")
    hats = sessions.begin(request, user)
    write_event(request, Kind.SIGN_IN, rows=0, user=user, actor=next(iter(hats), None))
    return redirect(next_url)
