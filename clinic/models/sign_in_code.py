import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from clinic.db.keys import uuid7
from clinic.models.mail import Mail

LASTS = timedelta(minutes=10)
MOST_TRIES = 5
DIGITS = 6


class SignInCodeQuerySet(models.QuerySet):
    def good(self, now=None):
        return self.filter(used_at=None, tries__lt=MOST_TRIES, expires_at__gt=now or timezone.now())


class SignInCode(models.Model):
    """A code of six digits that was mailed to somebody who signs in without a password: to a patient, or who acts for them.

    It counts once, within ten minutes, in the browser that asked for it, which keeps its key; of the code itself only a keyed
    digest is stored. A row is made for whatever address is typed, so that nobody learns whose addresses there are.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="Known once the code is mailed.")
    digest = models.CharField(max_length=64, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = SignInCodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tries__lte=MOST_TRIES), name="clinic_signincode_five_tries"),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(user__isnull=False), name="clinic_signincode_used_by_somebody"),
        ]

    def __str__(self):
        return "sign-in code"

    @classmethod
    @transaction.atomic
    def ask(cls, address, *, source, now=None):
        """A new one, to be mailed if the address is that of somebody who may use a portal; None when this source asks too often."""
        now = now or timezone.now()
        if Mail.too_many_from(source, now):
            return None
        row = cls.objects.create(expires_at=now + LASTS)
        Mail.write(Mail.Kind.CODE, key=str(row.pk), address=address.strip().lower(), source=source)
        return row

    def draw(self, user):
        """The six digits, made when the letter leaves, for this user."""
        code = f"{secrets.randbelow(10 ** DIGITS):0{DIGITS}}"
        self.user, self.digest = user, self._digest(code)
        self.save(update_fields=["user", "digest"])
        return code

    def accept(self, code, now=None):
        """The user whose code this is; None when it does not fit or is no longer good. Each try counts, before it is compared."""
        now = now or timezone.now()
        mine = SignInCode.objects.good(now).filter(pk=self.pk)
        if not mine.update(tries=F("tries") + 1):
            return None
        self.refresh_from_db()
        fits = self.digest and constant_time_compare(self.digest, self._digest("".join(code.split())))
        if not fits or not SignInCode.objects.filter(pk=self.pk, used_at=None).update(used_at=now):
            return None
        return self.user if self.user.is_active and self.user.uses_portal_only else None

    def _digest(self, code):
        return salted_hmac("clinic.SignInCode", f"{self.pk}:{code}", algorithm="sha256").hexdigest()

    @classmethod
    def forget_old(cls, now=None):
        """Drop codes a day after they ended; returns how many."""
        return cls.objects.filter(expires_at__lt=(now or timezone.now()) - timedelta(days=1)).delete()[0]
