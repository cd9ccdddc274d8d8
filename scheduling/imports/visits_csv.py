"""A CSV file of visits: which columns it may have, and how its cells are read. Writes nothing."""
import difflib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clinic.db.fields import normalise
from clinic.imports.cells import Wrong, read_choice, read_date, read_time
from clinic.imports.rows import CannotRead, Problem
from clinic.imports.table import CsvFile, Table
from clinic.models import Operatory, Patient, Provider
from scheduling import slots
from scheduling.models import Appointment, AppointmentType
from scheduling.models.appointment import whole_minute
from scheduling.models.reach import FARTHEST

Status = Appointment.Status
REQUIRED = ("type", "provider", "operatory")
NAMED = ("first_name", "last_name", "date_of_birth")
COLUMNS = (
    "external_id", "chart_number", "patient_external_id", *NAMED, "start", "date", "time", "end", "minutes", *REQUIRED, "status",
    "reason", "note")
STATUS = {
    word: value for value, words in {
        "scheduled": "scheduled booked planned pending open unconfirmed not-confirmed",
        "confirmed": "confirmed",
        "completed": "completed complete kept seen done fulfilled attended checked-out gone",
        "cancelled": "cancelled canceled abgesagt storniert",
        "no_show": "no-show noshow missed broken failed nicht-erschienen",
    }.items() for word in words.split()}
OVER = {"completed": Status.CHECKED_OUT, "cancelled": Status.CANCELLED, "no_show": Status.NO_SHOW}
UNTOLD = "Not said in the earlier system"
LONGEST_NOTE = 4000
AN_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)")
A_MOMENT = re.compile(r"(.+?),?[T ](\d{1,2}[:.]\d\d.*)")


@dataclass
class VisitRow:
    """One good line. `status`: where the visit stands in the end; `values`: what the verbs take besides the patient."""

    line: int
    patient: Any  # the key of the person
    values: dict
    status: str
    cancel_reason: str = ""

    @property
    def external_id(self):
        return self.values["external_id"]

    @property
    def key(self):
        """Which visit it is when there is no number to go by."""
        return self.patient, whole_minute(self.values["starts_at"])

    @property
    def is_over(self):
        return self.status in OVER.values()


class VisitFile(CsvFile):
    """An open file whose header has been understood. `rows()` gives a VisitRow or a list of Problems for each line."""

    def __init__(self, path, clinic, day_first, now):
        self.clinic, self.day_first, self.now = clinic, day_first, now
        self.table = Table(path, COLUMNS, REQUIRED)
        there = set(self.table.columns)
        if not ("start" in there or {"date", "time"} <= there):
            raise CannotRead("Missing: start, or date and time. Nothing was written.")
        if not (there & {"chart_number", "patient_external_id"} or set(NAMED) <= there):
            raise CannotRead(f"Missing: chart_number, or patient_external_id, or {', '.join(NAMED)}. Nothing was written.")
        self.patients = Patients(clinic)
        self.rooms = {
            "type": Names(AppointmentType, clinic), "provider": Names(Provider, clinic, "short_name"),
            "operatory": Names(Operatory, clinic)}

    def how(self):
        yield from self.table.how(self.day_first)
        yield f"Times are those of the clock in {self.clinic.time_zone}, unless the cell says its offset."

    def _value(self, column, text):
        """The cell's value; None when it says nothing."""
        if not text:
            if column in REQUIRED:
                raise Wrong("This is missing.")
            return None
        if column in self.rooms:
            return self.rooms[column].find(text)
        if column in READ:
            return READ[column](self, text)
        return text

    def _date(self, text):
        return likely(read_date(text, self.day_first, self.clinic.today(self.now) + FARTHEST), text)  # 3/2/28 lies ahead

    def _birth(self, text):
        return read_date(text, self.day_first, self.clinic.today(self.now))

    def _time(self, text):
        return read_time(text)

    def _start(self, text):
        """Day and time in one cell; with an offset it is that instant."""
        if AN_INSTANT.fullmatch(text):
            try:
                return likely(datetime.fromisoformat(text), text)
            except ValueError:
                raise Wrong(f"{text!r} is not a time.") from None
        found = A_MOMENT.fullmatch(text)
        if not found:
            raise Wrong(f"{text[:40]!r} is not a day and a time. Write it like 2026-03-02 14:30.")
        return slots.wall(self._date(found[1]), read_time(found[2]), self.clinic.zone)

    def _minutes(self, text):
        if not re.fullmatch("[0-9]{1,3}", text) or not 5 <= int(text) <= 720:
            raise Wrong(f"{text[:40]!r} is not a number of minutes between 5 and 720.")
        return int(text)

    def _status(self, text):
        return read_choice("-".join(text.replace("_", " ").split()), STATUS)

    def _note(self, text):
        if len(text) > LONGEST_NOTE:
            raise Wrong(f"A note has at most {LONGEST_NOTE:,} letters.")
        return text

    def _row(self, line, cells):
        """What the cells say together; the first thing that does not fit is told."""
        try:
            patient = self.patients.find(cells)
            starts_at, ends_at = self._span(cells)
            status = self._standing(cells.get("status"), starts_at, ends_at)
        except DoesNotFit as wrong:
            return [Problem(line, wrong.column, str(wrong))]
        reason = (cells.get("reason") or UNTOLD) if status == Status.CANCELLED else ""
        return VisitRow(line, patient, {
            "starts_at": starts_at, "ends_at": ends_at, "appointment_type": cells["type"], "provider": cells["provider"],
            "operatory": cells["operatory"], "note": cells.get("note") or "", "external_id": cells.get("external_id") or "",
        }, status, reason)

    def _span(self, cells):
        starts_at = cells.get("start")
        if starts_at is None:
            for column in ("date", "time"):
                if cells.get(column) is None:
                    raise DoesNotFit("start" if "start" in cells else column, "This is missing.")
            starts_at = slots.wall(cells["date"], cells["time"], self.clinic.zone)
        if cells.get("minutes"):
            return starts_at, starts_at + timedelta(minutes=cells["minutes"])
        if cells.get("end") is None:
            return starts_at, starts_at + timedelta(minutes=cells["type"].minutes)
        ends_at = slots.wall(starts_at.astimezone(self.clinic.zone).date(), cells["end"], self.clinic.zone)
        if ends_at <= starts_at:
            raise DoesNotFit("end", "The visit ends before it starts.")
        return starts_at, ends_at

    def _standing(self, said, starts_at, ends_at):
        """The visit's status; what the file says has to fit to where the visit lies, before today or not."""
        if said in (None, "scheduled", "confirmed"):
            if starts_at < slots.midnight(self.clinic.today(self.now), self.clinic.zone):
                raise DoesNotFit("status", "This visit is over. Say whether it was completed, cancelled or no_show.")
            return Status(said or "scheduled")
        if (said == "completed" and ends_at > self.now) or (said == "no_show" and starts_at > self.now):
            raise DoesNotFit("status", f"This visit is yet to come, so it can't be {said} already.")
        return OVER[said]


