"""Sign-in, sign-out, the password, and the hat one wears."""
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.actor import Actor
from clinic.access.hats import SESSION_KEY, hats_of, name_of
from clinic.access.rules import public, signed_in
from clinic.audit.looks import Kind, write_event
from clinic.forms import ChangePasswordForm, SignInForm


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request):
    """The first page. A failure says the same for known and unknown addresses."""
    next_url = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(next_url, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        next_url = "/"
    if request.user.is_authenticated:
        return HttpResponseRedirect(next_url)
    form = SignInForm(request, request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            user = form.get_user()
            login(request, user)
            write_event(request, Kind.SIGN_IN, rows=0, user=user, actor=next(iter(hats_of(user)), None))
            return HttpResponseRedirect(next_url)
        write_event(request, Kind.SIGN_IN_FAILED, rows=0)
    return render(request, "clinic/sign_in.html", {"form": form, "next": next_url},
                  status=422 if form.errors else 200)


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
    """End every session of this user, on every machine."""
    request.user.sign_out_everywhere(by=_self(request))
    write_event(request, Kind.SIGN_OUT, rows=0)
    logout(request)
    messages.success(request, "You are signed out on every machine.")
    return redirect("clinic:sign_in")


@signed_in
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def password_change(request):
    """A new password; sessions on other machines end."""
    form = ChangePasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        request.user.change_password(form.cleaned_data["new_password1"], by=_self(request))
        update_session_auth_hash(request, request.user)
        messages.success(request, "Your password is changed. Other machines are signed out.")
        return redirect("/")
    return render(request, "clinic/password_change.html", {"form": form}, status=422 if form.errors else 200)


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


def _self(request):
    """The actor of one's own account; somebody without any clinic has one too."""
    return request.actor or Actor(user=request.user, clinic=None, request_id=request.request_id)
