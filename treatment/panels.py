"""What plans show on pages of other apps."""
from django.urls import reverse

from clinic import hooks
from clinic.access.rules import may
from clinic.audit.changes import changes_of
from clinic.db.records import person
from clinic.panels import Carried, Change, HeaderAction, HeaderTab, Obstacle, Panel, Queue, some
from scheduling.hooks import carried, carry, checkout_sections, visit_actions
from scheduling.models import Appointment
from treatment.models import Consent, Phase, Procedure, TreatmentPlan


@hooks.header_facts.add
def plan_tab(actor, patient):
    if not may(actor, "treatment.view_plan"):
        return []
    return [HeaderTab("Plan", "plan", reverse("treatment:plans", args=[patient.pk]), "g l")]


@hooks.patient_panels.add
def plan_panel(actor, patient):
    """The plans that run, and what of them nobody has booked; it loads itself."""
    if not may(actor, "treatment.view_plan"):
        return None
    return Panel("Treatment plans", "treatment/_panel_link.html", {"patient": patient})


@hooks.work_queues.add
def unscheduled_work(actor):
    """Planned work that no coming visit carries; one query."""
    if not may(actor, "scheduling.add_appointment"):
        return []
    count = some(Procedure.objects.visible_to(actor).unscheduled())
    return [Queue("Planned, not booked", count, reverse("treatment:unscheduled"), "Accepted work that no coming visit carries.")]


@visit_actions.add
def procedures_of_visit(actor, visit):
    """What is planned for a visit, each leading to its plan; one query."""
    if not may(actor, "treatment.view_plan"):
        return []
    rows = Procedure.objects.visible_to(actor).filter(appointment=visit).in_force().select_related(
        "procedure_code", "clinic").order_by("sequence", "id")
    return [HeaderAction(
        row.said + ("" if row.is_open else f", {row.get_status_display().lower()}"),
        reverse("treatment:plan", args=[row.plan_id]), "clipboard-list") for row in rows]


@carried.add
def planned_work(actor, patient, keys):
    """The open procedures among these rows, as something to book a visit for; one query."""
    if not may(actor, "treatment.view_plan"):
        return []
    rows = Procedure.objects.visible_to(actor).of(patient).open().filter(pk__in=keys).select_related(
        "procedure_code", "clinic", "appointment")
    return [Carried(
        row.pk, row.said, row.procedure_code.minutes, row.procedure_code_id, row.provider_id,
        row.appointment if row.appointment and row.appointment.status in Appointment.EXPECTED else None)
        for row in rows.order_by("sequence", "id")]


@carry.add
def book_planned_work(by, visit, keys):
    """The visit carries these procedures from now on."""
    for row in Procedure.objects.visible_to(by).of(visit.patient).open().filter(pk__in=keys).order_by("pk"):
        row.book_into(by=by, appointment=visit)


@checkout_sections.add
def work_of_visit(actor, visit):
    """What the visit was booked for and is not done, and what is planned and not booked; two queries."""
    if not may(actor, "treatment.view_plan"):
        return None
    rows = Procedure.objects.visible_to(actor).of(visit.patient).select_related("procedure_code", "clinic").order_by(
        "sequence", "id")
    left, unbooked = list(rows.open().filter(appointment=visit)), list(rows.unscheduled()[:8])
    if not left and not unbooked:
        return None
    return Panel("Treatment", "treatment/_checkout.html", {
        "left": [row.said for row in left], "unbooked": [(row.pk, row.said) for row in unbooked if row not in left],
        "patient": visit.person, "may_book": may(actor, "scheduling.add_appointment")})


@hooks.merge_conflicts.add
def two_active_plans(patient, survivor):
    """Of one kind of treatment only one plan runs at a time: the two would each have one."""
    mine, theirs = (
        {plan.treatment_type: plan for plan in TreatmentPlan.objects.of(one).filter(status=TreatmentPlan.Status.ACTIVE)}
        for one in (patient, survivor))
    return [Obstacle(
        f"Both have an active plan of the kind {mine[kind].get_treatment_type_display()}: “{mine[kind].title}” and "
        f"“{theirs[kind].title}”. Put one on hold or end it first.",
        [(plan.title[:40], reverse("treatment:plan", args=[plan.pk])) for plan in (mine[kind], theirs[kind])])
        for kind in mine.keys() & theirs.keys()]


@hooks.record_sections.add
def plan_changes(actor, patient):
    """Every change of the patient's plans, their phases and procedures, and what was decided on them."""
    if not may(actor, "treatment.view_plan"):
        return []
    of_patient = {"patient__in": person(TreatmentPlan, patient), "clinic": actor.clinic_id}
    plans = list(TreatmentPlan.history.filter(**of_patient).select_related("clinic"))
    procedures = list(Procedure.history.filter(**of_patient).select_related("clinic"))
    phases = list(Phase.history.filter(plan__in=TreatmentPlan.objects.of(patient).order_by().values("pk")).select_related("clinic"))
    changes = changes_of(TreatmentPlan, plans, lambda row: f"Plan {row.title}")
    changes += changes_of(Phase, phases, lambda row: f"Phase {row.name}")
    changes += changes_of(Procedure, procedures, lambda row: f"Procedure {row.description} {row.tooth}".strip())
    return changes + [
        Change(each.at, str(each.by or ""), "", f"Consent: {each.get_decision_display().lower()} by {each.signature_name}", "", [],
               each.pk)
        for each in Consent.objects.visible_to(actor).of(patient).select_related("by").defer("explained")]
