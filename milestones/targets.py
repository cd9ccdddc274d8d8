"""When a standard milestone is due: calendar months after the start, or a share of the way to the end."""
from datetime import timedelta

from clinic.dates import months_after


def due_on(rule, start, end, usual_months):
    """The day that a rule (`months`, or else `percent` of the length) gives for a plan from `start` to `end`.

    Without an end the plan is as long as is usual for its kind. Half days are rounded up.
    """
    if rule.months is not None:
        return months_after(start, rule.months)
    days = ((end or months_after(start, usual_months)) - start).days
    return start + timedelta(days=(days * rule.percent + 50) // 100)
