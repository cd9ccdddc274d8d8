"""Patients: find, register, look at, change."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import hooks
from clinic.access.rules import find, may, rule
from clinic.audit.looks import Kind, find_patient, look
from clinic.db.prepared import PreparedFor
from clinic.forms import AccountForm, PatientForm
from clinic.listing import Listed, columns, drawn, listed
from clinic.models import Account, MedicalHistory, Patient
from clinic.panels import HeaderAction, HeaderFact, HeaderTab
from clinic.web.asked import key, whole
from clinic.web.conflicts import save_form
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.fields import TypedDateField
from clinic.web.once import once

PAGE = 50
SHOWN = 8
LIST_COLUMNS = (
    "id", "first_name", "last_name", "preferred_name", "date_of_birth", "chart_number", "phone", "status", "clinic_id")

CSV_HEAD = ["chart number", "last name", "first name", "preferred name", "born", "phone", "status"]
FAMILY = PreparedFor(lambda actor, blank: columns(Patient.objects.visible_to(actor).current().filter(
    account=blank("account", Patient, "account")).exclude(pk=blank("patient", Patient, "id"))))
NEWEST_HISTORY = PreparedFor(lambda actor, blank: MedicalHistory.objects.visible_to(actor).filter(
    patient=blank("patient", MedicalHistory, "patient")).order_by("-number")[:1])


@rule("clinic.search_patients")
@require_safe
def patients(request):
    """All patients by name, or those that a search finds."""
    text = request.GET.get("q", "").strip()
    every = Patient.objects.visible_to(request.actor)
    found = every.found(text) if text else every.current()
    if wants_csv(request):
        rows = listed(found)
        return csv_answer(request, "patients", CSV_HEAD, (
            (row.chart_number, row.last_name, row.first_name, row.preferred_name, row.date_of_birth, row.phone, row.status)
            for row in rows), count=len(rows))
    start = whole(request.GET.get("start"))
    rows = listed(found[start:start + PAGE + 1])
    look(request, Kind.SEARCH if text else Kind.LIST, rows=len(rows))
    return render(request, "clinic/patients.html", {
        "patients": drawn(rows[:PAGE]), "text": text, "first": start + 1, "last": start + len(rows[:PAGE]),
        "next_start": start + PAGE if len(rows) > PAGE else None,
        "previous_start": max(start - PAGE, 0) if start else None,
    })


@rule("clinic.search_patients")
@require_safe
def search(request):
    """What the search field shows while one types."""
    text = request.GET.get("q", "").strip()
    rows = list(Patient.objects.visible_to(request.actor).found(text).only(*LIST_COLUMNS)[:SHOWN])
    look(request, Kind.SEARCH, rows=len(rows))
    return render(request, "clinic/_search_results.html", {"patients": rows, "text": text, "pick": "pick" in request.GET})


@rule("clinic.add_patient")
@require_POST
def likely_duplicates(request):
    """While a new patient is typed: who it may be already. By POST, so that no name stands in an address."""
    born = TypedDateField(past=True, required=False)
    born.at(request.actor.clinic)
    phone = PatientForm(request.POST, actor=request.actor)
    phone.is_valid()
    try:
        date_of_birth = born.clean(request.POST.get("date_of_birth", ""))
    except ValidationError:  # half a date is no date yet
        date_of_birth = None
    rows = list(Patient.objects.visible_to(request.actor).likely_duplicates(
        first_name=request.POST.get("first_name", ""), last_name=request.POST.get("last_name", ""),
        date_of_birth=date_of_birth, phone=phone.cleaned_data.get("phone") or "").only(*LIST_COLUMNS)[:5])
    look(request, Kind.SEARCH, rows=len(rows))
    return render(request, "clinic/_likely_duplicates.html", {"patients": rows})


@rule("clinic.add_patient")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def patient_new(request):
    """Register a patient; `?account=` adds them to a family."""
    account = None
    if account_id := request.POST.get("account") or request.GET.get("account"):
        account = find_account(request, key(account_id))
    initial = {"country": request.actor.clinic.country}
    if account:
        initial |= {name: getattr(account, name) for name in ("line1", "line2", "city", "region", "postal_code", "country")}
        initial |= {"last_name": account.name.split()[-1] if account.name else ""}
    form = PatientForm(request.POST or None, actor=request.actor, initial=initial)
    if request.method == "POST" and form.is_valid():
        patient = Patient.register(by=request.actor, account=account, **form.values())
        look(request, Kind.VIEW, patient)
        messages.success(request, f"{patient.name} is registered, chart number {patient.chart_number}.")
        return redirect("clinic:patient", patient.pk)
    return render(request, "clinic/patient_form.html", {"form": form, "account": account},
                  status=422 if form.errors else 200)


@rule("clinic.view_patient")
@require_safe
def patient(request, patient_id):
    """One look answers: who is this, and what now?"""
    patient = find_patient(
        request, patient_id, related=(), payer=F("account__name"), dentist=F("primary_provider__name"),
        hygienist=F("primary_hygienist__name"))
    family = [Listed._make(row) for row in FAMILY(request.actor, account=patient.account_id, patient=patient.pk)]
    return render(request, "clinic/patient_overview.html", {
        **patient_context(request, patient, "overview"),
        "family": family, "family_actions": _family_actions(request.actor, patient.account_id) if family else [],
        "panels": hooks.patient_panels(request.actor, patient),
        "may_write": may(request.actor, "clinic.write_letters", patient),
    })


@rule("clinic.change_patient")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def patient_edit(request, patient_id):
    """Change who the patient is and how they are reached."""
    patient = find_patient(request, patient_id)
    form = PatientForm(request.POST or None, instance=patient, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        return save_form(request, form, reverse("clinic:patient", args=[patient.pk]),
                         context=lambda: patient_context(request, patient, "overview"))
    return render(request, "clinic/patient_form.html", {
        "form": form, **patient_context(request, find_patient(request, patient_id), "overview")},
        status=422 if form.errors else 200)


@rule("clinic.view_account")
@require_safe
def account(request, account_id):
    """A family: who pays, for whom, when each was here and comes next. Five queries, whatever the size of the family."""
    account = find(Account.objects, request.actor, pk=account_id)
    rows = listed(Patient.objects.visible_to(request.actor).current().filter(account=account))
    look(request, Kind.LIST, rows[0] if len(rows) == 1 else None, rows=len(rows))
    alerts = MedicalHistory.objects.visible_to(request.actor).alerts_of(rows)
    told = hooks.account_panels(request.actor, [row.pk for row in rows])
    members = [(row, alerts.get(row.pk, []), [fact for facts in told for fact in facts.get(row.pk, [])]) for row in rows]
    return render(request, "clinic/account.html", {
        "account": account, "members": members, "count": len(rows), "today": request.actor.clinic.today(),
        "columns": [fact.label for fact in members[0][2]] if members else [],
        "actions": _family_actions(request.actor, account.pk) if len(rows) > 1 else []})


@rule("clinic.change_account")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def account_edit(request, account_id):
    """Change who pays, and where bills go."""
    account = find_account(request, account_id)
    form = AccountForm(request.POST or None, instance=account, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        return save_form(request, form, reverse("clinic:account", args=[account.pk]))
    return render(request, "clinic/account_form.html", {"form": form, "account": account},
                  status=422 if form.errors else 200)


def _family_actions(actor, account_id):
    return [act for found in hooks.account_actions(actor, account_id) for act in found]


def find_account(request, account_id):
    """The account, if this actor may know of it (else 404); the look at who pays is noted."""
    account = find(Account.objects.select_related("holder"), request.actor, pk=account_id)
    look(request, Kind.VIEW, account.holder)
    return account


def patient_context(request, patient, tab):
    """What the header and the tabs of every page of a patient need; `patient`: as `find_patient` gives, or a row's `person`."""
    history = next(iter(NEWEST_HISTORY(request.actor, patient=patient.pk)), None)
    if history is not None:
        history.clinic = request.actor.clinic
    header = [item for items in hooks.header_facts(request.actor, patient) for item in items]
    return {
        "patient": patient,
        "holds": patient.holds,
        "medical_history": history,
        "alerts": history.alerts if history else [],
        "header_facts": [item for item in header if isinstance(item, HeaderFact)],
        "header_actions": [item for item in header if isinstance(item, HeaderAction)],
        "tabs": [item for item in header if isinstance(item, HeaderTab)],
        "tab": tab,
        "may_change": may(request.actor, "clinic.change_patient", patient),
        "may_change_medical": may(request.actor, "clinic.change_medicalhistory", patient),
        "may_see_audit": may(request.actor, "clinic.view_audit", patient),
        "may_merge": may(request.actor, "clinic.merge_patients", patient),
        "may_unmerge": may(request.actor, "clinic.unmerge_patients", patient),
        "today": request.actor.clinic.today(),
    }

