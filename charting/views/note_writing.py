"""Write a note, and what comes after: sign, co-sign, add to it, mark it as entered in error."""
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from charting.looks import find_note
from charting.models import Addendum, ClinicalNote, Draft, NoteTemplate
from charting.note_forms import AddendumForm, ErrorForm, NoteForm
from charting.notes import filled, left_open
from charting.subjects import link, subjects_of, told_by
from charting.views.notes import notes_page
from clinic.access.rules import find, may, rule
from clinic.audit.looks import find_patient
from clinic.db.refusals import Refused, Stale
from clinic.models import Patient
from clinic.views.patients import patient_context
from clinic.web.asked import key, whole
from clinic.web.back import back
from clinic.web.conflicts import lost_race
from clinic.web.once import once
from scheduling.looks import visit_of_today
from scheduling.models import Appointment


@rule("charting.write_note")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def note_new(request, patient_id):
    """Write a note; `?visit=` what it is about, `?template=` with what it begins. What was typed before is there again."""
    patient = find_patient(request, patient_id)
    draft = Draft.find(request.actor, patient, Draft.Kind.NOTE)
    template, subjects = _template(request), _subjects(request, patient)
    blank = ClinicalNote(clinic=request.actor.clinic, patient=patient, author=request.actor.user)
    if request.method == "POST":
        form = NoteForm(request.POST, instance=blank, actor=request.actor)
        if form.is_valid():
            with transaction.atomic():
                made = ClinicalNote.write(by=request.actor, patient=patient, template=template, **form.values())
                link(request.actor, made, [each.key for each in subjects])
                _drop_draft(request, patient)
            return _saved(request, made)
        return _form_page(request, patient, form, template=template, subjects=subjects)
    initial = draft.content if draft else _beginning(request, patient, template, subjects)
    form = NoteForm(instance=blank, actor=request.actor, initial=initial)
    return _form_page(request, patient, form, draft=draft, template=template, subjects=subjects)


@rule("charting.write_note")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def note_edit(request, note_id):
    """Change a note that is not signed. Of two who do so at once the second one sees both texts."""
    note = find_note(request, note_id)
    patient = note.patient.person
    draft = Draft.find(request.actor, patient, Draft.Kind.NOTE, note.pk)
    if not note.may_edit(request.actor):
        held = _held(request, patient, note.pk) if request.method == "POST" else draft
        return _too_late(request, note, request.POST.get("body", "") or (draft.content["body"] if draft else ""), held)
    if request.method == "POST":
        form = NoteForm(request.POST, instance=note, actor=request.actor)
        if form.is_valid():
            try:
                with transaction.atomic():
                    form.save_by(request.actor)
                    _drop_draft(request, patient, note.pk)
            except Stale as stale:
                return lost_race(request, form, stale, back=reverse("charting:note", args=[note.pk]),
                                 context=patient_context(request, patient, "notes"))
            return _saved(request, find_note(request, note.pk))
        return _form_page(request, patient, form)
    form = NoteForm(instance=note, actor=request.actor, initial=draft.content if draft else None)
    if draft:  # it was begun from the version of then
        form.initial["version"] = draft.content.get("version", note.version)
    return _form_page(request, patient, form, draft=draft)


@rule("charting.write_note")
@require_POST
@once
def note_draft(request, patient_id):
    """Keep what is typed. The answer says nothing of the patient; 409 when another window of the same author keeps it."""
    patient = find(Patient.objects.select_related("merged_into"), request.actor, pk=patient_id).person
    about = request.POST.get("about", "")
    if about:
        find(ClinicalNote.objects.of(patient), request.actor, pk=key(about))
    names = ("kind", "appointment", "body", "template", "version")
    content = {name: request.POST.get(name, "")[:20_000] for name in names}
    try:
        draft = Draft.keep(
            by=request.actor, patient=patient, kind=Draft.Kind.NOTE, about=about, content=content,
            window=request.POST.get("window", "")[:36], number=whole(request.POST.get("number")),
            began=request.POST.get("began", ""))
    except Stale:
        return HttpResponse(status=409)
    return JsonResponse({"token": draft.token})


