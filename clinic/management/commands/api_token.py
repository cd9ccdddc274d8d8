from dataclasses import replace

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from clinic.access.hats import hats_of
from clinic.models import ApiToken, User


class Command(BaseCommand):
    help = "Make an API token for a user and print it alone on the last line. It is shown this once."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--clinic", help="The clinic's name; needed when the user works in several.")
        parser.add_argument("--name", default="made on the command line", help="Which program it is for.")
        parser.add_argument("--days", type=int, default=90, help="How long it lives (90).")

    def handle(self, email, **options):
        user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {email}.")
        hats = [hat for hat in hats_of(user) if options["clinic"] in (None, hat.clinic.name)]
        if not hats:
            raise CommandError("This user has no part in any clinic, or not in that one: a token would open nothing.")
        if len({hat.clinic_id for hat in hats}) > 1:
            names = ", ".join(sorted(f'"{hat.clinic.name}"' for hat in hats))
            raise CommandError(f"Say which clinic it is for, with --clinic: {names}.")
        try:
            token, secret = ApiToken.issue(
                by=replace(hats[0], via="command"), name=options["name"], days=options["days"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"A token for {user} at {token.clinic}, good until {token.expires_at:%Y-%m-%d}:")
        self.stdout.write(secret)
