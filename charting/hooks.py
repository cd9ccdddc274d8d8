"""What the chart shows on pages of other apps."""
from django.urls import reverse

from charting.models import Addendum, ClinicalNote, Draft, Finding, PerioExam
from clinic import hooks
from clinic.access.rules import may
from clinic.audit.changes import changes_of
from clinic.db.records import person
from clinic.panels import Change, HeaderAction, HeaderTab, Panel, Queue
from scheduling.hooks import checkout_sections, visit_actions


@hooks.header_facts.add
def chart_tabs(actor, patient):
    if not may(actor, "charting.view_chart"):
        return []
    tabs = [HeaderTab("Chart", "chart", reverse("charting:chart", args=[patient.pk]), "g c")]
    if may(actor, "charting.view_perio"):
        tabs.append(HeaderTab("Perio", "perio", reverse("charting:perio", args=[patient.pk]), "g i"))
    return tabs


def _panel(permission, title, template):
    """A panel of the overview for whoever may; it loads itself, so that the overview waits for nothing."""

    @hooks.patient_panels.add
    def panel(actor, patient):
        return Panel(title, template, {"patient": patient}) if may(actor, permission) else None


_panel("charting.view_chart", "Chart", "charting/_chart_panel_link.html")
_panel("charting.view_perio", "Gums", "charting/_perio_panel_link.html")  # the newest exam in figures
_panel("charting.view_note", "Latest note", "charting/_note_panel_link.html")


# Of exams the course of the whole; the figures of single teeth stand in the history of all changes.
RECORDED = (
    ("charting.view_chart", Finding, lambda row: f"Finding {row.condition} {row.tooth}"),
    ("charting.view_perio", PerioExam, lambda row: f"Periodontal exam of {row.exam_date:%Y-%m-%d}"))


@hooks.record_sections.add
def chart_changes(actor, patient):
    """Every change of the patient's findings and periodontal exams, for the history page."""
    found = []
    for permission, model, named in RECORDED:
        if may(actor, permission):
            rows = model.history.filter(patient__in=person(model, patient), clinic=actor.clinic_id).select_related("clinic")
            found += changes_of(model, list(rows), named)
    return found


@hooks.header_facts.add
def notes_tab(actor, patient):
    if not may(actor, "charting.view_note"):
        return []
    return [HeaderTab("Notes", "notes", reverse("charting:notes", args=[patient.pk]), "g o")]


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


@checkout_sections.add
def note_of_visit(actor, visit):
    """What of the visit's note is unfinished: there is none, or one that is not signed; one query. Not its text."""
    notes = ClinicalNote.objects.filter(clinic=actor.clinic_id, appointment=visit).in_force().exclude(
        kind__in=ClinicalNote.OF_THE_DESK).select_related("author").defer("body")
    unsigned = [note for note in notes if not note.is_signed]
    if notes and not unsigned:
        return None
    said = [f"{note.author}'s note is not signed." for note in unsigned] or ["No note was written yet."]
    return Panel("Note of this visit", "charting/_checkout_note.html", {"said": said})
