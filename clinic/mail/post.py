"""Hands letters over, each at most once."""
import logging
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

from django.core.mail import get_connection
from django.utils import timezone

from clinic.mail.letters import compose
from clinic.models import Mail

logger = logging.getLogger("chairside.mail")
# Told by the server before it took the letter, so it surely did not leave.
REFUSED = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)
LOST_AFTER = timedelta(minutes=15)


def hand_over(now=None, limit=100):
    """Hand over what is due; returns how many left. Two who do this at once never take the same letter."""
    now = now or timezone.now()
    # Whoever claimed these died in the middle: nobody knows whether they left, so they do not leave again.
    Mail.objects.filter(state=Mail.State.CLAIMED, claimed_at__lt=now - LOST_AFTER).update(
        state=Mail.State.MAYBE_SENT, done_at=now)
    return sum(_hand_over(mail, now) for mail in Mail.objects.due(now)[:limit] if mail.claim(now))


def _hand_over(mail, now):
    message = compose(mail)
    if message is None:
        mail.end(Mail.State.NOBODY)
        return 0
    connection = get_connection()
    try:
        connection.open()
    except Exception as error:  # no connection: nothing left
        return _not_sent(mail, error)
    try:
        connection.send_messages([message])
    except REFUSED as error:
        return _not_sent(mail, error)
    except Exception as error:  # the line broke in the middle: it may have left
        logger.error("letter %s: its end is unknown (%s)", mail.pk, type(error).__name__)
        mail.end(Mail.State.MAYBE_SENT)
        return 0
    finally:
        _close(connection)
    mail.end(Mail.State.SENT)
    return 1


def _not_sent(mail, error):
    # The class only: what servers say names addresses.
    logger.warning("letter %s was not sent (%s)", mail.pk, type(error).__name__)
    mail.try_again()
    return 0


def _close(connection):
    try:
        connection.close()
    except Exception as error:  # the letter's fate is known already
        logger.warning("the mail connection did not close (%s)", type(error).__name__)
