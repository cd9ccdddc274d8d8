"""What the commands that take over files have in common: the clinic, the dry run, and the report of what was rejected."""
import argparse
import csv
import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from clinic.db import statistics
from clinic.imports.rows import CannotRead, Problem
from clinic.models import Clinic
from clinic.progress import Progress

MONTH_FIRST = {"US"}


class ImportCommand(BaseCommand):
    """`things`: what is taken over, in the plural. `opened` gives the file, `intake` takes its rows.

    `reported`: what stands in the report, which lies beside the file under the name `beside`.
    """

    things = ""
    reported, beside = "what is rejected", "rejected"

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", help="The clinic's id or name. Not needed when there is only one.")
        parser.add_argument("--dry-run", action="store_true", help=f"Say what would happen, and keep no {self.things}.")
        parser.add_argument(
            "--report", type=Path, help=f"Where {self.reported} goes; FILE.{self.beside}.csv when not said.")
        parser.add_argument(
            "--day-first", action=argparse.BooleanOptionalAction, default=None,
            help="Read 2/3/1980 as the second of March. When not said: everywhere but in the US.")

    def opened(self, path, clinic, day_first, options):
        raise NotImplementedError

    def intake(self, clinic, because, unit):
        raise NotImplementedError

    def handle(self, *, file, clinic, dry_run, report, day_first, **options):
        clinic = clinic_named(clinic)
        if day_first is None:
            day_first = clinic.country not in MONTH_FIRST
        try:
            source = self.opened(file, clinic, day_first, options)
        except OSError as error:
            raise CommandError(f"{file} can't be opened: {error.strerror}.") from error
        except CannotRead as error:
            raise CommandError(str(error)) from error
        for sentence in source.how():
            self.stdout.write(sentence)
        intake = self.intake(clinic, f"Imported from {file.name}", source.unit)
        self.take(self._read(source, intake), intake, dry_run)
        if not dry_run:
            statistics.gather()
        self._say_what(source, intake, dry_run, report or Path(f"{file}.{self.beside}.csv"))

    def take(self, rows, intake, dry_run):
        """Write the rows; in a dry run say how many would be written."""
        with Progress("Trying" if dry_run else "Adding", len(rows), self.stderr) as progress:
            for count in intake.add(rows):
                progress.step(count)

    def _read(self, source, intake):
        """The rows that are new; the others are counted or rejected."""
        rows = []
        with Progress("Reading", source.count, self.stderr) as progress:
            for row in source.rows():
                progress.step()
                if isinstance(row, list):
                    intake.rejected += row
                elif intake.is_new(row):
                    rows.append(row)
        return rows

    def _say_what(self, source, intake, dry_run, report):
        rejected = len({problem.line for problem in intake.rejected})
        units = {"line": "lines", "entry": "entries"}[source.unit]
        self.stdout.write(
            f"{intake.added:,} {self.things} {'would be ' if dry_run else ''}added, {intake.there:,} were there already, "
            f"{rejected:,} {units} rejected.")
        for sentence in (*source.told(), *intake.told()):
            self.stdout.write(sentence)
        self.report(report, source, intake)

    def report(self, path, source, intake):
        """Write what was rejected and why, and say where it stands."""
        if intake.rejected:
            write_report(path, [source.unit, *Problem._fields[1:]], sorted(intake.rejected))
            self.stdout.write(f"Why, {source.unit} by {source.unit}: {path}")


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


def write_report(path, head, rows):
    """For its owner only, because it quotes what stood in the file."""
    with open(path, "w", newline="", encoding="utf-8-sig", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
