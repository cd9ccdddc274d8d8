from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from clinic.db import cipher
from clinic.models import DataKey


class Command(BaseCommand):
    help = (
        "Wrap every data key with the first key of KEYRING, so that older keys of the ring can be dropped. "
        "No encrypted value is touched.")

    def add_arguments(self, parser):
        parser.add_argument(
            "--new-data-key", action="store_true", help="Also make a new data key, which new values are encrypted with.")

    def handle(self, *, new_data_key, **options):
        first = next(iter(cipher.ring()))
        try:
            with transaction.atomic():
                count, moved = self._rewrap(first)
                made = DataKey.make() if new_data_key else None
        except cipher.CannotDecrypt as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self.stdout.write(f"{moved} of {count} data keys were wrapped anew with {first!r}; the others were already.")
        if made:
            self.stdout.write(f"New values are encrypted with data key {made.pk} from now on.")
        older = [name for name in cipher.ring() if name != first]
        if older:
            self.stdout.write(
                f"No data key needs {', '.join(map(repr, older))} any more. Keep them as long as you keep older backups.")

    def _rewrap(self, first):
        count = moved = 0
        for key in DataKey.objects.select_for_update().order_by("created_at"):
            DataKey.open(key.pk)  # every key must open, also those that stay as they are
            count += 1
            if key.ring_key != first:
                key.rewrap()
                moved += 1
        return count, moved
