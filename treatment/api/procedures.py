"""The coded procedures of a plan: planned, begun, completed, voided."""
from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from ninja import Query, Schema, Status
from pydantic import Field

from charting.teeth import TEETH, UnknownTooth
from clinic.access.rules import rule
from clinic.models import ProcedureCode, Provider
from clinic.web.bodies import (
    Body,
    Day,
    FilledLine,
    Line,
    Listed,
    Money,
    Nothing,
    Paging,
    Reason,
    Text,
    Whole,
    changes_to,
    choice,
    fields_called,
    referred,
)
from clinic.web.endpoints import Endpoints, change_by
from scheduling.models import Appointment
from treatment.areas import teeth_of
from treatment.looks import find_plan, find_procedure
from treatment.models import Phase, Procedure

router = Endpoints(tags=["Procedures"])
NAMES = {"procedure_code": "code", "last_tooth": "tooth", "provider": "provider_id", "appointment": "appointment_id"}


class ProcedureBody(Body):
    """What is planned. Which of tooth, surfaces, quadrant, sextant and arch are needed follows from the code's area; a range of
    teeth is written "3-5". `phase`: by its name; a new name adds a phase to the plan."""

    code: FilledLine = Field(max_length=10)
    tooth: Line = Field("", max_length=9)
    surfaces: Line = Field("", max_length=7)
    quadrant: Line = Field("", max_length=2)
    sextant: Whole | None = Field(None, ge=1, le=6)
    arch: Line = Field("", max_length=5)
    phase: Line = Field("", max_length=120)
    fee: Money | None = Field(None, ge=0)
    diagnosis: Line = Field("", max_length=10)
    provider_id: UUID
    appointment_id: UUID | None = None
    estimated_visits: Whole = Field(1, ge=1, le=60)
    note: Text = Field("", max_length=2000)
    sequence: Whole | None = Field(None, ge=1, le=500)


class ProcedureNew(ProcedureBody):
    """A procedure to plan, or one that is told: existing, existing_other, referred, condition. The fee defaults to the office's,
    the provider to the plan's."""

    id: UUID | None = None
    provider_id: UUID | None = None
    status: choice(Procedure.Status) = Procedure.Status.PLANNED
    completed_on: Day | None = None


class ProcedureShown(Schema):
    """One piece of work. Teeth by their names in the practice's numbering."""

    id: UUID
    plan_id: UUID
    patient_id: UUID
    code: str
    description: str
    tooth: str
    surfaces: str
    quadrant: str
    sextant: int | None
    arch: str
    phase: str
    phase_id: UUID | None
    sequence: int
    fee: Money
    status: choice(Procedure.Status)
    diagnosis: str
    provider_id: UUID
    appointment_id: UUID | None
    finding_id: UUID | None
    estimated_visits: int
    started_on: date | None
    completed_on: date | None
    note: str
    version: int


class Completed(Body):
    """When and by whom; today and the planned provider when left out."""

    completed_on: Day | None = None
    provider_id: UUID | None = None
    note: Text | None = Field(None, max_length=2000)


ProcedureChanges = changes_to(ProcedureBody, ProcedureShown, "ProcedureChanges")


def shown(row):
    numbering = row.clinic.tooth_numbering
    tooth = "-".join(TEETH[key].label(numbering) for key in (row.tooth, row.last_tooth) if key)
    return ProcedureShown(
        code=row.procedure_code.code, tooth=tooth, phase=row.phase.name if row.phase else "",
        **{name: getattr(row, name) for name in ProcedureShown.model_fields if name not in ("code", "tooth", "phase")})


def values_of(given, actor, plan):
    """The verb's arguments for what was sent; a phase that the plan lacks is added to it."""
    values = {name: value for name, value in given.items() if value is not None or name in ("appointment_id", "sextant")}
    if "code" in values:
        code = values.pop("code").upper()
        values["procedure_code"] = ProcedureCode.objects.visible_to(actor).filter(code=code).select_related("rule").first()
        if values["procedure_code"] is None:
            raise ValidationError({"code": f"“{code}” is no code of this practice."})
    if "provider_id" in values:
        values["provider"] = referred(Provider.objects.current(), actor, values.pop("provider_id"), "provider_id")
    if "appointment_id" in values:
        values["appointment"] = referred(
            Appointment.objects.select_related("patient__merged_into"), actor, values.pop("appointment_id"), "appointment_id")
    if "tooth" in values:
        try:
            values |= teeth_of(values["tooth"], actor.clinic.tooth_numbering)
        except UnknownTooth as error:
            raise ValidationError({"tooth": str(error)}) from error
    values.pop("sequence", None)  # a verb of its own
    if "phase" in values:
        values["phase"] = Phase.named(values["phase"], by=actor, plan=plan)
    return values


