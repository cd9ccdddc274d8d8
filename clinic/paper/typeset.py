"""Paper: a template (`templates/<app>/<name>.typ`) and data become a PDF, tagged and with its fonts, ready to keep for years.

    pdf = typeset("clinic/letter.typ", {"paragraphs": […]}, clinic=clinic, title="Excuse")

The data reaches the template as JSON alone, as texts and numbers to show: no name can become markup, a call or a path.
"""
import json
import logging
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path

import typst
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import get_language, gettext

logger = logging.getLogger("chairside.paper")

ROOT = settings.BASE_DIR / "templates"
FONTS = Path(__file__).with_name("fonts")
STANDARDS = ["a-2a", "ua-1"]  # for archives, and for who has it read aloud
# Where a sheet is 8.5 by 11 inches; everywhere else it is A4.
LETTER = {"BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"}


class CannotPrint(Exception):
    """The template is broken: an error of ours, which no data can bring about."""


def typeset(template, data, *, clinic, title, on=None, landscape=False):
    """The PDF. `on`: the date that it bears as a file (default: today); the same data on the same day give the same bytes.

    Fixed words are in the language that is active.
    """
    on = on or clinic.today()
    inputs = {"data": json.dumps(
        {**data, "paper": frame(clinic, title, landscape)}, cls=DjangoJSONEncoder, ensure_ascii=False)}
    stamp = int(datetime.combine(on, time(12), UTC).timestamp())
    try:
        return _compiled(template, inputs, stamp, STANDARDS)
    except CannotPrint as error:
        if "could not be displayed" not in str(error):
            raise
    # A sign that no font here has is drawn as a box, which the standards don't take. Its text may be a name: not logged.
    logger.warning("%s holds a sign that no font of this machine has; it was drawn as a box", template)
    return _compiled(template, inputs, stamp, [])


def frame(clinic, title, landscape):
    """What stands on every sheet: whose it is, how large it is, how its pages are counted."""
    return {
        "title": title, "landscape": landscape, "size": "us-letter" if clinic.country in LETTER else "a4",
        "language": (get_language() or "en").partition("-")[0],
        "practice": clinic.name, "address": clinic.address.split("\n") if clinic.address else [],
        "reached": [way for way in (clinic.phone, clinic.email) if way],
        "page_of": gettext("Page {page} of {pages}"),
    }


@cache
def fonts():
    """Ours, and after them those of the machine, for scripts that ours don't have."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[str(FONTS)])


def _compiled(template, inputs, stamp, standards):
    try:
        return typst.compile(
            ROOT / template, root=ROOT, font_paths=fonts(), sys_inputs=inputs, format="pdf", pdf_standards=standards,
            timestamp=stamp)
    except RuntimeError as error:
        raise CannotPrint(f"{template}: {error}") from error
    except BaseException as error:  # a panic of the compiler is no Exception, and would end the worker's thread
        if type(error).__name__ != "PanicException":
            raise
        raise CannotPrint(f"{template}: the compiler gave up") from error
