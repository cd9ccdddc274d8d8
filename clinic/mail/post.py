"""Hands letters and messages over, each at most once."""
import logging
import time
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

from django.apps import apps
from django.core.mail import get_connection
from django.utils import timezone

from clinic.mail import sms
from clinic.mail.sms import NotSent, Text
from clinic.models.outgoing import Outgoing

logger = logging.getLogger("chairside.mail")
# Told by the server before it took the letter, so it surely did not leave.
REFUSED = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)
# A server that hangs does not keep the job from its other work: what is left waits for the next run.
ENOUGH = 40  # seconds


def hand_over(now=None, limit=100):
    """Hand over what is due; returns how many left. Two who do this at once never take the same letter."""
    now, began, left = now or timezone.now(), time.monotonic(), 0
    for model in (model for model in apps.get_models() if issubclass(model, Outgoing)):
        for row in model.objects.lost(now):
            row.end(Outgoing.State.MAYBE_SENT, now)  # it does not leave again by itself
        for row in model.objects.due(now)[:limit]:
            if time.monotonic() - began > ENOUGH:
                return left
            if row.claim(now):
                left += _hand_over(row, now)
    return left


def _hand_over(row, now):
    if (later := row.waits_until(now)) is not None:
        row.put_off(later)
        return 0
    try:
        message = row.compose(now)
    except Exception as error:
        return _not_sent(row, error, now)
    if message is None:
        row.end(Outgoing.State.NOBODY, now)
        return 0
    try:
        sms.send(message) if isinstance(message, Text) else _mail(message)
    except NotSent as error:
        return _not_sent(row, error.__cause__ or error, now)
    except Exception as error:  # the line broke in the middle: it may have left
        logger.error("letter %s: its end is unknown (%s)", row.pk, type(error).__name__)
        row.end(Outgoing.State.MAYBE_SENT, now)
        return 0
    row.end(Outgoing.State.SENT, now)
    return 1


def _mail(message):
    connection = get_connection()
    try:
        connection.open()
    except Exception as error:  # no connection: nothing left
        raise NotSent from error
    try:
        connection.send_messages([message])
    except REFUSED as error:
        raise NotSent from error
    finally:
        _close(connection)


def _not_sent(row, error, now):
    # The class only: what servers say names addresses.
    logger.warning("letter %s was not sent (%s)", row.pk, type(error).__name__)
    row.try_again(now)
    return 0


def _close(connection):
    try:
        connection.close()
    except Exception as error:  # the letter's fate is known already
        logger.warning("the mail connection did not close (%s)", type(error).__name__)
