"""Finding a visit by anything that is remembered of it."""
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic.access.rules import rule
from clinic.audit.looks import Kind, look
from clinic.web.csv_out import wants_csv
from scheduling.finding import found
from scheduling.listing import visits_csv

SHOWN = 25


@rule("scheduling.view_appointment")
@require_safe
def find(request):
    """The visits to come and those before that a text finds, the nearest of each."""
    text, now = request.GET.get("q", "").strip(), timezone.now()
    visits, parts = found(request.actor, text, now)
    if parts and wants_csv(request):
        return visits_csv(request, "visits", visits)
    rows = visits.select_related("patient__merged_into", "appointment_type", "provider", "operatory")
    ahead = list(rows.filter(ends_at__gte=now).order_by("starts_at", "pk")[:SHOWN + 1]) if parts else []
    before = list(rows.filter(ends_at__lt=now).order_by("-starts_at", "-pk")[:SHOWN + 1]) if parts else []
    look(request, Kind.SEARCH, rows=len(ahead) + len(before))
    return render(request, "scheduling/find.html", {
        "text": text, "parts": parts, "any": ahead or before,
        "groups": [(title, visits[:SHOWN], len(visits) > SHOWN) for title, visits in (("To come", ahead), ("Before", before))]})