READ = {
    "date": VisitFile._date, "date_of_birth": VisitFile._birth, "time": VisitFile._time, "end": VisitFile._time,
    "start": VisitFile._start, "minutes": VisitFile._minutes, "status": VisitFile._status, "note": VisitFile._note}


def likely(at, text):
    """A date or time in years that a clock can be asked about; which visits are kept, the model says."""
    if not 1900 <= at.year <= 2200:
        raise Wrong(f"{text[:40]!r} is not the time of a visit.")
    return at


class DoesNotFit(Wrong):
    """Cells that can be read, and do not fit together."""

    def __init__(self, column, reason):
        self.column = column
        super().__init__(reason)


class Names:
    """Rows of the clinic by their name, or another name where only one has it; what is unknown is told with the nearest."""

    def __init__(self, model, clinic, other=""):
        self.what, self.found, self.spelled = model._meta.verbose_name, {}, {}
        rows = list(model.objects.filter(clinic=clinic))
        others = [normalise(getattr(row, other)) for row in rows] if other else []
        for row in rows:
            if other and others.count(normalise(getattr(row, other))) == 1:
                self.found[normalise(getattr(row, other))] = row
        self.found |= {normalise(row.name): row for row in rows}
        self.spelled = {key: row.name for key, row in self.found.items()}

    def find(self, text):
        row = self.found.get(normalise(text))
        if row is None:
            near = difflib.get_close_matches(normalise(text), self.found, 1, 0.5)
            hint = f" The nearest is {self.spelled[near[0]]!r}." if near else ""
            raise Wrong(f"There is no {self.what} {text[:60]!r}.{hint}")
        return row


class Patients:
    """The patients of the clinic, to be found by chart number, number elsewhere, or name and date of birth."""

    def __init__(self, clinic):
        self.by_chart, self.by_number, self.by_name = {}, {}, {}
        rows = Patient.objects.filter(clinic=clinic).order_by("pk").values_list(
            "pk", "merged_into", "chart_number", "external_id", "first_key", "last_key", "date_of_birth")
        for key, merged_into, chart_number, external_id, first, last, born in rows.iterator():
            person = merged_into or key
            self.by_chart[chart_number] = person
            if external_id:
                self.by_number[external_id] = person
            self.by_name.setdefault((first, last, born), set()).add(person)

    def find(self, cells):
        """The key of the person; of the columns that say something the first in this order counts."""
        if chart := cells.get("chart_number"):
            return self._known(self.by_chart.get(chart.lstrip("#")), "chart_number", chart)
        if number := cells.get("patient_external_id"):
            return self._known(self.by_number.get(number), "patient_external_id", number)
        missing = next((column for column in NAMED if not cells.get(column)), None)
        if missing:
            raise DoesNotFit(missing, "This is missing, so it can't be told whose visit it is.")
        first, last, born = (cells[column] for column in NAMED)
        people = self.by_name.get((normalise(first), normalise(last), born), ())
        if len(people) > 1:
            raise DoesNotFit("last_name", f"{len(people)} patients have this name and date of birth. Give the chart number.")
        return self._known(next(iter(people), None), "last_name", f"{first} {last}, {born}")

    def _known(self, person, column, text):
        if person is None:
            raise DoesNotFit(column, f"There is no patient {text[:80]!r}. Import the patients first.")
        return person
