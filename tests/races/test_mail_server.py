"""A mail server that hangs, refuses and dies, and workers that are killed: nothing is sent twice, all ends in a stated state."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.mail.post import hand_over
from scheduling.models import Reminder
from tests.databases import ROOT, database_url
from tests.factories import PatientFactory
from tests.races.mail_server import MailServer

LETTERS, WORKERS, KILLS = (400, 4, 40) if "CAMPAIGN" in os.environ else (30, 3, 3)

pytestmark = [pytest.mark.race, pytest.mark.busy]


@pytest.fixture
def server():
    with MailServer() as running:
        yield running
        running.shutdown()


@pytest.fixture
def reminders(clone):
    """One that the desk asked for, so that none waits for the morning, to each of so many patients."""
    from scheduling.models import Appointment

    first = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=5)
    for number in range(LETTERS):
        patient = PatientFactory(by=clone.system, email=f"p{number}@patients.example")
        visit = Appointment.book(
            by=clone.system, patient=patient, operatory=clone.operatories[0], provider=clone.drill,
            appointment_type=clone.exam, starts_at=first + timedelta(hours=number))  # fmt: skip
        Reminder.ask(visit)
    return clone


def start(server, **env):
    connection.close()
    return subprocess.Popen(
        [sys.executable, "-m", "tests.races.handing_over"], cwd=ROOT, stderr=subprocess.DEVNULL, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={
            **os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database_url(), "EMAIL_TIMEOUT": "1",
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_URL": server.url, **env})  # fmt: skip


def work(server, kills, seed=1):
    """Workers hand over; one after the other is killed with -9 and another takes its place."""
    chance, workers = random.Random(seed), [start(server) for _ in range(WORKERS)]
    for _ in range(kills):
        time.sleep(1.5 + chance.random())
        victim = chance.randrange(WORKERS)
        workers[victim].send_signal(signal.SIGKILL)
        workers[victim].wait()
        workers[victim] = start(server)
    for worker in workers:
        worker.wait(300)


def test_nothing_is_sent_twice_and_everything_ends_in_a_stated_state(reminders, server):
    work(server, KILLS)
    for later in range(Reminder.TRIES):  # what was refused is due again in some minutes; let these be over
        Reminder.objects.filter(state="due").update(due_at=timezone.now())
        server.healthy = later > 1
        work(server, 0)
        if not Reminder.objects.filter(state="due").exists():
            break
    hand_over(timezone.now() + Reminder.LOST_AFTER + timedelta(seconds=1))  # finds what the killed ones held
    rows = list(Reminder.objects.select_related("appointment__patient"))
    ends = Counter((row.state, server.letters.get(row.patient.email, 0)) for row in rows)
    print(f"\n{LETTERS} letters, {KILLS} workers killed: {dict(ends)}")
    assert set(ends) <= {("sent", 1), ("maybe_sent", 0), ("maybe_sent", 1), ("failed", 0)}
    assert sum(ends.values()) == LETTERS
    assert ends["sent", 1] > LETTERS / 3
    assert ends["maybe_sent", 0] + ends["maybe_sent", 1] > 0


@pytest.mark.wide
@pytest.mark.guard_removed
def test_without_the_claim_letters_are_sent_twice(reminders, server):
    server.healthy = True
    workers = [start(server, UNCLAIMED="1") for _ in range(WORKERS)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"  # it knows what is due
    for worker in workers:
        print("go", file=worker.stdin, flush=True)
    for worker in workers:
        worker.communicate(timeout=120)
    assert max(server.letters.values()) > 1
