from django.urls import path

from milestones.views import adjustments, due, milestones, report, work

app_name = "milestones"
urlpatterns = [
    path("patients/<uuid:patient_id>/milestones/", milestones.of_patient, name="of_patient"),
    path("patients/<uuid:patient_id>/milestones/panel/", milestones.panel, name="panel"),
    path("plans/<uuid:plan_id>/milestones/", milestones.of_plan, name="of_plan"),
    path("plans/<uuid:plan_id>/milestones/changes/", milestones.changes, name="changes"),
    path("plans/<uuid:plan_id>/milestones/new/", milestones.milestone_new, name="milestone_new"),
    path("plans/<uuid:plan_id>/milestones/order/", milestones.reorder, name="reorder"),
    path("plans/<uuid:plan_id>/milestones/shift/", milestones.shift, name="shift"),
    path("milestones/due/", due.due, name="due"),
    path("milestones/rates/", report.report, name="rates"),
    path("milestones/waiting/", due.waiting, name="waiting"),
    path("tasks/mine/", due.own_tasks, name="own_tasks"),
    path("milestones/to-review/", due.to_review, name="to_review"),
    path("milestones/<uuid:milestone_id>/snooze/", due.snooze, name="snooze"),
    path("milestones/<uuid:milestone_id>/", milestones.milestone, name="milestone"),
    path("milestones/<uuid:milestone_id>/edit/", milestones.milestone_edit, name="milestone_edit"),
    path("milestones/<uuid:milestone_id>/withdraw/", milestones.withdraw, name="withdraw"),
    path("milestones/<uuid:milestone_id>/steps/<slug:step_name>/", milestones.step, name="step"),
    path("milestones/<uuid:milestone_id>/tasks/", work.task_new, name="task_new"),
    path("milestones/<uuid:milestone_id>/evidence/", work.evidence_new, name="evidence_new"),
    path("milestones/<uuid:milestone_id>/evidence/confirm/", work.evidence_confirm, name="evidence_confirm"),
    path("milestones/<uuid:milestone_id>/comments/", work.comment_new, name="comment_new"),
    path("visits/<uuid:visit_id>/adjustment/", adjustments.adjustment, name="adjustment"),
    path("tasks/<uuid:task_id>/", work.task_edit, name="task_edit"),
    path("tasks/<uuid:task_id>/steps/<slug:step_name>/", work.task_step, name="task_step"),
    path("tasks/<uuid:task_id>/updates/", work.update_new, name="update_new"),
    path("tasks/<uuid:task_id>/time/", work.time_new, name="time_new"),
    path("task-updates/<uuid:update_id>/review/", work.update_review, name="update_review"),
    path("evidence/<uuid:evidence_id>/file/", work.evidence_file, name="evidence_file"),
    path("evidence/<uuid:evidence_id>/withdraw/", work.evidence_withdraw, name="evidence_withdraw"),
]
