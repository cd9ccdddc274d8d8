from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from simple_history.models import HistoricalRecords

from clinic.db.keys import uuid7
from clinic.db.records import Revision


class UserQuerySet(models.QuerySet):
    def delete(self):
        raise RuntimeError("Users are disabled, never deleted: their name stands in the history.")


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def get_by_natural_key(self, username):
        return self.get(email=self.normalize_email(username).lower())

    def create_user(self, email, password=None, *, name="", **fields):
        user = self.model(email=email.strip().lower(), name=name, **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save()
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may do stands in memberships; `groups` stays empty.

    A superuser runs the installation and is for that reason no member of any clinic.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True, error_messages={"unique": "This e-mail address already signs in somebody."})
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May open the admin site.")
    is_demo = models.BooleanField(default=False, editable=False, help_text="Belongs to the demo practice.")
    session_epoch = models.PositiveIntegerField(default=0, editable=False, help_text="Raising it ends every session.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_login = None  # sign-ins are access events

    history = HistoricalRecords(
        bases=[Revision], history_id_field=models.UUIDField(default=uuid7), excluded_fields=["password"],
        history_change_reason_field=models.TextField(null=True))
    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.CheckConstraint(
            condition=models.Q(email=models.functions.Lower("email")), name="clinic_user_email_lower_case",
            violation_error_message="E-mail addresses are kept in lower case.")]

    def __str__(self):
        return self.name or self.email

    def _get_session_auth_hash(self, secret=None):
        # The epoch is part of it: raising it ends every session at its next request.
        return salted_hmac(
            "clinic.User.session", f"{self.password}:{self.session_epoch}", secret=secret, algorithm="sha256").hexdigest()

    @transaction.atomic
    def sign_out_everywhere(self, *, by, because="Signed out everywhere"):
        """End every session of this user, this one too."""
        self._lock()
        self.session_epoch += 1
        self._save_by(by, because)

    @transaction.atomic
    def disable(self, *, by, because):
        """End access at once: every session stops at its next request. The user stays in the history."""
        self._lock()
        self.is_active = False
        self.session_epoch += 1
        self._save_by(by, because)

    @transaction.atomic
    def enable(self, *, by, because):
        """Let the user sign in again."""
        self._lock()
        self.is_active = True
        self._save_by(by, because)

    @transaction.atomic
    def change_password(self, password, *, by):
        """Set a new password; other sessions end."""
        self._lock()
        self.set_password(password)
        self._save_by(by, "Password changed")

    def _lock(self):
        # As it now stands: an old copy must not bring a disabled user back to life.
        self.refresh_from_db(from_queryset=User.objects.select_for_update())

    def _save_by(self, by, because):
        self._history_user = by.user
        self._history_actor = by
        self._change_reason = because
        self.save()

    def delete(self, *args, **kwargs):
        raise RuntimeError("Users are disabled, never deleted: their name stands in the history.")
