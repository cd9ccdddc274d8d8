from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from simple_history.models import HistoricalRecords

from clinic.db.keys import uuid7
from clinic.db.records import Revision
from clinic.db.refusals import Refused
from clinic.db.texts import ReadableTexts
from clinic.models.mail import Mail
from clinic.models.mailed_link import MailedLink
from clinic.models.second_factor import SecondFactors


class UserQuerySet(models.QuerySet):
    def visible_to(self, actor):
        """Those who work or have worked in the actor's clinic, for its staff."""
        if actor is None or actor.hat != "staff":
            return self.none()
        return self.filter(pk__in=self.model._meta.get_field("memberships").related_model.objects.filter(
            clinic=actor.clinic_id).values("user"))

    def working_in(self, clinic):
        """Those who work in this clinic now, by name."""
        return self.filter(is_active=True, memberships__clinic=clinic, memberships__until=None).order_by("name").distinct()

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


class User(SecondFactors, ReadableTexts, AbstractBaseUser, PermissionsMixin):
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
    rights_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raising it gives every session a new key.")
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

    def has_a_part_elsewhere(self, clinic):
        """Whether this user works in another clinic, coaches one, or uses a portal, at this time."""
        return (self.memberships.filter(until=None).exclude(clinic=clinic).exists()
                or self.coachings.filter(until=None).exists() or self.portal_accesses.filter(until=None).exists())

    @property
    def uses_portal_only(self):
        """Whether this user is a patient, or acts for one, and nothing else: such a one signs in by a mailed code."""
        return (not self.is_superuser and not self.memberships.filter(until=None).exists()
                and not self.coachings.filter(until=None).exists() and self.portal_accesses.filter(until=None).exists())

    @property
    def is_locked_out(self):
        """Whether wrong tries have locked the sign-in for a while."""
        from clinic.access import guessing

        return any(guessing.is_locked(None, account) for account in self._accounts())

    @transaction.atomic
    def sign_out_everywhere(self, *, by, because="Signed out everywhere", tokens=False):
        """End every session of this user, this one too; with `tokens` also what programs sign in with, for good."""
        self._lock()
        self._end_sessions()
        if tokens:
            self._revoke_tokens(by, because)
        self._save_by(by, because)

    def end_session(self, key, *, by):
        """End one session, by its key in the database. `by` is the owner: nobody ends a single one of somebody else."""
        return bool(self.sessions.filter(pk=key, user=by.user).delete()[0])

    def end_other_sessions(self, *, keep, by):
        """End every session but `keep`; returns how many."""
        return self.sessions.filter(user=by.user).exclude(pk=keep).delete()[0]

    @transaction.atomic
    def disable(self, *, by, because):
        """End access at once: every session stops at its next request, every token for good. The user stays in the history."""
        self._lock()
        self.is_active = False
        self._end_sessions()
        self._revoke_tokens(by, because)
        self._save_by(by, because)

    @transaction.atomic
    def enable(self, *, by, because):
        """Let the user sign in again."""
        self._lock()
        self.is_active = True
        self._save_by(by, because)

    @transaction.atomic
    def unlock(self, *, by, because, source=None):
        """Let a user whom wrong tries have locked out try again at once; with `source` also everybody from that place."""
        from clinic.access import guessing

        self._lock()
        freed = bool(source) and guessing.forget_source(source, because)
        if not guessing.forget(*self._accounts()) and not freed:
            raise Refused("Nobody tried a wrong password for this user lately, so there is nothing to unlock.")
        self._save_by(by, because)

    @transaction.atomic
    def change_password(self, password, *, by, keep=None):
        """Set a new password, tell the owner, end other sessions. `keep`: the key of the session that may go on."""
        self._lock()
        self.set_password(password)
        self._password_changed(by, "Password changed")
        self.sessions.exclude(pk=keep).delete()

    @transaction.atomic
    def reset_password(self, link, password, *, by):
        """Set a new password by a mailed link, which is used up; end every session and tell the owner.

        It opens nothing by itself: the next sign-in asks for the second factor as always, and a lock goes on.
        """
        if not link.use():
            raise Refused("This link was used or is too old. Ask for a new one.")
        self._lock()
        self.set_password(password)
        self._end_sessions()
        self._revoke_tokens(by, "Password set by a mailed link")
        self._password_changed(by, "Password set by a mailed link")

    @transaction.atomic
    def change_address(self, link, *, by):
        """Sign in with the address to which this link was mailed from now on; the old one is told."""
        if not link.use():
            raise Refused("This link was used or is too old. Ask for a new one.")
        self._lock()
        if User.objects.filter(email=link.address).exists():
            raise Refused("This address can't be used.")
        old, self.email = self.email, link.address
        self.rights_epoch += 1
        self._save_by(by, "Address changed")
        MailedLink.objects.good().filter(user=self).update(used_at=timezone.now())
        Mail.write(Mail.Kind.ADDRESS_CHANGED, user=self, address=old, key=f"{link.pk}")

    def _accounts(self):
        from clinic.access import guessing

        return [guessing.account_of(self.email, kind) for kind in (guessing.PASSWORD, guessing.SECOND)]

    def _revoke_tokens(self, by, because):
        for token in self.api_tokens.filter(revoked_at=None):
            token.revoke(by=by, because=because)

    def _end_sessions(self):
        self.session_epoch += 1
        self.sessions.all().delete()

    def _password_changed(self, by, because):
        self._save_by(by, because)
        MailedLink.objects.good().filter(user=self).update(used_at=timezone.now())
        Mail.write(Mail.Kind.PASSWORD_CHANGED, user=self, key=f"{self.pk}:{self.history.first().pk}")

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
