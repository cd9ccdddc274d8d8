"""Refusals as programs read them: RFC 9457 problem documents, the same for every address under /api."""
import re
from http import HTTPStatus

from django.core.exceptions import NON_FIELD_ERRORS
from django.http import JsonResponse

API = re.compile(r"/api(/|$)")
SENTENCES = {
    400: "This is not a request that we can read, so nothing was done.",
    401: "Sign in, or send a token that is still good.",
    403: "Your role may not do this.",
    404: "There is nothing here for you.",
    405: "This address does not know that method.",
    409: "This contradicts what is on record already, so nothing was saved. Look again, then retry.",
    413: "A request holds at most 1 MB.",
    415: "Send JSON, with the content type application/json.",
    422: "Some of this can't be taken as it stands, so nothing was saved.",
    429: "Too many requests in this minute. Wait a little, then go on.",
    500: "Something broke on our side. Nothing was saved.",
    503: "This can't be answered right now. Try again in a moment.",
}


def is_api(request):
    """Whether this address answers programs."""
    return bool(API.match(request.path_info))


def problem(status, detail="", *, errors=None, **more):
    """A problem document. `errors`: [{"field", "message"}]; `more`: what else the reader needs, such as `current`."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": str(detail) or SENTENCES.get(status, title)}
    if errors is not None:
        body["errors"] = errors
    return JsonResponse({**body, **more}, status=status, content_type="application/problem+json")


def errors_of(error):
    """Django's ValidationError as [{"field", "message"}]; what is about the whole has no field."""
    if not hasattr(error, "error_dict"):
        return [{"field": "", "message": message} for message in error.messages]
    return [
        {"field": "" if field == NON_FIELD_ERRORS else field, "message": message}
        for field, messages in error.message_dict.items() for message in messages]
