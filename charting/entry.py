"""What the entry line and the API chart: findings at once, and what is said to be planned through treatment."""
from django.db import transaction

from charting.models import Finding
from clinic.hooks import Hook

# (by, patient, items) -> [Finding]: plans these items (dicts as `Finding.enter` takes) and gives what the chart shows of them.
plan_work = Hook("charting.plan_work")
# (actor) -> [(name, words)]: what is planned often, as words of the entry line: buttons beside the chart.
quick_plans = Hook("charting.quick_plans")


@transaction.atomic
def enter(*, by, patient, items):
    """Chart what one entry says, all of it or none: see `Finding.enter`. What is planned is planned by whoever plans here."""
    planned = [item for item in items if item.get("status") == Finding.Status.PLANNED] if plan_work else []
    found = [item for item in items if item not in planned]
    made = Finding.enter(by=by, patient=patient, items=found) if found or not planned else []
    for plan in plan_work if planned else ():
        made += plan(by, patient, planned)
    return made
