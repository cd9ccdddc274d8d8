"""One's own API tokens: made with a name, shown once, revoked."""
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import find, signed_in
from clinic.db import cipher
from clinic.forms import TokenForm
from clinic.models import ApiToken
from clinic.views.own_account import freshly_confirmed
from clinic.web.asked import key
from clinic.web.once import once

MADE = "token_made"

@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@freshly_confirmed
@once
def token_new(request):
    """Make a token for what one may do here. Its secret waits encrypted in the session for the one page that shows it."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        token, secret = ApiToken.issue(by=request.actor, **form.cleaned_data)
        request.session[MADE] = [str(token.pk), cipher.encrypt(secret, "session.token_made")]
        return redirect("clinic:token_made")
    return render(request, "clinic/token_form.html", {"form": form}, status=422 if form.errors else 200)


@signed_in
@require_safe
def token_made(request):
    """Show the new token, this once."""
    made = request.session.pop(MADE, None)
    if made is None:
        return redirect("clinic:own_account")
    return render(request, "clinic/token_made.html", {
        "token": find(ApiToken.objects, request.actor, pk=made[0]), "secret": cipher.decrypt(made[1], "session.token_made")})


@signed_in
@require_POST
@once
def token_revoke(request):
    """End one of one's own tokens."""
    token = find(ApiToken.objects, request.actor, pk=key(request.POST.get("token")))
    token.revoke(by=request.actor)
    messages.success(request, f"The token for {token.name} is revoked.")
    return redirect("clinic:own_account")
