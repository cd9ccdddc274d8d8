"""The schedule: types, free times, booking, and the steps of a visit."""
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Annotated
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Schema, Status
from pydantic import AfterValidator, Field

from clinic.access.rules import rule
from clinic.audit.looks import Kind, look
from clinic.models import Operatory, Patient, Provider
from clinic.web.bodies import (
    Body,
    Day,
    Listed,
    Moment,
    Nothing,
    Paging,
    Reason,
    Text,
    changes_to,
    choice,
    fields_called,
    referred,
)
from clinic.web.endpoints import Endpoints, change_by
from scheduling import slots
from scheduling.looks import find_visit
from scheduling.models import Appointment, AppointmentType
from scheduling.models.reach import FARTHEST
from scheduling.openings import Calendar

router = Endpoints(tags=["Schedule"])
NAMES = {name: f"{name}_id" for name in ("patient", "operatory", "provider", "appointment_type")}


class TypeShown(Schema):
    """A kind of visit that the practice books. `kinds`: who may do it; empty for everybody."""

    id: UUID
    name: str
    minutes: int
    buffer_before: int
    buffer_after: int
    kinds: list[choice(Provider.Kind)]


@router.get("/appointment-types", response=Listed[TypeShown])
@rule("scheduling.view_appointmenttype")
def appointment_types(request, paging: Query[Paging]):
    """The types that are in use."""
    return paging.of(AppointmentType.objects.visible_to(request.actor).current())


def _whole_minute(moment):
    if moment.second or moment.microsecond:
        raise ValueError("Visits start and end on a whole minute.")
    return moment


Minute = Annotated[Moment, AfterValidator(_whole_minute)]


class ProviderTimeBody(Body):
    """Minutes of one provider within the visit."""

    provider_id: UUID
    starts_at: Minute
    ends_at: Minute


class AppointmentNew(Body):
    """A visit to book. `ends_at` defaults to the type's length, `provider_time` to the type's pattern."""

    id: UUID | None = None
    patient_id: UUID
    operatory_id: UUID
    provider_id: UUID
    appointment_type_id: UUID
    starts_at: Minute
    ends_at: Minute | None = None
    note: Text = Field("", max_length=4000)
    provider_time: list[ProviderTimeBody] | None = Field(None, max_length=20)


class AppointmentMoved(Body):
    """What of a visit can be changed."""

    operatory_id: UUID
    provider_id: UUID
    appointment_type_id: UUID
    starts_at: Minute
    ends_at: Minute
    note: Text = Field("", max_length=4000)
    provider_time: list[ProviderTimeBody] = Field([], max_length=20)


class ProviderTimeShown(Schema):
    provider_id: UUID
    starts_at: datetime
    ends_at: datetime


class AppointmentShown(Schema):
    """A patient's time in an operatory; from check-in on, the visit."""

    id: UUID
    patient_id: UUID
    operatory_id: UUID
    provider_id: UUID
    appointment_type_id: UUID
    starts_at: datetime
    ends_at: datetime
    status: choice(Appointment.Status)
    note: str
    provider_time: list[ProviderTimeShown]
    version: int


AppointmentChanges = changes_to(AppointmentMoved, AppointmentShown, "AppointmentChanges")


def shown(visit):
    """A visit as it is answered, by the clinic's wall clock."""
    fields = {name: getattr(visit, name) for name in AppointmentShown.model_fields if name != "provider_time"}
    zone = visit.clinic.zone
    return AppointmentShown(**fields | {
        "starts_at": visit.starts_at.astimezone(zone), "ends_at": visit.ends_at.astimezone(zone),
        "provider_time": [
            {"provider_id": provider_id, "starts_at": starts_at.astimezone(zone), "ends_at": ends_at.astimezone(zone)}
            for provider_id, starts_at, ends_at in visit.provider_spans()]})


def values_of(given, actor):
    """The arguments of the verbs that a body's fields mean; ValidationError for what points nowhere."""
    values = dict(given)
    for name, rows in (("patient", Patient.objects.select_related("primary_provider")), ("operatory", Operatory.objects),
                       ("provider", Provider.objects), ("appointment_type", AppointmentType.objects)):
        if f"{name}_id" in values:
            values[name] = referred(rows, actor, values.pop(f"{name}_id"), f"{name}_id")
    if values.get("provider_time") is not None:
        values["provider_time"] = [
            (referred(Provider.objects, actor, part.provider_id, "provider_time"), part.starts_at, part.ends_at)
            for part in values["provider_time"]]
    return values


class Span(Schema):
    """Days of the clinic's calendar."""

    date: Day | None = Field(None, description="The first day; today when left out.")
    days: int = Field(1, ge=1, le=62)


class Filters(Schema):
    """Which visits."""

    patient_id: UUID | None = None
    provider_id: UUID | None = None
    operatory_id: UUID | None = None
    status: choice(Appointment.Status) | None = None

    def of(self, actor):
        asked = {name: value for name, value in self.dict().items() if value is not None and name in Filters.model_fields}
        rows = Appointment.objects.visible_to(actor)
        if key := asked.pop("patient_id", None):
            patient = Patient.objects.visible_to(actor).select_related("merged_into").filter(pk=key).first()
            rows = rows.of(patient.person) if patient else rows.none()
        return rows.filter(**asked).select_related("clinic").order_by("starts_at", "pk")


class Between(Filters):
    from_: Day | None = Field(None, alias="from", description="The first day, by the clinic's calendar.")
    to: Day | None = Field(None, description="The last day.")


