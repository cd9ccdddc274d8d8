"""How far the schedule reaches: what lies beyond is a slip of the hand, and no page would show it again."""
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

EARLIEST = 1990  # the year
FARTHEST = timedelta(days=5 * 366)


def last_day(clinic):
    """The last day that can be booked from morning to evening."""
    return clinic.today(timezone.now() + FARTHEST) - timedelta(days=1)


def refuse_out_of_reach(starts_at, things, done):
    """ValidationError for a start that lies too far off; `things` and `done` as in: Visits, booked."""
    if starts_at > timezone.now() + FARTHEST:
        raise ValidationError({"starts_at": f"{things} are {done} at most five years ahead."})
    if starts_at.year < EARLIEST:
        raise ValidationError({"starts_at": f"{things} before {EARLIEST} are not kept here."})
