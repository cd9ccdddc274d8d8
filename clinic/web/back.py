"""Back to where a button stood, never out of the house."""
from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme


def back(request, to, *args):
    """Redirect to the form's `back` when that is one of our own pages, else to the page `to`."""
    wanted = request.POST.get("back", "")
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(wanted if wanted and ours else resolve_url(to, *args))
