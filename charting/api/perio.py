"""Periodontal exams: all figures of one in one request, computed ones beside them."""
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Annotated
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Schema, Status
from pydantic import Field

from charting.looks import find_exam
from charting.models import PerioExam
from charting.perio import FLAGS, ToothFigures
from charting.teeth import TEETH, UnknownTooth, in_order, tooth_of
from clinic.access.rules import rule
from clinic.audit.looks import find_patient
from clinic.models import Provider
from clinic.web.bodies import (
    Body,
    Day,
    Listed,
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

router = Endpoints(tags=["Periodontal exams"])
Millimetres = Annotated[list[Whole | None], Field(min_length=6, max_length=6)]
Seen = Annotated[list[bool | None], Field(min_length=6, max_length=6)]


class FurcationBody(Body):
    """Grades 0 to 3, where the roots of the tooth part."""

    b: Whole | None = None
    m: Whole | None = None
    d: Whole | None = None
    l: Whole | None = None  # noqa: E741 (the side's own letter)


class ToothBody(Body):
    """Six sites in the order DB B MB DL L ML; null is not measured. `cal` is computed: sent back, it must agree."""

    pd: Millimetres | None = None
    gm: Millimetres | None = None
    mgj: Millimetres | None = None
    cal: Millimetres | None = None
    bleeding: Seen | None = None
    suppuration: Seen | None = None
    plaque: Seen | None = None
    calculus: Seen | None = None
    mobility: Whole | None = None
    furcation: FurcationBody | None = None


class ExamNew(Body):
    """An exam to save. Teeth by their names in the practice's numbering."""

    id: UUID | None = None
    exam_date: Day | None = None
    provider_id: UUID | None = None
    note: Text = Field("", max_length=4000)
    teeth: dict[str, ToothBody] = Field({}, max_length=104)


class ExamAmended(Reason):
    """Why a closed exam is corrected, and its corrected figures; what is left out stays."""

    teeth: dict[str, ToothBody] = Field({}, max_length=104)


class ToothShown(Schema):
    pd: list[int | None]
    gm: list[int | None]
    cal: list[int | None]
    mgj: list[int | None]
    bleeding: list[bool]
    suppuration: list[bool]
    plaque: list[bool]
    calculus: list[bool]
    mobility: int | None
    furcation: dict[str, int]


class IndicesShown(Schema):
    """Over the measured sites; null when nothing was. `completeness`: measured of possible sites, 0 to 1."""

    sites_possible: int
    sites_measured: int
    completeness: float | None
    bleeding_percent: float | None
    plaque_percent: float | None
    sites_ge_4: int
    sites_ge_5: int
    mean_pd: float | None
    mean_cal: float | None


class ExamShown(Schema):
    """A dated snapshot. `skipped`: teeth that were not there to probe."""

    id: UUID
    patient_id: UUID
    provider_id: UUID | None
    exam_date: date
    status: choice(PerioExam.Status)
    note: str
    stage: str
    grade: str
    skipped: list[str]
    teeth: dict[str, ToothShown]
    indices: IndicesShown
    version: int


def shown(exam):
    numbering = exam.clinic.tooth_numbering
    return ExamShown(
        **{name: getattr(exam, name) for name in (
            "id", "patient_id", "provider_id", "exam_date", "status", "note", "stage", "grade", "version")},
        skipped=[TEETH[key].label(numbering) for key in exam.skipped],
        teeth={tooth.label(numbering): ToothShown(
            **{name: getattr(row, name) for name in ("pd", "gm", "cal", "mgj", *FLAGS, "mobility", "furcation")})
            for tooth, row in in_order(exam.figures)},
        indices=IndicesShown(**{name: _number(getattr(exam.indices, name)) for name in IndicesShown.model_fields}))


def _number(value):
    return value if value is None or isinstance(value, int) else float(value)


ExamChanges = changes_to(ExamNew, ExamShown, "ExamChanges")


@router.get("/patients/{uuid:patient_id}/perio-exams", response=Listed[ExamShown])
@rule("charting.view_perio")
def exams(request, patient_id: UUID, paging: Query[Paging]):
    """All exams, newest first."""
    patient = find_patient(request, patient_id)
    rows = PerioExam.objects.visible_to(request.actor).of(patient).select_related("clinic").prefetch_related("teeth")
    found = paging.of(rows)
    return found | {"items": [shown(row) for row in found["items"]]}


@router.post("/patients/{uuid:patient_id}/perio-exams", response={201: ExamShown})
@rule("charting.change_perio")
def add(request, patient_id: UUID, body: ExamNew):
    """Save an exam with all its figures; it may change until it is closed."""
    patient = find_patient(request, patient_id)
    with fields_called(partial(_called, request.actor.clinic)):
        values = {name: value for name, value in values_of(body.given(), request.actor).items() if value is not None}
        exam = PerioExam.start(by=request.actor, patient=patient, **{"teeth": {}, **values})
    return Status(201, shown(exam))


@router.get("/perio-exams/{uuid:exam_id}", response=ExamShown)
@rule("charting.view_perio")
def exam(request, exam_id: UUID, response: HttpResponse):
    """One exam."""
    return _answer(response, find_exam(request, exam_id))


@router.api_operation(["PUT", "PATCH"], "/perio-exams/{uuid:exam_id}", response=ExamShown)
@rule("charting.change_perio")
def change(request, exam_id: UUID, body: ExamChanges, response: HttpResponse):
    """Change an exam that is not closed. Teeth, and figures of a tooth, that are left out stay."""
    exam = find_exam(request, exam_id)
    refused = change_by(
        request, exam, body, shown=shown, verb=partial(_measure, exam), names=partial(_called, request.actor.clinic),
        values_of=lambda given, actor: values_of(given, actor, exam.figures))
    return refused or _answer(response, find_exam(request, exam_id))


@router.post("/perio-exams/{uuid:exam_id}/close", response=ExamShown)
@rule("charting.change_perio")
def close(request, exam_id: UUID, response: HttpResponse, body: Nothing = None):
    """The exam is finished; from now on it changes only by an amendment. A second time answers the same record."""
    exam = find_exam(request, exam_id)
    exam.close(by=request.actor, now=timezone.now())
    return _answer(response, find_exam(request, exam_id))


@router.post("/perio-exams/{uuid:exam_id}/amend", response=ExamShown)
@rule("charting.change_perio")
def amend(request, exam_id: UUID, body: ExamAmended, response: HttpResponse):
    """Correct a closed exam, with the reason; what stood there before stays in the history."""
    exam = find_exam(request, exam_id)
    with fields_called(partial(_called, request.actor.clinic)):
        teeth = values_of({"teeth": body.teeth}, request.actor, exam.figures)["teeth"]
        exam.amend(by=request.actor, because=body.reason, teeth=teeth)
    return _answer(response, find_exam(request, exam_id))


def _answer(response, exam):
    response["ETag"] = f'"{exam.version}"'
    return shown(exam)


def _measure(exam, *, by, teeth=None, **values):
    return exam.measure(by=by, teeth=teeth or {}, **values)


def values_of(given, actor, before=None):
    """The verb's arguments for what was sent. `before`: figures that stand, which a part of a tooth is laid upon."""
    values = dict(given)
    if "provider_id" in values:
        values["provider"] = referred(Provider.objects.current(), actor, values.pop("provider_id"), "provider_id")
    if "teeth" in values:
        values["teeth"] = {}
        for label, sent in given["teeth"].items():
            try:
                key = tooth_of(label, actor.clinic.tooth_numbering).key
            except UnknownTooth as error:
                raise ValidationError({f"teeth.{label[:6]}": str(error)}) from error
            values["teeth"][key] = _laid_upon((before or {}).get(key) or ToothFigures(), sent, key)
    return values


def _laid_upon(figures, sent, key):
    """The figures of a tooth with what was sent of it."""
    sent = {name: value for name, value in sent.model_dump(exclude_unset=True).items() if value is not None or name == "mobility"}
    cal = sent.pop("cal", None)
    if "furcation" in sent:
        sent["furcation"] = {letter: grade for letter, grade in sent["furcation"].items() if grade is not None}
    for flag in FLAGS:
        if flag in sent:
            sent[flag] = [bool(is_seen) for is_seen in sent[flag]]
    laid = replace(figures, **sent)
    if cal is not None and cal != laid.cal:
        raise ValidationError({f"teeth.{key}.cal": "Attachment loss is computed from depth and margin; leave it out."})
    return laid


def _called(clinic, name):
    """The body's name of a field that was refused: its teeth have the practice's names, not our keys."""
    start, _, rest = name.partition(".")
    key, _, field = rest.partition(".")
    if start == "teeth" and key in TEETH and field:
        return f"teeth.{TEETH[key].label(clinic.tooth_numbering)}.{field}"
    return "provider_id" if name == "provider" else name
