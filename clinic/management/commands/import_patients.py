from django.core.management.base import CommandError

from clinic.imports.command import ImportCommand
from clinic.imports.fhir_file import FhirFile, is_json
from clinic.imports.intake import PatientIntake
from clinic.imports.patients_csv import PatientFile


class Command(ImportCommand):
    help = (
        "Take patients over from a CSV file or from FHIR; docs/import.md says what is read. What can't be taken is written "
        "to a report, everybody else is added. Who is there already stays as they are, so it can be run again.")
    things = "patients"

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--identifier-system", default="", metavar="URL",
            help="In FHIR: whose identifier is the number elsewhere. When not said: the medical record number, else the id.")

    def opened(self, path, clinic, day_first, options):
        if is_json(path):
            return FhirFile(path, clinic, clinic.today(), options["identifier_system"])
        if options["identifier_system"]:
            raise CommandError("--identifier-system is for FHIR, and this file is read as CSV.")
        return PatientFile(path, clinic, day_first, clinic.today())

    def intake(self, clinic, because, unit):
        return PatientIntake(clinic, because, unit)

    def take(self, rows, intake, dry_run):
        if dry_run:
            intake.added = len(rows)
        else:
            super().take(rows, intake, dry_run)
