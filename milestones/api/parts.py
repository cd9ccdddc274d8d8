"""What hangs on milestones, as it is answered."""
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema

from clinic.web.bodies import choice
from milestones.metrics import metrics_of
from milestones.models import Approval, Comment, Evidence, Task, TaskUpdate
from milestones.models.approval import evidence_of
from milestones.models.evidence import RECORDS

MOST_COMMENTS = 200  # of one milestone, the newest; all of a plan are at /milestone-comments


class TaskShown(Schema):
    """Something to be done for a milestone. `percent`: as the last approved update says. `is_overdue`: by the clinic's date."""

    id: UUID
    milestone_id: UUID
    title: str
    description: str
    assignee_id: UUID | None
    due_date: date | None
    weight: int
    status: choice(Task.Status)
    status_because: str
    percent: int
    completed_at: datetime | None
    sequence: int
    is_overdue: bool
    version: int
    created_at: datetime
    updated_at: datetime


class UpdateShown(Schema):
    """What was told of work on a task, and what came of it."""

    id: UUID
    task_id: UUID
    note: str
    percent: int | None
    status: choice(TaskUpdate.Status)
    author_id: UUID | None
    reviewed_by: UUID | None
    reviewed_at: datetime | None
    reason: str
    version: int
    created_at: datetime


class TimeShown(Schema):
    """Time of one person. What is withdrawn counts no longer."""

    id: UUID
    task_id: UUID
    milestone_id: UUID
    user_id: UUID | None
    started_at: datetime
    minutes: int
    note: str
    is_withdrawn: bool
    withdrawn_because: str
    created_at: datetime


class RecordShown(Schema):
    """A row of the patient's record."""

    type: Literal[tuple(RECORDS)]
    id: UUID


class EvidenceShown(Schema):
    """Something that shows that a milestone is reached; a file is at /milestone-evidence/{id}/content. `value`: text or number."""

    id: UUID
    milestone_id: UUID
    evidence_type: choice(Evidence.Type)
    title: str
    description: str
    url: str
    attachment_id: UUID | None
    file_name: str
    media_type: str
    size: int | None
    value: Any
    record: RecordShown | None
    withdrawn_because: str
    created_at: datetime
    created_by: UUID | None
    version: int


class CommentShown(Schema):
    """`internal`: the patient does not see it. `by_patient`: by the patient, or who acts for them."""

    id: UUID
    milestone_id: UUID
    parent_id: UUID | None
    body: str
    internal: bool
    by_patient: bool
    author_id: UUID | None
    created_at: datetime


class ApprovalShown(Schema):
    """What the patient, or who acts for them, decided. `digest`: the hash over what was seen and is said here, `is_intact` while it
    is the same; `evidence_changed`: other evidence is in force now than was seen."""

    id: UUID
    milestone_id: UUID
    decision: choice(Approval.Decision)
    comment: str
    signature_name: str
    approved_by: UUID | None
    created_at: datetime
    digest: str
    is_intact: bool
    evidence_changed: bool


class MetricsShown(Schema):
    """`days_in_milestone`: since it was started, or since the one before it was achieved. `avg_task_completion_time`: hours.
    `update_approval_rate`: approved ones in 100 that were reviewed. Null where there is nothing to tell it of."""

    days_in_milestone: int
    total_tasks: int
    completed_tasks: int
    active_tasks: int
    avg_task_completion_time: float | None
    progress_update_count: int
    approved_updates: int
    pending_updates: int
    rejected_updates: int
    update_approval_rate: float | None
    evidence_count: int


def _named(kind, row, own):
    """The fields that are called alike, and these."""
    return kind(**{name: getattr(row, name) for name in kind.model_fields if name not in own}, **own)


def task_shown(task):
    return _named(TaskShown, task, {"is_overdue": task.is_overdue(task.milestone.clinic.today())})


def update_shown(update):
    return _named(UpdateShown, update, {"reviewed_by": update.reviewed_by_id})


def time_shown(entry):
    return _named(TimeShown, entry, {
        "milestone_id": entry.task.milestone_id, "user_id": entry.by_id, "created_at": entry.at,
        "withdrawn_because": entry.withdrawal.because if entry.is_withdrawn else ""})


def evidence_shown(row):
    file, to = row.attachment, row.points_to
    return _named(EvidenceShown, row, {
        "file_name": file.name if file else "", "media_type": file.media_type if file else "", "size": file.size if file else None,
        "record": to and RecordShown(type=to[0], id=to[1]), "created_by": row.added_by_id})


def comment_shown(comment):
    return _named(CommentShown, comment, {"author_id": comment.by_id, "created_at": comment.at})


def approval_shown(approval, evidence):
    """`evidence`: what is in force of its milestone, with what it points to."""
    return _named(ApprovalShown, approval, {
        "approved_by": approval.by_id, "created_at": approval.at, "evidence_changed": approval.has_changed(evidence)})


def tasks_of(milestones):
    """{milestone's key: its tasks as they are answered}; one query. Their clinic and plan are loaded."""
    rows, found = {row.pk: row for row in milestones}, {row.pk: [] for row in milestones}
    for task in Task.objects.in_force().filter(milestone__in=list(rows)).in_order():
        task.milestone = rows[task.milestone_id]
        found[task.milestone_id].append(task_shown(task))
    return found


def parts_of(row, actor):
    """All that hangs on one milestone, as this actor sees it; a constant number of queries."""
    evidence = evidence_of([row])[row.pk]
    comments = Comment.objects.visible_to(actor).filter(milestone=row)
    newest = list(comments.order_by("-at", "-id")[:MOST_COMMENTS])
    return {
        "tasks": tasks_of([row])[row.pk],
        "evidence": [evidence_shown(each) for each in evidence],
        "comments": [comment_shown(each) for each in reversed(newest)],
        "approvals": [approval_shown(each, evidence) for each in row.approvals.newest_first()],
        "metrics": MetricsShown(**vars(metrics_of([row], row.clinic.today())[row.pk]))}
