from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from clinic.db import cipher
from clinic.models import DataKey, FileKey


class Command(BaseCommand):
    help = (
        "Wrap every data key and every file's key with the first key of KEYRING, so that older keys of the ring can be "
        "dropped. No encrypted value and no file is touched.")

    def add_arguments(self, parser):
        parser.add_argument(
            "--new-data-key", action="store_true", help="Also make a new data key, which new values are encrypted with.")

    def handle(self, *, new_data_key, **options):
        first = next(iter(cipher.ring()))
        try:
            with transaction.atomic():
                count, moved = self._rewrap(DataKey, first)
                files, moved_files = self._rewrap(FileKey, first)
                made = DataKey.make() if new_data_key else None
        except cipher.CannotDecrypt as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self.stdout.write(f"{moved} of {count} data keys were wrapped anew with {first!r}; the others were already.")
        self.stdout.write(f"{moved_files} of {files} keys of files were wrapped anew; no file was.")
        if made:
            self.stdout.write(f"New values are encrypted with data key {made.pk} from now on.")
        older = [name for name in cipher.ring() if name != first]
        if older:
            self.stdout.write(
                f"No key needs {', '.join(map(repr, older))} any more. Keep them as long as you keep older backups.")

    def _rewrap(self, model, first):
        count = moved = 0
        for key in model.objects.select_for_update().order_by("pk").iterator(1000):
            count += 1
            if key.ring_key == first:
                key.unwrapped()  # every key must open, also those that stay as they are
            else:
                key.rewrap()
                moved += 1
        return count, moved
