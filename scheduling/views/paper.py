"""The schedule on paper."""
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from clinic.access.rules import find, rule
from clinic.audit.looks import Kind, look
from clinic.dates import read_date
from clinic.models import Provider
from clinic.paper.answers import pdf_answer
from clinic.paper.typeset import typeset
from clinic.web.asked import key
from scheduling.days import clock
from scheduling.models import DayNote
from scheduling.paper import sections


@rule("scheduling.view_schedule")
@require_safe
def day_sheet(request):
    """A day's visits as a PDF; `?day=`; `?provider=` one provider's list, `?by=provider` everybody's, a sheet each."""
    actor, today = request.actor, request.actor.clinic.today()
    day = read_date(request.GET.get("day", ""), today)
    day = day if day and 1990 <= day.year <= today.year + 6 else today
    provider = find(Provider.objects, actor, pk=key(request.GET["provider"])) if request.GET.get("provider") else None
    found, count = sections(actor, day, provider, by_provider=request.GET.get("by") == "provider")
    look(request, Kind.PRINT, rows=count)
    title = f"{provider.name if provider else 'Day sheet'}, {date_format(day, 'l, j F Y')}"
    pdf = typeset(
        "scheduling/day_sheet.typ",
        {"sections": found, "note": DayNote.of(actor, day).text, "as_of": clock(timezone.now().astimezone(actor.clinic.zone))},
        clinic=actor.clinic, title=title, landscape=True)
    return pdf_answer(pdf, title)