@router.get("/treatment-plans/{uuid:plan_id}/procedures", response=Listed[ProcedureShown])
@rule("treatment.read")
def procedures(request, plan_id: UUID, paging: Query[Paging]):
    """All of a plan in its order, cancelled ones included."""
    plan = find_plan(request, plan_id)
    rows = Procedure.objects.visible_to(request.actor).filter(plan=plan).in_order()
    found = paging.of(rows.select_related("procedure_code", "phase", "clinic"))
    return found | {"items": [shown(row) for row in found["items"]]}


@router.post("/treatment-plans/{uuid:plan_id}/procedures", response={201: ProcedureShown})
@rule("treatment.write_plan")
def add(request, plan_id: UUID, body: ProcedureNew):
    """Plan a procedure; the chart shows it at once."""
    plan = find_plan(request, plan_id)
    with transaction.atomic(), fields_called(NAMES):
        values = values_of(body.dict(), request.actor, plan)
        visit = values.pop("appointment", None)
        row = Procedure.add(by=request.actor, plan=plan, **values)
        if visit is not None:
            row.book_into(by=request.actor, appointment=visit)
        if body.sequence is not None:
            row.move_to(body.sequence, by=request.actor)
            row.refresh_from_db()
    return Status(201, shown(row))


@router.get("/procedures/{uuid:procedure_id}", response=ProcedureShown)
@rule("treatment.read")
def procedure(request, procedure_id: UUID, response: HttpResponse):
    """One procedure."""
    return _answer(response, find_procedure(request, procedure_id))


@router.patch("/procedures/{uuid:procedure_id}", response=ProcedureShown)
@rule("treatment.write_plan")
def change(request, procedure_id: UUID, body: ProcedureChanges, response: HttpResponse):
    """Change what is planned; what is completed stands."""
    row = find_procedure(request, procedure_id)

    def write(*, by, place=None, **values):
        if values:
            row.revise(by=by, **values)
        if place is not None:
            row.move_to(place, by=by)

    def asked(given, actor):
        return values_of(given, actor, row.plan) | ({"place": given["sequence"]} if given.get("sequence") else {})

    refused = change_by(request, row, body, shown=shown, names=NAMES, verb=write, values_of=asked)
    return refused or _answer(response, find_procedure(request, procedure_id))


@router.post("/procedures/{uuid:procedure_id}/start", response=ProcedureShown)
@rule("treatment.complete_procedure")
def start(request, procedure_id: UUID, response: HttpResponse, body: Nothing = None):
    """Work on it has begun. A second time answers the same record."""
    find_procedure(request, procedure_id).start(by=request.actor)
    return _answer(response, find_procedure(request, procedure_id))


@router.post("/procedures/{uuid:procedure_id}/complete", response=ProcedureShown)
@rule("treatment.complete_procedure")
def complete(request, procedure_id: UUID, response: HttpResponse, body: Completed = None):
    """It is done. A second time answers the same record and does nothing."""
    body = body or Completed()
    provider = referred(Provider.objects.current(), request.actor, body.provider_id, "provider_id")
    with fields_called(NAMES):
        find_procedure(request, procedure_id).complete(by=request.actor, on=body.completed_on, provider=provider, note=body.note)
    return _answer(response, find_procedure(request, procedure_id))


@router.post("/procedures/{uuid:procedure_id}/void", response=ProcedureShown)
@rule("treatment.write_plan")
def void(request, procedure_id: UUID, body: Reason, response: HttpResponse):
    """It will not be, or was never so; the reason stays on record."""
    find_procedure(request, procedure_id).void(by=request.actor, because=body.reason)
    return _answer(response, find_procedure(request, procedure_id))


def _answer(response, row):
    response["ETag"] = f'"{row.version}"'
    return shown(row)
