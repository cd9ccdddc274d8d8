from datetime import timedelta

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from clinic.db.keys import uuid7


class OutgoingQuerySet(models.QuerySet):
    def due(self, now=None):
        """What waits to be handed over, the oldest first."""
        return self.filter(state=Outgoing.State.DUE, due_at__lte=now or timezone.now()).order_by("due_at", "id")

    def lost(self, now):
        """What somebody claimed who died in the middle: nobody knows whether it left."""
        return self.filter(state=Outgoing.State.CLAIMED, claimed_at__lt=now - Outgoing.LOST_AFTER)


class Outgoing(models.Model):
    """Something that leaves the house at most once: a row with a unique key, claimed before it is handed over.

    It never holds patient data: what it says, and to whom it goes, is worked out by `compose` when it leaves.
    """

    class State(models.TextChoices):
        DUE = "due", "Due"
        CLAIMED = "claimed", "Being handed over"
        SENT = "sent", "Handed over"
        FAILED = "failed", "Refused"
        MAYBE_SENT = "maybe_sent", "Maybe handed over"
        NOBODY = "nobody", "For nobody here"

    TRIES = 5
    LOST_AFTER = timedelta(minutes=15)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=120, unique=True, help_text="The same key is written once.")
    state = models.CharField(max_length=12, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["state", "due_at"], name="%(app_label)s_%(class)s_due")]
        constraints = [models.CheckConstraint(
            condition=models.Q(state__in=["due", "claimed"], done_at=None)
            | models.Q(state__in=["sent", "failed", "maybe_sent", "nobody"], done_at__isnull=False),
            name="%(app_label)s_%(class)s_done_has_a_time")]

    def write_once(self):
        """Save this new row; False when its key was written already."""
        try:
            with transaction.atomic():
                self.save(force_insert=True)
        except IntegrityError:
            if type(self).objects.filter(key=self.key).exists():
                return False
            raise
        return True

    def compose(self, now):
        """The message as it leaves now (an e-mail or a Text), or None when it is for nobody any more."""
        raise NotImplementedError

    def waits_until(self, now):
        """A later moment at which it may leave, or None: now is as good as any."""
        return None

    def claim(self, now):
        """Take it: True for exactly one of all who try."""
        taken = type(self).objects.filter(pk=self.pk, state=self.State.DUE).update(
            state=self.State.CLAIMED, claimed_at=now, attempts=models.F("attempts") + 1)
        if taken:
            self.refresh_from_db()
        return bool(taken)

    @transaction.atomic
    def end(self, state, now=None):
        """What became of it; who should know is told in the same transaction."""
        ended = type(self).objects.filter(pk=self.pk, state=self.State.CLAIMED).update(
            state=state, done_at=now or timezone.now())
        if ended:
            self.state = state
            self.tell_of_end()

    def tell_of_end(self):
        """Overridden by what somebody should know of."""

    def try_again(self, now=None):
        """It surely did not leave: once more later, or give up after the last try."""
        now = now or timezone.now()
        if self.attempts >= self.TRIES:
            self.end(self.State.FAILED, now)
        else:
            self._put_off(due_at=now + timedelta(minutes=2 ** self.attempts))

    def put_off(self, until):
        """Give it back untried, for later."""
        self._put_off(due_at=until, attempts=self.attempts - 1)

    def _put_off(self, **values):
        type(self).objects.filter(pk=self.pk, state=self.State.CLAIMED).update(state=self.State.DUE, **values)


def nudge():
    """Only a nudge: the scheduled job finds the row anyway."""
    from django_q.tasks import async_task

    async_task("clinic.tasks.hand_over_mail")
