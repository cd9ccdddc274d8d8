"""A CSV file of patients: which columns it may have, and how its cells are read. Writes nothing."""
from django.conf import settings

from clinic.db.fields import normalise
from clinic.imports.cells import Wrong, read_choice, read_country, read_date, read_flag, read_phone
from clinic.imports.rows import TAKEN, Row, examined
from clinic.imports.table import CsvFile, Table

REQUIRED = ("first_name", "last_name", "date_of_birth")
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
COLUMNS = (*TAKEN, "account")
SPELLED = {
    column: {word: value for value, words in values.items() for word in words.split()} for column, values in CHOICES.items()}


class PatientFile(CsvFile):
    """An open file whose header has been understood. `rows()` gives a Row or a list of Problems for each line."""

    def __init__(self, path, clinic, day_first, today):
        self.clinic, self.day_first, self.today = clinic, day_first, today
        self.table = Table(path, COLUMNS, REQUIRED)

    def how(self):
        return self.table.how(self.day_first)

    def _row(self, line, values):
        account = values.pop("account", None) or ""
        row = Row(line, {name: value for name, value in values.items() if value is not None}, account)
        return examined(row, self.clinic, lambda name: name if name in self.table.columns else "")

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
