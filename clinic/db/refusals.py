"""Refusals of the domain: each sentence can be shown to the person at the desk."""
import re

from django.db import IntegrityError


class Refused(Exception):
    """The state of things forbids it (HTTP 409). The message is for the person who asked."""

    status = 409

    def details(self):
        """What a program needs besides the sentence: members of the problem document."""
        return {}


class Stale(Refused):
    """Somebody saved this record since it was read, so saving now would overwrite what they wrote."""

    def __init__(self, current):
        self.current = current
        super().__init__("This was changed by somebody else in the meantime. Nothing of yours is lost: compare, then save again.")


class NotAllowed(Refused):
    """The role may not do this at all (HTTP 403)."""

    status = 403


class Merged(Refused):
    """This patient was merged into another one: pages and programs that name them are led there, and nothing is written."""

    def __init__(self, patient):
        self.patient, self.survivor = patient, patient.merged_into
        super().__init__(
            f"{patient.name} (#{patient.chart_number}) was merged into {self.survivor.name} (#{self.survivor.chart_number}). "
            "Nothing was saved: write it there.")

    def details(self):
        return {"merged_into": str(self.survivor.pk)}


def constraint_name(error: IntegrityError) -> str:
    """The name of the constraint or guard that refused; empty when the database does not tell.

    SQLite names a CHECK and a guard, and for a plain unique constraint its columns ("table.a, table.b").
    """
    cause = error.__cause__
    diagnostics = getattr(cause, "diag", None)
    if diagnostics is not None:
        return diagnostics.constraint_name or ""
    match = re.search(r"(?:CHECK|UNIQUE) constraint failed: (?:index ')?([^']+)'?$", str(error))
    return match.group(1) if match else ""
