"""The tooth chart and its findings, by the entry line's grammar or field by field."""
from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError
from ninja import Query, Schema, Status
from pydantic import Field, RootModel, model_validator

from charting import grammar
from charting.chart import Chart
from charting.entry import enter
from charting.models import Finding
from charting.teeth import TEETH, UnknownTooth, in_order, tooth_of
from clinic.access.rules import rule
from clinic.audit.looks import find_patient
from clinic.web.bodies import Body, Day, FilledLine, Line, Listed, Text, choice
from clinic.web.endpoints import Endpoints

router = Endpoints(tags=["Chart"])
FIELDS = ("tooth", "surfaces", "condition", "material", "status", "noted_on", "note", "id")


class FindingNew(Body):
    """One finding, or with `entry` alone what a line of the grammar says: "14 mod comp; 3 crown pfm"."""

    id: UUID | None = None
    entry: Text | None = Field(None, max_length=grammar.LONGEST)
    tooth: FilledLine | None = Field(None, max_length=6)
    surfaces: Line = Field("", max_length=7)
    condition: FilledLine | None = Field(None, max_length=30)
    material: choice(Finding.Material) | None = None
    status: choice(Finding.Status) | None = None
    noted_on: Day | None = None
    note: Text = Field("", max_length=1000)


class FindingsNew(RootModel[list[FindingNew]]):
    """One finding, one entry, or a list of those."""

    @model_validator(mode="before")
    @classmethod
    def _as_list(cls, value):
        return [value] if isinstance(value, dict) else value


class FindingInChart(Schema):
    """What was found. `by`: the provider who saw it; `status` planned and completed are written by treatment."""

    id: UUID
    surfaces: str
    condition: str
    material: str
    status: choice(Finding.Status)
    noted_on: date
    by: str | None
    note: str


class FindingShown(FindingInChart):
    """A finding with its tooth, in the practice's numbering."""

    patient_id: UUID
    tooth: str
    version: int


class ToothInChart(Schema):
    """A tooth of which something is known. `state`: present, sound, missing, hidden, unerupted, implant, pontic."""

    state: str
    findings: list[FindingInChart]


class ChartShown(Schema):
    """The chart on a day; a tooth that is not listed is not examined."""

    patient_id: UUID
    on: date
    dentition: str
    teeth: dict[str, ToothInChart]


class OnDay(Schema):
    on: Day | None = None


@router.get("/patients/{uuid:patient_id}/chart", response=ChartShown)
@rule("charting.view_chart")
def chart(request, patient_id: UUID, asked: Query[OnDay]):
    """The teeth with something to say, on that day or today. A day to come is refused: nobody knows it."""
    patient = find_patient(request, patient_id)
    if asked.on and asked.on > request.actor.clinic.today():
        raise ValidationError({"on": "The chart of a day to come is not known."})
    shown = Chart(request.actor, patient, asked.on)
    teeth = {
        tooth.label(shown.numbering): ToothInChart(state=shown.mouth.state(tooth.key), findings=[_in_chart(row) for row in rows])
        for tooth, rows in in_order(shown.mouth.by_tooth)}
    return ChartShown(patient_id=patient.pk, on=shown.on, dentition=shown.mouth.dentition, teeth=teeth)


@router.post("/patients/{uuid:patient_id}/findings", response={201: Listed[FindingShown]})
@rule("charting.change_chart")
def add(request, patient_id: UUID, body: FindingsNew):
    """Chart one finding or several, all or none. What an entry does not understand is named, word by word."""
    patient = find_patient(request, patient_id)
    shown = Chart(request.actor, patient)
    items = [item for number, each in enumerate(body.root) for item in _items(each, shown, number, len(body.root) > 1)]
    if not items:
        raise ValidationError({"entry": "There is nothing to chart."})
    rows = enter(by=request.actor, patient=patient, items=items)
    return Status(201, {"items": [FindingShown(
        **_in_chart(row).dict(), patient_id=patient.pk, tooth=TEETH[row.tooth].label(shown.numbering), version=row.version)
        for row in rows], "count": len(rows)})


def _items(body, shown, number, is_one_of_many):
    """What `Finding.enter` takes, of one part of the body; ValidationError that names its field, and its place among many."""
    place = f"{number}." if is_one_of_many else ""
    others = sorted(body.model_fields_set - {"entry"})
    if body.entry is not None and others:
        raise ValidationError({f"{place}{name}": "An entry says all itself; leave this out." for name in others})
    missing = [name for name in ("tooth", "condition", "status") if getattr(body, name) is None]
    if body.entry is None and missing:
        raise ValidationError({f"{place}{name}": "Say it, or send an entry." for name in missing})
    if body.status in Finding.BY_TREATMENT:
        raise ValidationError({f"{place}status": Finding.NOT_BY_HAND})
    try:
        if body.entry is not None:
            return [item.values() for item in grammar.read(body.entry, shown.language)]
        return [{**{name: getattr(body, name) for name in FIELDS if getattr(body, name) not in ("", None)},
                 "tooth": tooth_of(body.tooth, shown.numbering).key}]
    except grammar.Unreadable as error:
        named = f"{error} (“{error.word}”, letter {error.start + 1})" if error.word else str(error)
        raise ValidationError({f"{place}entry": named}) from error
    except UnknownTooth as error:
        raise ValidationError({f"{place}tooth": str(error)}) from error


def _in_chart(row):
    return FindingInChart(
        id=row.pk, surfaces=row.surfaces, condition=row.condition, material=row.material, status=row.status,
        noted_on=row.noted_on, by=row.seen_by, note=row.note)
