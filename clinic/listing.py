"""Patients in a list: the columns that it shows, no model objects, each row drawn by `clinic.web.rows`."""
from datetime import date
from html import escape
from typing import Any, NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.safestring import mark_safe

from clinic.models import Patient
from clinic.templatetags.chairside import age
from clinic.web.rows import Rows

ROWS = Rows(
    "clinic/_patient_row.html", keys=["pk"], texts=["name", "preferred", "born", "age", "phone", "chart_number"])
STATUS_WORDS = dict(Patient.Status.choices) | {Patient.Status.ACTIVE: ""}


class Listed(NamedTuple):
    """What a list shows of a patient."""

    pk: Any
    first_name: str
    last_name: str
    preferred_name: str
    date_of_birth: date
    chart_number: str
    phone: str  # as stored: that is how it is shown, and reading a number costs more than the rest of the row
    status: str

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}"


class Look(NamedTuple):
    has_preferred: bool
    status_word: str  # empty for the active


def columns(found):
    """These patients' columns of Listed, as a queryset of tuples."""
    return found.values_list(*(Cast("phone", TextField()) if name == "phone" else name for name in Listed._fields))


def listed(found):
    """These patients as Listed, in one query."""
    return [Listed._make(row) for row in columns(found)]


def drawn(patients):
    """The rows of a table; their heads stand in the pages."""
    today = timezone.localdate()
    return mark_safe("\n".join([  # noqa: S308 (every text in them is escaped)
        ROWS.fill(Look(bool(row.preferred_name), STATUS_WORDS[row.status]), {
            "pk": row.pk, "name": escape(f"{row.last_name}, {row.first_name}"), "preferred": escape(row.preferred_name),
            "born": f"{row.date_of_birth.day} {row.date_of_birth:%b} {row.date_of_birth.year}",
            "age": age(row.date_of_birth, today), "phone": escape(row.phone), "chart_number": escape(row.chart_number)})
        for row in patients]))
