"""Lock-out: after so many wrong tries an account, or the place they come from, has to wait.

django-axes keeps the tries as rows; this handler counts them per account and per source with a limit each. An account is
known by a keyed hash of the address, so that nothing typed into that field is kept, and unknown addresses lock alike.
"""
import logging
from datetime import timedelta

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.crypto import salted_hmac

from clinic.access.source import network_of

logger = logging.getLogger("chairside.request")
ACCOUNT_LIMIT = 10
SOURCE_LIMIT = 50  # a practice shares one address
REST = timedelta(minutes=30)
PASSWORD, SECOND, LINK, CODE = "password", "second factor", "link", "code"  # kinds of try, counted apart at an account


def account_of(address, kind=PASSWORD):
    """How tries at an account are counted: by a keyed hash of its address."""
    return salted_hmac("clinic.guessing", f"{kind}:{address.strip().lower()}", algorithm="sha256").hexdigest()


def username_of(request, credentials=None):
    """For django-axes: who is meant, from the credentials and never from the form's fields."""
    return account_of((credentials or {}).get("username") or "")


def is_locked(request, account, now=None):
    """Whether this account has to wait, or the place of this request (without one only the account is asked)."""
    if _tries(_recent(now).filter(username=account)) >= ACCOUNT_LIMIT:
        return True
    return request is not None and source_is_locked(request, now)


def source_is_locked(request, now=None):
    """Whether too many wrong tries came from the place of this request."""
    return _tries(_recent(now).filter(ip_address=network_of(request))) >= SOURCE_LIMIT


def count(request, account, now=None):
    """Write down one wrong try; True when it is the one that locks the account."""
    now = now or timezone.now()
    AccessAttempt.objects.filter(attempt_time__lte=now - REST).delete()
    with transaction.atomic():
        row, new = AccessAttempt.objects.select_for_update().get_or_create(
            username=account, ip_address=network_of(request), user_agent="",
            defaults={"failures_since_start": 1, "attempt_time": now})
        if not new:
            AccessAttempt.objects.filter(pk=row.pk).update(failures_since_start=F("failures_since_start") + 1, attempt_time=now)
        return _tries(AccessAttempt.objects.filter(username=account)) >= ACCOUNT_LIMIT


def forget(*accounts):
    """Start to count anew for these accounts; returns how many rows of tries were forgotten."""
    return AccessAttempt.objects.filter(username__in=accounts).delete()[0]


def forget_source(network, because):
    """Start to count anew for this source and for the tries that accounts got from there; False when there were none.

    It belongs to no record of any clinic, so who wants to know why reads the log.
    """
    forgotten = AccessAttempt.objects.filter(ip_address=network).delete()[0]
    if forgotten:
        logger.warning("the source %s was unlocked: %s", network, because)
    return bool(forgotten)


def _recent(now):
    return AccessAttempt.objects.filter(attempt_time__gt=(now or timezone.now()) - REST)


def _tries(rows):
    return rows.aggregate(sum=Sum("failures_since_start"))["sum"] or 0


class Guesses(AxesDatabaseHandler):
    """What django-axes asks and tells; the counting is above."""

    def is_locked(self, request, credentials=None):
        return is_locked(request, username_of(request, credentials))

    def user_login_failed(self, sender, credentials, request=None, **kwargs):
        if request is None or request.axes_locked_out:
            return  # a try that was not compared is none, and does not make the wait longer
        if count(request, username_of(request, credentials)):
            from clinic.models import Mail

            request.axes_locked_out = True
            Mail.tell_of_lock(credentials.get("username") or "")

    def user_logged_in(self, sender, request, user, **kwargs):
        """Only a whole sign-in starts the count anew; see `clinic.access.sessions.begin`."""

    def user_logged_out(self, sender, request, user, **kwargs):
        """Signing out says nothing about guesses."""


def wrong_second(request, user):
    """A wrong code was shown for this user; True when that locks the second factor."""
    from clinic.models import Mail

    if count(request, account_of(user.email, SECOND)):
        Mail.tell_of_lock(user.email)
        return True
    return False


__all__ = [
    "Guesses", "account_of", "count", "forget", "forget_source", "is_locked", "source_is_locked", "username_of", "wrong_second"]
