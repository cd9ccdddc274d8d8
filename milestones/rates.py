"""How often milestones are reached, and how late: pure calculation over rows, and the one question that gives them."""
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from zoneinfo import ZoneInfo

from milestones.metrics import begun, days_in
from milestones.models import Milestone
from treatment.progress import whole

# What rates can be asked by, in the order of a row's key: {name: the column}; the month is that of the day it is due on.
BY = {
    "milestone_type": "milestone_type", "treatment_type": "plan__treatment_type", "provider": "plan__provider", "month": None}


@dataclass(frozen=True)
class Rate:
    """Milestones of one group, cancelled ones left out. Achieved ones without a target date are on time. Of `late` ones, which are
    achieved, `median_days_late`; of all achieved ones `average_days`, which they took. None when there is none."""

    total: int
    achieved: int
    on_time: int
    late: int
    missed: int
    median_days_late: float | None
    average_days: float | None

    @property
    def percent(self):
        return whole(Fraction(100 * self.achieved, self.total)) if self.total else 0


def rates(rows, by=tuple(BY)):
    """{key: Rate} of these milestones, by what is asked; a key has a value for each of BY, None where it is not asked by."""
    groups = defaultdict(list)
    columns = [BY[name] if BY[name] and name in by else "pk" for name in BY]
    for *key, status, target, achieved, started, began, zone in begun(rows.counted()).values_list(
            *columns, "status", "target_date", "achieved_date", "started_at", "began", "clinic__time_zone"):
        took = days_in(started, began, achieved, ZoneInfo(zone)) if achieved else None
        month = (target or achieved) and f"{target or achieved:%Y-%m}"
        groups[tuple(
            None if name not in by else month if name == "month" else value
            for name, value in zip(BY, key, strict=True))].append((status, target, achieved, took))
    return {key: rate(group) for key, group in sorted(groups.items(), key=lambda item: [str(part or "") for part in item[0]])}


def rate(group):
    """The Rate of [(status, target date, achieved date, days that it took)]."""
    days = [(achieved - target).days if target else 0 for _, target, achieved, _ in group if achieved]
    took = [each for *_, each in group if each is not None]
    late = [count for count in days if count > 0]
    return Rate(
        total=len(group), achieved=len(days), on_time=len(days) - len(late), late=len(late),
        missed=sum(status == Milestone.Status.MISSED for status, *_ in group),
        median_days_late=float(median(late)) if late else None,
        average_days=round(sum(took) / len(took), 1) if took else None)
