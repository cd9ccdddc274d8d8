"""The work inside one milestone, as its page shows it: tasks with what was told of them, evidence, talk, approvals, time."""
from functools import cached_property
from typing import Any, NamedTuple

from milestones.models import Approval, Comment, Evidence, Milestone, Task, TaskUpdate, TimeEntry
from milestones.proposals import proposals
from milestones.records import page_of
from milestones.work_forms import CommentForm, EvidenceForm, ReviewForm, TaskForm, TimeForm, UpdateForm, WhyForm

TASK_TONES = {"OPEN": "grey", "IN_PROGRESS": "blue", "COMPLETED": "green", "CANCELLED": "grey"}
MOST_UPDATES = 3  # of each task, the newest; and all that wait for review


class TaskRow(NamedTuple):
    """A task as the page lists it."""

    task: Task
    tone: str
    is_late: bool
    updates: list  # [(update, the form that answers it)]
    minutes: int
    tells: bool  # whether this actor tells of it
    update_form: Any
    time_form: Any

    @property
    def may_tell(self):
        """Whether its forms are shown: those that were refused come back, even when the task was closed meanwhile."""
        return self.tells or self.is_sent

    @property
    def is_sent(self):
        return self.update_form.is_bound or self.time_form.is_bound


class Work:
    """One milestone for one actor; a constant number of queries. `forms`: those that were sent and refused, by their names."""

    def __init__(self, actor, milestone, today, forms=None):
        self.actor, self.milestone, self.today, self.sent = actor, milestone, today, forms or {}
        self.may_update = milestone.may_update(actor)
        self.may_review = milestone.may_review(actor)

    @cached_property
    def tasks(self):
        """[TaskRow]: all that were not taken out, with what was told of them."""
        rows = list(Task.objects.filter(milestone=self.milestone).in_force().in_order().select_related("assignee"))
        updates = {}
        told = TaskUpdate.objects.filter(task__in=rows).waiting_or_newest(MOST_UPDATES)
        for update in told.newest_first().select_related("author"):
            updates.setdefault(update.task_id, []).append((update, self._form(ReviewForm, update)))
        minutes = TimeEntry.objects.filter(task__in=rows).totals("task")
        for row in rows:
            row.milestone = self.milestone
        return [
            TaskRow(row, TASK_TONES[row.status], row.is_overdue(self.today), updates.get(row.pk, []), minutes.get(row.pk, 0),
                    row.is_active and (self.may_update or row.is_own(self.actor)),
                    self._form(UpdateForm, row), self._form(TimeForm, row))
            for row in rows]

    @property
    def minutes(self):
        return sum(row.minutes for row in self.tasks)

    @property
    def done(self):
        """(how many tasks are completed, of how many that are not cancelled)"""
        counted = [row.task for row in self.tasks if row.task.status != Task.Status.CANCELLED]
        return sum(task.status == Task.Status.COMPLETED for task in counted), len(counted)

    @cached_property
    def evidence(self):
        """[(evidence, the form that takes it out, where the record shows it)]"""
        rows = Evidence.objects.filter(milestone=self.milestone).in_force().in_order()
        return [(row, self._form(WhyForm, row), page_of(self.actor, row)) for row in rows.with_records().select_related("added_by")]

    @cached_property
    def proposals(self):
        """What the record offers and nobody has taken yet; only for who may take it."""
        return proposals(self.milestone) if self.may_update and self.milestone.status != Milestone.Status.CANCELLED else []

    @cached_property
    def comments(self):
        """[(comment, the form that answers it)], in the order in which they were written, each followed by its answers."""
        first, talks = {}, {}
        for row in Comment.objects.visible_to(self.actor).filter(milestone=self.milestone).in_order().select_related("by"):
            first[row.pk] = first.get(row.parent_id, row.pk)
            talks.setdefault(first[row.pk], []).append((row, self._kept(CommentForm(self.milestone, actor=self.actor, parent=row))))
        return [each for talk in talks.values() for each in talk]

    @cached_property
    def approvals(self):
        return list(Approval.objects.filter(milestone=self.milestone).newest_first().select_related("by"))

    @cached_property
    def task_form(self):
        return self._kept(TaskForm(instance=Task(milestone=self.milestone, clinic=self.actor.clinic), actor=self.actor))

    @cached_property
    def evidence_form(self):
        return self._form(EvidenceForm, self.milestone)

    @cached_property
    def comment_form(self):
        return self._form(CommentForm, self.milestone)

    def _form(self, kind, row):
        return self._kept(kind(row, actor=self.actor))

    def _kept(self, form):
        """The form, or the one of its name that was sent and refused."""
        return self.sent.get(form.name, form)
