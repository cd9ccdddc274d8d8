"""`@once`: a form that is sent twice does its work once, and both senders get the same answer."""
import hashlib
import re
from functools import wraps

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse

from clinic.models import OnceKey
from clinic.web.middleware import refusal

KEY = re.compile(r"[0-9A-Za-z-]{8,64}")
KEPT_HEADERS = ("Location", "Content-Type", "HX-Redirect", "HX-Trigger", "HX-Retarget", "HX-Reswap", "HX-Location")


def once(view):
    """Do the work of a POST once per key (hidden field `once`, or the header `Idempotency-Key`).

    The key's row comes first in the same transaction as the work: a second sender waits for the first one's end, then
    gets its answer. A refusal (4xx) or a crash leaves nothing, so that the corrected form may be sent with the same key.
    """
    @wraps(view)
    def wrapped(request, *args, **kwargs):
        key = request.headers.get("Idempotency-Key") or request.POST.get("once", "")
        if request.method != "POST" or not KEY.fullmatch(key):
            return view(request, *args, **kwargs)
        fingerprint = _fingerprint(request)
        stored = _stored(request, key)
        if stored is not None:
            return _replay(request, stored, fingerprint)
        try:
            with transaction.atomic():
                with transaction.atomic():
                    row = OnceKey.objects.create(key=_own(request, key), user=request.user, fingerprint=fingerprint)
                response = view(request, *args, **kwargs)
                if response.status_code >= 400:
                    transaction.set_rollback(True)
                    return response
                row.status = response.status_code
                row.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
                row.body = response.content.decode()
                row.save()
                return response
        except IntegrityError:
            stored = _stored(request, key)
            if stored is None:
                raise
            return _replay(request, stored, fingerprint)
    wrapped.once = True
    return wrapped


def _own(request, key):
    """Keys of different people never meet."""
    return hashlib.sha256(f"{request.user.pk}:{key}".encode()).hexdigest()


def _stored(request, key):
    return OnceKey.objects.filter(pk=_own(request, key)).first()


def _fingerprint(request):
    fields = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    return hashlib.sha256(
        f"{settings.SECRET_KEY}{request.method}{request.path}{fields!r}".encode()).hexdigest()


def _replay(request, stored, fingerprint):
    if stored.fingerprint != fingerprint:
        return refusal(
            request, "This form was sent before with other contents, and that was done. Nothing was done twice.", 422)
    response = HttpResponse(stored.body, status=stored.status)
    for name, value in stored.headers.items():
        response[name] = value
    return response
