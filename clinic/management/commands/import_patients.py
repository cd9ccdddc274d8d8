import argparse
import csv
import os
from collections import defaultdict
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from clinic.access.actor import Actor
from clinic.db import statistics
from clinic.db.records import record_bulk
from clinic.imports import DELIMITERS, CannotRead, PatientFile, Problem
from clinic.models import Account, Clinic, Counter, Patient
from clinic.progress import Progress

BATCH = 500
MONTH_FIRST = {"US"}


class Command(BaseCommand):
    help = (
        "Take patients over from a CSV file; docs/import.md describes its columns. Lines that can't be taken are written "
        "to a report, all others are added. Who is there already stays as they are, so it can be run again.")

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", help="The clinic's id or name. Not needed when there is only one.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would happen, and write no patient.")
        parser.add_argument("--report", type=Path, help="Where rejected lines go; FILE.rejected.csv when not said.")
        parser.add_argument(
            "--day-first", action=argparse.BooleanOptionalAction, default=None,
            help="Read 2/3/1980 as the second of March. When not said: everywhere but in the US.")

    def handle(self, *, file, clinic, dry_run, report, day_first, **options):
        clinic = clinic_named(clinic)
        if day_first is None:
            day_first = clinic.country not in MONTH_FIRST
        try:
            patients = PatientFile(file, clinic, day_first, clinic.today())
        except OSError as error:
            raise CommandError(f"{file} can't be opened: {error.strerror}.") from error
        except CannotRead as error:
            raise CommandError(str(error)) from error
        self._say_how(patients)
        intake = Intake(clinic, because=f"Imported from {file.name}")
        rows = self._read(patients, intake)
        if not dry_run:
            with Progress("Adding", len(rows), self.stderr) as progress:
                for count in intake.add(rows):
                    progress.step(count)
            statistics.gather()
        self._say_what(intake, len(rows) if dry_run else intake.added, dry_run, report or Path(f"{file}.rejected.csv"))

    def _say_how(self, patients):
        if patients.encoding == "cp1252":
            self.stdout.write("The file is not UTF-8; it is read in the old Windows encoding (cp1252). Look at the umlauts.")
        order = "day" if patients.day_first else "month"
        self.stdout.write(
            f"Columns are parted by {DELIMITERS[patients.delimiter]}; 2/3/1980 is read {order} first.")

    def _read(self, patients, intake):
        """The rows of new patients; the others are counted or rejected."""
        rows = []
        with Progress("Reading", patients.lines - 1, self.stderr) as progress:
            for row in patients.rows():
                progress.step()
                if isinstance(row, list):
                    intake.rejected += row
                elif intake.is_new(row):
                    rows.append(row)
        return rows

    def _say_what(self, intake, added, dry_run, report):
        lines = len({problem.line for problem in intake.rejected})
        self.stdout.write(
            f"{added:,} patients {'would be ' if dry_run else ''}added, {intake.there:,} were there already, "
            f"{lines:,} lines rejected.")
        if intake.rejected:
            write_report(report, intake.rejected)
            self.stdout.write(f"Why, line by line: {report}")


def clinic_named(name):
    clinics = list(Clinic.objects.order_by("name"))
    if name:
        clinics = [clinic for clinic in clinics if name.lower() in (str(clinic.pk), clinic.name.lower())]
    if len(clinics) == 1:
        return clinics[0]
    names = ", ".join(Clinic.objects.order_by("name").values_list("name", flat=True))
    if not names:
        raise CommandError("There is no clinic yet. Make one with: manage.py create_practice")
    raise CommandError(f"Say which clinic, with --clinic and one of: {names}.")


def write_report(path, problems):
    """line, column and reason of what was rejected; readable by its owner only, for it quotes what stood there."""
    with open(path, "w", newline="", encoding="utf-8-sig", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        writer = csv.writer(file)
        writer.writerow(Problem._fields)
        writer.writerows(sorted(problems))


class Intake:
    """Takes rows into one clinic: knows who is there, whom the file named before, and which families share an account."""

    def __init__(self, clinic, because):
        self.clinic, self.because = clinic, because
        self.by = Actor.system(clinic)
        self.rejected, self.there, self.added = [], 0, 0
        self.accounts = {}
        self.known, self.named = People(), People()
        existing = Patient.objects.filter(clinic=clinic).values_list(
            "external_id", "first_key", "last_key", "date_of_birth", "account_id")
        for external_id, first, last, born, account in existing.iterator():
            self.known.add(external_id, (first, last, born), account)

    def is_new(self, row):
        """Whether the row is to be added. Somebody whom the file has named before is rejected."""
        before = self.named.find(row.external_id, row.person)
        if before is not None:
            column = "external_id" if row.external_id in self.named.by_number else "last_name"
            same = "external_id" if column == "external_id" else "name and date of birth"
            self.rejected.append(Problem(row.line, column, f"The same {same} as in line {before}."))
            return False
        self.named.add(row.external_id, row.person, row.line)
        account = self.known.find(row.external_id, row.person)
        if account is None:
            return True
        self.there += 1
        if row.account:
            self.accounts.setdefault(row.account, account)
        return False

    def add(self, rows):
        """Write the rows in batches, each with its history; yields how many lines were dealt with."""
        families = defaultdict(list)
        for row in rows:
            families[row.account or row.line].append(row)
        batch = []
        for family in families.values():
            batch.append(family)
            if sum(map(len, batch)) >= BATCH:
                yield self._write(batch)
                batch = []
        if batch:
            yield self._write(batch)

    def _write(self, families):
        count = sum(map(len, families))
        try:
            self.added += self._record(families)
        except DatabaseError as error:
            if len(families) > 1:  # find the family that the database refuses; the others are not lost with it
                for family in families:
                    self._write([family])
            else:
                reason = f"The database refused it: {str(error).splitlines()[0]}"
                self.rejected += [Problem(row.line, "", reason) for row in families[0]]
        return count

    @transaction.atomic
    def _record(self, families):
        """Accounts and patients of these families, in the shape that `Patient.register` gives them."""
        accounts, patients = [], []
        for family in families:
            members = [row.patient(self.clinic) for row in family]
            account = self.accounts.get(family[0].account)
            if account is None:
                accounts.append(account_of(min(members, key=lambda member: member.date_of_birth), self.clinic))
                account = accounts[-1].pk
            for member in members:
                member.account_id = account
            patients += members
        number = Counter.take(self.clinic.pk, "chart_number", len(patients))
        for offset, patient in enumerate(patients):
            patient.chart_number = str(number + offset)
        record_bulk(accounts, by=self.by, because=self.because)
        record_bulk(patients, by=self.by, because=self.because)
        return len(patients)


def account_of(patient, clinic):
    """The account that a patient, or the oldest of a family, pays on."""
    return Account(
        clinic=clinic, name=patient.guarantor_name or patient.name, phone=patient.guarantor_phone or patient.phone,
        email=patient.email, line1=patient.line1, line2=patient.line2, city=patient.city, region=patient.region,
        postal_code=patient.postal_code, country=patient.country)


class People:
    """Who somebody is: by their number of the earlier system, else by name and date of birth."""

    def __init__(self):
        self.by_number, self.by_name = {}, defaultdict(list)

    def add(self, number, person, thing):
        if number:
            self.by_number[number] = thing
        self.by_name[person].append((number, thing))

    def find(self, number, person):
        """What was added for the same person. Two numbers that differ are two people, however alike."""
        if number in self.by_number:
            return self.by_number[number]
        return next((thing for other, thing in self.by_name.get(person, ()) if not (number and other)), None)
