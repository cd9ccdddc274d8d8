import hashlib

from django.core.files.storage import storages
from django.core.management.base import BaseCommand, CommandError

from clinic.files.frames import Damaged
from clinic.models import FileKey, StoredFile
from clinic.models.stored_file import Unreadable, path_of
from clinic.progress import Progress


class Command(BaseCommand):
    help = "Open every stored file and compare it with its fingerprint; find files whose row was rolled back or never written."

    def add_arguments(self, parser):
        parser.add_argument(
            "--delete-strays", action="store_true",
            help="Take away files without a key. Nobody can open them; after restoring an older database, restore first.")

    def handle(self, *, delete_strays, **options):
        wrong, files = [], StoredFile.objects.select_related("key").order_by("pk")
        count = files.count()
        with Progress("Files", count, self.stderr) as progress:
            for file in files.iterator(500):
                if not is_whole(file):
                    wrong.append(str(file.pk))
                progress.step()
        strays = list(without_a_key(storages["files"]))
        if delete_strays:
            for path in strays:
                storages["files"].delete(path)
        taken = ", taken away" if strays and delete_strays else ""
        self.stdout.write(f"{len(strays)} file{'' if len(strays) == 1 else 's'} without a key{taken}.")
        if wrong:
            raise CommandError(f"{len(wrong)} of {count} can't be read as they were kept: {', '.join(wrong)}")
        self.stdout.write(f"{count} stored file{' is as it was' if count == 1 else 's are as they were'} kept.")


def is_whole(file):
    digest = hashlib.sha256()
    try:
        with file.open() as stream:
            for piece in stream.chunks():
                digest.update(piece)
    except (Unreadable, Damaged):
        return False
    return digest.hexdigest() == file.sha256


def without_a_key(storage):
    """The paths in the storage that no key belongs to, a folder at a time."""
    folders = storage.listdir("")[0] if storage.exists("") else []
    for folder in folders:
        names = set(storage.listdir(folder)[1])
        known = {path_of(key.pk) for key in FileKey.objects.filter(pk__in=[name for name in names if len(name) == 32])}
        yield from sorted(path for name in names if (path := f"{folder}/{name}") not in known)
