import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from clinic.db.fields import EncryptedTextField
from clinic.db.keys import uuid7


class MailedLinkQuerySet(models.QuerySet):
    def good(self, now=None):
        return self.filter(used_at=None, expires_at__gt=now or timezone.now(), user__is_active=True)

    def opened_by(self, secret, kind, now=None):
        """The good link with this secret, or None."""
        return self.good(now).filter(digest=digest_of(secret), kind=kind).select_related("user").first()


class MailedLink(models.Model):
    """A link that was mailed, good for one use within an hour. Only a digest of it is stored."""

    class Kind(models.TextChoices):
        RESET = "reset", "Sets a new password"
        ADDRESS = "address", "Confirms a new address"

    LASTS = timedelta(hours=1)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret in the link.")
    address = EncryptedTextField(context="clinic_mailedlink.address", blank=True, default="")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = MailedLinkQuerySet.as_manager()

    def __str__(self):
        return self.get_kind_display()

    @classmethod
    def issue(cls, user, kind, *, address="", now=None):
        """A new link, the only good one of its kind from now on; returns its secret, which can't be read again."""
        now = now or timezone.now()
        cls.objects.good(now).filter(user=user, kind=kind).update(used_at=now)
        secret = secrets.token_urlsafe(32)
        cls.objects.create(user=user, kind=kind, digest=digest_of(secret), address=address, expires_at=now + cls.LASTS)
        return secret

    def use(self, now=None):
        """Use it up: True for exactly one of all who try."""
        now = now or timezone.now()
        return bool(MailedLink.objects.good(now).filter(pk=self.pk).update(used_at=now))

    @classmethod
    def forget_old(cls, now=None):
        """Drop links a day after they ended; returns how many."""
        return cls.objects.filter(expires_at__lt=(now or timezone.now()) - timedelta(days=1)).delete()[0]


def digest_of(secret):
    """A plain SHA-256 is enough: the secret is 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
