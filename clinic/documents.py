"""Documents as they are asked for by pages and programs: found, with the look on record, and answered so that nothing runs."""
from django.http import FileResponse, Http404
from django.utils.http import content_disposition_header

from clinic.access.rules import find
from clinic.audit.looks import Kind, look
from clinic.models import Document

# What a browser may do with a file that came from outside: keep it, and nothing else.
CLOSED = "sandbox; default-src 'none'"


def find_document(request, document_id, kind=Kind.VIEW):
    """The document, if this actor may know of it (else 404); the look at its patient is noted."""
    document = find(Document.objects.select_related("patient__account", "file__key", "back__key"), request.actor, pk=document_id)
    document.patient.clinic = document.clinic = request.actor.clinic
    look(request, kind, document.patient)
    return document


def asked_side(request, document):
    """The file of the side that is asked for; 404 for one that there is not."""
    file = document.side(request.GET.get("side", "front"))
    if file is None:
        raise Http404
    return file


def file_answer(document, file):
    """A file of a document as it came."""
    return as_it_came(file, file_name(document.title) + (" back" if file.pk == document.back_id else ""))


def as_it_came(file, name):
    """A file to keep, under this name and an ending by what it is by content; the sender's own name is never used."""
    answer = FileResponse(file.open(), content_type=file.media_type)
    answer["Content-Length"] = file.size
    answer["Content-Disposition"] = content_disposition_header(True, f"{name}.{file.kind.extension}")
    return closed(answer)


def file_name(title):
    """A title as the name of a file on any machine."""
    return " ".join("".join(char if char.isalnum() or char in " -_()," else " " for char in title).split())[:80] or "document"


def closed(answer):
    """Whatever is in it: nothing of it runs, and no other site may show it."""
    answer["Content-Security-Policy"] = CLOSED
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer
