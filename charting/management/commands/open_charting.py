"""`open_charting`: the note templates that a new practice writes its first note with."""
from django.core.management.base import BaseCommand

from charting import starter
from clinic.access.actor import Actor
from clinic.imports.command import clinic_named


class Command(BaseCommand):
    help = "Adds the usual note templates to a clinic. What is there already, by name, stays as it is."

    def add_arguments(self, parser):
        parser.add_argument("--clinic", help="Its name; may be left out where there is only one.")

    def handle(self, *, clinic, **options):
        clinic = clinic_named(clinic)
        made = starter.load_templates(by=Actor.system(clinic))
        self.stdout.write(f"{clinic}: {len(made)} note templates added.")
