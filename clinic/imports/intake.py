"""Takes the rows of an import file into one clinic: who is there stays as they are, everybody else is added."""
from collections import defaultdict

from django.db import DatabaseError, transaction

from clinic.access.actor import Actor
from clinic.db.records import record_bulk
from clinic.imports.rows import Problem
from clinic.models import Account, Counter, Patient

BATCH = 500


class Intake:
    """Tells the new rows of one clinic from those that are there, and from those that the file named before.

    `known`: what is there, `because`: the reason that stands in the history, `unit`: what the file counts, lines or entries.
    A row has `external_id` and `key`, which says who or what it is where there is no number to go by.
    """

    KEY = ("", "")  # the column and the words of what says the same

    def __init__(self, clinic, because, unit="line"):
        self.clinic, self.because, self.unit = clinic, because, unit
        self.by = Actor.system(clinic)
        self.rejected, self.there, self.added = [], 0, 0
        self.known, self.named = Same(), Same()

    def is_new(self, row):
        """Whether the row is to be added. What the file has named before is rejected."""
        before = self.named.find(row.external_id, row.key)
        if before is not None:
            column, same = ("external_id",) * 2 if row.external_id in self.named.by_number else self.KEY
            self.rejected.append(Problem(row.line, column, f"The same {same} as in {self.unit} {before}."))
            return False
        self.named.add(row.external_id, row.key, row.line)
        there = self.known.find(row.external_id, row.key)
        if there is not None:
            self.there += 1
            self.found(row, there)
        return there is None

    def found(self, row, there):
        """What else follows from a row that is there already."""

    def told(self):
        """What is to be known besides the counts, in sentences."""
        return ()


class Same:
    """What is the same: by its number in the earlier system, else by its key."""

    def __init__(self):
        self.by_number, self.by_key = {}, defaultdict(list)

    def add(self, number, key, thing):
        if number:
            self.by_number[number] = thing
        self.by_key[key].append((number, thing))

    def find(self, number, key):
        """What was added as the same. Two numbers that differ are two, however alike."""
        if number in self.by_number:
            return self.by_number[number]
        return next((thing for other, thing in self.by_key.get(key, ()) if not (number and other)), None)


class PatientIntake(Intake):
    """Takes patients: knows which families share an account."""

    KEY = ("last_name", "name and date of birth")

    def __init__(self, *args):
        super().__init__(*args)
        self.accounts = {}
        existing = Patient.objects.filter(clinic=self.clinic).values_list(
            "external_id", "first_key", "last_key", "date_of_birth", "account_id")
        for external_id, first, last, born, account in existing.iterator():
            self.known.add(external_id, (first, last, born), account)

    def found(self, row, there):
        if row.account:
            self.accounts.setdefault(row.account, there)

    def add(self, rows):
        """Write the rows in batches, each with its history; yields how many lines were dealt with."""
        families = defaultdict(list)
        for row in rows:
            families[row.account or row.line].append(row)
        batch = []
        for family in families.values():
            batch.append(family)
            if sum(map(len, batch)) >= BATCH:
                yield self._write(batch)
                batch = []
        if batch:
            yield self._write(batch)

    def _write(self, families):
        count = sum(map(len, families))
        try:
            self.added += self._record(families)
        except DatabaseError as error:
            if len(families) > 1:  # find the family that the database refuses; the others are not lost with it
                for family in families:
                    self._write([family])
            else:
                reason = f"The database refused it: {str(error).splitlines()[0]}"
                self.rejected += [Problem(row.line, "", reason) for row in families[0]]
        return count

    @transaction.atomic
    def _record(self, families):
        """Accounts and patients of these families, in the shape that `Patient.register` gives them."""
        accounts, patients = [], []
        for family in families:
            members = [row.patient(self.clinic) for row in family]
            account = self.accounts.get(family[0].account)
            if account is None:
                accounts.append(account_of(min(members, key=lambda member: member.date_of_birth), self.clinic))
                account = accounts[-1].pk
            for member in members:
                member.account_id = account
            patients += members
        number = Counter.take(self.clinic.pk, "chart_number", len(patients))
        for offset, patient in enumerate(patients):
            patient.chart_number = str(number + offset)
        record_bulk(accounts, by=self.by, because=self.because)
        record_bulk(patients, by=self.by, because=self.because)
        return len(patients)


def account_of(patient, clinic):
    """The account that a patient, or the oldest of a family, pays on."""
    return Account(
        clinic=clinic, name=patient.guarantor_name or patient.name, phone=patient.guarantor_phone or patient.phone,
        email=patient.email, line1=patient.line1, line2=patient.line2, city=patient.city, region=patient.region,
        postal_code=patient.postal_code, country=patient.country)
