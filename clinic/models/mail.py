from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from clinic.db.fields import EncryptedTextField
from clinic.models.outgoing import Outgoing, nudge


class Mail(Outgoing):
    """A letter to be handed over once, written in the transaction of what it tells of. Not a message inside Chairside.

    It never holds patient data: the text says that something happened or waits, the rest is read after signing in. To
    whom it goes follows at hand-over, because the page that asks must not take longer for an address that somebody has.
    """

    class Kind(models.TextChoices):
        LOCKED = "locked", "Sign-in is locked"
        RESET = "reset", "Link for a new password"
        PASSWORD_CHANGED = "password_changed", "Password was changed"
        CONFIRM_ADDRESS = "confirm_address", "Link that confirms a new address"
        ADDRESS_CHANGED = "address_changed", "Address was changed"
        SECOND_FACTOR_CHANGED = "second_factor_changed", "Second factor was changed"
        WELCOME = "welcome", "How to sign in for the first time"
        CODE = "code", "Code that signs in"
        DIGEST = "digest", "What waits in Chairside"

    KEEP = timedelta(days=90)
    A_SOURCE_AN_HOUR = 20

    kind = models.CharField(max_length=24, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        help_text="Empty when only an address was typed: whether it is somebody's shows at hand-over.")
    address = EncryptedTextField(context="clinic_mail.address", blank=True, default="")
    source = models.GenericIPAddressField(null=True, help_text="From where it was asked for; a source may not ask without end.")
    site = models.CharField(max_length=200, blank=True, help_text="Where the links of this letter lead.")

    def __str__(self):
        return f"{self.get_kind_display()} ({self.get_state_display()})"

    @classmethod
    def write(cls, kind, *, key, user=None, address="", site="", source=None):
        """Write a letter; the same key twice writes one. It leaves after the caller's transaction, or not at all."""
        letter = cls(kind=kind, key=f"{kind}:{key}", user=user, address=address, site=site, source=source)
        if not letter.write_once():
            return None
        transaction.on_commit(nudge)
        return letter

    @classmethod
    def tell_of_lock(cls, address, now=None):
        """Tell the owner of this address, if there is one, that sign-in rests; once a lock."""
        from clinic.access.guessing import REST, account_of

        now = now or timezone.now()
        return cls.write(
            cls.Kind.LOCKED, address=address, key=f"{account_of(address)[:32]}:{int(now.timestamp() // REST.total_seconds())}")

    @classmethod
    def too_many_from(cls, source, now):
        """Whether this source asked for as many letters within the hour as it may."""
        return cls.objects.filter(source=source, created_at__gt=now - timedelta(hours=1)).count() >= cls.A_SOURCE_AN_HOUR

    def compose(self, now):
        from clinic.mail.letters import compose

        return compose(self)

    @classmethod
    def forget_old(cls, now=None):
        """Drop letters past their time; what was typed for nobody goes after a day. Returns how many."""
        now = now or timezone.now()
        gone = cls.objects.filter(created_at__lt=now - cls.KEEP).exclude(state=cls.State.DUE).delete()[0]
        return gone + cls.objects.filter(state=cls.State.NOBODY, created_at__lt=now - timedelta(days=1)).delete()[0]
