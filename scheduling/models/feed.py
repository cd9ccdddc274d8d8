import secrets

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from clinic.db.records import Record
from clinic.db.refusals import Refused
from clinic.models import Operatory, Provider
from clinic.models.api_token import digest_of


class Feed(Record):
    """The secret address of a calendar that other programs subscribe to: one provider's visits, or one operatory's.

    Whoever knows the address reads the calendar, so it names no patient unless the clinic says so (`FrontDesk`). Only a
    digest is stored; an address that went astray is revoked and another one made.
    """

    name = models.CharField(max_length=80, help_text="Which calendar it is for, such as Dr. Marsh's phone.")
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="feeds")
    operatory = models.ForeignKey(Operatory, models.PROTECT, null=True, blank=True, related_name="feeds")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the secret.")
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(
            condition=Q(provider=None, operatory__isnull=False) | Q(provider__isnull=False, operatory=None),
            name="scheduling_feed_provider_or_operatory",
            violation_error_message="A calendar is either a provider's or an operatory's.")]

    def __str__(self):
        return self.name

    @property
    def shows(self):
        """Whose calendar it is."""
        return self.provider or self.operatory

    @classmethod
    def opened_by(cls, secret):
        """The feed with this secret that still opens, or None."""
        return cls.objects.filter(digest=digest_of(secret), revoked_at=None).select_related(
            "clinic", "provider", "operatory").first()

    @classmethod
    @transaction.atomic
    def open(cls, *, by, name, provider=None, operatory=None):
        """Make a secret address; returns (feed, secret). The secret can't be read again."""
        secret = secrets.token_urlsafe(32)
        feed = cls(name=name, provider=provider, operatory=operatory, digest=digest_of(secret))
        return feed.record(by=by, because="A calendar subscribes to it"), secret

    @transaction.atomic
    def revoke(self, *, by, because=""):
        """End it: the next time a calendar asks, nothing is there."""
        self.lock()
        if self.revoked_at is not None:
            raise Refused("This address was revoked already.")
        self.revoked_at = timezone.now()
        return self.record(by=by, because=because)
