"""A worker dies in the middle of bookings: what was acknowledged is there, and nothing is half done."""

import os
import signal
import threading
import time
from datetime import date, timedelta
from uuid import uuid4

import pytest

from scheduling.models import Appointment
from tests.factories import PatientFactory
from tests.races.client import Browser

BOOKINGS = 200 if "CAMPAIGN" in os.environ else 40

pytestmark = pytest.mark.race


def test_kill_9_in_the_middle_of_bookings(clone, live):
    cast = clone
    patients = [PatientFactory(by=cast.system) for _ in range(20)]
    server = live(workers=2, threads=4)
    desks = [Browser(server.url, cast.user("receptionist")) for _ in range(4)]
    first, acknowledged, unknown = date(2027, 5, 3), [], []

    def work(number):
        for n in range(number, BOOKINGS, len(desks)):
            day = first + timedelta(days=n // 20)
            minute = 10 * (n % 20)
            form = {
                "patient": patients[n % 20].pk,
                "appointment_type": cast.exam.pk,
                "provider": cast.drill.pk,
                "operatory": cast.operatories[0].pk,
                "day": day.isoformat(),
                "time": f"{9 + minute // 60}:{minute % 60:02d}",
                "minutes": 10,
            }
            key = str(uuid4())
            status, _ = desks[number].post("/visits/book/", form, once=key)
            for _ in range(10):  # the worker died under it, perhaps the next one too: ask again with the same key, as a reload does
                if status != 0:
                    break
                unknown.append(n)
                time.sleep(0.3)
                status, _ = desks[number].post("/visits/book/", form, once=key)
            if status == 302:
                acknowledged.append((patients[n % 20].pk, day, minute))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(desks))]
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.25)
        pids = server.worker_pids()
        if pids:
            os.kill(pids[0], signal.SIGKILL)
    for thread in threads:
        thread.join()

    zone = cast.clinic.zone
    there = {
        (
            row.patient_id,
            row.starts_at.astimezone(zone).date(),
            row.starts_at.astimezone(zone).hour * 60 + row.starts_at.astimezone(zone).minute - 540,
        )
        for row in Appointment.objects.all()
    }
    assert set(acknowledged) <= there
    assert len(there) == Appointment.objects.count() == len(set(acknowledged))
    for visit in Appointment.objects.prefetch_related("provider_time", "steps"):
        assert visit.provider_time.count() == 1
        assert visit.steps.count() == 1
        assert visit.history.count() == 1
    assert len(acknowledged) >= BOOKINGS * 0.9