def _listed(request, paging, rows):
    found = paging.of(rows)
    look(request, Kind.LIST, rows=len(found["items"]))
    return found | {"items": [shown(row) for row in found["items"]]}


@router.get("/schedule", response=Listed[AppointmentShown])
@rule("scheduling.view_schedule")
def schedule(request, paging: Query[Paging], span: Query[Span], filters: Query[Filters]):
    """The visits of some days, by their start; the cancelled and the missed only when `status` asks for them."""
    clinic = request.actor.clinic
    first = span.date or clinic.today()
    rows = filters.of(request.actor).between(
        slots.midnight(first, clinic.zone), slots.midnight(first + timedelta(days=span.days), clinic.zone))
    return _listed(request, paging, rows if filters.status else rows.holding())


@router.get("/appointments", response=Listed[AppointmentShown])
@rule("scheduling.view_appointment")
def appointments(request, paging: Query[Paging], asked: Query[Between]):
    """All visits, by their start."""
    rows, zone = asked.of(request.actor), request.actor.clinic.zone
    if asked.from_:
        rows = rows.filter(starts_at__gte=slots.midnight(asked.from_, zone))
    if asked.to:
        rows = rows.filter(starts_at__lt=slots.midnight(asked.to + timedelta(days=1), zone))
    return _listed(request, paging, rows)


class OpeningShown(Schema):
    """A time at which a visit of this type fits."""

    starts_at: datetime
    ends_at: datetime
    operatory_id: UUID
    provider_id: UUID


class OpeningsAsked(Schema):
    """What is looked for."""

    appointment_type_id: UUID
    provider_id: UUID | None = None
    from_: Day | None = Field(None, alias="from", description="The first day; today when left out.")
    days: int = Field(7, ge=1, le=60)


@router.get("/openings", response=Listed[OpeningShown])
@rule("scheduling.view_schedule")
def openings(request, paging: Query[Paging], asked: Query[OpeningsAsked]):
    """Free slots from now on, one for each start, provider and operatory, by their start; five years ahead at most."""
    clinic, now = request.actor.clinic, timezone.now()
    kind = referred(
        AppointmentType.objects.current(), request.actor, asked.appointment_type_id, "appointment_type_id")
    provider = referred(Provider.objects.current(), request.actor, asked.provider_id, "provider_id")
    first, farthest = asked.from_ or clinic.today(now), now + FARTHEST
    if first > clinic.today(farthest):
        raise ValidationError({"from": ["Visits are booked at most five years ahead."]})
    calendar = Calendar(clinic, first, first + timedelta(days=asked.days - 1))
    found = calendar.openings(kind, provider_id=provider and provider.pk, not_before=now, every_operatory=True)
    return paging.of([
        {**vars(each), "starts_at": each.starts_at.astimezone(clinic.zone), "ends_at": each.ends_at.astimezone(clinic.zone)}
        for each in takewhile(lambda each: each.starts_at <= farthest, found)])


@router.post("/appointments", response={201: AppointmentShown})
@rule("scheduling.add_appointment")
def book(request, body: AppointmentNew, response: HttpResponse):
    """Book a visit. What is taken already is a 409 that names what stands in the way."""
    with fields_called(NAMES):
        visit = Appointment.book(by=request.actor, **values_of(body.given(), request.actor))
    return Status(201, _answer(request, response, visit))


@router.get("/appointments/{uuid:visit_id}", response=AppointmentShown)
@rule("scheduling.view_appointment")
def appointment(request, visit_id: UUID, response: HttpResponse):
    """One visit."""
    return _answer(request, response, find_visit(request, visit_id))


@router.api_operation(["PUT", "PATCH"], "/appointments/{uuid:visit_id}", response=AppointmentShown)
@rule("scheduling.change_appointment")
def move(request, visit_id: UUID, body: AppointmentChanges, response: HttpResponse):
    """Move, resize, or give to another chair or provider; without `ends_at` the length stays."""
    visit = find_visit(request, visit_id)
    refused = change_by(
        request, visit, body, shown=shown, values_of=values_of, verb=visit.reschedule, names=NAMES)
    return refused or _answer(request, response, visit)


def _answer(request, response, visit):
    look(request, Kind.VIEW, visit.patient)
    response["ETag"] = f'"{visit.version}"'
    return shown(visit)


def step(path, verb, says):
    """The endpoint of one step of the visit, by the model's verb of the same name."""
    def take(request, visit_id: UUID, response: HttpResponse, body: Nothing = None):
        visit = find_visit(request, visit_id)
        getattr(visit, verb)(by=request.actor)
        return _answer(request, response, visit)
    take.__name__, take.__doc__ = verb, says
    return router.post(f"/appointments/{{uuid:visit_id}}/{path}", response=AppointmentShown)(rule(f"scheduling.{verb}")(take))


confirm = step("confirm", "confirm", "The patient said that they come.")
check_in = step("check-in", "check_in", "The patient is here.")
seat = step("seat", "seat", "The patient is in the chair.")
complete = step("complete", "complete", "Treatment is over; what is left of the time is free again.")
check_out = step("check-out", "check_out", "The patient leaves.")
no_show = step("no-show", "no_show", "The patient did not come.")


@router.post("/appointments/{uuid:visit_id}/cancel", response=AppointmentShown)
@rule("scheduling.cancel")
def cancel(request, visit_id: UUID, body: Reason, response: HttpResponse):
    """The visit will not be; its time is free again."""
    visit = find_visit(request, visit_id)
    visit.cancel(by=request.actor, because=body.reason)
    return _answer(request, response, visit)


