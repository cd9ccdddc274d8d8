"""What shows that a milestone is reached, and what is said about it: evidence, comments, approvals."""
import json
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404
from ninja import Query, Schema, Status
from pydantic import BeforeValidator, Field

from clinic.access.rules import rule
from clinic.audit.looks import Kind
from clinic.documents import as_it_came, file_name
from clinic.files.examine import Unfit
from clinic.files.uploads import takes_files_or_json
from clinic.web.bodies import (
    Body,
    Filled,
    FilledLine,
    Line,
    Listed,
    Paging,
    Reason,
    Text,
    choice,
    fields_called,
    referred,
)
from clinic.web.endpoints import Endpoints
from milestones.api.parts import (
    ApprovalShown,
    CommentShown,
    EvidenceShown,
    RecordShown,
    approval_shown,
    comment_shown,
    evidence_shown,
)
from milestones.looks import find_evidence, find_milestone
from milestones.models import Approval, Comment, Evidence
from milestones.models.approval import evidence_of
from milestones.models.evidence import NO_IMAGES, RECORDS
from milestones.proposals import proposals
from treatment.looks import find_plan

router = Endpoints(tags=["Evidence, comments and approvals"])
NAMES = {"parent": "parent_id"}
LARGEST = 1e15


def _figure(value):
    """A text or a number, as it was sent."""
    if value is None or (isinstance(value, str) and 0 < len(value.strip()) <= 200):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST:
        return value
    raise ValueError("Write a number, or a text of at most 200 characters.")


def _object(value):
    """In a form an object is written as JSON."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


class RecordNamed(Body):
    """A row of the same patient's record. Images come later."""

    type: Literal["note", "image", "perio_exam", "procedure", "document"]
    id: UUID


class EvidenceNew(Body):
    """A `link` has a url; a `metric` a value; a `document` is a file, a row of the record, or a url. With a file send the same
    fields as multipart/form-data, the file as `file`, a record as JSON."""

    id: UUID | None = None
    evidence_type: choice(Evidence.Type)
    title: FilledLine = Field(max_length=200)
    description: Text | None = Field(None, max_length=2000)
    url: Line | None = Field(None, max_length=500)
    value: Annotated[Any, BeforeValidator(_figure), Field(json_schema_extra={"type": ["string", "number", "null"]})] = None
    record: Annotated[RecordNamed | None, BeforeValidator(_object)] = None


class ProposalShown(Schema):
    """Evidence that the record offers: POST it as it stands, with evidence_type document, to confirm it."""

    title: str
    record: RecordShown


class CommentNew(Body):
    """`@Name` tells a colleague of it. `internal`: the patient does not see it."""

    id: UUID | None = None
    body: Filled = Field(max_length=8000)
    parent_id: UUID | None = None
    internal: bool | None = None


class Approved(Body):
    """`signature_name`: typed by who approves; needed for an approval."""

    decision: choice(Approval.Decision)
    comment: Text | None = Field(None, max_length=4000)
    signature_name: Line | None = Field(None, max_length=120)


def _form():
    """How the schema tells of the form that evidence with a file comes as."""
    fields = {name: {"type": "string"} for name in EvidenceNew.model_fields}
    return {"requestBody": {"content": {"multipart/form-data": {"schema": {
        "type": "object", "additionalProperties": False, "required": ["evidence_type", "title"],
        "properties": fields | {"file": {"type": "string", "format": "binary"}}}}}}}


def evidence_values(body, actor, field=""):
    """The arguments of `Evidence.add` for what was sent. `field`: where in the body it stands."""
    values = {name: value for name, value in body.given().items() if value is not None}
    if body.record is not None:
        if body.record.type == "image":
            raise ValidationError({f"{field}record.type": [NO_IMAGES]})
        rows = RECORDS[body.record.type].model.objects.select_related("patient__merged_into")
        values["record"] = (body.record.type, referred(rows, actor, body.record.id, f"{field}record.id"))
    return values


