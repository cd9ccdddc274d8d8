from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from clinic.db.fields import EncryptedTextField
from clinic.db.keys import uuid7


class MailQuerySet(models.QuerySet):
    def due(self, now=None):
        """What waits to be handed over, the oldest first."""
        return self.filter(state=Mail.State.DUE, due_at__lte=now or timezone.now()).order_by("due_at", "id")


class Mail(models.Model):
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

    class State(models.TextChoices):
        DUE = "due", "Due"
        CLAIMED = "claimed", "Being handed over"
        SENT = "sent", "Handed over"
        FAILED = "failed", "Refused"
        MAYBE_SENT = "maybe_sent", "Maybe handed over"
        NOBODY = "nobody", "For nobody here"

    KEEP = timedelta(days=90)
    TRIES = 5
    A_SOURCE_AN_HOUR = 20

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=24, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+",
        help_text="Empty when only an address was typed: whether it is somebody's shows at hand-over.")
    address = EncryptedTextField(context="clinic_mail.address", blank=True, default="")
    source = models.GenericIPAddressField(null=True, help_text="From where it was asked for; a source may not ask without end.")
    site = models.CharField(max_length=200, blank=True, help_text="Where the links of this letter lead.")
    key = models.CharField(max_length=120, unique=True, help_text="The same key is written once.")
    state = models.CharField(max_length=12, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "due_at"], name="clinic_mail_due")]
        constraints = [models.CheckConstraint(
            condition=models.Q(state__in=["due", "claimed"], done_at=None)
            | models.Q(state__in=["sent", "failed", "maybe_sent", "nobody"], done_at__isnull=False),
            name="clinic_mail_done_has_a_time")]

    def __str__(self):
        return f"{self.get_kind_display()} ({self.get_state_display()})"

    @classmethod
    def write(cls, kind, *, key, user=None, address="", site="", source=None):
        """Write a letter; the same key twice writes one. It leaves after the caller's transaction, or not at all."""
        letter = cls(kind=kind, key=f"{kind}:{key}", user=user, address=address, site=site, source=source)
        try:
            with transaction.atomic():
                letter.save(force_insert=True)
        except IntegrityError:
            return None
        transaction.on_commit(_nudge)
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

    def claim(self, now):
        """Take this letter: True for exactly one of all who try."""
        taken = Mail.objects.filter(pk=self.pk, state=Mail.State.DUE).update(
            state=Mail.State.CLAIMED, claimed_at=now, attempts=models.F("attempts") + 1)
        if taken:
            self.refresh_from_db()
        return bool(taken)

    def end(self, state, now=None):
        """What became of it."""
        Mail.objects.filter(pk=self.pk, state=Mail.State.CLAIMED).update(state=state, done_at=now or timezone.now())

    def try_again(self, now=None):
        """It surely did not leave: once more later, or give up after the last try."""
        now = now or timezone.now()
        if self.attempts >= self.TRIES:
            self.end(Mail.State.FAILED, now)
        else:
            Mail.objects.filter(pk=self.pk, state=Mail.State.CLAIMED).update(
                state=Mail.State.DUE, due_at=now + timedelta(minutes=2 ** self.attempts))

    @classmethod
    def forget_old(cls, now=None):
        """Drop letters past their time; what was typed for nobody goes after a day. Returns how many."""
        now = now or timezone.now()
        gone = cls.objects.filter(created_at__lt=now - cls.KEEP).exclude(state=cls.State.DUE).delete()[0]
        return gone + cls.objects.filter(state=cls.State.NOBODY, created_at__lt=now - timedelta(days=1)).delete()[0]


def _nudge():
    """Only a nudge: the scheduled job finds the row anyway."""
    from django_q.tasks import async_task

    async_task("clinic.tasks.hand_over_mail")
