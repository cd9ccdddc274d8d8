from django.db import transaction
from django.utils import timezone

from clinic.imports.command import ImportCommand
from scheduling.imports.intake import VisitIntake
from scheduling.imports.visits_csv import VisitFile


class Command(ImportCommand):
    help = (
        "Take visits over from a CSV file, past ones and those to come; docs/import.md describes its columns. Import the "
        "patients first. Lines that can't be taken are written to a report, all others are added. What is there already "
        "stays as it is, so it can be run again.")
    things = "visits"

    def opened(self, path, clinic, day_first, options):
        return VisitFile(path, clinic, day_first, timezone.now())

    def intake(self, clinic, because, unit):
        return VisitIntake(clinic, because, unit)

    def take(self, rows, intake, dry_run):
        """A dry run does it all and takes it back, so that it tells every overlap, also of two lines."""
        if not dry_run:
            super().take(rows, intake, dry_run)
            return
        with transaction.atomic():
            super().take(rows, intake, dry_run)
            transaction.set_rollback(True)
