"""How the goals of plans stand, asked of the database in a constant number of queries."""
from collections import defaultdict
from fractions import Fraction

from treatment.measures import Measures, spelled
from treatment.models.goal import Goal
from treatment.models.goal_progress import GoalProgress
from treatment.progress import roll_up, share_of_way, summary, whole


class Course:
    """A plan's goals with their exact shares of progress, and what live measures say of those that are bound to one."""

    def __init__(self, plan, goals, ratings, measures):
        self.plan, self.goals, self.measures = plan, goals, measures
        self._below = defaultdict(list)
        for goal in goals:
            self._below[goal.parent_id].append(goal)
        self.figures = {goal.pk: measures.figure(goal.measure, plan.start_date) for goal in goals if goal.measure}
        ways = {goal.pk: share_of_way(goal.baseline_value, goal.target_value, self.figures[goal.pk])
                for goal in goals if self.figures.get(goal.pk) is not None}
        self._ways, self._ratings = {key: share for key, share in ways.items() if share is not None}, ratings
        self.shares = roll_up(goals, ratings, self._ways)

    @property
    def summary(self):
        return summary(self.goals, self.shares)

    def percent(self, goal):
        """The goal's progress as it is shown: a whole number of 0 to 100."""
        return whole(self.shares[goal.pk])

    def now(self, goal):
        """The goal's value now: computed when it is bound to a measure, else as it was written last."""
        figure = self.figures.get(goal.pk)
        return goal.current_value if figure is None else spelled(figure)

    def source(self, goal):
        """Where a computed value is from; empty for what people write."""
        return self.measures.source(goal.measure, self.plan.start_date) if goal.measure else ""

    def way(self, goal):
        """From what a goal's progress is told, in words: the first that holds of the rules in `treatment.progress`."""
        if goal.status == goal.Status.ACHIEVED:
            return "achieved"
        below = [row for row in self.below(goal) if row.status != goal.Status.DISCONTINUED]
        if below:
            return f"from {len(below)} goal{'s' if len(below) > 1 else ''} below it, weighted by priority"
        if goal.pk in self._ways:
            return "from the live value, between baseline and target"
        return "from the latest rating" if goal.pk in self._ratings else "its own figure"

    def below(self, goal=None):
        """The sub-goals of a goal, or the top-level ones, in their order."""
        return self._below[goal.pk if goal else None]

    def on_track(self, goal, day):
        """Achieved, or at least as far as the time that has passed from the plan's start to the goal's target date; without a
        date, once anything is reached."""
        if goal.status == goal.Status.ACHIEVED:
            return True
        end = goal.target_date or self.plan.target_end_date
        if end is None:
            return self.shares[goal.pk] > 0
        length, passed = (end - self.plan.start_date).days, max((day - self.plan.start_date).days, 0)
        return self.shares[goal.pk] >= (min(Fraction(100 * passed, length), 100) if length > 0 else 100)

    def counted(self, day):
        """(goals that count, those of them on track) on that day."""
        goals = [goal for goal in self.goals if goal.status != goal.Status.DISCONTINUED]
        return len(goals), sum(self.on_track(goal, day) for goal in goals)


def courses_of(plans, patient):
    """{plan's key: Course} of plans of one patient; two queries, and two more where goals are bound to measures."""
    rows, goals = defaultdict(list), Goal.objects.filter(plan__in=plans).order_by(*Goal._meta.ordering)
    for goal in goals:
        rows[goal.plan_id].append(goal)
    ratings, measures = GoalProgress.objects.latest_ratings(list(goals)), Measures(patient)
    return {plan.pk: Course(plan, rows[plan.pk], ratings, measures) for plan in plans}


def course_of(plan):
    return courses_of([plan], plan.person)[plan.pk]
