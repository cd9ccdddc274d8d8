"""Many people want one time, on a live server: one gets it, the others are told why, nobody sees an error.

CAMPAIGN=1 (bin/campaign races) runs the full size: 50 people, 20 rounds.
"""

import os
from datetime import date, timedelta

import pytest
from django.db import connection

from clinic.db import guards
from scheduling.models import Appointment, ProviderTime
from tests.factories import PatientFactory
from tests.races.client import Browser, at_once

FULL = "CAMPAIGN" in os.environ
PEOPLE, ROUNDS = (50, 20) if FULL else (12, 3)
FIRST_DAY = date(2027, 3, 1)

pytestmark = pytest.mark.race


@pytest.fixture
def race(clone, live):
    """The practice with as many patients as there are racers, and a signed-in desk for each."""
    return Race(clone, live)


class Race:
    def __init__(self, cast, live):
        self.cast = cast
        self.patients = [PatientFactory(by=cast.system) for _ in range(PEOPLE)]
        self.server = live(workers=2, threads=8)
        self.desks = [Browser(self.server.url, cast.user("receptionist")) for _ in range(PEOPLE)]

    def form(self, patient, day, time="9:00", *, operatory=0, provider=None, kind=None, minutes=""):
        cast = self.cast
        return {
            "patient": patient.pk,
            "appointment_type": (kind or cast.exam).pk,
            "provider": (provider or cast.drill).pk,
            "operatory": cast.operatories[operatory].pk,
            "day": day.isoformat(),
            "time": time,
            "minutes": minutes,
        }

    def book_all(self, forms):
        return at_once(
            [
                lambda desk=desk, form=form: desk.post("/visits/book/", form)
                for desk, form in zip(self.desks, forms, strict=True)
            ]
        )


def told_why(answers):
    """Every loser got a 409 with a sentence."""
    losers = [(status, body) for status, body in answers if status != 302]
    assert {status for status, _ in losers} <= {409}, sorted({status for status, _ in answers})
    assert all("taken" in body or "another visit" in body for _, body in losers)


def overlaps():
    """Pairs of bookings that share a chair, a patient or a provider's minutes; must be none."""
    chairs = list(Appointment.objects.holding().values_list("operatory", "chair_starts_at", "chair_ends_at"))
    patients = list(Appointment.objects.holding().values_list("patient", "starts_at", "ends_at"))
    minutes = list(ProviderTime.objects.values_list("provider", "starts_at", "ends_at"))
    return sum(
        1
        for rows in (chairs, patients, minutes)
        for i, a in enumerate(rows)
        for b in rows[i + 1 :]
        if a[0] == b[0] and a[1] < b[2] and b[1] < a[2]
    )


def race_for_one_slot(race):
    won = 0
    for number in range(ROUNDS):
        day = FIRST_DAY + timedelta(days=number)
        answers = race.book_all([race.form(patient, day) for patient in race.patients])
        told_why(answers)
        won += sum(status == 302 for status, _ in answers)
    return won


def test_one_slot_goes_to_one_of_many(race):
    assert race_for_one_slot(race) == ROUNDS
    assert Appointment.objects.count() == ROUNDS
    assert overlaps() == 0


def test_overlapping_unequal_times_never_share_a_chair(race):
    for number in range(ROUNDS):
        day = FIRST_DAY + timedelta(days=number)
        forms = [
            race.form(patient, day, f"9:{(5 * n) % 60:02d}", minutes=20 + n % 5 * 15)
            for n, patient in enumerate(race.patients)
        ]
        answers = race.book_all(forms)
        told_why(answers)
        assert any(status == 302 for status, _ in answers)
    assert overlaps() == 0


def test_one_providers_minutes_in_two_operatories(race):
    for number in range(ROUNDS):
        day = FIRST_DAY + timedelta(days=number)
        answers = race.book_all([race.form(patient, day, operatory=n % 2) for n, patient in enumerate(race.patients)])
        told_why(answers)
        assert sum(status == 302 for status, _ in answers) == 1
    assert overlaps() == 0


def test_one_patient_in_two_places(race):
    cast = race.cast
    for number in range(ROUNDS):
        day = FIRST_DAY + timedelta(days=number)
        answers = race.book_all(
            [
                race.form(race.patients[0], day, operatory=n % 2, provider=(cast.drill, cast.bridge)[n % 2])
                for n in range(PEOPLE)
            ]
        )
        told_why(answers)
        assert sum(status == 302 for status, _ in answers) == 1
    assert overlaps() == 0


def test_two_moves_onto_one_slot(race):
    cast = race.cast
    for number in range(ROUNDS):
        day = FIRST_DAY + timedelta(days=number)
        visits = []
        for n in range(PEOPLE):
            at = guards_free_time(cast, day, n)
            visits.append(
                Appointment.book(
                    by=cast.system,
                    patient=race.patients[n],
                    operatory=cast.operatories[n % 3],
                    provider=(cast.drill, cast.bridge)[n % 2],
                    appointment_type=cast.exam,
                    starts_at=at,
                    ends_at=at + timedelta(minutes=10),
                )
            )
        connection.close()
        answers = at_once(
            [
                lambda desk=desk, visit=visit, day=day: desk.post(
                    f"/visits/{visit.pk}/move/",
                    {
                        **race.form(visit.patient, day, "16:30", provider=visit.provider, minutes=10),
                        "version": visit.version,
                    },
                )
                for desk, visit in zip(race.desks, visits, strict=True)
            ]
        )
        told_why(answers)
        assert sum(status == 302 for status, _ in answers) == 1
    assert overlaps() == 0


def guards_free_time(cast, day, n):
    """A time of its own for each visit before the move."""
    from scheduling import slots

    return slots.midnight(day, cast.clinic.zone) + timedelta(hours=3, minutes=15 * n)


@pytest.mark.wide
@pytest.mark.guard_removed
def test_without_the_guards_the_race_is_lost(race):
    """Shows that the guards, and nothing else, refuse: taken away, the same race books one slot many times."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in guards.installed(connection):
                if "chair_taken" in name or "providertime_taken" in name:
                    cursor.execute(f'DROP TRIGGER "{name}"')
        else:
            cursor.execute("ALTER TABLE scheduling_appointment DROP CONSTRAINT scheduling_appointment_chair_taken")
            cursor.execute("ALTER TABLE scheduling_providertime DROP CONSTRAINT scheduling_providertime_taken")
    connection.close()
    assert race_for_one_slot(race) > ROUNDS
    assert overlaps() > 0