@router.post("/milestones/{uuid:milestone_id}/evidence", response={201: EvidenceShown}, openapi_extra=_form())
@rule("milestone.update")
@takes_files_or_json
def add(request, milestone_id: UUID, body: EvidenceNew):
    """Add evidence: a file of at most 25 MB, a row of the patient's record, a figure, or a link."""
    found = find_milestone(request, milestone_id)
    try:
        with fields_called({"record": "record.id"}):
            row = Evidence.add(
                by=request.actor, milestone=found, file=request.FILES.get("file"), **evidence_values(body, request.actor))
    except Unfit as refused:
        raise ValidationError({"file": refused.messages}) from refused
    return Status(201, evidence_shown(row))


@router.get("/milestones/{uuid:milestone_id}/proposals", response=Listed[ProposalShown])
@rule("milestone.update")
def offered(request, milestone_id: UUID, paging: Query[Paging]):
    """What the patient's record offers as evidence and nobody has taken yet."""
    found = paging.of(proposals(find_milestone(request, milestone_id)))
    return found | {"items": [
        ProposalShown(title=each.title, record=RecordShown(type=each.kind, id=each.row.pk)) for each in found["items"]]}


@router.post("/milestone-evidence/{uuid:evidence_id}/withdraw", response=EvidenceShown)
@rule("milestone.update")
def withdraw(request, evidence_id: UUID, body: Reason):
    """Take it out; it stays on record. Not the last on which an achieved milestone rests."""
    found = find_evidence(request, evidence_id)
    return evidence_shown(found.withdraw(by=request.actor, because=body.reason))


@router.get("/milestone-evidence/{uuid:evidence_id}/content", response=None)
@rule("treatment.read")
def content(request, evidence_id: UUID):
    """The file as it came, decrypted."""
    found = find_evidence(request, evidence_id, Kind.EXPORT)
    if found.attachment is None:
        raise Http404
    return as_it_came(found.attachment, file_name(found.title))


@router.post("/milestones/{uuid:milestone_id}/comments", response={201: CommentShown})
@rule("treatment.read")
def say(request, milestone_id: UUID, body: CommentNew):
    """Write a comment: staff, and the patient of the plan."""
    found = find_milestone(request, milestone_id)
    values = body.given() | {"internal": bool(body.internal)}
    values["parent"] = referred(Comment.objects.all(), request.actor, values.pop("parent_id", None), "parent_id")
    with fields_called(NAMES):
        return Status(201, comment_shown(Comment.write(by=request.actor, milestone=found, **values)))


@router.post("/milestones/{uuid:milestone_id}/approve", response=ApprovalShown)
@rule("milestone.approve")
def approve(request, milestone_id: UUID, body: Approved):
    """Approve a milestone that waits for it, or ask for changes: the patient, guarantor or proxy."""
    found = find_milestone(request, milestone_id)
    given = Approval.give(
        by=request.actor, milestone=found, decision=body.decision, comment=body.comment or "",
        signature_name=body.signature_name or "")
    return approval_shown(given, evidence_of([found])[found.pk])


@router.get("/milestone-comments/{uuid:booking_id}", response=Listed[CommentShown])
@rule("treatment.read")
def comments(request, booking_id: UUID, paging: Query[Paging]):
    """All comments of a plan in the order in which they were written; patients see those that are not internal."""
    rows = Comment.objects.visible_to(request.actor).of_plan(find_plan(request, booking_id))
    found = paging.of(rows)
    return found | {"items": [comment_shown(row) for row in found["items"]]}


@router.get("/milestone-approvals/{uuid:booking_id}", response=Listed[ApprovalShown])
@rule("treatment.read")
def approvals(request, booking_id: UUID, paging: Query[Paging]):
    """All decisions on a plan's milestones, the newest first."""
    rows = Approval.objects.visible_to(request.actor).of_plan(find_plan(request, booking_id))
    found = paging.of(rows.select_related("milestone"))
    evidence = evidence_of({row.milestone for row in found["items"]})
    return found | {"items": [approval_shown(row, evidence[row.milestone_id]) for row in found["items"]]}
