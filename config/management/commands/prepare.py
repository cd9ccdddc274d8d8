"""`prepare`: what `bin/serve` needs before the first request, in one process."""
import io

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, connection

from clinic import icd10
from clinic.models import Clinic, DiagnosisCode
from config import schedules
from config.demo.passwords import DEMO_PASSWORD


class Command(BaseCommand):
    """Migrates, proves the guards, sets the schedules, loads ICD-10-CM, and the demo practice into an empty database."""

    help = __doc__

    def handle(self, **options):
        try:
            connection.ensure_connection()
        except DatabaseError as error:
            raise CommandError(
                f"The database does not answer ({str(error).strip().splitlines()[0]}). "
                "Is DATABASE_URL right, and does the server run?") from error
        call_command("migrate", verbosity=0, interactive=False)
        call_command("check", databases=["default"], stdout=io.StringIO())  # only what is wrong is worth a line
        schedules.lay()
        if DiagnosisCode.objects.newest_release() != icd10.release():
            call_command("load_icd10", stdout=self.stderr)
        if settings.DEMO and not Clinic.objects.exists():
            call_command("seed_demo", stdout=self.stderr)
        self.stdout.write(words())


def words():
    """What the person at the terminal wants to know next."""
    if settings.DEMO:
        return (f"Demo sign-ins, all with the password {DEMO_PASSWORD}:\n  "
                "desk@demo.example  coordinator@demo.example  assistant@demo.example  hygienist@demo.example\n  "
                "dentist@demo.example  ortho@demo.example  therapist@demo.example  biller@demo.example\n  "
                "manager@demo.example  coach@demo.example  patient@demo.example")
    if not Clinic.objects.exists():
        return ("The practice is empty. Make it and its manager: .venv/bin/python manage.py create_practice, then open_schedule, "
                "open_charting, open_treatment and open_milestones")
    return ""
