"""Two workers remind of the same reviews at the same moment: each person is told of each of them once."""

import os
import subprocess
import sys
from datetime import datetime, time, timedelta

import pytest
from django.db import connection

from clinic.models import Notification
from tests.databases import ROOT, database_url
from treatment.models import ReviewReminder, TreatmentPlan

pytestmark = [pytest.mark.race, pytest.mark.busy]
PLANS, WORKERS = 8, 3


def test_each_person_is_told_of_each_review_once(clone):
    today = clone.clinic.today()
    for number in range(PLANS):
        TreatmentPlan.draw_up(
            by=clone.dentist, patient=clone.ada if number % 2 else clone.grace, title=f"Plan {number}", provider=clone.drill,
            treatment_type=TreatmentPlan.Type.values[number], start_date=today - timedelta(days=90)).activate(by=clone.dentist)
    noon = datetime.combine(today, time(12), tzinfo=clone.clinic.zone).isoformat()
    connection.close()
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.races.reminding", noon], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "DATABASE_URL": database_url(), "ENVIRONMENT": "test"})
        for _ in range(WORKERS)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sum(told) == PLANS
    assert ReviewReminder.objects.count() == Notification.objects.filter(kind="review_due").count() == PLANS
