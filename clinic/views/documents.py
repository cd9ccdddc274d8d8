"""A patient's documents: list, add, scan a card, look at, download, describe, withdraw."""
import base64

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import may, rule
from clinic.audit.looks import Kind, find_patient
from clinic.db.refusals import Refused
from clinic.documents import asked_side, closed, file_answer, find_document
from clinic.files.examine import MOST_BYTES
from clinic.files.kinds import ACCEPT, TAKEN
from clinic.files.uploads import takes_files
from clinic.forms import CardForm, DocumentForm, FilingForm, WithdrawForm
from clinic.models import Document, StoredFile
from clinic.views.patients import patient_context
from clinic.web.asked import whole
from clinic.web.conflicts import save_form
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.middleware import refusal
from clinic.web.once import once

PAGE = 24


@rule("clinic.view_document")
@require_safe
def documents(request, patient_id):
    """What lies in the patient's file, newest first; `?withdrawn=1`: what was taken out."""
    patient = find_patient(request, patient_id)
    every = Document.objects.visible_to(request.actor).of(patient)
    withdrawn = "withdrawn" in request.GET
    found = (every.withdrawn() if withdrawn else every.current()).select_related("file", "back")
    if wants_csv(request):
        return csv_answer(request, "documents", ["received", "title", "kind", "file", "withdrawn because"], (
            [row.received_on, row.title, row.get_kind_display(), row.file.name, row.withdrawn_because] for row in found),
            count=1, patient=patient)
    context = patient_context(request, patient, "documents")
    start = whole(request.GET.get("start"))
    rows = list(found[start:start + PAGE + 1])
    return render(request, "clinic/documents.html", {
        **context, "documents": with_thumbnails(request.actor, rows[:PAGE]), "withdrawn": withdrawn,
        "withdrawn_count": 0 if withdrawn else every.withdrawn().count(), "first": start + 1, "last": start + len(rows[:PAGE]),
        "next_start": start + PAGE if len(rows) > PAGE else None, "previous_start": max(start - PAGE, 0) if start else None,
        "may_add": may(request.actor, "clinic.add_document", patient),
        "may_write": may(request.actor, "clinic.write_letters", patient), "filing": FilingForm(),
        "card": CardForm(auto_id="card_%s"), "accept": ACCEPT, "taken": TAKEN, "most_bytes": MOST_BYTES,
        "most": settings.DATA_UPLOAD_MAX_NUMBER_FILES})


@rule("clinic.view_document")
@require_safe
def documents_panel(request, patient_id):
    """The newest documents: a panel of the overview, which loads it by itself."""
    patient = find_patient(request, patient_id)
    rows = list(Document.objects.visible_to(request.actor).of(patient).current()[:5])
    return render(request, "clinic/_documents_panel.html", {"patient": patient, "documents": rows})


def with_thumbnails(actor, rows):
    """These documents, each with the small picture of its front as text for the page, so that a list is one look, not thirty."""
    drawn = StoredFile.objects.visible_to(actor).pictures_of([row.file for row in rows], StoredFile.Use.THUMBNAIL)
    for row in rows:
        picture = drawn.get(row.file_id)
        content = picture.content() if picture else None
        row.thumbnail = f"data:image/webp;base64,{base64.b64encode(content).decode()}" if content else ""
    return rows


@rule("clinic.add_document")
@require_POST
@takes_files
@once
def documents_add(request, patient_id):
    """File what was sent, each by itself: one that is not kept keeps no other one out."""
    patient = find_patient(request, patient_id)
    form, files = FilingForm(request.POST), request.FILES.getlist("files")
    if not form.is_valid() or not files:
        return refusal(request, "Choose at least one file, and say what it is.", 422)
    if request.htmx:  # the page's script sends one at a time, and shows the answer beside its name
        document = file_one(request, patient, form, files[0])
        return render(request, "clinic/_document.html", {"document": with_thumbnails(request.actor, [document])[0]}, status=201)
    added = 0
    for file in files:
        try:
            file_one(request, patient, form, file)
            added += 1
        except (ValidationError, Refused) as refused:
            messages.error(request, " ".join(refused.messages) if isinstance(refused, ValidationError) else str(refused))
    if added:
        messages.success(request, f"{added} document{'s' if added > 1 else ''} added.")
    return redirect("clinic:documents", patient.pk)