@rule("charting.write_note")
@require_POST
@once
def note_draft_drop(request, patient_id):
    """Throw away what was typed and not saved."""
    patient = find_patient(request, patient_id)
    about = request.POST.get("about", "")
    note = find(ClinicalNote.objects.of(patient), request.actor, pk=key(about)) if about else None
    Draft.drop(by=request.actor, patient=patient, kind=Draft.Kind.NOTE, about=about)
    return back(request, "charting:note", note.pk) if note else back(request, "charting:note_new", patient.pk)


def _drop_draft(request, patient, about=""):
    """What this window holds is saved. What another window of the same author has kept since then stays."""
    if draft := _held(request, patient, about):
        Draft.drop(by=request.actor, patient=patient, kind=Draft.Kind.NOTE, about=about, window=draft.window)


def _held(request, patient, about=""):
    """The draft that the window which sent this form keeps, or went on from; None for none, and for another window's."""
    draft = Draft.find(request.actor, patient, Draft.Kind.NOTE, about)
    if draft and (draft.window == request.POST.get("window") or draft.token == request.POST.get("began")):
        return draft
    return None


def _too_late(request, note, text, held):
    """The note was signed while somebody was typing into it: what they typed stands there as an addendum, not sent yet."""
    if not (text.strip() and note.may_add(request.actor)):
        raise Refused("This note can't be changed any more. What is to be added to a signed note is an addendum.")
    messages.warning(
        request, f"{note.author} signed this note meanwhile. What you typed is not saved yet: it stands below as an addendum.")
    return notes_page(
        request, note.patient.person, note, AddendumForm(initial={"body": text}, auto_id="addendum_%s"), status=409, held=held)


def _template(request):
    """The template that an address or a form names; None for none."""
    named = request.POST.get("template") or request.GET.get("template")
    return find(NoteTemplate.objects.for_writer(request.actor), request.actor, pk=key(named)) if named else None


def _subjects(request, patient):
    """What the note is to be about besides a visit, as the address or the form names it."""
    sent = request.POST if request.method == "POST" else request.GET
    return subjects_of(request.actor, patient, [key(text) for text in sent.getlist("about_row")])


def _beginning(request, patient, template, subjects=()):
    """With what a new note begins. One of the care team's is about today's visit, unless something else is said."""
    kinds = ClinicalNote.kinds_of(request.actor, "write")
    visit = None
    if request.GET.get("visit"):
        visits = Appointment.objects.of(patient).select_related("appointment_type", "provider", "clinic")
        visit = find(visits, request.actor, pk=key(request.GET["visit"]))
    elif ClinicalNote.Kind.PROGRESS in kinds and (template is None or template.kind not in ClinicalNote.OF_THE_DESK):
        visit = visit_of_today(request.actor, patient)
    initial = {"appointment": visit}
    if template:
        initial |= {"kind": template.kind, "body": filled(template.body, _values(request.actor, patient, visit))}
    elif ClinicalNote.Kind.PROGRESS not in kinds:
        initial["kind"] = ClinicalNote.Kind.PHONE
    elif text := "\n\n".join(each.text for each in subjects if each.text):
        initial |= {"kind": ClinicalNote.Kind.PROGRESS, "body": filled(text, _values(request.actor, patient, visit))}
    return initial


def _values(actor, patient, visit):
    """What the fields of a template say for this note; see `charting.notes.FIELDS`."""
    today = actor.clinic.today()
    of_visit = {}
    if visit is not None:
        day = visit.starts_at.astimezone(actor.clinic.zone)
        of_visit = {"visit": f"{visit.appointment_type}, {day:%-d %B %Y}", "provider": visit.provider.name}
    return {
        "patient": patient.name, "first_name": patient.preferred_name or patient.first_name,
        "age": str(patient.age(today)), "born": f"{patient.date_of_birth:%-d %B %Y}", "today": f"{today:%-d %B %Y}",
        "author": actor.user.name if actor.user else "", **of_visit}


