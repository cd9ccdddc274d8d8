"""Reads a CSV file of patients: which columns it has, what each row says, and what is wrong with it. Writes nothing."""
import csv
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from phonenumber_field.phonenumber import PhoneNumber

from clinic import search
from clinic.db.fields import normalise
from clinic.models import Patient
from clinic.models.clinic import known_country

REQUIRED = ("first_name", "last_name", "date_of_birth")
TEXTS = (
    "preferred_name", "email", "line1", "line2", "city", "region", "postal_code", "emergency_name", "emergency_relationship",
    "guarantor_name", "guarantor_relationship")
PHONES = ("phone", "phone_home", "phone_work", "emergency_phone", "guarantor_phone")
CHOICES = {
    "sex": {
        "female": "f female w weiblich frau woman girl femme mujer", "male": "m male man mann mannlich boy homme hombre",
        "other": "o other d divers diverse x nonbinary non-binary", "unknown": "u unknown unbekannt n/a - ?"},
    "contact_by": {
        "email": "email e-mail mail", "sms": "sms text", "phone": "phone call telephone telefon", "post": "post letter brief"},
    "status": {
        "active": "active a aktiv", "inactive": "inactive i inaktiv", "archived": "archived archiv",
        "deceased": "deceased dead verstorben"},
    "language": {code: f"{code} {normalise(name)}" for code, name in settings.LANGUAGES},
}
FLAGS = ("wants_reminders", "wants_recall", "wants_news")
YES, NO = set("yes y true t 1 x ja j si oui".split()), set("no n false f 0 nein non".split())
COLUMNS = (*REQUIRED, "external_id", "account", "country", *TEXTS, *PHONES, *CHOICES, *FLAGS)
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
SPELLED = {
    column: {word: value for value, words in values.items() for word in words.split()} for column, values in CHOICES.items()}


class CannotRead(Exception):
    """The file as a whole can't be taken in; the sentence says why and how to mend it."""


class Problem(NamedTuple):
    """What is wrong in one cell; `column` is empty when it is the line as a whole."""

    line: int
    column: str
    reason: str


class Wrong(Exception):
    """One cell can't be read; for the inside of this module."""


class ValidNumber(PhoneNumber):
    """A number that was examined once; asking again at every turn would take half the time of an import."""

    def is_valid(self):
        return True


@dataclass
class Row:
    """One good line: the values of a Patient, and the family it belongs to."""

    line: int
    values: dict
    account: str = ""

    @property
    def external_id(self):
        return self.values.get("external_id", "")

    @property
    def person(self):
        """Who it is when there is no number to go by."""
        values = self.values
        return normalise(values["first_name"]), normalise(values["last_name"]), values["date_of_birth"]

    def patient(self, clinic):
        return Patient(clinic=clinic, **self.values)


