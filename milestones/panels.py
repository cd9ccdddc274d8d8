"""What milestones show on pages of other apps."""
from django.db.models import Q
from django.urls import reverse

from clinic import hooks
from clinic.access.rules import may
from clinic.audit.changes import changes_of, named
from clinic.db.records import person
from clinic.panels import Change, HeaderAction, HeaderFact, HeaderTab, Panel, Queue, some
from milestones.adjustments import plan_of
from milestones.health import State, endangered
from milestones.models import (
    Adjustment,
    Approval,
    Comment,
    Evidence,
    Milestone,
    MilestoneNews,
    Task,
    TaskUpdate,
    TimeEntry,
    TimeWithdrawal,
)
from milestones.models.alert import AHEAD
from milestones.sheet import TONES, MilestoneSheet
from scheduling.hooks import visit_actions
from treatment.hooks import part_facts, plan_panels
from treatment.models import TreatmentPlan


@hooks.header_facts.add
def milestones_tab(actor, patient):
    if not may(actor, "treatment.view_plan"):
        return []
    return [HeaderTab("Milestones", "milestones", reverse("milestones:of_patient", args=[patient.pk]), "g m")]


@hooks.patient_panels.add
def milestones_panel(actor, patient):
    """How far the running plans have come; it loads itself."""
    if not may(actor, "treatment.view_plan"):
        return None
    return Panel("Milestones", "milestones/_panel_link.html", {"patient": patient})


@plan_panels.add
def milestones_of_plan(actor, plan):
    """The course of a plan on its own page; nothing before it has milestones."""
    if not may(actor, "treatment.view_plan"):
        return None
    sheet = MilestoneSheet(actor, plan)
    if not sheet.milestones and plan.status not in TreatmentPlan.REVIEWED:
        return None
    return Panel("Milestones", "milestones/_of_plan.html", {"sheet": sheet})


@part_facts.add
def milestones_of_parts(plan):
    """{key of a phase or a goal: the milestones that point to it}; one query."""
    found = {}
    for row in plan.milestones.in_force().in_order().filter(Q(phase__isnull=False) | Q(goal__isnull=False)):
        fact = HeaderFact(row.name, row.get_status_display(), reverse("milestones:milestone", args=[row.pk]), TONES[row.status])
        for part in filter(None, (row.phase_id, row.goal_id)):
            found.setdefault(part, []).append(fact)
    return found


@visit_actions.add
def adjustment_of_visit(actor, visit):
    """The card of an orthodontic patient's visit; one query."""
    if not may(actor, "milestone.write_card") or not visit.holds_time or plan_of(actor, visit.person) is None:
        return []
    return [HeaderAction("Adjustment card", reverse("milestones:adjustment", args=[visit.pk]), "wrench", "d")]


@hooks.work_queues.add
def milestone_queues(actor):
    """What is past its day, what waits for a patient's approval, what this actor is to do or to look at, and plans that are late or
    at risk; eleven queries at most."""
    if not may(actor, "treatment.view_plan"):
        return []
    today, rows = actor.clinic.today(), Milestone.objects.visible_to(actor)
    tasks = Task.objects.visible_to(actor).of_assignee(actor.user)
    late, soon, waits, own, own_late = (some(part) for part in (
        rows.overdue(today), rows.upcoming(today, today + AHEAD), rows.awaiting_approval(), tasks, tasks.overdue(today)))
    plans = endangered(TreatmentPlan.objects.visible_to(actor).select_related("patient__merged_into"), today)
    in_time = sum(health.state != State.LATE for _, health in plans)
    found = [
        Queue("Plans at risk", len(plans), reverse("milestones:at_risk"),
              f"{len(plans) - in_time} of them late." if plans else "", len(plans) > in_time),
        Queue("Overdue milestones", late, reverse("milestones:due"), f"{soon} more come up within two weeks.", bool(late)),
        Queue("Approvals waiting", waits, reverse("milestones:waiting"), "Milestones that lack nothing but the patient's word."),
        Queue("My tasks", own, reverse("milestones:own_tasks"), f"{own_late} of them late." if own_late else "", bool(own_late))]
    if may(actor, "treatment.write_plan"):
        told = some(TaskUpdate.objects.to_review(actor))
        found.append(Queue(
            "Updates to review", told, reverse("milestones:to_review"), "What was told of tasks of plans that you write."))
    return found


@hooks.practice_links.add
def milestone_rates(actor):
    if not may(actor, "treatment.view_plan"):
        return []
    return [HeaderAction("Milestone rates", reverse("milestones:rates"), "flag")]


@hooks.record_sections.add
def milestone_changes(actor, patient):
    """Every change of the milestones of the patient's plans."""
    if not may(actor, "treatment.view_plan"):
        return []
    rows = Milestone.history.filter(patient__in=person(Milestone, patient), clinic=actor.clinic_id)
    return changes_of(Milestone, list(rows), lambda row: f"Milestone {row.name}")


@hooks.record_sections.add
def work_changes(actor, patient):
    """Every change of tasks, of what was told of them, of evidence, of adjustment cards and of what the patient is told; and what
    was said, decided and spent on milestones."""
    if not may(actor, "treatment.view_plan"):
        return []
    of_patient = {"patient__in": person(Task, patient), "clinic": actor.clinic_id}
    tasks = list(Task.history.filter(**of_patient))
    titles = {row.id: row.title for row in tasks}
    changes = changes_of(Task, tasks, lambda row: f"Task {row.title}")
    changes += changes_of(
        TaskUpdate, list(TaskUpdate.history.filter(**of_patient)), lambda row: f"Update of task {titles.get(row.task_id, '')}")
    changes += changes_of(
        Adjustment, list(Adjustment.history.filter(**of_patient)), lambda row: f"Adjustment of {row.seen_on:%Y-%m-%d}")
    changes += changes_of(
        MilestoneNews, list(MilestoneNews.history.filter(**of_patient)), lambda row: "Milestone news to the patient")
    changes += changes_of(Evidence, list(Evidence.history.filter(**of_patient)), lambda row: f"Evidence {row.title}")
    told = {
        Comment: lambda row: f"Comment on {row.milestone}", TimeEntry: lambda row: f"{row.minutes} minutes on task {row.task}",
        TimeWithdrawal: lambda row: f"{row.entry.minutes} minutes on task {row.entry.task} taken back: {row.because}",
        Approval: lambda row: f"{row.get_decision_display()}: {row.milestone}"}
    return changes + [
        Change(row.at, str(row.by or ""), "", said(row), "", [], row.pk)
        for model, said in told.items() for row in named(model).filter(**of_patient).select_related("by")]
