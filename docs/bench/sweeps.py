"""What the hourly sweeps over open milestones cost: questions to the database, time, and the memory that they take at most.

    DATABASE_URL=… python -m docs.bench.sweeps

Takes any database with the demo practice. Half of the milestones are overdue, half come up; all in a transaction that is taken
back at the end.
"""
import os
import time
import tracemalloc
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
SIZES, LOADED = (1_000, 10_000, 100_000), 10_000


class Questions:
    """Counts what is asked of the database."""

    count = 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)


def main():
    import django

    django.setup()
    from django.db import transaction

    from clinic.access.actor import Actor
    from clinic.models import Clinic
    from milestones.models import MilestoneAlert, NewsMessage

    clinic = Clinic.objects.get(name="Harbour Dental")
    by = Actor.system(clinic)
    print("| open milestones | sweep | milestones | questions | seconds | memory at most, MB |\n|---|---|---|---|---|---|")
    for size in SIZES:
        with transaction.atomic():
            load(by, size)
            for name, sweep in (("alerts", MilestoneAlert.write_due), ("messages to patients", NewsMessage.write_due)):
                told, questions, seconds, memory = measured(sweep)
                print(f"| {size:,} | {name} | {told:,} | {questions} | {seconds:.1f} | {memory:.1f} |", flush=True)
            transaction.set_rollback(True)


def measured(sweep):
    """(how many it went through, questions, seconds, MB), of two runs from the same state: memory is measured at a cost."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.execute_wrapper(counter := Questions()):
        began = time.perf_counter()
        told = sweep()
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    tracemalloc.start()
    try:
        sweep()
        return told, counter.count, seconds, tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def load(by, size):
    """So many open milestones in the plans of the practice: every other one overdue by up to 60 days, the rest within two weeks."""
    from clinic.db.records import record_bulk
    from milestones.models import Milestone
    from treatment.models import TreatmentPlan

    today = by.clinic.today()
    plans = list(TreatmentPlan.objects.filter(clinic=by.clinic, status="active").select_related("patient"))
    for first in range(0, size, LOADED):
        rows = []
        for number in range(first, min(first + LOADED, size)):
            plan, days = plans[number % len(plans)], number // 2 % 14 if number % 2 else -1 - number // 2 % 60
            rows.append(Milestone(
                clinic=by.clinic, plan=plan, patient=plan.patient, name=f"Milestone {number}", sequence=1,
                target_date=today + timedelta(days=days)))
        record_bulk(rows, by=by, because="Loaded for the bench")


if __name__ == "__main__":
    main()
