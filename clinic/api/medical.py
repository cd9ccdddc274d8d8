"""The medical history of a patient: dated versions, newest first; a POST makes the next one."""
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from ninja import Query, Schema, Status
from pydantic import Field

from clinic.access.rules import rule
from clinic.audit.looks import find_patient
from clinic.db.refusals import Stale
from clinic.models import MedicalHistory
from clinic.models.medical_history import SEVERITIES
from clinic.web.bodies import Body, FilledLine, Line, Listed, Paging, Text, choice
from clinic.web.endpoints import Endpoints, stale, version_seen

router = Endpoints(tags=["Medical history"])
Severity = Literal["", *SEVERITIES]


class Medication(Body):
    name: FilledLine = Field(max_length=120)
    dose: Line = Field("", max_length=80)
    reason: Line = Field("", max_length=120)


class Allergy(Body):
    substance: FilledLine = Field(max_length=120)
    reaction: Line = Field("", max_length=120)
    severity: Severity = ""


class Condition(Body):
    name: FilledLine = Field(max_length=120)
    severity: Severity = ""
    onset: Line = Field("", max_length=40)
    note: Line = Field("", max_length=200)


class MedicalHistoryNew(Body):
    """What the patient told. A list or text that is left out stays as it was in the newest version."""

    id: UUID | None = None
    medications: list[Medication] = Field([], max_length=60)
    allergies: list[Allergy] = Field([], max_length=60)
    conditions: list[Condition] = Field([], max_length=60)
    tobacco: Literal["", "never", "former", "current"] = ""
    pregnancy: Literal["", "no", "yes"] = ""
    due_on: Line = Field("", max_length=40)
    premedication: Line = Field("", max_length=200)
    note: Text = Field("", max_length=4000)


class MedicalHistoryShown(Schema):
    """One dated version. `version` is its number: name it in If-Match to write only on top of what you saw."""

    id: UUID
    version: int
    kind: choice(MedicalHistory.Kind)
    reviewed_on: date
    at: datetime
    by_id: UUID | None
    medications: list[Medication]
    allergies: list[Allergy]
    conditions: list[Condition]
    tobacco: str
    pregnancy: str
    due_on: str
    premedication: str
    note: str
    alerts: list[str]


def shown(row):
    return MedicalHistoryShown(**{
        **MedicalHistory.EMPTY, **row.content, "id": row.pk, "version": row.number, "kind": row.kind,
        "reviewed_on": row.reviewed_on, "at": timezone.localtime(row.at), "by_id": row.by_id,
        "alerts": [each["text"] for each in row.alerts]})


@router.get("/patients/{uuid:patient_id}/medical-history", response=Listed[MedicalHistoryShown])
@rule("clinic.view_medicalhistory")
def medical_history(request, patient_id: UUID, paging: Query[Paging]):
    """All versions, newest first."""
    patient = find_patient(request, patient_id)
    found = paging.of(MedicalHistory.objects.visible_to(request.actor).of(patient).order_by("-at", "-id"))
    return found | {"items": [shown(row) for row in found["items"]]}


@router.post("/patients/{uuid:patient_id}/medical-history", response={201: MedicalHistoryShown})
@rule("clinic.change_medicalhistory")
def write(request, patient_id: UUID, body: MedicalHistoryNew):
    """Make the next version."""
    patient = find_patient(request, patient_id)
    given = {name: [row.dict() for row in value] if isinstance(value, list) else value for name, value in body.given().items()}
    key = given.pop("id", None)
    with transaction.atomic():
        patient.lock()  # two who write at once make two versions, one after the other
        newest = patient.medical_history
        seen = version_seen(request)
        try:
            row = MedicalHistory.write(
                patient=patient, content={**(newest.content if newest else {}), **given}, by=request.actor,
                seen_number=(newest.number if newest else 0) if seen is None else seen, id=key)
        except Stale as refused:
            return stale(refused, shown(newest) if newest else None)
    return Status(201, shown(row))
