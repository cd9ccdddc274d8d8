import time

from django.core.management.base import BaseCommand, CommandError

from clinic import icd10
from clinic.db import statistics
from clinic.db.refusals import Refused
from clinic.models import DiagnosisCode


class Command(BaseCommand):
    help = (
        "Load the ICD-10-CM codes that come with the package simple-icd-10-cm, for all clinics. What a newer release lacks "
        "stays readable and is no longer in force. `bin/serve` does it by itself; a release that is there is not loaded again.")

    def handle(self, **options):
        release, start = icd10.release(), time.monotonic()
        if DiagnosisCode.objects.newest_release() == release:
            self.stdout.write(f"ICD-10-CM of {icd10.named(release)} is loaded already.")
            return
        try:
            loaded = DiagnosisCode.load(icd10.rows(), release)
        except Refused as refusal:
            raise CommandError(f"{refusal} Nothing was changed.") from refusal
        statistics.gather()
        self.stdout.write(
            f"ICD-10-CM of {icd10.named(release)}: {loaded.new:,} codes added, {loaded.changed:,} changed, {loaded.ended:,} "
            f"ended, in {time.monotonic() - start:.1f} s.")
