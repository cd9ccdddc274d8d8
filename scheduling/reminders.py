"""When a patient is reminded of a visit: pure calculation by the clinic's wall clock.

A week before the visit's day and the day before it, at the clinic's hour. A run that was missed is made up for at the next
decent hour (8:00 to 20:00): the week's reminder until the second day before the visit, the day's until the visit begins.
Nobody is reminded of what they have just arranged: a reminder is dropped when the visit was booked, or moved to this time,
less than a day before it would be due; so the week's needs eight days, the day's two.
"""
from datetime import time, timedelta

from scheduling import slots

WEEK, DAY = "week", "day"
DAYS_BEFORE = {WEEK: 7, DAY: 1}
DECENT = (8, 20)  # from and to, hours by the wall
AHEAD = timedelta(days=8)  # no visit that begins later is due for any reminder


def due_at(kind, visit_at, zone, hour):
    """The moment at which this reminder of a visit at this time is due."""
    day = visit_at.astimezone(zone).date() - timedelta(days=DAYS_BEFORE[kind])
    return slots.wall(day, time(hour), zone)


def kind_due(visit_at, since, now, zone, hour):
    """Which reminder of a visit, arranged for this time `since` then, is due now: "week", "day", or nothing."""
    days_left = (visit_at.astimezone(zone).date() - now.astimezone(zone).date()).days
    kind = DAY if days_left < 2 else WEEK
    due = due_at(kind, visit_at, zone, hour)
    if not due <= now < visit_at or since > due - timedelta(days=1):
        return ""
    return kind


def decent(now, zone):
    """This moment, or the next one at a decent hour."""
    local = now.astimezone(zone)
    if DECENT[0] <= local.hour < DECENT[1]:
        return now
    day = local.date() + timedelta(days=local.hour >= DECENT[1])
    return slots.wall(day, time(DECENT[0]), zone)
