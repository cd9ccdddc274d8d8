"""Workers that tell of the same milestones at once, and are killed while they do: each is told of once, and nobody twice."""

import os
import random
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Count

from clinic.db.records import record_bulk
from clinic.models import Mail, Notification
from milestones.models import Milestone, MilestoneAlert
from tests.databases import ROOT, database_url
from treatment.models import TreatmentPlan

pytestmark = [pytest.mark.race, pytest.mark.busy]
FULL = "CAMPAIGN" in os.environ
ROWS, WORKERS, KILLS, BATCH = (10_000, 4, 20, 20) if FULL else (300, 3, 3, 2)


def worker(*args):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.races.alerting", *args], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DATABASE_URL": database_url(), "ENVIRONMENT": "test", "BATCH": str(BATCH)})


def together(count, *args):
    workers = [worker(*args) for _ in range(count)]
    for each in workers:
        assert each.stdout.readline() == "ready\n", each.stderr.read()
    for each in workers:
        each.stdin.write("go\n")
        each.stdin.flush()
    return workers


def until(happened, seconds=60):
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends, "Nothing happened."
        time.sleep(0.005)


@pytest.fixture
def late(clone):
    """So many milestones that are due today a day late, in one plan."""
    today = clone.clinic.today()
    plan = TreatmentPlan.draw_up(
        by=clone.dentist, patient=clone.ada, title="Long", provider=clone.drill, start_date=today - timedelta(days=9))
    plan.activate(by=clone.dentist)
    for row in plan.milestones.all():
        row.cancel(by=clone.dentist, because="Not asked here")
    record_bulk([Milestone(
        clinic=clone.clinic, plan=plan, patient=clone.ada, name=f"Row {number}", sequence=number + 1,
        target_date=today - timedelta(days=1)) for number in range(ROWS)], by=clone.dentist, because="A race")
    connection.close()


def test_each_is_told_of_once_though_workers_run_at_once_and_are_killed(clone, late):
    luck = random.Random(11)
    for _ in range(KILLS):
        told, workers = MilestoneAlert.objects.count(), together(WORKERS)
        until(lambda told=told: MilestoneAlert.objects.count() > told)
        for each in luck.sample(workers, WORKERS):
            time.sleep(luck.uniform(0.0, 0.01))
            each.kill()
        for each in workers:
            each.communicate(timeout=120)
    assert MilestoneAlert.objects.count() < ROWS  # so each of them was killed before it was done
    for each in together(WORKERS):
        each.communicate(timeout=300)
    assert MilestoneAlert.objects.count() == ROWS
    assert not MilestoneAlert.objects.values("milestone").annotate(times=Count("pk")).filter(times__gt=1).exists()
    runs = set(MilestoneAlert.objects.values_list("at", flat=True))
    for user in ("dentist", "coordinator"):  # one line for each run that told of anything, and no run without one
        lines = Notification.objects.filter(kind="milestone_overdue", user=clone.user(user)).values_list("created_at", flat=True)
        assert sorted(lines) == sorted(runs)
    Notification.write_digests()
    Notification.write_digests()
    assert Mail.objects.filter(kind=Mail.Kind.DIGEST, user=clone.user("dentist")).count() <= 1


@pytest.mark.guard_removed
def test_without_the_queue_workers_run_into_each_other(clone, late):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: the transaction is the queue.")
    workers = together(3, "unguarded")
    for each in workers:
        assert each.stdout.readline() == "read\n", each.stderr.read()
    for each in workers:
        each.stdin.write("write\n")
        each.stdin.flush()
    ends = [each.communicate(timeout=120) for each in workers]
    codes = [each.returncode for each in workers]
    assert any(codes), "the unique key refused nobody"
    assert any("milestones_milestonealert_once" in errors for _, errors in ends)
    assert not MilestoneAlert.objects.values("milestone").annotate(times=Count("pk")).filter(times__gt=1).exists()
