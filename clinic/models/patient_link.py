import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from clinic.db.keys import uuid7
from clinic.models.mailed_link import digest_of
from clinic.models.patient import Patient


class PatientLinkQuerySet(models.QuerySet):
    def good(self, now=None):
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=now or timezone.now())

    def opened_by(self, secret, purpose):
        """The link with this secret, good or not, or None."""
        return self.filter(digest=digest_of(secret), purpose=purpose).first()


class PatientLink(models.Model):
    """A link that was sent to a patient: it lets whoever holds it answer one question, once. Not a way into the portal.

    Only a digest of its secret is stored. The record that the question is about points to the link. It is kept when it has
    ended, so that whoever opens an old one is told so, and whom to call.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinic = models.ForeignKey("clinic.Clinic", models.PROTECT, related_name="+", editable=False, db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=20, help_text="Whose pages it opens, such as visit.")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret in the link.")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = PatientLinkQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(
            condition=Q(used_at=None) | Q(revoked_at=None), name="clinic_patientlink_used_or_revoked")]

    def __str__(self):
        return f"link: {self.purpose}"

    @classmethod
    def issue(cls, patient, purpose, *, expires_at):
        """(a new link, its secret): 256 random bits that can't be read again."""
        secret = secrets.token_urlsafe(32)
        link = cls.objects.create(
            clinic_id=patient.clinic_id, patient=patient, purpose=purpose, digest=digest_of(secret), expires_at=expires_at)
        return link, secret

    def is_good(self, now=None):
        return self.used_at is None and self.revoked_at is None and self.expires_at > (now or timezone.now())

    def use(self, now=None):
        """Use it up: True for exactly one of all who try."""
        now = now or timezone.now()
        return bool(PatientLink.objects.good(now).filter(pk=self.pk).update(used_at=now))

    def revoke(self, now=None):
        """It opens nothing from now on."""
        now = now or timezone.now()
        return bool(PatientLink.objects.good(now).filter(pk=self.pk).update(revoked_at=now))
