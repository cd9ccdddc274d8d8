"""Rows of the patient's record to which evidence may point: what they are called, who reads them, and where they are seen."""
from collections.abc import Callable
from typing import NamedTuple

from django.urls import reverse

from charting.models import ClinicalNote
from clinic.access.rules import find, may
from clinic.db.fields import EncryptedTextField
from milestones.models.evidence import RECORDS, Evidence

MOST_OFFERED = 100  # of each kind, the newest


class Shown(NamedTuple):
    """How rows of one kind are shown."""

    label: str
    permission: str  # of who may read them
    order: tuple  # the newest first
    title: Callable
    page: Callable
    needs: tuple = ()  # what the title asks for besides
    reads: Callable = lambda actor, row: True  # beyond the permission


SHOWN = {
    "note": Shown(
        "Notes", "charting.view_note", ("-created_at", "-id"),
        lambda row: f"{row}, {row.created_at.astimezone(row.clinic.zone):%Y-%m-%d}{'' if row.is_signed else ', not signed'}",
        lambda row: reverse("charting:note", args=[row.pk]), ("clinic",),
        lambda actor, row: row.kind in ClinicalNote.kinds_of(actor, "view")),
    "perio_exam": Shown(
        "Periodontal exams", "charting.view_perio", ("-exam_date", "-id"),
        lambda row: f"Periodontal exam, {row.exam_date:%Y-%m-%d}",
        lambda row: reverse("charting:perio_exam", args=[row.pk])),
    "procedure": Shown(
        "Completed procedures", "treatment.view_plan", ("-completed_on", "-id"),
        lambda row: f"{row.said}, {row.completed_on:%Y-%m-%d}",
        lambda row: reverse("treatment:plan", args=[row.plan_id]), ("clinic", "procedure_code")),
    "document": Shown(
        "Documents", "clinic.view_document", ("-received_on", "-id"),
        lambda row: f"{row.title}, {row.received_on:%Y-%m-%d}",
        lambda row: reverse("clinic:document", args=[row.pk])),
}


def of_record(actor, milestone):
    """[(label, [("kind:key", title)])]: what this actor reads of the patient's record and stands as evidence. Four queries."""
    return [(shown.label, [(f"{kind}:{row.pk}", shown.title(row)) for row in _rows(actor, milestone, kind)])
            for kind, shown in SHOWN.items() if may(actor, shown.permission)]


def _rows(actor, milestone, kind):
    shown, record = SHOWN[kind], RECORDS[kind]
    rows = record.model.objects.visible_to(actor).of(milestone.person).filter(**record.stands)
    long = [field.name for field in record.model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
    return rows.order_by(*shown.order).select_related(*shown.needs).defer(*long)[:MOST_OFFERED]


def take(*, by, milestone, said, title=""):
    """Add what `of_record` offered as "kind:key" as evidence, by its own title unless another is said."""
    kind, _, key = said.partition(":")
    rows = RECORDS[kind].model.objects.visible_to(by).select_related("patient__merged_into", *SHOWN[kind].needs)
    row = find(rows, by, pk=key)
    return Evidence.add(
        by=by, milestone=milestone, evidence_type=Evidence.Type.DOCUMENT, title=title or SHOWN[kind].title(row)[:200],
        record=(kind, row))


def page_of(actor, evidence):
    """Where the row to which it points is seen; empty when it points to none, or this actor does not read that kind."""
    if evidence.points_to is None:
        return ""
    kind, _ = evidence.points_to
    shown, row = SHOWN[kind], getattr(evidence, kind)
    return shown.page(row) if may(actor, shown.permission) and shown.reads(actor, row) else ""
