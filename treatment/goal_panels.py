"""What goals and reviews show on pages of other apps."""
from django.urls import reverse

from clinic import hooks
from clinic.access.rules import may
from clinic.audit.changes import changes_of
from clinic.db.records import person
from clinic.panels import Change, HeaderAction, Queue, some
from scheduling.hooks import visit_actions
from treatment.models import (
    Goal,
    GoalIntervention,
    GoalProgress,
    PlanReview,
    SessionIntervention,
    TreatmentPlan,
)


@visit_actions.add
def interventions_of_visit(actor, visit):
    """Where what was used in a visit is ticked, for who writes a running plan of the patient's; one query."""
    if not may(actor, "treatment.write_plan"):
        return []
    serving = GoalIntervention.objects.visible_to(actor).serving().filter(
        goal__plan__in=TreatmentPlan.objects.of(visit.person).written_by(actor).filter(status__in=TreatmentPlan.LIVE))
    if not serving.exists():
        return []
    return [HeaderAction("Interventions used", reverse("treatment:used", args=[visit.pk]), "list-checks", "u")]


@hooks.practice_links.add
def library_link(actor):
    if actor.hat != "staff" or not may(actor, "treatment.view_plan"):
        return []
    return [HeaderAction("Interventions", reverse("treatment:interventions"), "library")]


@hooks.work_queues.add
def plans_to_review(actor):
    """The actor's plans whose review comes up or is late, a manager's whole clinic; two queries."""
    if not may(actor, "treatment.write_plan"):
        return []
    today = actor.clinic.today()
    rows = TreatmentPlan.objects.visible_to(actor).to_review(actor, today)
    late = some(rows.filter(next_review_date__lt=today))
    said = f"{late if late < 100 else '100 or more'} overdue." if late else "Reviews of the next seven days."
    return [Queue(
        "Plans to review", some(rows), reverse("treatment:to_review"), said, bool(late))]


@hooks.record_sections.add
def goal_changes(actor, patient):
    """Every change of the patient's goals and of what serves them; what was written of them and the reviews, without the texts."""
    if not may(actor, "treatment.view_plan"):
        return []
    of_patient = {"patient__in": person(Goal, patient), "clinic": actor.clinic_id}
    goals = list(Goal.history.filter(**of_patient).select_related("clinic"))
    servings = list(GoalIntervention.history.filter(**of_patient).select_related("clinic"))
    sessions = list(SessionIntervention.history.filter(**of_patient).select_related("clinic"))
    names = GoalIntervention.objects.of(patient).filter(clinic=actor.clinic_id).names()
    changes = changes_of(Goal, goals, lambda row: f"Goal {row.description[:80]}")
    changes += changes_of(GoalIntervention, servings, lambda row: f"Intervention {names[row.id]}", spelled=False)
    changes += changes_of(
        SessionIntervention, sessions, lambda row: f"{names[row.goal_intervention_id]} in a visit", spelled=False)
    entries = GoalProgress.objects.visible_to(actor).of(patient).select_related("by", "goal").defer("progress_note")
    reviews = PlanReview.objects.visible_to(actor).of(patient).select_related("by", "plan").defer("summary", "modifications_made")
    told = [(row, f"Progress of {row.goal}{f': {row.rating} of 10' if row.rating else ''}") for row in entries]
    told += [(row, f"Review of {row.plan}") for row in reviews]
    return changes + [Change(row.at, str(row.by or ""), "", what, "", [], row.pk) for row, what in told]
