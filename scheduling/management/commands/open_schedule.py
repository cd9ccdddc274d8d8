"""`open_schedule`: the rooms, providers, hours and kinds of visits that a new practice books its first patient with."""
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from clinic.access.actor import Actor
from clinic.dates import read_time
from clinic.imports.command import clinic_named
from scheduling import starter


class Command(BaseCommand):
    help = (
        "Adds operatories, providers with their hours, and the usual appointment types to a clinic. "
        "What is there already, by name, stays as it is, so it can be run again for one more provider.")

    def add_arguments(self, parser):
        parser.add_argument("--clinic", help="Its name; may be left out where there is only one.")
        parser.add_argument("--operatories", type=int, default=3, metavar="N")
        parser.add_argument("--dentist", action="append", default=[], metavar="NAME", help="May be given several times.")
        parser.add_argument("--hygienist", action="append", default=[], metavar="NAME", help="May be given several times.")
        parser.add_argument(
            "--hours", default="8:00-12:00,13:00-17:00", help="Of a working day, Monday to Friday; the gap is the break.")

    def handle(self, *, clinic, operatories, dentist, hygienist, hours, **options):
        clinic = clinic_named(clinic)
        if not 0 <= operatories <= 99:
            raise CommandError("Give 0 to 99 operatories.")
        try:
            made = starter.open_schedule(
                by=Actor.system(clinic), operatories=operatories, dentists=dentist, hygienists=hygienist,
                spans=spans(hours))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{clinic}: {made} rows added. Its schedule is open.")


def spans(text):
    """[(start, end)] from "8:00-12:00,13:00-17:00"."""
    found = []
    for part in text.split(","):
        starts, _, ends = (piece.strip() for piece in part.partition("-"))
        span = (read_time(starts), read_time(ends)) if starts and ends else (None, None)
        if None in span or span[0] >= span[1] or (found and span[0] < found[-1][1]):
            raise CommandError(f"{text!r} are no hours. Write them like 8:00-12:00,13:00-17:00.")
        found.append(span)
    return found
