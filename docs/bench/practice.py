"""Loads a Chairside database with the shape: through the verbs what comes in tens, through `record_bulk` the rest.

Past 100,000 patients only the first ones go through the helper and the others are `copies` of them: an hour less.
"""
import json
from datetime import UTC, datetime, time, timedelta

from django.db import connection, transaction

from clinic.access.actor import Actor
from clinic.db import statistics
from clinic.db.keys import uuid7
from clinic.db.records import record_bulk
from clinic.models import Account, Clinic, MedicalHistory, Membership, Operatory, Patient, Provider, User
from clinic.models.installation import Counter
from clinic.progress import Progress
from config.demo import visits
from docs.bench.copies import Copies, stored_key, stored_time
from docs.bench.shape import EMAIL, FIRST_MINUTE, PASSWORD, PROVIDERS, VISIT_MINUTES
from scheduling.models import Appointment, AppointmentType, ProviderTime, VisitStep, WorkingHours

NAME = "Bench Dental"
BECAUSE = "Loaded for the bench"
BATCH = 2000
DAYS = 10
NOTHING_TOLD = MedicalHistory.EMPTY
ALLERGIC = {**MedicalHistory.EMPTY, "allergies": [{"substance": "Penicillin", "reaction": "", "severity": ""}]}


def load(shape, out=None, most_by_helper=100_000):
    """Fill an empty, migrated database. Every patient has an account of their own and was asked of their health once."""
    house = House(shape)
    days = shape.days()
    by_helper, helped_days = (shape.patients, days) if shape.patients <= most_by_helper else (2 * BATCH, days[-2:])
    with Progress(f"{shape.patients:,} patients", shape.patients, out) as progress:
        for first in range(0, shape.patients, BATCH):
            numbers = range(first, min(first + BATCH, shape.patients))
            (house.add_patients if first < by_helper else house.copy_patients)(numbers)
            progress.step(len(numbers))
    with Progress(f"{shape.visits:,} visits", shape.visits, out) as progress:
        for day, first, count in helped_days:
            house.add_visits(day, range(first, first + count))
            progress.step(count)
        for start in range(0, len(days) - len(helped_days), DAYS):
            batch = days[start:min(start + DAYS, len(days) - len(helped_days))]
            house.copy_visits(batch)
            progress.step(sum(count for _, _, count in batch))
    settle()
    return house.clinic


def keys(shape):
    """The keys of the rows that the bench asks for, in the order of their numbers."""
    clinic, numbers = Clinic.objects.get(name=NAME), [str(number + 1) for number in shape.sample()]
    patients = dict(Patient.objects.filter(clinic=clinic, chart_number__in=numbers).values_list("chart_number", "pk"))
    return {
        "patients": [str(patients[number]) for number in numbers],
        "providers": [str(key) for key in Provider.objects.filter(clinic=clinic).values_list("pk", flat=True)],
        "chairs": [str(key) for key in Operatory.objects.filter(clinic=clinic).values_list("pk", flat=True)],
        "kind": str(AppointmentType.objects.get(clinic=clinic).pk)}


