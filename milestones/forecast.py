"""When what is still open is likely to be reached: from the plan's own pace and the practice's history of that kind of treatment.

Days are counted from the plan's start. A case is another plan of the clinic of the same kind: {key: days until it was achieved}. Of
each open milestone the ways from the last one that this plan achieved (its anchor) are taken from the cases that have both, as
long as it was not reached faster than this plan has been waiting, and stretched by the plan's pace. With too few cases the
plan's own dates, at its own pace, are all there is to go by: then there is no range.
"""
from collections import defaultdict
from datetime import date, timedelta
from statistics import median, quantiles
from typing import NamedTuple

from milestones.models import Milestone
from treatment.models import TreatmentPlan

FEWEST = 5  # cases under which nothing is said of the practice's history
MOST = 200  # cases: the newest are looked at
SLOWEST, FASTEST = 2.0, 0.5  # how far a plan's pace is believed
TRUST = 3  # so many milestones weigh as much for the usual pace as the plan's own do for its own


class Likely(NamedTuple):
    """The likely day of a milestone; `first` to `last`: 80 of 100 fall between, None with too few `cases`."""

    day: date
    first: date | None
    last: date | None
    cases: int

    @property
    def has_range(self):
        return self.first is not None


class Way(NamedTuple):
    """Likely days from the plan's start, with the range when it is known."""

    days: float
    first: float | None
    last: float | None
    cases: int


def key_of(row):
    """What makes a milestone the same one in two plans: the row of the standard set, else its type and name."""
    return str(row.template_id) if row.template_id else f"{row.milestone_type} {row.name.casefold()}"


def forecast(plan, rows, today):
    """{milestone's key: Likely} of the open ones among a plan's milestones; two queries."""
    done, targets, open_rows = {}, {}, []
    for row in rows:
        if row.achieved_date:
            done[key_of(row)] = (row.achieved_date - plan.start_date).days
        elif row.status in (*Milestone.OPEN, Milestone.Status.DEFERRED):
            open_rows.append(row)
        if row.target_date:
            targets[key_of(row)] = (row.target_date - plan.start_date).days
    if not open_rows or plan.status not in TreatmentPlan.REVIEWED:
        return {}
    ways = ways_to([key_of(row) for row in open_rows], done, targets, cases_of(plan), (today - plan.start_date).days)
    found = {}
    for row in open_rows:
        if (way := ways.get(key_of(row))) is not None:
            days = [plan.start_date + timedelta(days=round(each)) if each is not None else None for each in way[:3]]
            found[row.pk] = Likely(*days, way.cases)
    return found


def cases_of(plan):
    """[case] of the clinic's newest other plans of this kind that are completed: of running ones only what came early is known
    yet. Two queries."""
    plans = TreatmentPlan.objects.filter(
        clinic=plan.clinic_id, treatment_type=plan.treatment_type, status=TreatmentPlan.Status.COMPLETED,
        milestones__status=Milestone.Status.ACHIEVED).exclude(pk=plan.pk)
    newest = plans.order_by("-start_date", "-pk").values_list("pk", flat=True).distinct()[:MOST]
    cases = defaultdict(dict)
    rows = Milestone.objects.in_force().filter(plan__in=list(newest), achieved_date__isnull=False)
    for row in rows.select_related("plan").only(
            "plan", "template", "milestone_type", "name", "achieved_date", "plan__start_date"):
        cases[row.plan_id][key_of(row)] = (row.achieved_date - row.plan.start_date).days
    return list(cases.values())


def ways_to(keys, done, targets, cases, elapsed):
    """{key: Way} of these open ones. `done` and `targets`: {key: days}; `elapsed`: the days that the plan has run. Those that
    neither cases nor dates tell of are left out."""
    anchor = max(done, key=done.get, default=None)
    begun, waited = done.get(anchor, 0), max(elapsed - done.get(anchor, 0), 0)
    pace = _pace(begun, [case[anchor] for case in cases if anchor in case], len(done))
    found = {}
    for key in keys:
        ways = [(case[key] - case.get(anchor, 0)) * pace for case in cases if key in case and (anchor is None or anchor in case)]
        ways = [way for way in ways if way >= 0]
        left = [way for way in ways if way > waited]
        if len(ways) >= FEWEST:
            usual = left if len(left) >= FEWEST else [max(way, waited) for way in ways]
            tenths = quantiles(usual, n=10, method="inclusive")
            found[key] = Way(begun + median(usual), begun + tenths[0], begun + tenths[-1], len(ways))
        elif key in targets:
            own = _pace(begun, [targets[anchor]] if anchor in targets else [], len(done))
            way = max((targets[key] - targets.get(anchor, 0)) * own, waited, 0)
            found[key] = Way(begun + way, None, None, len(ways))
    return found


def _pace(begun, usual, count):
    """How many times as long as usual this plan takes, by the anchor alone; drawn to 1 while little of it is done."""
    middle = median(usual) if usual else 0
    if middle < 14 or begun <= 0:  # of the first days no pace can be told
        return 1.0
    return min(max((count * begun / middle + TRUST) / (count + TRUST), FASTEST), SLOWEST)
