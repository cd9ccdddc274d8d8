"""Documents of a patient: list, add as a form with a file, read, download."""
from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from ninja import File, Form, Query, Schema, Status, UploadedFile
from pydantic import Field

from clinic.access.rules import rule
from clinic.audit.looks import Kind, find_patient
from clinic.documents import asked_side, file_answer, find_document
from clinic.files.examine import Unfit
from clinic.files.uploads import takes_files
from clinic.models import Document
from clinic.web.bodies import Body, Day, Listed, Paging, Text, choice
from clinic.web.endpoints import Endpoints

router = Endpoints(tags=["Documents"])


class DocumentNew(Body):
    """What goes with the file, as fields of the same form. `again`: also when the same file is here already."""

    id: UUID | None = None
    kind: choice(Document.Kind) = Document.Kind.OTHER
    title: Text = Field("", max_length=160)
    received_on: Day | None = None
    note: Text = Field("", max_length=4000)
    again: bool = False


class SideShown(Schema):
    """A file of a document. `pages` of a PDF or TIFF, `width` and `height` of a picture in pixels."""

    side: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    pages: int | None
    width: int | None
    height: int | None


class DocumentShown(Schema):
    """A document; of a card both sides. Its content is at /documents/{id}/content."""

    id: UUID
    patient_id: UUID
    kind: choice(Document.Kind)
    title: str
    received_on: date
    note: str
    sides: list[SideShown]
    withdrawn_because: str
    created_at: datetime
    version: int


def shown(document):
    return DocumentShown(
        **{name: getattr(document, name) for name in DocumentShown.model_fields if name != "sides"},
        sides=[
            SideShown(side=name, file_name=file.name, **{
                fact: getattr(file, fact) for fact in SideShown.model_fields if fact not in ("side", "file_name")})
            for name, file in document.sides])


@router.get("/patients/{uuid:patient_id}/documents", response=Listed[DocumentShown])
@rule("clinic.view_document")
def documents(request, patient_id: UUID, paging: Query[Paging], withdrawn: bool = False):
    """What lies in the patient's file, newest first; with `withdrawn` what was taken out of it."""
    patient = find_patient(request, patient_id)
    every = Document.objects.visible_to(request.actor).of(patient).select_related("file", "back")
    found = paging.of(every.withdrawn() if withdrawn else every.current())
    return found | {"items": [shown(row) for row in found["items"]]}


@router.post("/patients/{uuid:patient_id}/documents", response={201: DocumentShown})
@rule("clinic.add_document")
@takes_files
def add(request, patient_id: UUID, body: Form[DocumentNew], file: File[UploadedFile], back: File[UploadedFile] = None):
    """Add a file (`back`: the other side of a card). Send multipart/form-data; at most 25 MB a file."""
    patient = find_patient(request, patient_id)
    try:
        document = Document.add(by=request.actor, patient=patient, content=file, back=back, **body.dict())
    except Unfit as refused:
        raise ValidationError({"file": refused.messages}) from refused
    return Status(201, shown(document))


@router.get("/documents/{uuid:document_id}", response=DocumentShown)
@rule("clinic.view_document")
def document(request, document_id: UUID):
    """One document."""
    return shown(find_document(request, document_id))


@router.get("/documents/{uuid:document_id}/content", response=None)
@rule("clinic.view_document")
def content(request, document_id: UUID, side: Text = "front"):
    """The file as it came, decrypted; `side`: front or back."""
    found = find_document(request, document_id, Kind.EXPORT)
    return file_answer(found, asked_side(request, found))
