from django.core.management.base import BaseCommand, CommandError

from clinic.access import guessing
from clinic.access.source import network


class Command(BaseCommand):
    help = "Let people sign in again from an address that too many wrong tries have locked."

    def add_arguments(self, parser):
        parser.add_argument("address", help="An IP address; of an IPv6 address its whole /64 network.")
        parser.add_argument("--because", required=True, help="Stands in the log.")

    def handle(self, *, address, because, **options):
        place = network(address)
        if place is None:
            raise CommandError("This is not an IP address. Write one like 203.0.113.7 or 2001:db8::1.")
        if not guessing.forget_source(place, because):
            raise CommandError("Nobody tried a wrong password from there lately, so there is nothing to unlock.")
        self.stdout.write(f"From {place} people may try again at once.")
