"""`open_charting`: the note templates that a new practice writes its first note with."""
from django.core.management.base import BaseCommand, CommandError

from charting import starter
from clinic.access.actor import Actor
from clinic.models import Clinic


class Command(BaseCommand):
    help = "Adds the usual note templates to a clinic. What is there already, by name, stays as it is."

    def add_arguments(self, parser):
        parser.add_argument("--clinic", help="Its name; may be left out where there is only one.")

    def handle(self, *, clinic, **options):
        clinics = Clinic.objects.filter(name=clinic) if clinic else Clinic.objects.all()
        if len(clinics) != 1:
            names = ", ".join(Clinic.objects.values_list("name", flat=True)) or "none; make one with create_practice"
            raise CommandError(f"Say which clinic with --clinic. There are: {names}.")
        made = starter.load_templates(by=Actor.system(clinics[0]))
        self.stdout.write(f"{clinics[0]}: {len(made)} note templates added.")
