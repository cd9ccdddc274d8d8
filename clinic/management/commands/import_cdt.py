from argparse import ArgumentTypeError
from datetime import date

from django.core.management.base import CommandError
from django.db import transaction

from clinic.imports.code_intake import CodeIntake
from clinic.imports.codes_csv import CodeFile
from clinic.imports.command import ImportCommand, write_report


class Command(ImportCommand):
    help = (
        "Take in the list of procedure codes (CDT) that the practice has licensed, from a CSV file; docs/import.md describes its "
        "columns. It replaces the starter list: starter codes that it lacks go out of use. Fees and minutes that the practice "
        "set stay, unless the file names them. Running it again changes nothing.")
    things = "codes"
    reported, beside = "what became of each line", "report"

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--edition", help="Such as 'CDT 2027'; CDT and the year when not said.")
        parser.add_argument(
            "--from", dest="since", type=day, metavar="DATE", help="From when codes that are new in the list are effective.")
        parser.add_argument("--to", dest="until", type=day, metavar="DATE", help="Until when the codes of the list are effective.")

    def opened(self, path, clinic, day_first, options):
        since, until = options["since"], options["until"]
        if since and until and until < since:
            raise CommandError("The list ends before it begins: --to lies before --from.")
        self.since = since
        edition = (options["edition"] or f"CDT {(since or clinic.today()).year}").strip()
        return CodeFile(path, clinic, day_first, {"edition": edition, "effective_from": since, "effective_to": until})

    def intake(self, clinic, because, unit):
        return CodeIntake(clinic, because, unit, self.since)

    def take(self, rows, intake, dry_run):
        """The list replaces the earlier one as a whole; a dry run does it all and takes it back, so that it tells everything."""
        with transaction.atomic():
            super().take(rows, intake, dry_run)
            transaction.set_rollback(dry_run)

    def report(self, path, source, intake):
        write_report(path, [source.unit, "code", "outcome", "what"], intake.report())
        self.stdout.write(f"What became of each line: {path}")


def day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date. Write it like 2027-01-01.") from None
