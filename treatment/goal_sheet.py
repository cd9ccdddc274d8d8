"""The goals of a plan as its page shows them; and one goal with what is below it."""
from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse

from clinic.access.rules import may
from treatment.course import course_of
from treatment.effect import UNKNOWN, Effect
from treatment.goal_chart import spark
from treatment.models import Goal, GoalIntervention, GoalProgress

TONES = {"not_started": "grey", "in_progress": "blue", "achieved": "green", "modified": "amber", "discontinued": "grey"}
DEEPEST = 3


@dataclass(frozen=True)
class Serving:
    """An intervention that serves a goal, with how well it did."""

    row: GoalIntervention
    effect: Effect


@dataclass(frozen=True)
class Row:
    """A goal in the tree, `depth` levels below the first that is shown."""

    goal: Goal
    depth: int
    percent: int
    way: str  # from what the percentage is told
    tone: str
    now: str
    source: str
    source_url: str
    is_late: bool
    servings: list
    spark: str


class GoalSheet:
    """A plan's goal tree with how far each has come; a constant number of queries, however many goals there are."""

    def __init__(self, actor, plan):
        self.actor, self.plan, self.today = actor, plan, actor.clinic.today()

    @cached_property
    def course(self):
        return course_of(self.plan)

    @cached_property
    def may_write(self):
        return not self.plan.is_over and self.plan.may_write(self.actor)

    @property
    def summary(self):
        return self.course.summary

    @cached_property
    def on_track(self):
        """(goals that count, those of them on track) today."""
        return self.course.counted(self.today)

    @cached_property
    def rows(self):
        """All goals, each followed by those below it."""
        return self.below(None)

    @property
    def review(self):
        """How near the next review is: upcoming, due, overdue, or none."""
        return self.plan.review_status(self.today)

    def below(self, goal, depth=0):
        """Rows of what is below a goal (None: of the whole plan), each followed by what is below it."""
        found = []
        for each in self.course.below(goal):
            found += [self.row(each, depth), *(self.below(each, depth + 1) if depth < DEEPEST else ())]
        return found

    def row(self, goal, depth=0):
        course = self.course
        return Row(
            goal, depth, course.percent(goal), course.way(goal), TONES[goal.status], course.now(goal), course.source(goal),
            self._source_url(goal), bool(goal.is_open and goal.target_date and goal.target_date < self.today),
            self.servings.get(goal.pk, []), spark(self._ratings.get(goal.pk, [])))

    @cached_property
    def servings(self):
        """{goal's key: [Serving]}; three queries."""
        rows = GoalIntervention.objects.filter(goal__plan=self.plan).serving()
        effects, found = rows.effects(), {}
        for row in rows.select_related("intervention").defer("notes"):
            found.setdefault(row.goal_id, []).append(Serving(row, effects.get(row.pk, UNKNOWN)))
        return found

    @cached_property
    def _ratings(self):
        """{goal's key: its ratings, the oldest first}; one query."""
        rows = GoalProgress.objects.filter(goal__plan=self.plan, rating__isnull=False).order_by("at", "id")
        found = {}
        for key, rating in rows.values_list("goal", "rating"):
            found.setdefault(key, []).append(rating)
        return found

    def _source_url(self, goal):
        exam = self.course.measures.exam(goal.measure) if goal.measure else None
        return reverse("charting:perio_exam", args=[exam.pk]) if exam and may(self.actor, "charting.view_perio") else ""
