"""Takes the visits of an import file: those to come are booked, those that are over are written down."""
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models.functions import Coalesce

from clinic.db.refusals import Refused
from clinic.imports.intake import Intake
from clinic.imports.rows import Problem
from clinic.models import Patient
from scheduling.models import Appointment
from scheduling.openings import Calendar
from scheduling.refusals import TimeTaken

BATCH = 50  # few enough that whoever books meanwhile hardly waits
COLUMNS = {
    "appointment_type": "type", "provider": "provider", "operatory": "operatory", "ends_at": "end", "cancel_reason": "reason",
    "external_id": "external_id", "note": "note", "status": "status"}


class VisitIntake(Intake):
    """Books through the verbs, so that the database refuses what it refuses at the desk, line by line.

    What is over has been: where two of them overlapped, both are kept, marked as double booked.
    """

    KEY = ("start", "patient and start")

    def __init__(self, *args):
        super().__init__(*args)
        self.booked, self.doubled = [], 0
        existing = Appointment.objects.filter(clinic=self.clinic).annotate(
            person=Coalesce("patient__merged_into", "patient")).values_list("external_id", "person", "starts_at", "pk")
        for external_id, person, starts_at, key in existing.order_by().iterator():
            self.known.add(external_id, (person, starts_at), key)

    def add(self, rows):
        """Write the rows in batches; yields how many lines were dealt with."""
        for start in range(0, len(rows), BATCH):
            yield self._write(rows[start:start + BATCH])

    def told(self):
        if self.doubled:
            yield f"{self.doubled:,} past visits overlapped in chair or provider; they stand as double bookings."
        if outside := self._outside():
            yield f"{outside:,} visits to come lie outside their provider's working hours."

    def _write(self, rows):
        patients = Patient.objects.select_related("primary_provider").in_bulk({row.patient for row in rows})
        try:
            with transaction.atomic():
                outcomes = [(row, *self._take(row, patients[row.patient])) for row in rows]
        except DatabaseError as error:  # a deadlock or a lock that did not come: the batch is gone, so each by itself
            if len(rows) > 1:
                return sum(self._write([row]) for row in rows)
            outcomes = [(rows[0], [refused(rows[0], error)], False)]
        for row, problems, doubled in outcomes:
            self.rejected += problems
            self.doubled += doubled
            self.added += not problems
            if not problems and not row.is_over:
                self.booked.append(row)
        return len(rows)

    def _take(self, row, patient):
        """([Problem], whether it stands as a double booking)."""
        try:
            with transaction.atomic():
                return [], self._over(row, patient) if row.is_over else self._ahead(row, patient)
        except ValidationError as error:
            told = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
            return [Problem(row.line, COLUMNS.get(name, ""), " ".join(reasons)) for name, reasons in told.items()], False
        except Refused as refusal:
            return [Problem(row.line, "", str(refusal))], False
        except IntegrityError as error:
            return [refused(row, error)], False

    def _ahead(self, row, patient):
        visit = Appointment.book(by=self.by, because=self.because, patient=patient, **row.values)
        if row.status == Appointment.Status.CONFIRMED:
            visit.confirm(by=self.by)
        return False

    def _over(self, row, patient):
        told = {**row.values, "by": self.by, "patient": patient, "status": row.status, "cancel_reason": row.cancel_reason}
        try:
            Appointment.take_over(**told, because=self.because)
        except TimeTaken:
            Appointment.take_over(
                **told, because=self.because, double_booking=f"{self.because}, where it was double booked")
            return True
        return False

    def _outside(self):
        """How many of the booked visits lie where their provider does not work."""
        if not self.booked:
            return 0
        days = [row.values["starts_at"].astimezone(self.clinic.zone).date() for row in self.booked]
        calendar = Calendar(self.clinic, min(days), max(days))
        return sum(
            not calendar.works(row.values["provider"].pk, row.values["starts_at"], row.values["ends_at"])
            for row in self.booked)


def refused(row, error):
    return Problem(row.line, "", f"The database refused it: {str(error).splitlines()[0]}")