@dataclass
class PatientFile:
    """An open file whose header has been understood. `rows()` gives a Row or a list of Problems for each line."""

    path: Path
    clinic: object
    day_first: bool
    today: date
    encoding: str = ""
    delimiter: str = ""
    lines: int = 0
    columns: list = field(default_factory=list)

    def __post_init__(self):
        self.encoding, self.lines = encoding_of(self.path)
        with self._open() as file:
            head = file.readline()
        if not head.strip():
            raise CannotRead("The file is empty. Its first line names the columns.")
        self.delimiter, self.columns = header_of(head)

    def rows(self):
        """For each line with something in it: a Row, or the list of its Problems."""
        with self._open() as file:
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            next(reader)
            while True:
                line = reader.line_num + 1  # a quoted cell may run over several lines: the first one counts
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield [Problem(line, "", why_unreadable(error))]
                    continue
                if any(cell.strip() for cell in cells):
                    yield self._row(line, cells)

    def _open(self):
        return open(self.path, encoding=self.encoding, newline="")

    def _row(self, line, cells):
        if len(cells) != len(self.columns):
            return [Problem(line, "", f"The line has {len(cells)} cells, the header {len(self.columns)}.")]
        values, problems = {}, []
        for column, cell in zip(self.columns, cells, strict=True):
            try:
                values[column] = self._value(column, tidy(cell))
            except Wrong as wrong:
                problems.append(Problem(line, column, str(wrong)))
        account = values.pop("account", None) or ""
        row = Row(line, {name: value for name, value in values.items() if value is not None}, account)
        return problems or self._broken(row) or row

    def _value(self, column, text):
        """The cell's value; None when it says nothing, so that the model's own default stands."""
        if not text:
            if column in REQUIRED:
                raise Wrong("This is missing.")
            return None
        if column == "date_of_birth":
            return read_date(text, self.day_first, self.today)
        if column in PHONES:
            return read_phone(text, self.clinic.country)
        if column in SPELLED:
            return read_choice(text, SPELLED[column])
        if column in FLAGS:
            return read_flag(text)
        if column == "country":
            return read_country(text)
        return text

    def _broken(self, row):
        """What the model itself says against the row: the same rules as in the form."""
        patient = row.patient(self.clinic)
        try:
            patient.full_clean(
                exclude=NOT_IN_FILE, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            return [
                Problem(row.line, column if column in self.columns else "", " ".join(reasons))
                for column, reasons in error.message_dict.items()]
        row.values["country"] = patient.country  # where the address names none, the clinic's
        return None


NOT_IN_FILE = {one.name for one in Patient._meta.concrete_fields if one.is_relation or one.name not in COLUMNS}


def encoding_of(path):
    """(encoding, number of lines): UTF-8 with or without its mark, UTF-16 with it, else the old Windows one."""
    with path.open("rb") as file:
        start = file.read(2)
        if start in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16", sum(1 for _ in open(path, encoding="utf-16", newline=""))
        file.seek(0)
        lines = 0
        try:
            for line in file:
                line.decode("utf-8")
                lines += 1
        except UnicodeDecodeError:
            return "cp1252", lines + _lines_of_windows_text(line, file)
    return "utf-8-sig", lines


def _lines_of_windows_text(line, file):
    """How many lines are left; CannotRead for what is no text in that encoding either."""
    count = 1
    try:
        line.decode("cp1252")
        for line in file:
            line.decode("cp1252")
            count += 1
    except UnicodeDecodeError:
        raise CannotRead("This is not a text file. Save the list as CSV, best in UTF-8.") from None
    return count


def header_of(head):
    """(delimiter, columns) of the first line; CannotRead names what is unknown, doubled or missing."""
    read = {mark: column_names(head, mark) for mark in DELIMITERS}
    delimiter = max(read, key=lambda mark: sum(name in COLUMNS for name in read[mark]))
    columns = read[delimiter]
    for wrong, what in (
        ([name or "(no name)" for name in columns if name not in COLUMNS], "Not known"),
        (sorted({name for name in columns if columns.count(name) > 1}), "Twice there"),
        ([name for name in REQUIRED if name not in columns], "Missing"),
    ):
        if wrong:
            raise CannotRead(
                f"{what}: {', '.join(wrong)}. Nothing was written. The columns are: {', '.join(COLUMNS)}.")
    return delimiter, columns


def column_names(head, delimiter):
    try:
        cells = next(csv.reader([head], delimiter=delimiter))
    except (csv.Error, StopIteration):
        return []
    return [re.sub(r"[\s-]+", "_", cell.strip().lower()) for cell in cells]


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


def read_flag(text):
    word = normalise(text)
    if word not in YES | NO:
        raise Wrong(f"{text[:40]!r} is neither yes nor no.")
    return word in YES


def read_country(text):
    try:
        return known_country(text)
    except ValidationError:
        raise Wrong(f"{text[:40]!r} is not a country's two letters, such as US.") from None


def why_unreadable(error):
    if "unexpected end" in str(error):
        return "A quotation mark opened in this line is never closed, so the rest of the file could not be read."
    if "field larger" in str(error):
        return "A cell of this line is too long; perhaps a quotation mark is not closed."
    return "The quotation marks of this line do not fit. Write a mark inside a quoted cell twice."
