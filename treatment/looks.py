"""The rows of treatment that a request is about; the look at their patient is noted."""
from clinic.access.rules import find
from clinic.audit.looks import Kind, look
from treatment.models import Consent, Goal, GoalIntervention, Phase, Procedure, TreatmentPlan


def _found(request, rows, key, kind):
    row = find(rows, request.actor, pk=key)
    look(request, kind, row.patient.person)
    return row


def find_plan(request, plan_id, kind=Kind.VIEW):
    """The plan, if this actor may know of it (else 404)."""
    return _found(request, TreatmentPlan.objects.select_related("patient__merged_into", "clinic", "provider"), plan_id, kind)


def find_procedure(request, procedure_id, kind=Kind.VIEW):
    rows = Procedure.objects.select_related(
        "patient__merged_into", "clinic", "provider", "phase", "procedure_code__rule", "plan__provider", "finding")
    return _found(request, rows, procedure_id, kind)


def find_phase(request, phase_id):
    """A phase that is not withdrawn, if this actor may know of it (else 404)."""
    rows = Phase.objects.in_force().select_related("clinic", "plan__patient__merged_into", "plan__provider", "plan__clinic")
    row = find(rows, request.actor, pk=phase_id)
    look(request, Kind.VIEW, row.plan.person)
    return row


def find_goal(request, goal_id, kind=Kind.VIEW):
    return _found(request, Goal.objects.select_related(
        "patient__merged_into", "clinic", "parent", "plan__provider", "plan__patient__merged_into", "plan__clinic"), goal_id, kind)


def find_goal_intervention(request, key, kind=Kind.VIEW):
    return _found(request, GoalIntervention.objects.select_related(
        "patient__merged_into", "clinic", "intervention", "goal__plan"), key, kind)


def find_consent(request, consent_id, kind=Kind.VIEW):
    return _found(request, Consent.objects.select_related(
        "patient__merged_into", "clinic", "plan", "plan_version", "signature", "paper__file", "withdrawal").prefetch_related(
        "procedures"), consent_id, kind)
