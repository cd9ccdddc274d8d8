"""The work inside one milestone, as its page shows it: tasks with what was told of them, evidence, talk, approvals, time."""
from functools import cached_property

from milestones.models import Approval, Comment, Evidence, Task, TaskUpdate, TimeEntry
from milestones.proposals import proposals
from milestones.work_forms import CommentForm, EvidenceForm, TaskForm

TASK_TONES = {"OPEN": "grey", "IN_PROGRESS": "blue", "COMPLETED": "green", "CANCELLED": "grey"}
MOST_UPDATES = 3  # of each task, the newest


class Work:
    """One milestone for one actor; a constant number of queries. `forms`: those that were sent and refused, by their names."""

    def __init__(self, actor, milestone, today, forms=None):
        self.actor, self.milestone, self.today, self.sent = actor, milestone, today, forms or {}
        self.may_update = milestone.may_update(actor)
        self.may_review = milestone.may_review(actor)

    @cached_property
    def tasks(self):
        """[(task, tone, whether it is late, its newest updates, minutes, whether this actor tells of it)]"""
        rows = list(Task.objects.filter(milestone=self.milestone).in_force().in_order().select_related("assignee"))
        told = {}
        for update in TaskUpdate.objects.filter(task__in=rows).newest_first().select_related("author"):
            told.setdefault(update.task_id, []).append(update)
        minutes = TimeEntry.objects.filter(task__in=rows).totals("task")
        found = []
        for row in rows:
            row.milestone = self.milestone
            tells = row.is_active and (self.may_update or row.is_own(self.actor))
            found.append((row, TASK_TONES[row.status], row.is_overdue(self.today), told.get(row.pk, [])[:MOST_UPDATES],
                          minutes.get(row.pk, 0), tells))
        return found

    @property
    def minutes(self):
        return sum(each[4] for each in self.tasks)

    @property
    def done(self):
        """(how many tasks are completed, of how many that are not cancelled)"""
        counted = [row for row, *_ in self.tasks if row.status != Task.Status.CANCELLED]
        return sum(row.status == Task.Status.COMPLETED for row in counted), len(counted)

    @cached_property
    def evidence(self):
        rows = Evidence.objects.filter(milestone=self.milestone).in_force().in_order()
        return list(rows.with_records().select_related("added_by"))

    @cached_property
    def proposals(self):
        """What the record offers and nobody has taken yet; only for who may take it."""
        return proposals(self.milestone) if self.may_update and self.milestone.status != "CANCELLED" else []

    @cached_property
    def comments(self):
        return list(Comment.objects.visible_to(self.actor).filter(milestone=self.milestone).in_order().select_related("by"))

    @cached_property
    def approvals(self):
        return list(Approval.objects.filter(milestone=self.milestone).newest_first().select_related("by"))

    @property
    def task_form(self):
        blank = Task(milestone=self.milestone, clinic=self.actor.clinic)
        return self.sent.get("task") or TaskForm(instance=blank, actor=self.actor)

    @property
    def evidence_form(self):
        return self.sent.get("evidence") or EvidenceForm()

    @property
    def comment_form(self):
        return self.sent.get("comment") or CommentForm()
