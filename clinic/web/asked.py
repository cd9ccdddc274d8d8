"""What an address or a hidden field asks for, read strictly: what makes no sense is not there."""
from uuid import UUID

from django.http import Http404


def key(text):
    """The key of a row; 404 for what is none."""
    try:
        return UUID(text or "")
    except ValueError:
        raise Http404 from None


def whole(text, default=0):
    """A whole number from 0 up, or the default."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 8 else default
