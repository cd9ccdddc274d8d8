"""`open_treatment`: how the chart draws the codes of a new practice, and for which teeth and surfaces they are offered."""
from django.core.management.base import BaseCommand, CommandError

from clinic.access.actor import Actor
from clinic.models import Clinic
from treatment import starter


class Command(BaseCommand):
    help = "Adds the usual rules to a clinic's procedure codes. Codes that have a rule already keep it."

    def add_arguments(self, parser):
        parser.add_argument("--clinic", help="Its name; may be left out where there is only one.")

    def handle(self, *, clinic, **options):
        clinics = Clinic.objects.filter(name=clinic) if clinic else Clinic.objects.all()
        if len(clinics) != 1:
            names = ", ".join(Clinic.objects.values_list("name", flat=True)) or "none; make one with create_practice"
            raise CommandError(f"Say which clinic with --clinic. There are: {names}.")
        made = starter.load_rules(by=Actor.system(clinics[0]))
        self.stdout.write(f"{clinics[0]}: rules for {len(made)} codes added.")
