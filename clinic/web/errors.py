"""Error pages, and the one for a form whose token is stale."""
from django.core.exceptions import RequestDataTooBig
from django.shortcuts import render


def csrf_failure(request, reason=""):
    return render(request, "403.html", {
        "message": "This form was opened before you last signed in. Go back, reload the page and send it again.",
    }, status=403)


def bad_request(request, exception=None):
    """400; a body beyond the limit is a 413 of its own."""
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return render(request, "409.html", {"message": "This request makes no sense to us, so nothing was done."}, status=400)

