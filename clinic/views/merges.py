"""Two records of one person: look at both, settle what contradicts, merge; and take them apart again."""
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from clinic.access.rules import find, rule
from clinic.audit.looks import Kind, find_patient, look
from clinic.db.refusals import Refused
from clinic.forms import MergeForm, UnmergeForm
from clinic.merges import LaterRows, counts
from clinic.models import CannotMerge, Patient
from clinic.models.medical_history import alerts_of
from clinic.models.merge import same_history
from clinic.views.patients import patient_context
from clinic.web.asked import key
from clinic.web.once import once


@rule("clinic.merge_patients")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def merge(request, patient_id):
    """Choose the other one (`?with=`), see both side by side, then merge; `?into=`: who stays."""
    patient = find_patient(request, patient_id)
    sent = request.POST or request.GET
    if not sent.get("with"):
        return render(request, "clinic/merge_choose.html", {
            **patient_context(request, patient, ""), "likely": _likely(request.actor, patient)})
    other = find_patient(request, key(sent["with"]))
    sides = [Side(patient), Side(other)]
    stays = other if (str(other.pk) == sent["into"] if sent.get("into") else sides[1].rows > sides[0].rows) else patient
    goes = patient if stays is other else other
    form = MergeForm(request.POST or None, goes=goes, stays=stays)
    if request.method == "POST" and form.is_valid():
        try:
            goes.merge_into(stays, by=request.actor, **form.values())
        except CannotMerge:  # the page shows what is in the way
            form.add_error(None, "Settle first what is listed above.")
        else:
            look(request, Kind.VIEW, stays)
            messages.success(request, f"{goes.name}, #{goes.chart_number}, is merged into this patient.")
            return redirect("clinic:patient", stays.pk)
    return render(request, "clinic/merge.html", {
        **patient_context(request, patient, ""), "header_actions": [], "form": form, "sides": sides, "goes": goes, "stays": stays,
        "other": other, "obstacles": goes.obstacles_to(stays), "kinds": _side_by_side(sides),
        "joined": None if same_history(goes, stays) else form.joined,
    }, status=422 if form.errors else 200)


@rule("clinic.unmerge_patients")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def unmerge(request, patient_id):
    """Take a merged patient out again: whose is each thing that came since?"""
    patient = find(Patient.objects.select_related("merged_into", "clinic"), request.actor, pk=patient_id)
    look(request, Kind.VIEW, patient)
    if not patient.merged_into_id:
        raise Refused(f"{patient.name} is not merged into anybody.")
    survivor = patient.merged_into
    later = LaterRows(patient, survivor)
    form = UnmergeForm(request.POST or None, patient=patient, survivor=survivor, later=later)
    if request.method == "POST" and form.is_valid():
        patient.unmerge(by=request.actor, **form.values())
        messages.success(request, f"#{patient.chart_number} and #{survivor.chart_number} are two again.")
        return redirect("clinic:patient", patient.pk)
    return render(request, "clinic/unmerge.html", {
        **patient_context(request, survivor, ""), "header_actions": [], "merged": patient, "survivor": survivor, "form": form,
    }, status=422 if form.errors else 200)


class Side:
    """One of the two patients, with what a person compares."""

    def __init__(self, patient):
        self.patient, self.counts = patient, counts(patient)
        self.rows = sum(count for _, count in self.counts)
        history = patient.medical_history
        self.alerts = alerts_of(history.content) if history else []
        self.asked_on = history.reviewed_on if history else None


def _side_by_side(sides):
    """[(what, how many of the one, of the other)]"""
    return [(what, count, other) for (what, count), (_, other) in zip(sides[0].counts, sides[1].counts, strict=True)]


def _likely(actor, patient):
    """Who looks like the same person."""
    rows = Patient.objects.visible_to(actor).likely_duplicates(
        first_name=patient.first_name, last_name=patient.last_name, date_of_birth=patient.date_of_birth, phone=patient.phone)
    return list(rows.exclude(pk=patient.pk)[:6])
