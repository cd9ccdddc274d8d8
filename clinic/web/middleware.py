"""What holds for every request: an id, no caching, and refusals as clear answers."""
import logging
import re
from io import BytesIO
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from clinic.db.keys import uuid7
from clinic.db.refusals import Merged, Refused, constraint_name

logger = logging.getLogger("chairside.request")
NOT_TYPED = {"csrfmiddlewaretoken", "once", "version", "seen_number", "patient"}
KNOWN_ID = re.compile(r"[0-9a-f-]{36}")


def request_id(get_response):
    """Give the request an id (kept in history and access events), and its page view."""
    def middleware(request):
        request.request_id = str(uuid7())
        shown = request.headers.get("X-Page-View", "")
        request.page_view = shown if KNOWN_ID.fullmatch(shown) else request.request_id
        response = get_response(request)
        response["X-Request-Id"] = request.request_id
        return response
    return middleware


def no_store(get_response):
    """Nothing that a signed-in person sees may stay in a cache; static files are answered before this."""
    def middleware(request):
        response = get_response(request)
        response["Cache-Control"] = "no-store"
        if request.method == "HEAD" and not response.streaming:
            response.content = b""
        return response
    return middleware


def chunks(get_response):
    """A body that came in chunks, without a length, is measured here: Django would take it for an empty one."""
    def middleware(request):
        environ = request.META
        ends_itself = environ.get("wsgi.input_terminated") and "HTTP_TRANSFER_ENCODING" in environ
        if ends_itself and not environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                raise RequestDataTooBig
            environ["CONTENT_LENGTH"] = str(len(body))
            request._stream = BytesIO(body)
        return get_response(request)
    return middleware


class Refusals:
    """Turns what the domain or the database refuses into a page (or fragment) with its sentence."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.htmx and response.get("Location", "").startswith(resolve_url(settings.LOGIN_URL)):
            # Never a sign-in page inside a fragment.
            away = HttpResponse(status=401)
            away["HX-Redirect"] = response["Location"]
            return away
        return response

    def process_exception(self, request, error):
        if isinstance(error, Merged):
            return led_on(request, error)
        if isinstance(error, Refused):
            return refusal(request, str(error), error.status)
        if isinstance(error, ValidationError):
            return refusal(request, " ".join(error.messages), 422)
        if isinstance(error, IntegrityError):
            name = constraint_name(error)
            logger.warning("request %s refused by the database: %s", request.request_id, name)
            return refusal(
                request, "This contradicts what is on record already, so nothing was saved. Look again, then retry.", 409)
        return None


def refusal(request, sentence, status=409):
    """A refusal as a page; for htmx as one line of text, which the shell shows as a toast."""
    if request.htmx:
        return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    return render(
        request, "409.html", {"message": sentence, "back_url": page_before(request), "code": status}, status=status)


def led_on(request, merged):
    """A page of a merged patient leads to the same page of the survivor; what was typed for them is shown, and not saved."""
    patient, survivor = merged.patient, merged.survivor
    if request.method in ("GET", "HEAD"):
        messages.info(request, f"{patient.name}, #{patient.chart_number}, was merged into this patient.")
        return redirect(request.get_full_path().replace(str(patient.pk), str(survivor.pk)))
    typed = [
        (name.replace("_", " ").replace("-", " "), value) for name, values in request.POST.lists() for value in values
        if value and name not in NOT_TYPED]
    return render(request, "clinic/merged.html", {"merged": merged, "survivor": survivor, "typed": typed}, status=409)


def page_before(request):
    """The page on which the button was pressed, when it is one of ours: a refusal is no dead end."""
    before = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return urlsplit(before)._replace(scheme="", netloc="").geturl() if before and ours else ""


refusals = Refusals
