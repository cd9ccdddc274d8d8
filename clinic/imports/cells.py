"""What one cell of a file says: dates, times, phone numbers, choices. What can't be read is refused with a sentence."""
import re
import unicodedata
from datetime import date, time
from decimal import Decimal
from functools import cache

import phonenumbers
from django.core.exceptions import ValidationError
from holidays.registry import COUNTRIES
from phonenumber_field.phonenumber import PhoneNumber

from clinic import search
from clinic.db.fields import normalise
from clinic.models.clinic import known_country

YES, NO = set("yes y true t 1 x ja j si oui".split()), set("no n false f 0 nein non".split())


class Wrong(Exception):
    """One cell can't be read; for the inside of these modules."""


class ValidNumber(PhoneNumber):
    """A number that was examined once; asking again at every turn would take half the time of an import."""

    def is_valid(self):
        return True


def tidy(cell):
    """The text of a cell on one line, in one form of its letters; what can't be stored or shown is refused."""
    text = unicodedata.normalize("NFC", " ".join(cell.split()))
    if any(unicodedata.category(char) in ("Cc", "Cs") or char == "\ufffd" for char in text):
        raise Wrong("This holds characters that can't be read. Look at the file's encoding.")
    return text


DATES = (
    (re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]00:00(?::00)?(?:\.0+)?)?"), "ymd"),
    (re.compile(r"(\d{4})(\d{2})(\d{2})"), "ymd"),
    (re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})"), "dmy"),
    (re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4}|\d{2})(?: 0?0:00(?::00)?)?"), "either"),
)


def read_date(text, day_first, today):
    """A birth date: ISO, 3.2.1980, and 2/3/1980, which `day_first` decides when both readings exist."""
    for pattern, form in DATES:
        match = pattern.fullmatch(text)
        if match:
            one, two, three = match.groups()
            if form == "ymd":
                tries = [(one, two, three)]
            else:
                tries = [(three, two, one), (three, one, two)]
                tries = tries[:1] if form == "dmy" else tries if day_first else tries[::-1]
            for year, month, day in tries:
                found = a_date(year, month, day, today)
                if found:
                    return found
            break
    else:
        named = search.dates_meant(text, today)
        if len(named) == 1:
            return named[0]
    raise Wrong(f"{text[:40]!r} is not a date. Write it like 1980-02-29.")


def a_date(year, month, day, today):
    """The date, or None; a year of two digits lies in the last hundred years."""
    try:
        if len(year) > 2:
            return date(int(year), int(month), int(day))
        found = date(2000 + int(year), int(month), int(day))
        return found if found <= today else date(1900 + int(year), int(month), int(day))
    except ValueError:
        return None


def read_phone(text, country):
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise Wrong(f"{text[:40]!r} is not a valid phone number of {country} or one with + and the country's code.")
    known = ValidNumber(raw_input=text)
    known.merge_from(number)
    return known


def read_choice(text, spelled):
    value = spelled.get(normalise(text))
    if value is None:
        raise Wrong(f"{text[:40]!r} is not one of: {', '.join(dict.fromkeys(spelled.values()))}.")
    return value


GROUPED = {",": re.compile(r"\d{1,3}(,\d{3})+(\.\d{1,2})?"), ".": re.compile(r"\d{1,3}(\.\d{3})+(,\d{1,2})")}
PLAIN = re.compile(r"\d+([.,]\d{1,2})?")


def read_amount(text):
    """An amount of money: 1,234.50, 1.234,50, 1234,5 or $ 1234. What could be two amounts is refused, such as 1.234."""
    number = re.sub(r"^(?:[A-Z]{3}|[$€£])\s?|\s?(?:[A-Z]{3}|[$€£])$", "", text)
    if GROUPED[","].fullmatch(number):
        number = number.replace(",", "")
    elif GROUPED["."].fullmatch(number):
        number = number.replace(".", "").replace(",", ".")
    elif PLAIN.fullmatch(number):
        number = number.replace(",", ".")
    else:
        raise Wrong(f"{text[:40]!r} is not an amount. Write it like 1234.50.")
    return Decimal(number)


def read_flag(text):
    word = normalise(text)
    if word not in YES | NO:
        raise Wrong(f"{text[:40]!r} is neither yes nor no.")
    return word in YES


def read_country(text):
    """The two letters of a country: as they are, or by its three letters or its English name."""
    code = longer_names().get(normalise(text), text)
    try:
        return known_country(code)
    except ValidationError:
        raise Wrong(f"{text[:40]!r} is not a country's two letters, such as US.") from None


@cache
def longer_names():
    """{three letters, or the English name: two letters}."""
    names = {}
    for name, (_, two, three, *_others) in COUNTRIES.items():
        names |= {three.lower(): two, name.replace("_", " "): two}
    return names


TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.]\d{2}(?:[.,]\d+)?)?\s?(am|pm)?")


def read_time(text):
    """A time of day by the wall clock; 1:30 is in the night unless pm is said, for a file is no person at the desk."""
    match = TIME.fullmatch(text.lower().replace(".m.", "m"))
    if match:
        hour, minute = int(match[1]), int(match[2])
        if match[3] and 1 <= hour <= 12:
            hour = hour % 12 + (12 if match[3] == "pm" else 0)
        elif match[3]:
            hour = 24
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise Wrong(f"{text[:40]!r} is not a time. Write it like 14:30.")
