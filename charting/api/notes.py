"""Notes of a patient: list, write, change until signed, sign, add to."""
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from django.db import transaction
from ninja import Query, Schema, Status
from pydantic import Field

from charting.looks import find_note
from charting.models import Addendum, ClinicalNote, NoteTemplate
from charting.models.note import LONGEST
from charting.subjects import MOST, link, told_by
from clinic.access.rules import rule
from clinic.audit.looks import find_patient
from clinic.web.bodies import Body, Filled, Listed, Nothing, Paging, changes_to, choice, fields_called, referred
from clinic.web.endpoints import Endpoints, change_by, version_seen
from scheduling.models import Appointment

router = Endpoints(tags=["Notes"])
NoteText = Annotated[Filled, Field(max_length=LONGEST)]


class NoteNew(Body):
    """A note; until it is signed it can be changed. `body` is plain text: "# " begins a heading, "- " a row of a list."""

    id: UUID | None = None
    kind: choice(ClinicalNote.Kind)
    body: NoteText
    appointment_id: UUID | None = None
    template_id: UUID | None = None
    procedure_ids: list[UUID] = Field([], max_length=MOST)


class AddendumNew(Body):
    """What is added to a signed note; sending it signs it."""

    id: UUID | None = None
    body: NoteText


class AddendumShown(Schema):
    id: UUID
    body: str
    author_id: UUID
    created_at: datetime


class NoteShown(Schema):
    """A note with what was added to it. `content_hash`: SHA-256 of what was signed, after the number of the algorithm.

    `addenda_wait`: somebody whose signature is not enough alone has added to it, and nobody has co-signed that yet.
    """

    id: UUID
    patient_id: UUID
    kind: choice(ClinicalNote.Kind)
    body: str
    appointment_id: UUID | None
    template_id: UUID | None
    procedure_ids: list[UUID]
    author_id: UUID
    status: choice(ClinicalNote.Status)
    signed_at: datetime | None
    content_hash: str
    needs_cosign: bool
    cosigned_at: datetime | None
    cosigned_by_id: UUID | None
    addenda_wait: bool
    error_because: str
    addenda: list[AddendumShown]
    created_at: datetime
    updated_at: datetime
    version: int


NAMES = {"appointment": "appointment_id", "template": "template_id"}
NoteChange = changes_to(NoteNew, NoteShown, "NoteChange")


class Asked(Paging):
    kind: choice(ClinicalNote.Kind) | None = None
    status: choice(ClinicalNote.Status) | None = None


def shown(note, actor, subjects=None):
    """A note as it is answered. `subjects`: what it is about, where that was asked for several notes at once."""
    subjects = told_by(actor, [note]).get(note.pk, ()) if subjects is None else subjects
    return NoteShown(
        **{name: getattr(note, name) for name in NoteShown.model_fields if name not in ("patient_id", "addenda", "procedure_ids")},
        patient_id=note.patient.person.pk, procedure_ids=[each.key for each in subjects], addenda=[
            AddendumShown(id=each.pk, body=each.body, author_id=each.by_id, created_at=each.at) for each in note.addenda.all()])


def referred_rows(given, actor):
    """What a body says, with the rows that it points to."""
    given = dict(given)
    rows = {"appointment": Appointment.objects.select_related("patient__merged_into"), "template": NoteTemplate.objects}
    for name, found in rows.items():
        if f"{name}_id" in given:
            given[name] = referred(found, actor, given.pop(f"{name}_id"), f"{name}_id")
    return given


@router.get("/patients/{uuid:patient_id}/notes", response=Listed[NoteShown])
@rule("charting.view_note")
def notes(request, patient_id: UUID, asked: Query[Asked]):
    """The notes that the caller may read, newest first."""
    patient = find_patient(request, patient_id)
    rows = ClinicalNote.objects.visible_to(request.actor).of(patient).newest_first().filter(
        **{name: value for name in ("kind", "status") if (value := getattr(asked, name))})
    found = asked.of(rows.select_related("patient__merged_into").prefetch_related("addenda"))
    subjects = told_by(request.actor, found["items"])
    return found | {"items": [shown(row, request.actor, subjects.get(row.pk, ())) for row in found["items"]]}


@router.post("/patients/{uuid:patient_id}/notes", response={201: NoteShown})
@rule("charting.write_note")
def write(request, patient_id: UUID, body: NoteNew):
    """Write a note. It waits for its author's signature."""
    patient = find_patient(request, patient_id)
    values = referred_rows(body.dict(exclude={"procedure_ids"}), request.actor)
    with transaction.atomic(), fields_called(NAMES):
        note = ClinicalNote.write(by=request.actor, patient=patient, **values)
        link(request.actor, note, body.procedure_ids)
    return Status(201, shown(note, request.actor))


@router.get("/notes/{uuid:note_id}", response=NoteShown)
@rule("charting.view_note")
def note(request, note_id: UUID):
    """One note."""
    return shown(find_note(request, note_id), request.actor)


@router.patch("/notes/{uuid:note_id}", response=NoteShown)
@rule("charting.write_note")
def change(request, note_id: UUID, body: NoteChange):
    """Change a note that is not signed; a signed one is a 409."""
    note = find_note(request, note_id)

    def write(*, by, procedure_ids=None, **values):
        note.edit(by=by, **values)
        if procedure_ids is not None:
            link(by, note, procedure_ids)

    return change_by(request, note, body, shown=partial(shown, actor=request.actor), values_of=referred_rows, verb=write,
                     names=NAMES) or shown(note, request.actor)


@router.post("/notes/{uuid:note_id}/sign", response=NoteShown)
@rule("charting.sign_note")
def sign(request, note_id: UUID, body: Nothing = None):
    """Sign one's own note; its text never changes again."""
    note = find_note(request, note_id)
    return shown(note.sign(by=request.actor, version=version_seen(request)), request.actor)


@router.post("/notes/{uuid:note_id}/addenda", response={201: NoteShown})
@rule("charting.write_note")
def add(request, note_id: UUID, body: AddendumNew):
    """Add to a signed note. Answers the note with it."""
    note = find_note(request, note_id)
    Addendum.write(by=request.actor, note=note, **body.dict())
    return Status(201, shown(find_note(request, note_id), request.actor))
