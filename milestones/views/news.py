"""Of which milestone news a patient is told, chosen at the desk."""
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from clinic.access.rules import rule
from clinic.audit.looks import find_patient
from clinic.views.patients import patient_context
from clinic.web.conflicts import save_form
from clinic.web.once import once
from milestones.forms import NewsForm
from milestones.models import MilestoneNews, NewsMessage

SHOWN = 10  # messages


@rule("clinic.change_patient")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def news(request, patient_id):
    """Choose what they are told and how, beside what they were told lately."""
    patient = find_patient(request, patient_id)
    form = NewsForm(request.POST or None, instance=MilestoneNews.of(patient), actor=request.actor)
    context = {**patient_context(request, patient, "milestones"), "form": form}
    if form.is_bound and form.is_valid():
        return save_form(
            request, form, reverse("milestones:news", args=[patient.pk]), then=reverse("clinic:patient", args=[patient.pk]),
            context=lambda: context)
    return render(request, "milestones/news.html", {
        **context, "messages_sent": NewsMessage.objects.visible_to(request.actor).of(patient).select_related(
            "milestone").order_by("-created_at", "-id")[:SHOWN]}, status=422 if form.is_bound else 200)
