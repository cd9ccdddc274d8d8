"""Calendar feeds: secret addresses for other programs, made, shown once, revoked; and the calendars behind them."""
import hashlib

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.actor import Actor
from clinic.access.rules import find, public, rule
from clinic.audit.looks import Kind, write_event
from clinic.db import cipher
from clinic.web.once import once
from scheduling.calendars import written
from scheduling.forms import FeedForm
from scheduling.models import Feed, FrontDesk

MADE = "feed_made"


@public
@require_safe
def feed(request, secret):
    """A calendar behind its secret address. What names patients is on record as taken out; unchanged is 304."""
    found = Feed.opened_by(secret)
    if found is None:
        raise Http404
    text, count = written(found, timezone.now())
    etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified()
    if count:
        write_event(request, Kind.EXPORT, rows=count, actor=Actor.system(found.clinic, via="page"))
    answer = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    answer["ETag"] = etag
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@rule("scheduling.manage")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def feeds(request):
    """The addresses that stand, and a form for another one."""
    form = FeedForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        made, secret = Feed.open(by=request.actor, **form.values())
        request.session[MADE] = [str(made.pk), cipher.encrypt(secret, "session.feed_made")]
        return redirect("scheduling:feed_made")
    rows = Feed.objects.visible_to(request.actor).filter(revoked_at=None).select_related("provider", "operatory")
    return render(request, "scheduling/feeds.html", {
        "form": form, "feeds": rows, "names": FrontDesk.of(request.actor.clinic).feeds_name_patients},
        status=422 if form.errors else 200)


@rule("scheduling.manage")
@require_safe
def feed_made(request):
    """Show the new address, this once."""
    made = request.session.pop(MADE, None)
    if made is None:
        return redirect("scheduling:feeds")
    address = reverse("scheduling:feed", args=[cipher.decrypt(made[1], "session.feed_made")])
    return render(request, "scheduling/feed_made.html", {
        "feed": find(Feed.objects, request.actor, pk=made[0]), "address": request.build_absolute_uri(address)})


@rule("scheduling.manage")
@require_POST
@once
def feed_revoke(request, feed_id):
    """End an address."""
    found = find(Feed.objects, request.actor, pk=feed_id)
    found.revoke(by=request.actor)
    messages.success(request, f"The address for {found.name} is revoked.")
    return redirect("scheduling:feeds")
