"""The rows of milestones that a request is about; the look at their patient is noted."""
from django.http import Http404

from clinic.access.rules import find, may
from clinic.audit.looks import Kind, look
from milestones.models import Evidence, Milestone, Task, TaskUpdate, TimeEntry
from treatment.models import TreatmentPlan


def find_milestone(request, milestone_id, kind=Kind.VIEW):
    """The milestone, if this actor may know of it and it was not withdrawn (else 404)."""
    row = find(Milestone.objects.in_force().select_related(
        "patient__merged_into", "clinic", "phase", "goal", "plan__provider", "plan__patient__merged_into", "plan__clinic"),
        request.actor, pk=milestone_id)
    look(request, kind, row.patient.person)
    return row


def find_booking(request, booking_id):
    """The plan that patient and provider share, if this actor is one of those whose matter it is (else 404)."""
    plan = find(TreatmentPlan.objects.select_related("patient__merged_into", "clinic", "provider"), request.actor, pk=booking_id)
    if not shares(request.actor, plan):
        raise Http404
    look(request, Kind.VIEW, plan.person)
    return plan


def shares(actor, plan):
    """Whether a plan is this actor's matter: the care team's (the assigned provider is in it), the manager's, and under the portal
    hat that of whoever sees it at all."""
    if actor.hat == "portal" or may(actor, "clinic.manage", plan):
        return True
    return actor.user is not None and plan.care_team.current().filter(user=actor.user).exists()


def find_task(request, task_id):
    """The task, if it and its milestone were not withdrawn (else 404)."""
    return _part(request, Task.objects.in_force(), task_id, "milestone__")


def find_update(request, update_id):
    rows = TaskUpdate.objects.filter(task__is_withdrawn=False, task__milestone__is_withdrawn=False)
    return _part(request, rows, update_id, "task__milestone__")


def find_time_entry(request, entry_id):
    rows = TimeEntry.objects.filter(task__is_withdrawn=False, task__milestone__is_withdrawn=False).select_related("withdrawal")
    return _part(request, rows, entry_id, "task__milestone__")


def find_evidence(request, evidence_id, kind=Kind.VIEW):
    rows = Evidence.objects.filter(milestone__is_withdrawn=False).select_related("attachment__key")
    return _part(request, rows, evidence_id, "milestone__", kind)


def _part(request, rows, key, to_milestone, kind=Kind.VIEW):
    """A row that hangs on a milestone; the look at its patient is noted."""
    above = (f"{to_milestone}{path}" for path in ("clinic", "plan__clinic", "patient__merged_into"))
    row = find(rows.select_related("patient__merged_into", "clinic", *above), request.actor, pk=key)
    look(request, kind, row.patient.person)
    return row
