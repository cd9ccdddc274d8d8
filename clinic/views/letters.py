"""Letters: write one to a patient, on paper; and the texts that the practice keeps for it."""
from functools import wraps

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import letters
from clinic.access.rules import find, rule
from clinic.audit.looks import Kind, find_patient, look
from clinic.db.refusals import Refused
from clinic.documents import find_document
from clinic.files.examine import examine
from clinic.forms import LetterForm, LetterTemplateForm
from clinic.models import Document, LetterTemplate
from clinic.models.document import AlreadyHere
from clinic.paper.answers import pdf_answer
from clinic.paper.typeset import typeset
from clinic.views.patients import patient_context
from clinic.web.asked import key
from clinic.web.conflicts import save_form
from clinic.web.once import once

RELATED = ("account", "primary_provider")


@rule("clinic.write_letters")
@require_safe
def letter(request, patient_id):
    """Which letter; with `?template=` that one, filled in, to read over and change; `?visit=`: what it is about."""
    patient = find_patient(request, patient_id, related=RELATED)
    about = key(request.GET["visit"]) if request.GET.get("visit") else None
    if not request.GET.get("template"):
        return _choice(request, patient, about)
    template = LetterTemplate.named(request.actor, request.GET["template"])
    draft = letters.draft(request.actor, patient, template, about)
    form = LetterForm(initial={"title": draft.title, "text": draft.text})
    return _page(request, patient, template, draft, form)


def _choice(request, patient, about):
    """The letters in use; those that suit the visit stand first."""
    every = [row for row in LetterTemplate.of(request.actor) if row.is_active]
    suits = letters.kinds_for(request.actor, patient, about) if about else ()
    return render(request, "clinic/letter_choose.html", {
        **patient_context(request, patient, "documents"), "about": about,
        "templates": sorted(every, key=lambda row: row.kind not in suits)})


def _page(request, patient, template, draft, form, status=200):
    return render(request, "clinic/letter_write.html", {
        **patient_context(request, patient, "documents"), "template": template, "draft": draft, "form": form},
        status=status)


def drawn(prepare=lambda pdf, name: pdf):
    """For a view that gets (request, patient, form, paper) once the letter is drawn; until it can be, the form is shown again.

    Above `@once`, whose transaction waits for nothing: `prepare` is what may take long after the drawing.
    """
    def decorate(view):
        @wraps(view)
        def drawing(request, patient_id):
            patient = find_patient(request, patient_id, related=RELATED)
            template = LetterTemplate.named(request.actor, request.POST.get("template", ""))
            about = key(request.POST["visit"]) if request.POST.get("visit") else None
            draft = letters.draft(request.actor, patient, template, about)
            form = LetterForm(request.POST)
            if draft.obstacles or not form.is_valid():
                return _page(request, patient, template, draft, form, status=422)
            title = form.cleaned_data["title"]
            return view(request, patient, form, prepare(_on_paper(request.actor, patient, template, form), f"{title}.pdf"))
        return drawing
    return decorate


def _on_paper(actor, patient, template, form):
    """The letter as a PDF, in the patient's language."""
    clinic = actor.clinic
    with translation.override(patient.language):
        return typeset("clinic/letter.typ", {
            "to": letters.address_block(patient, clinic.today()) if template.goes_by_post else [],
            "date": date_format(clinic.today(), "j F Y"),
            "paragraphs": letters.paragraphs(form.cleaned_data["text"]),
            "framed": template.kind == LetterTemplate.Kind.APPOINTMENT_CARD,
            "signature": gettext("Signature and stamp") if template.kind == LetterTemplate.Kind.EXCUSE else "",
        }, clinic=clinic, title=form.cleaned_data["title"])


@rule("clinic.write_letters")
@require_POST
@drawn()
def letter_print(request, patient, form, paper):
    """On paper, and nowhere else."""
    look(request, Kind.PRINT, patient)
    return pdf_answer(paper, form.cleaned_data["title"])


@rule("clinic.write_letters")
@require_POST
@drawn(prepare=examine)
@once
def letter_keep(request, patient, form, paper):
    """Among the patient's documents, and then on paper. The same letter on the same day is kept once."""
    try:
        document = Document.add(
            by=request.actor, patient=patient, kind=Document.Kind.LETTER, title=form.cleaned_data["title"], content=paper,
            made_here=True)
    except AlreadyHere as here:
        document = here.document
    return redirect("clinic:document_print" if document.made_here else "clinic:document", document.pk)


@rule("clinic.view_document")
@require_safe
def document_print(request, document_id):
    """A document that we drew ourselves, shown by the browser, to print."""
    document = find_document(request, document_id, Kind.PRINT)
    if not document.made_here:
        raise Http404
    with document.file.open() as content:
        return pdf_answer(content.read(), document.title)


# The texts


@rule("clinic.manage")
@require_safe
def letter_templates(request):
    """All letters of the practice, also those that are not in use."""
    return render(request, "clinic/letter_templates.html", {"templates": LetterTemplate.of(request.actor)})


@rule("clinic.manage")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def letter_template_new(request):
    """A new letter; `?starter=` writes the practice's own in place of one that came with Chairside."""
    kind = request.GET.get("starter", "")
    if kind and kind not in letters.STARTERS:
        raise Http404
    instance = LetterTemplate.as_delivered(request.actor, kind) if kind else LetterTemplate()
    form = LetterTemplateForm(request.POST or None, instance=instance, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        if kind and LetterTemplate.objects.visible_to(request.actor).filter(kind=kind, is_starter=True).exists():
            raise Refused("Somebody wrote the practice's own text of this letter just now. Open it from the list.")
        saved = form.instance.record(by=request.actor)
        messages.success(request, f"“{saved}” is saved.")
        return redirect("clinic:letter_templates")
    return _template_page(request, form)


@rule("clinic.manage")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def letter_template_edit(request, template_id):
    """Change a letter of the practice, or take it out of use."""
    template = find(LetterTemplate.objects, request.actor, pk=template_id)
    form = LetterTemplateForm(request.POST or None, instance=template, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        return save_form(request, form, reverse("clinic:letter_template_edit", args=[template.pk]), then="clinic:letter_templates")
    return _template_page(request, form)


def _template_page(request, form):
    return render(request, "clinic/letter_template_form.html", {
        "form": form, "template": form.instance, "fields": letters.known_fields().items()},
        status=422 if form.errors else 200)
