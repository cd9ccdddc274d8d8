"""The progress report of a plan: where its goals stand, how they went, what served them, what reviews found."""
from functools import cached_property

from django.utils.formats import date_format

from clinic.paper.typeset import typeset
from treatment.goal_sheet import GoalSheet
from treatment.models import GoalProgress


class Report:
    """A plan's progress on a day, each part asked for once; a constant number of queries."""

    def __init__(self, actor, plan):
        self.plan, self.clinic = plan, actor.clinic
        self.sheet = GoalSheet(actor, plan)
        self.on = self.sheet.today

    @cached_property
    def history(self):
        """{goal's key: [(date, rating, value)]} of its entries, the oldest first. The notes stay in the record."""
        rows, found = GoalProgress.objects.filter(goal__plan=self.plan).order_by("at", "id"), {}
        for key, at, rating, value in rows.values_list("goal", "at", "rating", "progress_value"):
            found.setdefault(key, []).append((at.astimezone(self.clinic.zone).date(), rating, value))
        return found

    @property
    def rows(self):
        """[(row of the tree, its history)]"""
        return [(row, self.history.get(row.goal.pk, [])) for row in self.sheet.rows]

    @cached_property
    def reviews(self):
        return list(self.plan.reviews.select_related("by"))

    @property
    def next_review(self):
        """The day of the next review; None for a plan that does not run."""
        return self.plan.next_review_date if self.plan.status in self.plan.REVIEWED else None

    @property
    def title(self):
        return f"Progress report, {_day(self.on)}"

    def pdf(self):
        """On paper, tagged, in plain words."""
        plan, patient, found = self.plan, self.plan.person, self.sheet.summary
        counted, on_track = self.sheet.on_track
        facts = [
            ("Patient", f"{patient.name}, born {_day(patient.date_of_birth)}, #{patient.chart_number}"),
            ("Plan", plan.title), ("Responsible", plan.provider.name), ("Status", plan.get_status_display()),
            ("Started", _day(plan.start_date)), ("To end by", _day(plan.target_end_date)), ("Ended", _day(plan.actual_end_date)),
            ("Diagnoses", ", ".join(f"{row['code']} {row['description']}" for row in plan.diagnosis_codes)),
            ("Next review", _day(self.next_review))]
        return typeset("treatment/report.typ", {
            "facts": [list(fact) for fact in facts if fact[1]], "goals": [_goal(*row) for row in self.rows],
            "overall": found.overall_progress,
            "counts": f"{_many(found.total_goals, 'goal')}: {found.achieved} achieved, {found.in_progress} in progress, "
                      f"{found.not_started} not started. {on_track} of {counted} on track.",
            "reviews": [{
                "date": _day(row.review_date), "by": str(row.by or ""), "summary": row.summary, "changed": row.modifications_made,
                "on_track": f"{row.goals_on_track} of {_many(row.goals_reviewed, 'goal')} on track."} for row in self.reviews],
        }, clinic=self.clinic, title=self.title, on=self.on)


def _goal(row, history):
    goal = row.goal
    figures = [("at the start", goal.baseline_value), ("now", row.now), ("aim", goal.target_value)]
    return {
        "depth": row.depth, "level": goal.get_goal_type_display(), "description": goal.description, "percent": row.percent,
        "status": goal.get_status_display(), "way": row.way, "source": row.source, "by": _day(goal.target_date),
        "figures": [list(figure) for figure in figures if figure[1]],
        "history": [{"date": _day(day), "rating": "" if rating is None else f"{rating} of 10", "value": value}
                    for day, rating, value in history if rating is not None or value],
        "interventions": [_serving(each.row, each.effect) for each in row.servings]}


def _serving(row, effect):
    return {"name": row.intervention.name, "frequency": row.frequency, "uses": effect.uses,
            "average": "" if effect.average_rating is None else f"{effect.average_rating:g} of 5"}


def _day(day):
    return date_format(day, "j F Y") if day else ""


def _many(count, word):
    return f"{count} {word}{'' if count == 1 else 's'}"
