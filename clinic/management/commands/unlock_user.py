from django.core.management.base import BaseCommand, CommandError

from clinic.access.actor import Actor
from clinic.db.refusals import Refused
from clinic.models import User


class Command(BaseCommand):
    help = "Let a user whom wrong tries have locked out sign in again at once."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--because", required=True, help="Stands in the history of the user.")

    def handle(self, *, email, because, **options):
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError("Nobody signs in with this address.")
        try:
            user.unlock(by=Actor.system(None), because=because)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{user} may try again at once.")
