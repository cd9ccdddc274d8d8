from collections import defaultdict
from statistics import median

from django.core.management.base import BaseCommand

from milestones.forecast import key_of, ways_to
from milestones.models import Milestone
from treatment.models import TreatmentPlan

NEXT, END = "the next milestone", "the end"


class Command(BaseCommand):
    help = ("How far the forecast would have been off: each finished plan is gone through milestone by milestone, as if the rest "
            "were to come, with all other finished plans of its kind as the history. Prints the error in days.")

    def handle(self, *args, **options):
        for (_, clinic), kind, cases in finished():
            errors, within = tested(cases)
            if not errors:
                continue
            self.stdout.write(f"{clinic}, {TreatmentPlan.Type(kind).label}: {len(cases)} finished plans")
            for name, rows in errors.items():
                said, planned = (median(abs(row[place]) for row in rows) for place in (0, 1))
                self.stdout.write(
                    f"  {name}: {len(rows)} forecasts, median error {said:.0f} days; of the planned dates {planned:.0f}")
            if within[1]:
                self.stdout.write(f"  in the range of 80 in 100: {100 * within[0] / within[1]:.0f} of 100, of {within[1]}")


def finished():
    """((key and name of the clinic), kind, [({key: days until achieved}, {key: days until due})]) of completed plans."""
    found = defaultdict(lambda: defaultdict(dict))
    rows = Milestone.objects.in_force().filter(
        plan__status=TreatmentPlan.Status.COMPLETED, achieved_date__isnull=False).select_related("plan__clinic").in_order()
    for row in rows:
        start = row.plan.start_date
        found[(row.clinic_id, row.plan.clinic.name), row.plan.treatment_type][row.plan_id][key_of(row)] = (
            (row.achieved_date - start).days, (row.target_date - start).days if row.target_date else None)
    for (clinic, kind), plans in sorted(found.items()):
        yield clinic, kind, [
            ({key: done for key, (done, _) in rows.items()}, {key: due for key, (_, due) in rows.items() if due is not None})
            for rows in plans.values()]


def tested(cases):
    """({how far ahead: [(error, error of the plan's own dates)]}, (how many fell into their range, of how many))."""
    errors, inside, total = defaultdict(list), 0, 0
    for number, (truth, targets) in enumerate(cases):
        others = [done for place, (done, _) in enumerate(cases) if place != number]
        order = sorted(truth, key=truth.get)
        for count in range(1, len(order)):
            done = {key: truth[key] for key in order[:count]}
            said = ways_to(order[count:], done, targets, others, done[order[count - 1]])
            for key in {order[count], order[-1]}:
                if key not in said or key not in targets:
                    continue
                error = said[key].days - truth[key], targets[key] - truth[key]
                for name in [NEXT] * (key == order[count]) + [END] * (key == order[-1]):
                    errors[name].append(error)
                if said[key].first is not None:
                    total += 1
                    inside += said[key].first - 0.5 <= truth[key] <= said[key].last + 0.5
    return errors, (inside, total)


