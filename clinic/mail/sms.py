"""Text messages leave by the class that SMS_SENDER names (a dotted path); it is made without arguments.

It has one method, `send(to, text)`: `to` is a number such as +12015550123. It returns once the message was taken. It raises
`NotSent` when the message surely did not leave (then it is tried again later); any other exception means that it may have
left, so that nobody sends it a second time by itself. Without SMS_SENDER no text messages are sent.
"""
import sys
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string


class NotSent(Exception):
    """It surely did not leave."""


@dataclass(frozen=True)
class Text:
    """A text message."""

    to: str
    text: str


class Console:
    """Prints text messages where errors go, as the mail console does."""

    def send(self, to, text):
        print(f"Text message to {to}:\n{text}", file=sys.stderr, flush=True)


def is_possible():
    return bool(settings.SMS_SENDER)


def send(message):
    import_string(settings.SMS_SENDER)().send(message.to, message.text)
