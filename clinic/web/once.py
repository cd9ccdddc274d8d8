"""`@once`: what is sent twice does its work once, and both senders get the same answer."""
import hashlib
import json
import re
from dataclasses import asdict
from functools import wraps

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse

from clinic.access.hats import name_of
from clinic.audit.looks import Look
from clinic.models import OnceKey
from clinic.web.middleware import refusal
from clinic.web.problems import is_api, problem

KEY = re.compile(r"[0-9A-Za-z-]{8,64}")
KEPT_HEADERS = (
    "Location", "Content-Type", "ETag", "HX-Redirect", "HX-Trigger", "HX-Retarget", "HX-Reswap", "HX-Location")
SENT_BEFORE = "This was sent before with other contents, and that was done. Nothing was done twice."


def once(view):
    """Do the work of a POST once per key (hidden field `once`, or the header `Idempotency-Key`)."""
    @wraps(view)
    def wrapped(request, *args, **kwargs):
        key = request.headers.get("Idempotency-Key") or request.POST.get("once", "")
        if request.method != "POST" or not KEY.fullmatch(key):
            return view(request, *args, **kwargs)
        return do_once(request, key, lambda: view(request, *args, **kwargs))
    wrapped.once = True
    return wrapped


def do_once(request, key, work):
    """The answer of `work()`, or the one that this key was given before.

    The key's row comes first in the same transaction as the work: a second sender waits for the first one's end, then
    gets its answer. A refusal (4xx) or a crash leaves nothing, so that what was corrected may be sent with the same key.
    """
    fingerprint = _fingerprint(request)
    try:
        with transaction.atomic():
            row = OnceKey.objects.create(key=_own(request, key), user=request.user, fingerprint=fingerprint)
            response = work()
            if response.status_code >= 400:
                transaction.set_rollback(True)
                return response
            row.status = response.status_code
            row.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
            row.body = response.content.decode()
            row.saw = _seen(request)
            row.save(update_fields=["status", "headers", "body", "saw"])
            return response
    except IntegrityError:
        stored = _stored(request, key)
        if stored is None:
            raise
        return _replay(request, stored, fingerprint)


def _own(request, key):
    """Keys of different people, and of one person in different clinics, never meet."""
    hat = name_of(request.actor) if request.actor else ""
    return hashlib.sha256(f"{request.user.pk}:{hat}:{key}".encode()).hexdigest()


def _stored(request, key):
    return OnceKey.objects.filter(pk=_own(request, key)).first()


def _fingerprint(request):
    """What makes two requests the same: method, address with what it asks (either prefix of the API), fields or JSON, and files
    by content."""
    path = request.get_full_path().replace("/api/v1/", "/api/", 1)
    if request.content_type == "application/json":
        body = json.dumps(json.loads(request.body or b"null"), sort_keys=True)
    else:
        body = repr(sorted(
            (name, values) for name, values in request.POST.lists() if name not in ("csrfmiddlewaretoken", "once")))
    files = [(name, file.name, _digest(file)) for name, sent in sorted(request.FILES.lists()) for file in sent]
    return hashlib.sha256(f"{settings.SECRET_KEY}{request.method}{path}{body}{files!r}".encode()).hexdigest()


def _digest(file):
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _seen(request):
    """Whose data the answer holds: who gets it a second time has seen it too."""
    look = request.look
    if look is None:
        return {}
    return {**asdict(look), "patient_id": str(look.patient_id) if look.patient_id else None}


def _replay(request, stored, fingerprint):
    if stored.fingerprint != fingerprint:
        return problem(422, SENT_BEFORE) if is_api(request) else refusal(request, SENT_BEFORE, 422)
    response = HttpResponse(stored.body, status=stored.status)
    for name, value in stored.headers.items():
        response[name] = value
    if stored.saw:
        request.look = Look(**stored.saw)
    return response
