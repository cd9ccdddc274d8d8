"""When a standard milestone is due: calendar months after the start, or a share of the way to the end."""
from calendar import monthrange
from datetime import timedelta


def months_after(day, months):
    """The same day so many months later; the last of the month where that one is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def due_on(rule, start, end, usual_months):
    """The day that a rule (`months`, or else `percent` of the length) gives for a plan from `start` to `end`.

    Without an end the plan is as long as is usual for its kind. Half days are rounded up.
    """
    if rule.months is not None:
        return months_after(start, rule.months)
    days = ((end or months_after(start, usual_months)) - start).days
    return start + timedelta(days=(days * rule.percent + 50) // 100)
