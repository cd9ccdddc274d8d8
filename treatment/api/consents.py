"""Consent to what a plan says: given or declined, signed, bound to the frozen copy, withdrawn."""
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from ninja import Query, Schema, Status
from pydantic import Field

from clinic.access.rules import rule
from clinic.models import Document
from clinic.web.bodies import (
    Body,
    Filled,
    FilledLine,
    Line,
    Listed,
    Paging,
    Reason,
    Text,
    Whole,
    choice,
    fields_called,
    referred,
)
from clinic.web.endpoints import Endpoints
from treatment.looks import find_consent, find_plan
from treatment.models import Consent, Procedure
from treatment.signatures import signature_of

router = Endpoints(tags=["Consents"])
NAMES = {"paper": "document_id"}


class ConsentNew(Body):
    """What was decided on which procedures, and what was explained before. `signature_image`: a PNG as a data URL; or
    `document_id`: the scan of a signed paper. `plan_version`: the copy that was shown; refused when it is no longer the newest."""

    id: UUID | None = None
    procedure_ids: list[UUID] = Field(max_length=500)
    decision: choice(Consent.Decision) = Consent.Decision.GIVEN
    signed_by: choice(Consent.SignedBy)
    signature_name: FilledLine = Field(max_length=120)
    signature_image: Text | None = Field(None, max_length=900_000)
    document_id: UUID | None = None
    witness: Line | None = Field(None, max_length=120)
    explained: Filled = Field(max_length=8000)
    plan_version: Whole | None = Field(None, ge=1)


class ConsentShown(Schema):
    """`plan_version`: the frozen copy that was signed; `digest`: the hash over it and all that is said here."""

    id: UUID
    plan_id: UUID
    patient_id: UUID
    plan_version: int
    procedure_ids: list[UUID]
    decision: choice(Consent.Decision)
    signed_by: choice(Consent.SignedBy)
    signature_name: str
    has_signature: bool
    document_id: UUID | None
    witness: str
    explained: str
    signed_at: datetime
    digest: str
    withdrawn_at: datetime | None
    withdrawn_because: str


def shown(consent):
    withdrawal = getattr(consent, "withdrawal", None)
    return ConsentShown(
        **{name: getattr(consent, name) for name in (
            "id", "plan_id", "patient_id", "decision", "signed_by", "signature_name", "witness", "explained", "signed_at",
            "digest")},
        plan_version=consent.plan_version.number, procedure_ids=[row.procedure_id for row in consent.procedures.all()],
        has_signature=consent.signature_id is not None, document_id=consent.paper_id,
        withdrawn_at=withdrawal and withdrawal.at, withdrawn_because=withdrawal.because if withdrawal else "")


@router.get("/treatment-plans/{uuid:plan_id}/consents", response=Listed[ConsentShown])
@rule("treatment.read")
def consents(request, plan_id: UUID, paging: Query[Paging]):
    """Everything that was decided on this plan, newest first."""
    plan = find_plan(request, plan_id)
    rows = Consent.objects.filter(plan=plan).select_related("plan_version", "withdrawal").prefetch_related("procedures")
    found = paging.of(rows)
    return found | {"items": [shown(row) for row in found["items"]]}


@router.post("/treatment-plans/{uuid:plan_id}/consents", response={201: ConsentShown})
@rule("treatment.answer_plan")
def take(request, plan_id: UUID, body: ConsentNew):
    """Write down what was decided, over the newest frozen copy of the plan."""
    plan, values = find_plan(request, plan_id), body.dict(exclude={
        "procedure_ids", "signature_image", "document_id", "witness", "plan_version"})
    rows = {row.pk: row for row in Procedure.objects.visible_to(request.actor).filter(pk__in=body.procedure_ids)}
    if any(key not in rows for key in body.procedure_ids):
        raise ValidationError({"procedure_ids": "There is nothing with one of these ids."})
    papers = Document.objects.select_related("file", "patient__merged_into")
    paper = referred(papers, request.actor, body.document_id, "document_id")
    with fields_called(NAMES):
        consent = Consent.take(
            by=request.actor, plan=plan, procedures=[rows[key] for key in body.procedure_ids], now=timezone.now(), paper=paper,
            signature=signature_of(body.signature_image), witness=body.witness or "", number=body.plan_version, **values)
    return Status(201, shown(find_consent(request, consent.pk)))


@router.post("/consents/{uuid:consent_id}/withdraw", response=ConsentShown)
@rule("treatment.answer_plan")
def withdraw(request, consent_id: UUID, body: Reason):
    """It holds no longer; what was done under it stands."""
    find_consent(request, consent_id).withdraw(by=request.actor, because=body.reason)
    return shown(find_consent(request, consent_id))
