import hashlib
import io
import logging

from django.core.files.storage import storages
from django.db import models, transaction
from django.db.models import Q

from clinic.db.cipher import CannotDecrypt
from clinic.db.records import Fact, FactQuerySet
from clinic.db.refusals import Refused
from clinic.files.frames import Damaged, Opened, Sealed
from clinic.files.kinds import KINDS
from clinic.models.installation import FileKey

logger = logging.getLogger("chairside.files")


class Unreadable(Refused):
    """What lies on the disk is not what was kept: changed, lost, or its key is not in the ring."""

    def __init__(self, file):
        self.file = file
        super().__init__(f"{file} can't be read as it was kept: it was changed or lost on the disk. A backup may still have it.")


class StoredFileQuerySet(FactQuerySet):
    def pictures_of(self, files, use):
        """{file's key: its picture} of these files; one query, after `visible_to`, whose clinic its index begins with."""
        rows = self.filter(drawn_from__in=[file.pk for file in files], use=use).select_related("key")
        return {row.drawn_from_id: row for row in rows}


class StoredFile(Fact):
    """One encrypted file as it came, or a picture that we drew of one. Not a document: that says whose it is, and why.

    Its bytes lie in the storage "files" under a random name; they never change, and only its key is ever wrapped anew.
    """

    class Use(models.TextChoices):
        ORIGINAL = "original", "As it came"
        PREVIEW = "preview", "Picture of its first page"
        THUMBNAIL = "thumbnail", "Small picture of it"

    told_by_its_record = True

    key = models.ForeignKey(FileKey, models.PROTECT, related_name="+")
    use = models.CharField(max_length=10, choices=Use, default=Use.ORIGINAL)
    drawn_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    name = models.CharField(max_length=160, blank=True, help_text="As its sender called it; text to show, never a path.")
    media_type = models.CharField(max_length=100, help_text="By its content.")
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    pages = models.PositiveIntegerField(null=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "drawn_from", "use"], condition=Q(drawn_from__isnull=False),
                name="clinic_storedfile_one_picture_of_a_use"),
            models.CheckConstraint(
                condition=Q(use="original", drawn_from=None) | ~Q(use="original") & Q(drawn_from__isnull=False),
                name="clinic_storedfile_pictures_have_an_original"),
        ]

    def __str__(self):
        return self.name or f"{self.get_use_display().lower()}"

    @property
    def kind(self):
        return KINDS[self.media_type]

    @property
    def path(self):
        """Where it lies in the storage: random, and spread over 256 folders."""
        return path_of(self.key_id)

    @classmethod
    @transaction.atomic
    def keep(cls, examined, *, by):
        """Encrypt and keep a file that was examined, and the pictures of it."""
        original = cls._write(
            examined.file, by=by, name=examined.name, media_type=examined.kind.media_type, size=examined.size,
            sha256=examined.sha256, pages=examined.pages, width=examined.width, height=examined.height)
        for picture in examined.pictures:
            cls._write(
                io.BytesIO(picture.content), by=by, drawn_from=original, use=picture.use, media_type="image/webp",
                size=len(picture.content),
                sha256=hashlib.sha256(picture.content).hexdigest(), width=picture.width, height=picture.height)
        return original

    @classmethod
    def _write(cls, source, *, by, **facts):
        """The bytes first, the row after: a row never points to nothing. What a rollback leaves behind has lost its key."""
        key, secret = FileKey.make()
        source.seek(0)
        name = str(key.pk)
        storages["files"].save(path_of(key.pk), Sealed(source, secret, name))
        return cls.objects.create(clinic=by.clinic, by=by.user, key=key, **facts)

    def open(self):
        """A stream of the plain bytes. Unreadable when it is not there as it was kept."""
        try:
            return Opened(storages["files"].open(self.path), self.key.unwrapped(), str(self.key_id))
        except (Damaged, CannotDecrypt, OSError) as error:
            logger.error("stored file %s can't be read: %s", self.pk, type(error).__name__)
            raise Unreadable(self) from error

    def content(self):
        """The whole at once, for what is small; None when it can't be read."""
        try:
            with self.open() as stream:
                return stream.read()
        except (Unreadable, Damaged):
            return None


def path_of(key_id):
    return f"{key_id.hex[:2]}/{key_id.hex}"
