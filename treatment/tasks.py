"""Jobs of treatment; each calls one verb."""
from treatment.models import ReviewReminder


def write_review_reminders():
    return ReviewReminder.write_due()
