"""Rows of the installation, not of a clinic: data keys, counters, keys of answered forms, lifted guards."""
import base64
import os
from datetime import timedelta
from functools import lru_cache
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from clinic.db import cipher
from clinic.db.fields import EncryptedTextField
from clinic.db.keys import uuid7


class WrappedKey(models.Model):
    """A key that encrypts, itself wrapped by a key of the ring. Not a secret without the ring."""

    ring_key = models.CharField(max_length=60)
    wrapped = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    PURPOSE = ""  # bound into the wrapping, with the row's id

    class Meta:
        abstract = True

    def unwrapped(self):
        """The key itself. CannotDecrypt when the ring lacks what wraps it."""
        if self.ring_key not in cipher.ring():
            raise cipher.CannotDecrypt(f"A value does not open: KEYRING lacks the key {self.ring_key!r}.")
        try:
            return cipher.open_sealed(cipher.ring()[self.ring_key], base64.b64decode(self.wrapped), self._context())
        except InvalidTag as error:
            raise cipher.CannotDecrypt(
                f"The key {self.ring_key!r} in KEYRING is not the one that wrapped {self}.") from error

    def rewrap(self):
        """Wrap this key with the ring's first key; what it opens stays as it is."""
        self._wrap(self.unwrapped())
        self.save()
        transaction.on_commit(forget_keys)

    def _wrap(self, key):
        self.ring_key = next(iter(cipher.ring()))
        self.wrapped = base64.b64encode(cipher.seal(cipher.ring()[self.ring_key], key, self._context())).decode()

    def _context(self):
        return f"{self.PURPOSE}:{self.id}"


class DataKey(WrappedKey):
    """A key that values are encrypted with."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    PURPOSE = "data-key"

    def __str__(self):
        return f"data key {self.id}"

    @classmethod
    def make(cls):
        """A new data key; values written from now on use it."""
        row = cls()
        row._wrap(os.urandom(32))
        row.save(force_insert=True)
        transaction.on_commit(forget_keys)
        return row

    @classmethod
    def current(cls):
        """(id, key) that new values are encrypted with. The first one is made after `migrate`, never in the middle of
        somebody's work: a key that is rolled back must not stay in a cache and go on encrypting.
        """
        return _current(settings.KEYRING)

    @classmethod
    def open(cls, key_id):
        """The key itself. CannotDecrypt when the ring lacks what wraps it."""
        return _unwrapped(str(key_id), settings.KEYRING)


class FileKey(WrappedKey):
    """The key of one stored file. Its id, drawn at random, is the file's name on disk; without this row the file says nothing."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)

    PURPOSE = "file-key"

    def __str__(self):
        return f"file key {self.id}"

    @classmethod
    def make(cls):
        """(row, key) of a new file."""
        row, key = cls(), os.urandom(32)
        row._wrap(key)
        row.save(force_insert=True)
        return row, key


@lru_cache(maxsize=256)
def _unwrapped(key_id, keyring):
    row = DataKey.objects.filter(pk=key_id).first()
    if row is None:
        raise cipher.CannotDecrypt("A value does not open: its data key is gone.")
    return row.unwrapped()


@lru_cache(maxsize=1)
def _current(keyring):
    row = DataKey.objects.order_by("-created_at", "-id").first()
    if row is None:
        raise cipher.CannotDecrypt("There is no data key yet. Run: python manage.py migrate")
    return str(row.id), DataKey.open(row.id)


def forget_keys():
    """Read the keys anew: a new one was made, or the ring was turned."""
    _unwrapped.cache_clear()
    _current.cache_clear()


def make_first_key(using="default", **kwargs):
    """For `post_migrate`: an installation has a data key before its first row."""
    if not DataKey.objects.using(using).exists():
        DataKey.make()


class Counter(models.Model):
    """The next number of a series that must have no two alike, such as chart numbers."""

    clinic = models.ForeignKey("clinic.Clinic", models.PROTECT, related_name="+")
    series = models.CharField(max_length=40)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "series"], name="clinic_counter_one_per_series")]

    def __str__(self):
        return f"{self.series}: {self.value}"

    @classmethod
    @transaction.atomic
    def take(cls, clinic_id, series, count=1):
        """The first of `count` new numbers. The counter's row stays locked until the caller's transaction ends."""
        counter, _ = cls.objects.select_for_update().get_or_create(clinic_id=clinic_id, series=series)
        counter.value += count
        counter.save(update_fields=["value"])
        return counter.value - count + 1


class OnceKey(models.Model):
    """The answer that a form's key was given, so that sending the form again does nothing twice.

    The row is written first in the transaction of the work itself: either both stand or neither.
    """

    KEEP = timedelta(days=30)

    key = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 over method, path and body.")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = EncryptedTextField(context="clinic_oncekey.body", blank=True, default="")
    saw = models.JSONField(default=dict, help_text="Whose data the answer holds: kind, patient_id, rows.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self):
        return self.key

    @classmethod
    def forget_old(cls, now=None):
        """Drop keys past their time; returns how many."""
        return cls.objects.filter(created_at__lt=(now or timezone.now()) - cls.KEEP).delete()[0]


class GuardLift(models.Model):
    """That a migration lifted the guards of a table, and why."""

    table = models.CharField(max_length=80)
    because = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"{self.table}: {self.because}"
