"""What a person shows besides the password: an authenticator app, passkeys, recovery codes.

That one was added or taken away stands in the history of the user; these rows only hold what a check needs.
"""
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from clinic import codes
from clinic.db.fields import EncryptedTextField
from clinic.db.keys import uuid7
from clinic.db.refusals import Refused


class AuthenticatorApp(models.Model):
    """The app of a user that shows codes. One each; setting up another one replaces it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="authenticator_app")
    secret = EncryptedTextField(context="clinic_authenticatorapp.secret")
    last_step = models.BigIntegerField(default=0, help_text="A code counts only after this step: none counts twice.")
    added_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    def __str__(self):
        return "Authenticator app"

    def accept(self, code, now=None):
        """Whether this is the code of now and was not used before; uses it up."""
        now = now or timezone.now()
        step = codes.step_of(self.secret, codes.as_typed(code), now, after=self.last_step)
        if step is None:
            return False
        return bool(AuthenticatorApp.objects.filter(pk=self.pk, last_step__lt=step).update(last_step=step, used_at=now))


class Passkey(models.Model):
    """A passkey or security key of a user: the public half, which opens nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="passkeys")
    name = models.CharField(max_length=60)
    credential_id = models.CharField(max_length=1400, unique=True, help_text="As the authenticator named it, base64url.")
    credential = models.TextField(help_text="The attested credential data with the public key, base64url.")
    sign_count = models.BigIntegerField(default=0)
    added_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["added_at"]

    def __str__(self):
        return self.name

    def used(self, sign_count, now=None):
        """Note a use; False when the counter went back, which a copied key does."""
        fresh = models.Q(sign_count__lt=sign_count) if sign_count else models.Q(sign_count=0)
        return bool(Passkey.objects.filter(fresh, pk=self.pk).update(sign_count=sign_count, used_at=now or timezone.now()))


class RecoveryCode(models.Model):
    """A code on paper, good once, for the day on which phone and key are lost. Only a keyed hash is stored."""

    COUNT = 10

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self):
        return "used" if self.used_at else "good"

    @classmethod
    def accept(cls, user, code, now=None):
        """Whether this is a good code of the user; uses it up."""
        return bool(cls.objects.filter(user=user, digest=_digest(user, code), used_at=None).update(
            used_at=now or timezone.now()))


class SecondFactors:
    """The verbs of a user about their second factors; mixed into User."""

    @property
    def has_second_factor(self):
        """Whether sign-in asks for more than the password. Recovery codes alone are none."""
        return AuthenticatorApp.objects.filter(user=self).exists() or self.passkeys.exists()

    @transaction.atomic
    def add_app(self, secret, code, *, by, now=None):
        """Set up the app whose first code this is, in place of any other. Returns new recovery codes if there are none."""
        now = now or timezone.now()
        step = codes.step_of(secret, codes.as_typed(code), now)
        if step is None:
            raise Refused("This is not the code that the app shows now. Check that the phone's clock is right.")
        self._lock()
        AuthenticatorApp.objects.update_or_create(
            user=self, defaults={"secret": secret, "last_step": step, "added_at": now, "used_at": None})
        return self._factors_changed(by, "Authenticator app set up")

    @transaction.atomic
    def remove_app(self, *, by):
        """Take the app away."""
        self._lock()
        if AuthenticatorApp.objects.filter(user=self).delete()[0]:
            self._factors_changed(by, "Authenticator app taken away")

    @transaction.atomic
    def add_passkey(self, *, name, credential_id, credential, sign_count, by):
        """Add a passkey. Returns new recovery codes if there are none."""
        self._lock()
        if Passkey.objects.filter(credential_id=credential_id).exists():
            raise Refused("This passkey is set up already.")
        self.passkeys.create(name=name, credential_id=credential_id, credential=credential, sign_count=sign_count)
        return self._factors_changed(by, "Passkey added")

    @transaction.atomic
    def remove_passkey(self, passkey_id, *, by):
        """Take one passkey away."""
        self._lock()
        if self.passkeys.filter(pk=passkey_id).delete()[0]:
            self._factors_changed(by, "Passkey taken away")

    @transaction.atomic
    def renew_recovery_codes(self, *, by):
        """Ten new codes in place of all older ones; they are shown once."""
        self._lock()
        self.recovery_codes.all().delete()
        fresh = [codes.new_recovery_code() for _ in range(RecoveryCode.COUNT)]
        RecoveryCode.objects.bulk_create(RecoveryCode(user=self, digest=_digest(self, code)) for code in fresh)
        self._tell_of_factors(by, "Recovery codes made")
        return fresh

    @transaction.atomic
    def reset_second_factor(self, *, by, because):
        """Take every second factor away: for somebody who lost phone, key and paper. Every session ends."""
        self._lock()
        AuthenticatorApp.objects.filter(user=self).delete()
        self.passkeys.all().delete()
        self.recovery_codes.all().delete()
        self.session_epoch += 1
        self.sessions.all().delete()
        self._tell_of_factors(by, because)

    def _factors_changed(self, by, because):
        """Recovery codes stand and fall with the other factors."""
        if not self.has_second_factor:
            self.recovery_codes.all().delete()
        elif not self.recovery_codes.filter(used_at=None).exists():
            self._tell_of_factors(by, because)
            return self.renew_recovery_codes(by=by)
        self._tell_of_factors(by, because)
        return []

    def _tell_of_factors(self, by, because):
        """A new key for every session, a line in the history, and a letter to the owner."""
        from clinic.models.mail import Mail

        self.rights_epoch += 1
        self._save_by(by, because)
        Mail.write(Mail.Kind.SECOND_FACTOR_CHANGED, user=self, key=f"{self.pk}:{self.rights_epoch}")


def _digest(user, code):
    return salted_hmac(
        "clinic.RecoveryCode", f"{user.pk}:{codes.as_typed(code)}", algorithm="sha256").hexdigest()
