import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import Refused


class ApiTokenQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        """One's own, of every clinic and hat: nobody manages the tokens of somebody else."""
        if actor is None or actor.user is None:
            return self.none()
        return self.filter(user=actor.user)

    def good(self, now=None):
        """Those that still open something."""
        return self.filter(revoked_at=None, expires_at__gt=now or timezone.now())

    def opened_by(self, secret, now=None):
        """The good token with this secret, or None."""
        return self.good(now).filter(digest=digest_of(secret)).select_related("user").first()


class ApiToken(Record):
    """A program's key to what one user may do under one hat: a membership, a portal access, or neither for a coach.

    Only a digest is stored: the secret is shown once, when it is made. It never opens more than its user may now.
    """

    PREFIX = "chairside_"
    LONGEST = timedelta(days=366)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="api_tokens")
    membership = models.ForeignKey("clinic.Membership", models.PROTECT, null=True, related_name="+")
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=80, help_text="Which program it is for.")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the secret.")
    expires_at = models.DateTimeField(editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["clinic", "user"], name="clinic_apitoken_of_user")]
        constraints = [
            models.CheckConstraint(
                condition=Q(membership=None) | Q(patient=None), name="clinic_apitoken_one_hat"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="clinic_apitoken_expires_after_start"),
        ]

    def __str__(self):
        return self.name

    @property
    def is_good(self):
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def hat(self):
        """The name of the hat that it opens; see `clinic.access.hats.name_of`."""
        kind = "staff" if self.membership_id else "portal" if self.patient_id else "coach"
        return f"{kind}:{self.patient_id or self.clinic_id}"

    @classmethod
    @transaction.atomic
    def issue(cls, *, by, name, days=90, because=""):
        """Make a token for the actor's own hat; returns (token, secret). The secret can't be read again."""
        if not 0 < days <= cls.LONGEST.days:
            raise ValidationError({"days": f"A token lives from one day to {cls.LONGEST.days} days."})
        secret = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls(
            clinic=by.clinic, user=by.user, membership=by.membership, patient=by.patient, name=name,
            digest=digest_of(secret), expires_at=timezone.now() + timedelta(days=days))
        return token.record(by=by, because=because), secret

    @transaction.atomic
    def revoke(self, *, by, because=""):
        """End it: the next request with it is refused."""
        self.lock()
        if self.revoked_at is not None:
            raise Refused("This token was revoked already.")
        self.revoked_at = timezone.now()
        return self.record(by=by, because=because)


def digest_of(secret):
    """A plain SHA-256 is enough: the secret is 256 random bits, not a password that somebody chose."""
    return hashlib.sha256(secret.encode()).hexdigest()
