"""Consents: taken on the screen or on paper, read, withdrawn."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import may, rule
from clinic.db.refusals import Refused
from clinic.documents import closed
from clinic.models import StoredFile
from clinic.views.patients import patient_context
from clinic.web.once import once
from scheduling.forms import tell
from treatment.consent_forms import ConsentForm
from treatment.looks import find_consent, find_plan


@rule("treatment.take_consent")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def consent_new(request, plan_id):
    """Take a consent: which procedures, what was explained, who signs, and the signature."""
    found = find_plan(request, plan_id)
    form = ConsentForm(request.POST or None, actor=request.actor, plan=found)
    if form.is_bound and form.is_valid():
        try:
            made = form.take(timezone.now())
        except ValidationError as error:
            tell(form, error, procedure_ids="procedures")
        except Refused as refused:
            form.add_error(None, str(refused))
            form.data = request.POST.copy()
            form.data["number"] = found.number  # who sends it again has seen that it changed
        else:
            messages.success(request, "The consent is taken.")
            return redirect("treatment:consent", made.pk)
    return render(request, "treatment/consent_form.html", {
        **patient_context(request, found.person, "plan"), "plan": found, "form": form}, status=422 if form.is_bound else 200)


@rule("treatment.view_plan")
@require_safe
def consent(request, consent_id):
    """One consent, with whether it is still what was signed."""
    found = find_consent(request, consent_id)
    numbering = request.actor.clinic.tooth_numbering
    rows = [(row.procedure, row.procedure.place.said(numbering)) for row in found.procedures.select_related(
        "procedure__procedure_code")]
    return render(request, "treatment/consent.html", {
        **patient_context(request, found.patient.person, "plan"), "consent": found, "procedures": rows,
        "may_withdraw": may(request.actor, "treatment.take_consent") and not found.is_withdrawn})


@rule("treatment.view_plan")
@require_safe
def signature(request, consent_id):
    """The picture that we drew of the signature."""
    found = find_consent(request, consent_id)
    pictures = StoredFile.objects.visible_to(request.actor).pictures_of(
        [found.signature] if found.signature else [], StoredFile.Use.PREVIEW)
    content = next((picture.content() for picture in pictures.values()), None)
    if content is None:
        raise Http404
    return closed(HttpResponse(content, content_type="image/webp"))


@rule("treatment.take_consent")
@require_POST
@once
def consent_withdraw(request, consent_id):
    """It holds no longer."""
    found = find_consent(request, consent_id)
    try:
        found.withdraw(by=request.actor, because=request.POST.get("because", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The consent is withdrawn. What was done under it stands.")
    return redirect("treatment:consent", consent_id)