def _form_page(request, patient, form, draft=None, template=None, subjects=()):
    """The page on which a note is written. `draft`: what was restored."""
    note = form.instance
    values = _values(request.actor, patient, form.visit)
    templates = list(NoteTemplate.objects.for_writer(request.actor))
    is_new = note._state.adding
    if draft is None and request.method == "POST":
        held = _held(request, patient, "" if is_new else note.pk)
    else:
        held = draft
    return render(request, "charting/note_form.html", {
        **patient_context(request, patient, "notes"), "form": form, "note": None if is_new else note, "draft": draft,
        "subjects": subjects or (told_by(request.actor, [note]).get(note.pk, []) if not is_new else []),
        "template": template or (draft and draft.content.get("template")) or "", "templates": templates,
        "texts": [{"id": str(row.pk), "code": row.short_code, "kind": row.kind, "text": filled(row.body, values)}
                  for row in templates],
        "about": "" if is_new else note.pk, "began": held.token if held else "",
        "editor": None if is_new else note.told()[0],
        "may_sign": may(request.actor, "charting.sign_note") and note.author_id == request.actor.user.pk,
        "back": reverse("charting:notes", args=[patient.pk]) if is_new else reverse("charting:note", args=[note.pk]),
    }, status=422 if form.errors else 200)


def _saved(request, note):
    """After a note was saved: sign it too when that was asked for. What keeps it from being signed is told; saved it is."""
    if request.POST.get("then") != "sign":
        messages.success(request, "Saved. It waits for its signature.")
        return redirect("charting:note", note.pk)
    try:
        note.sign(by=request.actor)
        messages.success(request, _signed(note))
    except Refused as refused:
        messages.warning(request, f"Saved, not signed. {refused}")
        return _where_it_stands(note)
    return redirect("charting:note", note.pk)


def _where_it_stands(note):
    """After it could not be signed: with a place left open in the text, where the first one is; else the note."""
    return redirect("charting:note_edit" if left_open(note.body) and not note.is_signed else "charting:note", note.pk)


def _signed(note):
    return "Signed. It waits for a co-signature." if note.needs_cosign else "Signed."


# Sign, and what comes after


@rule("charting.sign_note")
@require_POST
@once
def note_sign(request, note_id):
    """Sign one's own note, as it was seen."""
    note = find_note(request, note_id)
    try:
        note.sign(by=request.actor, version=whole(request.POST.get("version")))
    except Refused as refused:
        messages.warning(request, str(refused))
        return _where_it_stands(note)
    messages.success(request, _signed(note))
    return redirect("charting:note", note.pk)


@rule("charting.cosign_note")
@require_POST
@once
def note_cosign(request, note_id):
    """Sign what somebody else has signed, as it was seen."""
    note = find_note(request, note_id)
    note.cosign(by=request.actor, version=whole(request.POST.get("version")))
    messages.success(request, "Co-signed.")
    return redirect("charting:note", note.pk)


@rule("charting.write_note")
@require_POST
@once
def addendum(request, note_id):
    """Add to a signed note; that is signed with it."""
    note = find_note(request, note_id)
    form = AddendumForm(request.POST, auto_id="addendum_%s")
    if not form.is_valid():
        return notes_page(request, note.patient.person, note, form, status=422)
    with transaction.atomic():
        Addendum.write(by=request.actor, note=note, body=form.cleaned_data["body"])
        _drop_draft(request, note.patient.person, note.pk)
    messages.success(request, "Added. It waits for a co-signature." if note.addenda_wait else "Added and signed.")
    return redirect("charting:note", note.pk)


@rule("charting.write_note")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def note_error(request, note_id):
    """This note should not stand here."""
    note = find_note(request, note_id)
    form = ErrorForm(request.POST or None, initial={"version": note.version})
    if request.method == "POST" and form.is_valid():
        note.mark_error(by=request.actor, because=form.cleaned_data["because"], version=form.cleaned_data["version"])
        messages.success(request, "Marked as entered in error. It stays readable, struck.")
        return redirect("charting:note", note.pk)
    return render(request, "charting/note_error.html", {
        **patient_context(request, note.patient.person, "notes"), "note": note, "form": form},
        status=422 if form.errors else 200)