def settle():
    """Tell the planner what is there; on PostgreSQL also fold in what the search index still has pending."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            statistics.gather()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute("VACUUM ANALYZE")


class House:
    """The practice while it is being filled: who works where, and the keys of its patients by number."""

    def __init__(self, shape):
        self.shape, self.patients = shape, []
        with transaction.atomic():
            self._open()

    def _open(self):
        self.clinic = Clinic(
            name=NAME, time_zone="UTC", opened_on=self.shape.days()[0][0], requires_second_factor=False)
        self.clinic.record(by=Actor.system(self.clinic), because=BECAUSE)
        self.by = Actor.system(self.clinic)
        desk = User.objects.create_user(EMAIL, PASSWORD, name="Dana Desk")
        Membership.open(user=desk, clinic=self.clinic, roles=["receptionist"], by=self.by, because=BECAUSE)
        self.kind = self._made(AppointmentType, name="Check-up", minutes=VISIT_MINUTES)
        self.providers = [
            self._made(Provider, name=f"Provider {n}", short_name=f"P. {n}", kind="dentist", sequence=n, colour=n + 1)
            for n in range(PROVIDERS)]
        self.chairs = [self._made(Operatory, name=f"Room {n}", sequence=n) for n in range(PROVIDERS)]
        record_bulk([
            WorkingHours(provider=provider, weekday=weekday, starts=time(8), ends=time(18))
            for provider in self.providers for weekday in range(7)], by=self.by, because=BECAUSE)

    def _made(self, model, **values):
        return model(**values).record(by=self.by, because=BECAUSE)

    @transaction.atomic
    def add_patients(self, numbers):
        chart_number = Counter.take(self.clinic.pk, "chart_number", len(numbers))
        accounts, patients = [], []
        for number in numbers:
            given, family = self.shape.name(number)
            accounts.append(Account(clinic=self.clinic, name=f"{given} {family}"))
            patients.append(Patient(
                clinic=self.clinic, account=accounts[-1], chart_number=str(chart_number + len(patients)), first_name=given,
                last_name=family, date_of_birth=self.shape.born(number), phone=self.shape.phone(number),
                primary_provider=self.providers[number % PROVIDERS]))
        record_bulk(accounts, by=self.by, because=BECAUSE, batch_size=BATCH)
        record_bulk(patients, by=self.by, because=BECAUSE, batch_size=BATCH)
        MedicalHistory.objects.bulk_create([
            MedicalHistory(
                clinic=self.clinic, patient=patient, number=1, kind=MedicalHistory.Kind.UPDATED, reviewed_on=self.shape.today,
                content=NOTHING_TOLD if number % 4 else ALLERGIC)
            for number, patient in zip(numbers, patients, strict=True)], batch_size=BATCH)
        self.patients += [patient.pk for patient in patients]

    @transaction.atomic
    def copy_patients(self, numbers):
        """The same rows as `add_patients` writes, for these patients."""
        if not hasattr(self, "patient_forms"):
            told = [MedicalHistory.objects.filter(clinic=self.clinic, patient=self.patients[number]).get() for number in (0, 1)]
            self.patient_forms = [
                Copies(model, clinic=self.clinic)
                for model in (Account, Account.history.model, Patient, Patient.history.model)]
            self.told_forms = [Copies(MedicalHistory, pk=row.pk) for row in told]
        start = Counter.take(self.clinic.pk, "chart_number", len(numbers))
        accounts, patients, told = [], [], ([], [])
        for place, number in enumerate(numbers):
            given, family = self.shape.name(number)
            born, phone, chart_number = self.shape.born(number), self.shape.phone(number), str(start + place)
            account, patient = stored_key(uuid7()), uuid7()
            self.patients.append(patient)
            accounts.append({"id": account, "name": f"{given} {family}"})
            patients.append({
                "id": stored_key(patient), "account_id": account, "chart_number": chart_number, "first_name": given,
                "last_name": family, "date_of_birth": born, "phone": f"+1 {phone[2:5]}-{phone[5:8]}-{phone[8:]}",
                "primary_provider_id": stored_key(self.providers[number % PROVIDERS].pk), "last_key": family.lower(),
                "first_key": given.lower(),
                "search_text": f" {given.lower()} {family.lower()} {chart_number} {phone[1:]} {born} "})
            told[bool(number % 4)].append({"id": stored_key(uuid7()), "patient_id": stored_key(patient)})
        now, before, row_form, history_form = self.patient_forms
        now.write(accounts)
        before.write({**row, "history_id": stored_key(uuid7())} for row in accounts)
        row_form.write(patients)
        for row in patients:
            del row["search_text"]  # no part of the history
            row["history_id"] = stored_key(uuid7())
        history_form.write(patients)
        for form, rows in zip(self.told_forms, told, strict=True):
            form.write(rows)

    @transaction.atomic
    def copy_visits(self, days):
        """The same rows as `add_visits` writes, for these days."""
        if not hasattr(self, "visit_forms"):
            self.visit_forms = [
                Copies(model, clinic=self.clinic)
                for model in (Appointment, Appointment.history.model, ProviderTime, VisitStep)]
        visits, histories, times, steps = [], [], [], []
        for day, first, count in days:
            opens = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=FIRST_MINUTE)
            booked = stored_time(booked_before(day))
            for place in range(count):
                key, chair = stored_key(uuid7()), place % PROVIDERS
                starts_at = opens + timedelta(minutes=VISIT_MINUTES * (place // PROVIDERS))
                span = {"starts_at": stored_time(starts_at), "ends_at": stored_time(starts_at + timedelta(minutes=VISIT_MINUTES))}
                provider = self.providers[chair].pk
                visits.append({
                    "id": key, "patient_id": stored_key(self.patients[self.shape.patient_of(first + place)]), **span,
                    "chair_starts_at": span["starts_at"], "chair_ends_at": span["ends_at"],
                    "operatory_id": stored_key(self.chairs[chair].pk), "provider_id": stored_key(provider),
                    "parts": json.dumps([[str(provider), 0, VISIT_MINUTES]]), "status_at": booked, "created_at": booked,
                    "updated_at": booked})
                histories.append({**visits[-1], "history_id": stored_key(uuid7()), "history_date": booked})
                times.append({
                    "id": stored_key(uuid7()), "appointment_id": key, "provider_id": stored_key(provider), **span})
                steps.append({"id": stored_key(uuid7()), "appointment_id": key, "at": booked})
        for form, rows in zip(self.visit_forms, (visits, histories, times, steps), strict=True):
            form.write(rows)

    @transaction.atomic
    def add_visits(self, day, numbers):
        """The visits of one day: each provider in a room of their own, one visit after the other."""
        booked, built = booked_before(day), []
        opens = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=FIRST_MINUTE)
        for place, number in enumerate(numbers):
            chair = place % PROVIDERS
            starts_at = opens + timedelta(minutes=VISIT_MINUTES * (place // PROVIDERS))
            built.append(visits.build(
                id=Appointment._meta.pk.get_default(), clinic=self.clinic,
                patient_id=self.patients[self.shape.patient_of(number)],
                operatory=self.chairs[chair], provider=self.providers[chair], appointment_type=self.kind, starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=VISIT_MINUTES), steps=[(Appointment.Status.SCHEDULED, booked, None)]))
        visits.write(built, self.by)


def booked_before(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=30)
