"""Writes what a request saw before its answer goes out; if that fails, nothing is shown."""
import logging

from django.db import DatabaseError
from django.shortcuts import render

from clinic.audit.looks import Kind, write_event
from clinic.web.problems import is_api, problem

logger = logging.getLogger("chairside.audit")
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def record_access(get_response):
    def middleware(request):
        request.look = None
        request.only_reads = False  # a view that is asked by POST and writes nothing says so
        response = get_response(request)
        seen = request.look
        try:
            if response.status_code in (403, 404) and request.user.is_authenticated and request.resolver_match:
                write_event(request, Kind.REFUSED, rows=0)
            elif seen is not None and response.status_code != 204 and response.status_code < 500:
                done = request.method in WRITES and response.status_code < 400 and _has_written(request, response)
                kind = Kind.CHANGE if done and seen.kind == Kind.VIEW else seen.kind  # a refused form shows the data too
                write_event(request, kind, patient_id=seen.patient_id, rows=seen.rows, others=seen.others)
        except DatabaseError:
            logger.exception("request %s: the access event could not be written", request.request_id)
            return problem(503) if is_api(request) else render(request, "503.html", status=503)
        return response
    return middleware


def _has_written(request, response):
    """A page that wrote leads on; one that answers a POST with itself only asked something, a plan or a preview."""
    return not request.only_reads and (
        is_api(request) or bool(getattr(request, "htmx", False)) or response.status_code != 200)
