"""Patients: find, register, read, change. There is no deleting: a patient is archived by status."""
from datetime import date
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Schema, Status
from phonenumber_field.phonenumber import to_python as read_phone
from pydantic import Field

from clinic.access.rules import rule
from clinic.api.practice import AddressShown
from clinic.audit.looks import Kind, find_patient, look
from clinic.models import Account, MedicalHistory, Patient, Provider
from clinic.web.bodies import (
    Body,
    Day,
    FilledLine,
    Line,
    Listed,
    Paging,
    Text,
    changes_to,
    choice,
    fields_called,
    referred,
)
from clinic.web.endpoints import Endpoints, change_by

router = Endpoints(tags=["Patients"])


class AddressBody(Body):
    """Where letters go."""

    line1: Line = Field("", max_length=120)
    line2: Line = Field("", max_length=120)
    city: Line = Field("", max_length=80)
    region: Line = Field("", max_length=80)
    postal_code: Line = Field("", max_length=20)
    country: Line = Field("", max_length=2)


class ContactBody(Body):
    """Somebody to call in an emergency."""

    name: Line = Field("", max_length=160)
    phone: Line = Field("", max_length=40)
    relationship: Line = Field("", max_length=60)


class GuarantorBody(ContactBody):
    """Who pays when the patient does not: a patient of the clinic, or somebody else by name."""

    patient_id: UUID | None = None


class PatientNew(Body):
    """A patient to register. Without `account_id` a new account is made."""

    id: UUID | None = None
    first_name: FilledLine = Field(max_length=80)
    last_name: FilledLine = Field(max_length=80)
    preferred_name: Line = Field("", max_length=80)
    date_of_birth: Day
    sex: choice(Patient.Sex) = Patient.Sex.UNKNOWN
    phone: Line = Field("", max_length=40)
    email: Line = Field("", max_length=254)
    address: AddressBody = AddressBody()
    account_id: UUID | None = None
    guarantor: GuarantorBody = GuarantorBody()
    emergency_contact: ContactBody = ContactBody()
    primary_provider_id: UUID | None = None
    status: choice(Patient.Status) = Patient.Status.ACTIVE


class ContactShown(Schema):
    name: str
    phone: str
    relationship: str


class GuarantorShown(ContactShown):
    patient_id: UUID | None


class PatientShown(Schema):
    """A patient. `alerts`: what must be seen before treatment, worst first, out of the medical history."""

    id: UUID
    chart_number: str
    first_name: str
    last_name: str
    preferred_name: str
    date_of_birth: date
    sex: choice(Patient.Sex)
    phone: str
    email: str
    address: AddressShown
    account_id: UUID
    guarantor: GuarantorShown
    emergency_contact: ContactShown
    primary_provider_id: UUID | None
    status: choice(Patient.Status)
    alerts: list[str]
    version: int


PatientChanges = changes_to(PatientNew, PatientShown, "PatientChanges")
NAMES = {
    **{name: f"address.{name}" for name in AddressBody.model_fields},
    **{f"guarantor_{name}": f"guarantor.{name}" for name in ContactBody.model_fields},
    **{f"emergency_{name}": f"emergency_contact.{name}" for name in ContactBody.model_fields},
    "guarantor_patient": "guarantor.patient_id", "account": "account_id", "primary_provider": "primary_provider_id",
}


def shown(patients):
    """These patients as they are answered; one query for the alerts of all."""
    alerts = MedicalHistory.objects.alerts_of(patients)
    return [_shown(patient, alerts.get(patient.pk, [])) for patient in patients]


def _shown(patient, alerts):
    fields = {name: getattr(patient, name) for name in PatientShown.model_fields if hasattr(patient, name)}
    return PatientShown(**fields | {
        "phone": str(patient.phone), "address": AddressShown.from_orm(patient), "alerts": alerts,
        "guarantor": {
            "patient_id": patient.guarantor_patient_id, "name": patient.guarantor_name,
            "phone": str(patient.guarantor_phone), "relationship": patient.guarantor_relationship},
        "emergency_contact": {
            "name": patient.emergency_name, "phone": str(patient.emergency_phone),
            "relationship": patient.emergency_relationship},
    })


def values_of(given, actor):
    """The model's fields that a body's fields mean; ValidationError for what points nowhere."""
    values = dict(given)
    address, guarantor, emergency = (values.pop(name, None) for name in ("address", "guarantor", "emergency_contact"))
    values |= address.given() if address else {}
    for prefix, contact in (("guarantor", guarantor), ("emergency", emergency)):
        sent = contact.given() if contact else {}
        if "patient_id" in sent:
            values["guarantor_patient"] = referred(Patient.objects, actor, sent.pop("patient_id"), "guarantor.patient_id")
        values |= {f"{prefix}_{name}": value for name, value in sent.items()}
    for name in ("phone", "guarantor_phone", "emergency_phone"):
        if values.get(name):
            values[name] = read_phone(values[name], region=actor.clinic.country)
    for name, rows in (("account", Account.objects), ("primary_provider", Provider.objects)):
        if f"{name}_id" in values:
            values[name] = referred(rows, actor, values.pop(f"{name}_id"), f"{name}_id")
    return values


@router.get("/patients", response=Listed[PatientShown])
@rule("clinic.search_patients")
def patients(request, paging: Query[Paging], search: Text = "", status: choice(Patient.Status) | None = None):
    """The patients by name. `search`: a part of a name, a phone number, a date of birth or a chart number."""
    every = Patient.objects.visible_to(request.actor)
    rows = every.found(search) if search.strip() and not status else every.matching(search) if search.strip() else every
    rows = rows.filter(status=status, merged_into=None) if status else rows.current()
    found = paging.of(rows)
    look(request, Kind.SEARCH if search else Kind.LIST, rows=len(found["items"]))
    return found | {"items": shown(found["items"])}


@router.post("/patients", response={201: PatientShown})
@rule("clinic.add_patient")
def register(request, body: PatientNew, response: HttpResponse):
    """Register a patient; the chart number is the server's."""
    with fields_called(NAMES):
        patient = Patient.register(by=request.actor, **values_of(body.given(), request.actor))
    return Status(201, _answer(request, response, patient))


@router.get("/patients/{uuid:patient_id}", response=PatientShown)
@rule("clinic.view_patient")
def patient(request, patient_id: UUID, response: HttpResponse):
    """One patient."""
    return _answer(request, response, find_patient(request, patient_id))


@router.api_operation(["PUT", "PATCH"], "/patients/{uuid:patient_id}", response=PatientShown)
@rule("clinic.change_patient")
def change(request, patient_id: UUID, body: PatientChanges, response: HttpResponse):
    """Change what is sent; everything else stays."""
    patient = find_patient(request, patient_id)
    refused = change_by(
        request, patient, body, shown=lambda row: shown([row])[0], values_of=values_of, verb=patient.change, names=NAMES)
    return refused or _answer(request, response, patient)


def _answer(request, response, patient):
    look(request, Kind.VIEW, patient)
    response["ETag"] = f'"{patient.version}"'
    return shown([patient])[0]
