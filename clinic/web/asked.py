"""What an address or a hidden field asks for, read strictly: what makes no sense is not there."""
from datetime import datetime
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


def moment(text):
    """A moment in ISO form, with or without an offset, in a year that a practice can mean; None for what is none."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if 1900 <= at.year <= 2200 else None
