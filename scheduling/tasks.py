"""Jobs of the schedule; each calls one verb."""
from scheduling.models import FreedSlot, Reminder


def offer_freed_times():
    FreedSlot.go_on()


def write_reminders():
    return Reminder.write_due()
