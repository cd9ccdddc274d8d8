"""Error pages, and the one for a form whose token is stale; programs get problem documents."""
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.shortcuts import render
from django.views import defaults

from clinic.web.problems import is_api, problem


def csrf_failure(request, reason=""):
    return render(request, "403.html", {
        "message": "This form was opened before you last signed in. Go back, reload the page and send it again.",
    }, status=403)


def bad_request(request, exception=None):
    """400; a body beyond the limit is a 413 of its own."""
    words = f"At most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files at once." if isinstance(exception, TooManyFilesSent) else ""
    too_large = bool(words) or isinstance(exception, RequestDataTooBig)
    if is_api(request):
        return problem(413, words) if too_large else problem(400)
    if too_large:
        return render(request, "413.html", {"message": words and f"{words} Nothing was saved."}, status=413)
    words = "This request makes no sense to us, so nothing was done."
    return render(request, "409.html", {"message": words, "code": 400}, status=400)


def forbidden(request, exception=None):
    return problem(403) if is_api(request) else defaults.permission_denied(request, exception)


def not_found(request, exception=None):
    return problem(404) if is_api(request) else defaults.page_not_found(request, exception)


def broken(request):
    return problem(500) if is_api(request) else defaults.server_error(request)
