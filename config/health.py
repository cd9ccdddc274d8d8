"""Whether the process answers, and whether it can work."""
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from clinic.access.rules import public


@public
@require_safe
def livez(request):
    return HttpResponse("ok", content_type="text/plain")


@public
@require_safe
def readyz(request):
    """200 when the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("no database", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
