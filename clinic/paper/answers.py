"""A PDF that we made ourselves, as an answer: shown in the browser, because nothing in it came from outside as a file."""
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from clinic.documents import file_name

# Not a sandbox: browsers don't open their own viewer in one. Nothing is loaded, and nothing runs.
SHOWN = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'")


def pdf_answer(content, title):
    """These bytes, to look at and to print."""
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = content_disposition_header(False, f"{file_name(title)}.pdf")
    answer["Content-Security-Policy"] = SHOWN
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer
