"""What the chart shows on pages of other apps."""
from django.urls import reverse

from charting.models import Addendum, ClinicalNote, Draft, Finding, PerioExam
from clinic import hooks
from clinic.access.rules import may
from clinic.audit.changes import changes_of
from clinic.db.records import person
from clinic.panels import Change, HeaderAction, HeaderTab, Panel, Queue
from scheduling.hooks import visit_actions


@hooks.header_facts.add
def chart_tabs(actor, patient):
    if not may(actor, "charting.view_chart"):
        return []
    tabs = [HeaderTab("Chart", "chart", reverse("charting:chart", args=[patient.pk]), "g c")]
    if may(actor, "charting.view_perio"):
        tabs.append(HeaderTab("Perio", "perio", reverse("charting:perio", args=[patient.pk]), "g i"))
    return tabs


@hooks.patient_panels.add
def chart_panel(actor, patient):
    """The chart small; it loads itself, so that the overview waits for nothing."""
    if not may(actor, "charting.view_chart"):
        return None
    return Panel("Chart", "charting/_chart_panel_link.html", {"patient": patient})


@hooks.patient_panels.add
def perio_panel(actor, patient):
    """The newest periodontal exam in figures; it loads itself."""
    if not may(actor, "charting.view_perio"):
        return None
    return Panel("Gums", "charting/_perio_panel_link.html", {"patient": patient})


@hooks.record_sections.add
def finding_changes(actor, patient):
    """Every change of the patient's findings, for the history page."""
    if not may(actor, "charting.view_chart"):
        return []
    rows = Finding.history.filter(patient__in=person(Finding, patient), clinic=actor.clinic_id).select_related("clinic")
    return changes_of(Finding, list(rows), lambda row: f"Finding {row.condition} {row.tooth}")


@hooks.record_sections.add
def exam_changes(actor, patient):
    """Every change of the patient's periodontal exams; the figures of single teeth stand in the history of all changes."""
    if not may(actor, "charting.view_perio"):
        return []
    rows = PerioExam.history.filter(patient__in=person(PerioExam, patient), clinic=actor.clinic_id).select_related("clinic")
    return changes_of(PerioExam, list(rows), lambda row: f"Periodontal exam of {row.exam_date:%Y-%m-%d}")


@hooks.header_facts.add
def notes_tab(actor, patient):
    if not may(actor, "charting.view_note"):
        return []
    return [HeaderTab("Notes", "notes", reverse("charting:notes", args=[patient.pk]), "g o")]


@hooks.patient_panels.add
def note_panel(actor, patient):
    """The latest note that this actor may read; it loads itself."""
    if not may(actor, "charting.view_note"):
        return None
    return Panel("Latest note", "charting/_note_panel_link.html", {"patient": patient})


@hooks.work_queues.add
def notes_to_sign(actor):
    """What waits for this person's signature; up to three queries."""
    if not may(actor, "charting.sign_note"):
        return []
    own = ClinicalNote.objects.unsigned_by(actor).count()
    begun = Draft.objects.visible_to(actor).filter(kind=Draft.Kind.NOTE).exclude(number=Draft.LAST).count()
    said = f"{begun} more begun and not saved." if begun else "Notes that wait for your signature."
    queues = [Queue("Unsigned notes", own + begun, reverse("charting:unsigned"), said, bool(own))]
    if may(actor, "charting.cosign_note"):
        queues.append(Queue(
            "Notes to co-sign", ClinicalNote.objects.to_cosign_by(actor).count(), reverse("charting:unsigned") + "#cosign",
            "Signed by an assistant, waiting for a second signature."))
    return queues


@hooks.record_sections.add
def note_changes(actor, patient):
    """Every change of the patient's notes that this actor may read, and what was added to them; of texts only that they changed."""
    notes = ClinicalNote.objects.visible_to(actor).of(patient).order_by()
    rows = ClinicalNote.history.filter(id__in=notes.values("pk")).select_related("clinic")
    kinds = dict(ClinicalNote.Kind.choices)
    changes = changes_of(ClinicalNote, list(rows), lambda row: f"{kinds[row.kind]} note", spelled=False)
    return changes + [
        Change(each.at, str(each.by), "", f"Addendum to a {each.note.get_kind_display().lower()} note", "", [], each.pk)
        for each in Addendum.objects.filter(note__in=notes.values("pk")).select_related("by", "note").defer("body", "note__body")]


@visit_actions.add
def notes_of_visit(actor, visit):
    """The notes of a visit, and a new one; one query."""
    if not may(actor, "charting.view_note"):
        return []
    found = ClinicalNote.objects.visible_to(actor).in_force().filter(appointment=visit).order_by("created_at").defer("body")
    actions = [HeaderAction(f"{note}{'' if note.is_signed else ', not signed'}", reverse("charting:note", args=[note.pk]),
                            "file-text") for note in found]
    if may(actor, "charting.write_note"):
        address = reverse("charting:note_new", args=[visit.person.pk])
        actions.append(HeaderAction("Write note", f"{address}?visit={visit.pk}", "notebook-pen", "n"))
    return actions
