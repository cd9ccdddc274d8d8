"""Notes of a patient: read, search; and what of one's own is not signed yet. Writing: `charting.views.note_writing`."""
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from charting.looks import find_note
from charting.models import ClinicalNote, Draft
from charting.note_forms import AddendumForm
from charting.notes import around, holds, rendered, words_of
from charting.subjects import told_by
from clinic.access.rules import may, rule
from clinic.audit.looks import Kind, find_patient, look_at_each
from clinic.views.patients import patient_context
from clinic.web.asked import key

PAGE = 30
MOST_SEARCHED = 2000  # of one patient, the newest: each is decrypted
MOST_UNSIGNED = 100


@rule("charting.view_note")
@require_http_methods(["GET", "HEAD", "POST"])
def notes(request, patient_id):
    """The notes, newest first, and the newest of them in full. `?kind=` and `?before=` choose among them.

    Words are searched for by POST, so that none of them stands in an address.
    """
    patient = find_patient(request, patient_id)
    request.only_reads = True
    if request.method == "POST" and not request.POST.get("q", "").strip():
        kind = request.POST.get("kind", "")
        return redirect(reverse("charting:notes", args=[patient.pk], query={"kind": kind} if kind else None))
    return notes_page(request, patient, asked=request.POST or request.GET)


@rule("charting.view_note")
@require_http_methods(["GET", "HEAD", "POST"])
def note(request, note_id):
    """One note in full, beside the others; by POST beside those that a search has found."""
    note = find_note(request, note_id)
    request.only_reads = True
    return notes_page(request, note.patient.person, note, asked=request.POST or request.GET)


@rule("charting.view_note")
@require_safe
def panel(request, patient_id):
    """The latest note: a panel of the overview, which loads it by itself."""
    patient = find_patient(request, patient_id)
    note = ClinicalNote.objects.visible_to(request.actor).of(patient).in_force().newest_first().select_related(
        "author", "clinic").first()
    return render(request, "charting/_note_panel.html", {
        "patient": patient, "note": note, "text": rendered(note.body) if note else "",
        "may_write": may(request.actor, "charting.write_note")})


def notes_page(request, patient, opened=None, form=None, status=200, asked=None, held=None):
    """List and open note; `form`: of an addendum that was not taken, and the draft it goes on from; `asked`: what is listed."""
    kinds = ClinicalNote.kinds_of(request.actor, "view")
    asked = asked or {}
    kind = asked.get("kind", "")
    text = asked.get("q", "") if request.method == "POST" else ""
    words = words_of(text)
    every = ClinicalNote.objects.visible_to(request.actor).of(patient).newest_first()
    if kind in kinds:
        every = every.filter(kind=kind)
    before = asked.get("before")
    rows, older = (_found(every, words), False) if words else _part(every, opened, before)
    if opened is None and rows:
        opened = find_note(request, rows[0].pk)
    return render(request, "charting/_notes.html" if request.htmx.target == "notes" else "charting/notes.html", {
        **patient_context(request, patient, "notes"), **_opened(request.actor, opened, words, form),
        "rows": [{"note": row, "line": around(row.body, words)} for row in rows],
        "older": rows[-1].pk if older else None, "before": before,
        "began": held.token if held else request.POST.get("began", ""),
        "most_searched": MOST_SEARCHED if words and every.count() > MOST_SEARCHED else 0,
        "kinds": kinds, "kind": kind if kind in kinds else "", "text": text,
        "draft": Draft.find(request.actor, patient, Draft.Kind.NOTE) if may(request.actor, "charting.write_note") else None,
        "may_write": may(request.actor, "charting.write_note")}, status=status)


def _part(every, opened, before):
    """(a page of these notes, whether there are older ones): what is older than the note `before`, else the newest; one that
    is open and older begins its own."""
    rows = every.select_related("author", "clinic")
    if before:
        last = every.model.objects.filter(pk=key(before), patient__in=every.values("patient")).first()
        if last is None:
            raise Http404
        rows = rows.filter(_not_newer(last)).exclude(pk=last.pk)
    found = list(rows[:PAGE + 1])
    if opened is not None and not before and opened not in found:
        found = list(rows.filter(_not_newer(opened))[:PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def _not_newer(note):
    return Q(created_at__lt=note.created_at) | Q(created_at=note.created_at, pk__lte=note.pk)


def _found(every, words):
    """The notes that hold all words in their text or their addenda; two queries, whatever their number."""
    rows = every.select_related("author", "clinic").prefetch_related("addenda")[:MOST_SEARCHED]
    return [row for row in rows if holds("\n".join([row.body, *(each.body for each in row.addenda.all())]), words)]


def _opened(actor, note, words=(), form=None):
    """What the pane of an open note shows and offers."""
    if note is None:
        return {"note": None}
    editor, addenda_cosigned = note.told()
    return {
        "editor": editor, "addenda_cosigned": addenda_cosigned,
        "note": note, "subjects": told_by(actor, [note]).get(note.pk, []), "text_of_note": rendered(note.body, words),
        "addenda": [(each, rendered(each.body, words)) for each in note.addenda.all()],
        "may_edit": note.may_edit(actor), "may_sign": note.may_sign(actor), "may_cosign": note.may_cosign(actor),
        "may_add": note.may_add(actor), "may_mark_error": note.may_mark_error(actor),
        "addendum": form or AddendumForm(auto_id="addendum_%s")}


@rule("charting.sign_note")
@require_safe
def unsigned(request):
    """What waits for this person's signature: own notes, those to co-sign, and texts that were begun and never saved."""
    actor = request.actor
    related = ("patient__merged_into", "author", "appointment__appointment_type", "clinic")
    own = list(ClinicalNote.objects.unsigned_by(actor).select_related(*related)[:MOST_UNSIGNED])
    others = list(ClinicalNote.objects.to_cosign_by(actor).select_related(*related)[:MOST_UNSIGNED])
    begun = list(Draft.objects.visible_to(actor).filter(kind=Draft.Kind.NOTE).exclude(number=Draft.LAST).select_related(
        "patient__merged_into").order_by("saved_at")[:MOST_UNSIGNED])
    look_at_each(request, Kind.LIST, [row.patient.person for row in (*own, *others, *begun)])
    return render(request, "charting/unsigned.html", {
        "own": [(row, around(row.body)) for row in own], "others": [(row, around(row.body)) for row in others], "begun": begun,
        "may_cosign": may(actor, "charting.cosign_note"), "most": MOST_UNSIGNED})
