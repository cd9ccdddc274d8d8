"""Lists as CSV: safe to open in a spreadsheet, and on record as taken out."""
import csv

from django.core.exceptions import PermissionDenied
from django.http import StreamingHttpResponse

from clinic.access.rules import may
from clinic.audit.looks import Kind, write_event

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """Gives back what the csv writer would write."""

    def write(self, text):
        return text


def wants_csv(request):
    return request.GET.get("format") == "csv"


def csv_answer(request, name, head, rows, count, patient=None):
    """The file, line by line; 403 for who may see the list but not take it out.

    The export is on record before the first line leaves, in place of a look; if it can't be, nothing leaves.
    `count`: how many patients it names; `patient`: the one whose list it is. `rows` may be lazy.
    """
    if not may(request.actor, "clinic.export_lists"):
        raise PermissionDenied
    request.look = None
    write_event(request, Kind.EXPORT, patient_id=patient and patient.pk, rows=count)
    answer = StreamingHttpResponse(_lines(head, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _lines(head, rows):
    writer = csv.writer(_Echo())
    yield "\ufeff"  # a spreadsheet then reads it as UTF-8
    yield writer.writerow(head)
    for row in rows:
        yield writer.writerow([safe(value) for value in row])


def safe(value):
    """A text that no spreadsheet takes for a formula: what begins like one gets an apostrophe, numbers stay numbers.

    A phone number in international form begins with a plus sign, so it gets one too.
    """
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text
