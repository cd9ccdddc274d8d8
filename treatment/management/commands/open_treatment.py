"""`open_treatment`: how the chart draws the codes of a new practice, and for which teeth and surfaces they are offered."""
from django.core.management.base import BaseCommand

from clinic.access.actor import Actor
from clinic.imports.command import clinic_named
from treatment import starter


class Command(BaseCommand):
    help = "Adds the usual rules to a clinic's procedure codes. Codes that have a rule already keep it."

    def add_arguments(self, parser):
        parser.add_argument("--clinic", help="Its name; may be left out where there is only one.")

    def handle(self, *, clinic, **options):
        clinic = clinic_named(clinic)
        made = starter.load_rules(by=Actor.system(clinic))
        self.stdout.write(f"{clinic}: rules for {len(made)} codes added.")
