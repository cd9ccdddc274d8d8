"""Takes the codes of a licensed list into one clinic's catalogue: it replaces the starter list and earlier editions."""
from datetime import timedelta

from django.db import DatabaseError, transaction

from clinic import catalogue
from clinic.imports.intake import Intake
from clinic.imports.rows import Problem
from clinic.models import ProcedureCode


class CodeIntake(Intake):
    """Adds what is new, changes what the list says otherwise, and ends what it lacks of what it replaces."""

    KEY = ("code", "code")

    def __init__(self, clinic, because, unit, since=None):
        super().__init__(clinic, because, unit)
        self.since, self.editions = since, set()
        self.outcomes = []  # (line, code, what became of it, in which words)
        self.changed = self.unpriced = 0
        self.ended = []
        self.codes = list(ProcedureCode.objects.filter(clinic=clinic))
        for code in self.codes:
            self.known.add("", code.code, code)

    def is_new(self, row):
        """Whether there is something to be written for this row."""
        self.editions.add(row.values["edition"])
        if super().is_new(row):
            if "treatment_area" in row.values:
                return True
            self.rejected.append(Problem(row.line, "treatment_area", "This is missing, and the code is new here."))
        return bool(row.otherwise)

    def found(self, row, there):
        row.there, row.otherwise = there, there.said_otherwise(row.values)
        if not row.otherwise:
            self.outcomes.append((row.line, row.code, "unchanged", ""))

    def add(self, rows):
        """Write the rows; yields how many lines were dealt with."""
        for row in rows:
            self._write(row)
            yield 1
        if not self.rejected:
            self._end()

    def told(self):
        same = self.there - self.changed
        yield f"Of those that were there: {self.changed:,} changed, {same:,} as they were."
        if self.unpriced:
            yield f"{self.unpriced:,} new codes have no fee yet; they cost 0.00."
        if self.ended:
            yield f"{len(self.ended):,} codes that the list lacks go out of use; what names them still shows them."
        elif self.rejected and self._lacking():
            yield "Codes that the list lacks stay in use, because lines were rejected: mend them, and run it again."

    def report(self):
        """(line, code, what became of it, in which words), in the order of the file; what it lacks stands at the end."""
        refused = [(line, "", "rejected", f"{column}: {reason}" if column else reason)
                   for line, column, reason in self.rejected]
        return sorted(self.outcomes + refused) + [
            ("", code.code, "out of use", f"effective until {code.effective_to}") for code in self.ended]

    def _write(self, row):
        outcome = ("new", "") if row.there is None else ("changed", in_words(row.there, row.otherwise))
        try:
            with transaction.atomic():
                if row.there is None:
                    row.new(self.clinic).record(by=self.by, because=self.because)
                else:
                    row.there.follow(row.values, by=self.by, because=self.because)
        except DatabaseError as error:
            self.rejected.append(Problem(row.line, "", f"The database refused it: {str(error).splitlines()[0]}"))
            return
        self.outcomes.append((row.line, row.code, *outcome))
        self.changed += row.there is not None
        self.added += row.there is None
        self.unpriced += row.there is None and "fee" not in row.values

    def _end(self):
        for code in self._lacking():
            self.ended.append(code.end(self._last_day(), by=self.by, because=f"{self.because}, which lacks it"))

    def _last_day(self):
        return (self.since or self.clinic.today()) - timedelta(days=1)

    def _lacking(self):
        """Codes in use that the file does not name, of the starter list and of other editions. The practice's own are neither."""
        starter = {code for code, *_ in catalogue.rows()}
        return [
            code for code in self.codes
            if code.code not in self.named.by_key and code.is_active
            and (code.edition not in self.editions if code.edition else code.code in starter)
            and (code.effective_to is None or code.effective_to > self._last_day())]


def in_words(code, otherwise):
    """What changes of a code: "fee: 62.00, now 65.00"."""
    return "; ".join(
        f"{code._meta.get_field(name).verbose_name}: {said(getattr(code, name))}, now {said(value)}"
        for name, value in otherwise.items())


def said(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else value
