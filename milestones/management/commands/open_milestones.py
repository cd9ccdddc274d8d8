"""`open_milestones`: the usual set of milestones for each kind of treatment of a new practice."""
from django.core.management.base import BaseCommand

from clinic.access.actor import Actor
from clinic.imports.command import clinic_named
from milestones.models import MilestoneSet


class Command(BaseCommand):
    help = "Adds the usual milestones of each kind of treatment to a clinic. Kinds that have a set already keep it."

    def add_arguments(self, parser):
        parser.add_argument("--clinic", help="Its name; may be left out where there is only one.")

    def handle(self, *, clinic, **options):
        clinic = clinic_named(clinic)
        made = MilestoneSet.load_starter(by=Actor.system(clinic))
        self.stdout.write(f"{clinic}: milestones for {len(made)} kinds of treatment added.")
