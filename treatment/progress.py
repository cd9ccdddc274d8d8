"""How far goals have come, as pure calculation over rows that are loaded.

The formula, from the leaves up: a goal that is achieved stands at 100. A goal with sub-goals stands at their average, weighted by
1 / priority (1 is the most important). Any other goal stands at its live measure, when it is bound to one and there is a figure;
else at its latest rating of 1 to 10, times 10; else at its own figure. Discontinued goals count nowhere; a goal whose sub-goals are
all discontinued stands as one without any. Nothing is rounded on the way: each figure is rounded half up once, when it is shown.
"""
import re
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

NUMBER = re.compile(r"(-?[0-9]{1,9}(?:[.,][0-9]{1,6})?) *%?")
ACHIEVED, DISCONTINUED, NOT_STARTED = "achieved", "discontinued", "not_started"


def whole(share):
    """An exact share of 100 as a whole number, half up."""
    return int(share + Fraction(1, 2))


def weighted(parts):
    """The average of [(priority, share)], weighted by 1 / priority; None of nothing. A priority below 1 counts as 1."""
    weights = [(Fraction(1, max(priority, 1)), share) for priority, share in parts]
    total = sum(weight for weight, _ in weights)
    return sum(weight * share for weight, share in weights) / total if total else None


def roll_up(goals, ratings=(), measured=()):
    """{goal's key: exact share of 100} of all goals of a plan. `ratings`: {key: latest rating}; `measured`: {key: share}."""
    ratings, measured, children = dict(ratings), dict(measured), defaultdict(list)
    for goal in goals:
        if goal.parent_id is not None and goal.status != DISCONTINUED:
            children[goal.parent_id].append(goal)
    shares = {}

    def share(goal):
        if goal.pk not in shares:
            below = weighted([(child.priority, share(child)) for child in children[goal.pk]])
            shares[goal.pk] = Fraction(100) if goal.status == ACHIEVED else below if below is not None else _own(goal)
        return shares[goal.pk]

    def _own(goal):
        if goal.pk in measured:
            return Fraction(measured[goal.pk])
        return Fraction(ratings[goal.pk] * 10 if goal.pk in ratings else goal.progress_percentage)

    for goal in goals:
        share(goal)
    return shares


@dataclass(frozen=True)
class Summary:
    """A plan's goals, counted; discontinued ones are left out, modified ones are in progress."""

    total_goals: int
    achieved: int
    in_progress: int
    not_started: int
    overall_progress: int


def summary(goals, shares):
    """The Summary of these goals. Overall is the weighted average of the top-level ones; 0 when there is none."""
    counted = [goal for goal in goals if goal.status != DISCONTINUED]
    achieved = sum(goal.status == ACHIEVED for goal in counted)
    not_started = sum(goal.status == NOT_STARTED for goal in counted)
    overall = weighted([(goal.priority, shares[goal.pk]) for goal in counted if goal.parent_id is None])
    return Summary(len(counted), achieved, len(counted) - achieved - not_started, not_started, whole(overall or Fraction(0)))


def number(text):
    """The number that a value is, with a comma or a point, with or without a per cent sign; None for words, and for what is longer
    than any figure of a practice."""
    found = NUMBER.fullmatch(str(text).strip())
    return Fraction(found[1].replace(",", ".")) if found else None


def share_of_way(baseline, target, now):
    """How much of the way from baseline to target a figure has come, as a share of 100 within 0 and 100.

    None when one of them is no number, or baseline and target are the same: then there is no way to go.
    """
    start, end, here = (number(text) for text in (baseline, target, now))
    if None in (start, end, here) or start == end:
        return None
    return min(max(100 * (here - start) / (end - start), Fraction(0)), Fraction(100))
