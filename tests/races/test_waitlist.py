"""A freed time, thirty who wait, four workers that die at random: each is asked once, one at a time, nobody is skipped."""

import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection

from scheduling.models import Appointment, Block, FreedSlot, FrontDesk, Offer, WaitlistEntry
from tests.databases import ROOT, database_url
from tests.factories import PatientFactory
from tests.races.offering import BASE

ROUNDS = 10 if "CAMPAIGN" in os.environ else 1
WAITING, WORKERS, FASTER = 30, 4, 900  # a second is a quarter of an hour of the workers' clock

pytestmark = [pytest.mark.race, pytest.mark.busy]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_workers_that_die_at_random_ask_everybody_once_and_one_at_a_time(clone, number):
    cast, chance = clone, random.Random(number)
    FrontDesk(hold_minutes=5).record(by=cast.system)
    visit = Appointment.book(
        by=cast.desk, patient=cast.grace, operatory=cast.operatories[0], provider=cast.drill, appointment_type=cast.exam,
        starts_at=BASE + timedelta(days=1, hours=6))  # fmt: skip
    entries = [
        WaitlistEntry.add(by=cast.desk, patient=PatientFactory(by=cast.system), appointment_type=cast.exam)
        for _ in range(WAITING)
    ]
    visit.cancel(by=cast.desk, because="Ill", now=BASE)
    slot = FreedSlot.objects.get()
    connection.close()
    began = time.time() + 2

    def start():
        return subprocess.Popen(
            [sys.executable, "-m", "tests.races.offering", str(began), str(FASTER)], cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url(), "ENVIRONMENT": "test"})  # fmt: skip

    workers, deadline = [start() for _ in range(WORKERS)], time.time() + 90
    try:
        while FreedSlot.objects.filter(pk=slot.pk, status="open").exists() and time.time() < deadline:
            time.sleep(chance.uniform(0.8, 2.5))
            dying = chance.randrange(WORKERS)
            workers[dying].kill()
            workers[dying].wait()
            workers[dying] = start()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    slot.refresh_from_db()
    offers = list(Offer.objects.filter(slot=slot).order_by("asked_at", "pk"))
    assert [offer.entry_id for offer in offers] == [entry.pk for entry in entries]  # everybody, once, in order
    assert {offer.status for offer in offers} == {"lapsed"}
    assert (slot.status, Block.objects.filter(is_active=True).count()) == ("closed", 0)
    held = [list(offer.history.order_by("version").values_list("history_date", flat=True)) for offer in offers]
    assert all(len(times) == 2 for times in held)  # asked, ended
    assert all(before[1] <= after[0] for before, after in pairwise(held))  # never two at once
