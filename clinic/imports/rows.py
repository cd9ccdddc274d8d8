"""What an import file says of patients, whatever its form: good rows, and what is wrong with the others."""
from dataclasses import dataclass
from typing import NamedTuple

from django.core.exceptions import ValidationError

from clinic.db.fields import normalise
from clinic.models import Patient

# What a file may say of a patient; everything else follows, or is decided here.
TAKEN = (
    "first_name", "last_name", "date_of_birth", "external_id", "country", "preferred_name", "email", "line1", "line2", "city",
    "region", "postal_code", "emergency_name", "emergency_relationship", "guarantor_name", "guarantor_relationship", "phone",
    "phone_home", "phone_work", "emergency_phone", "guarantor_phone", "sex", "contact_by", "status", "language",
    "wants_reminders", "wants_recall", "wants_news")
NOT_IN_FILE = {one.name for one in Patient._meta.concrete_fields if one.is_relation or one.name not in TAKEN}


class CannotRead(Exception):
    """The file as a whole can't be taken in; the sentence says why and how to mend it."""


class Problem(NamedTuple):
    """What is wrong in one cell; `column` is empty when it is the line as a whole."""

    line: int
    column: str
    reason: str


@dataclass
class Row:
    """One good line: the values of a Patient, and the family it belongs to."""

    line: int
    values: dict
    account: str = ""

    @property
    def external_id(self):
        return self.values.get("external_id", "")

    @property
    def key(self):
        """Who it is when there is no number to go by."""
        values = self.values
        return normalise(values["first_name"]), normalise(values["last_name"]), values["date_of_birth"]

    def patient(self, clinic):
        return Patient(clinic=clinic, **self.values)


def examined(row, clinic, named):
    """The row, or the list of Problems that the model itself has with it: the same rules as in the form.

    `named(field)`: what the file calls it; empty when it has no such column.
    """
    patient = row.patient(clinic)
    try:
        patient.full_clean(exclude=NOT_IN_FILE, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        return [Problem(row.line, named(name), " ".join(reasons)) for name, reasons in error.message_dict.items()]
    row.values["country"] = patient.country  # where the address names none, the clinic's
    return row
