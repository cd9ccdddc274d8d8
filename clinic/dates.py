"""Dates and times as people type them: "tomorrow", "3/2/88", "fr", "+2w", "9:30", "930", "2pm"."""
import re
from calendar import monthrange
from datetime import date, time, timedelta

from clinic.search import MONTHS, dates_meant

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
STEPS = {"d": 1, "w": 7}


def read_date(text, today, past=False, day_first=False):
    """The date that a text means, or None.

    `past`: a birth date, so two-digit years lie behind; else the nearest year. `day_first`: 3/2 is 3 February.
    """
    text = " ".join(text.lower().split())
    if text in ("today", "t"):
        return today
    if text in ("tomorrow", "tom"):
        return today + timedelta(days=1)
    if text == "yesterday":
        return today - timedelta(days=1)
    if match := re.fullmatch(r"([+-]\d{1,3}) ?([dwm])", text):
        return _shifted(today, int(match[1]), match[2])
    if len(text) >= 2 and text.isalpha():
        named = [number for number, name in enumerate(WEEKDAYS) if name.startswith(text)]
        if len(named) == 1:
            return today + timedelta(days=(named[0] - today.weekday() - 1) % 7 + 1)
    if match := re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})\.?", text):
        between = "." if "." in text else "/"
        text = f"{match[1]}{between}{match[2]}{between}{today.year}"
    elif match := re.fullmatch(r"(\d{1,2})\.? ([a-z]{3,9})|([a-z]{3,9}) (\d{1,2})", text):
        day, name = (match[1], match[2]) if match[1] else (match[4], match[3])
        return _date(today.year, MONTHS.get(name, 0), int(day))
    found = dates_meant(text, today if past else date(today.year + 50, 1, 1))
    dotted = "." in text
    if len(found) == 2 and (day_first or dotted):
        return found[1]
    return found[0] if found else None


def read_time(text):
    """The time of day that a text means, or None; 2 means 2 pm when nothing else is said before 7."""
    match = re.fullmatch(r"(\d{1,2})(?:[:.h]?(\d{2}))? ?(am|pm|a|p)?", text.strip().lower())
    if not match:
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "")[:1]
    if half == "p" and hour < 12:
        hour += 12
    elif half == "a" and hour == 12:
        hour = 0
    elif not half and hour < 7 and not match[1].startswith("0") and len(match[1]) == 1:
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _shifted(today, count, unit):
    if unit in STEPS:
        return today + timedelta(days=count * STEPS[unit])
    return months_after(today, count)


def months_after(day, months):
    """The same day so many months later; the last of the month where that one is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def _date(year, month, day):
    try:
        return date(year, month, day)
    except ValueError:
        return None