def file_one(request, patient, form, file):
    with transaction.atomic():
        return Document.add(
            by=request.actor, patient=patient, kind=form.cleaned_data["kind"], content=file, again=form.cleaned_data["again"])


@rule("clinic.add_document")
@require_POST
@takes_files
@once
def documents_scan(request, patient_id):
    """A card with both sides, or with the one that there is."""
    patient = find_patient(request, patient_id)
    form = CardForm(request.POST, request.FILES)
    if not form.is_valid():
        return refusal(request, "Take a picture of the front first.", 422)
    values = form.cleaned_data
    document = Document.add(
        by=request.actor, patient=patient, kind=values["kind"], content=values["front"], back=values["back"] or None,
        title=dict(Document.Kind.choices)[values["kind"]])
    messages.success(request, f"{document.title} added, {'both sides' if document.back_id else 'its front'}.")
    return redirect("clinic:documents", patient.pk)


@rule("clinic.view_document")
@require_safe
def document(request, document_id):
    """One document: how it looks, and what is known of it."""
    document = find_document(request, document_id)
    pictures = StoredFile.objects.visible_to(request.actor).pictures_of(
        [file for _, file in document.sides], StoredFile.Use.PREVIEW)
    return render(request, "clinic/document.html", {
        **patient_context(request, document.patient, "documents"), "document": document,
        "sides": [(name, file, pictures.get(file.pk)) for name, file in document.sides],
        "may_change_document": may(request.actor, "clinic.change_document", document)})


@rule("clinic.view_document")
@require_safe
def document_content(request, document_id):
    """The file as it came, to keep, never to run; `?side=back` of a card."""
    document = find_document(request, document_id, Kind.EXPORT)
    return file_answer(document, asked_side(request, document))


@rule("clinic.view_document")
@require_safe
def document_preview(request, document_id):
    """The picture that we drew of it."""
    document = find_document(request, document_id)
    found = StoredFile.objects.visible_to(request.actor).pictures_of(
        [asked_side(request, document)], StoredFile.Use.PREVIEW)
    content = next((picture.content() for picture in found.values()), None)
    if content is None:
        raise Http404
    return closed(HttpResponse(content, content_type="image/webp"))


@rule("clinic.change_document")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def document_edit(request, document_id):
    """Say anew what a document is."""
    document = find_document(request, document_id)
    form = DocumentForm(request.POST or None, instance=document, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        return save_form(request, form, reverse("clinic:document", args=[document.pk]),
                         context=lambda: patient_context(request, document.patient, "documents"))
    return render(request, "clinic/document_form.html", {
        **patient_context(request, document.patient, "documents"), "form": form,
        "document": find_document(request, document_id)}, status=422 if form.errors else 200)


@rule("clinic.change_document")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def document_withdraw(request, document_id):
    """Take it out of the lists, with the reason."""
    document = find_document(request, document_id)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        document.withdraw(by=request.actor, because=form.cleaned_data["because"])
        messages.success(request, "Withdrawn. It stays on record.")
        return redirect("clinic:documents", document.patient_id)
    return render(request, "clinic/document_withdraw.html", {
        **patient_context(request, document.patient, "documents"), "document": document, "form": form},
        status=422 if form.errors else 200)


@rule("clinic.change_document")
@require_POST
@once
def document_restore(request, document_id):
    """Back into the lists."""
    document = find_document(request, document_id)
    document.restore(by=request.actor)
    messages.success(request, "Back among the documents.")
    return redirect("clinic:document", document.pk)
