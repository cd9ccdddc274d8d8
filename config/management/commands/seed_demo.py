import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from clinic.db import statistics
from clinic.models import Clinic, User
from config.demo.passwords import DEMO_PASSWORD
from config.demo.plant import plant
from config.demo.practices import DOMAIN


class Command(BaseCommand):
    help = "Fill an empty database with the demo practice and its two sister clinics."

    def add_arguments(self, parser):
        parser.add_argument("--patients", type=int, default=300, help="Of the large clinic; 300 when not said.")
        parser.add_argument("--years", type=float, default=2, help="So many years of visits back; 2 when not said.")
        parser.add_argument("--seed", type=int, default=1, help="The same number makes the same people and visits.")

    def handle(self, *, patients, years, seed, **options):
        if not settings.DEMO:
            raise CommandError(f"DEMO is off here, and the demo's password is public. Set DEMO=1 to load {DOMAIN} sign-ins.")
        if not 10 <= patients <= 1_000_000:
            raise CommandError("Give between 10 and 1,000,000 patients.")
        if not 0.1 <= years <= 20:
            raise CommandError("Give between 0.1 and 20 years.")
        started = time.monotonic()
        with transaction.atomic():  # held from the look to the last row: two at once don't both fill it
            if User.objects.filter(is_demo=True).exists():
                self.stdout.write("The demo practice is there already.")
                return
            if Clinic.objects.exists():
                raise CommandError("This database holds a clinic already. The demo only goes into an empty one.")
            plant(patients=patients, years=years, seed=seed, out=self.stderr)
        statistics.gather()
        self.stdout.write(
            f"The demo practice is ready after {time.monotonic() - started:.1f} s. "
            f"Sign in as desk@{DOMAIN} with the password {DEMO_PASSWORD}.")
