"""Hot queries are served by the index that was made for them; their plans are asserted."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from charting.models import ClinicalNote, Finding, PerioExam
from clinic.models import AccessEvent, DiagnosisCode, Document, MedicalHistory, Notification, OnceKey, StoredFile
from milestones.models import (
    Adjustment,
    Approval,
    Comment,
    Evidence,
    Milestone,
    MilestoneAlert,
    NewsMessage,
    Task,
    TaskUpdate,
)
from scheduling import conflicts, slots
from scheduling.models import Appointment, Block, ProviderTime, Reminder, TimeWish, VisitStep
from treatment.models import Goal, GoalProgress, PlanReview, Procedure, TreatmentPlan


def plan(rows):
    """The plan, with sequential scans made unattractive on PostgreSQL, because the tables of a test are small."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    return rows.explain()


@pytest.fixture
def day(cast):
    start = slots.midnight(cast.clinic.today(), cast.clinic.zone)
    return start, start + timedelta(days=1)


def queries(cast, day):
    clinic, now = cast.clinic, timezone.now()
    return {
        "scheduling_appointment_day": Appointment.objects.visible_to(cast.desk).between(*day).order_by("starts_at"),
        "scheduling_appointment_of_pat": Appointment.objects.visible_to(cast.desk).of(cast.ada).filter(
            starts_at__gte=now
        ).in_order()[:4],
        "clinic_medicalhistory_newest": MedicalHistory.objects.filter(patient=cast.ada).order_by("-number")[:1],
        "charting_finding_of_patient": Finding.objects.visible_to(cast.dentist).of(cast.ada).in_force(),
        "charting_perioexam_of_patient": PerioExam.objects.visible_to(cast.dentist).of(cast.ada)[:20],
        "charting_note_of_patient": ClinicalNote.objects.visible_to(cast.dentist).of(cast.ada).newest_first()[:31],
        "charting_note_unsigned": ClinicalNote.objects.unsigned_by(cast.dentist)[:100],
        "charting_note_to_cosign": ClinicalNote.objects.to_cosign_by(cast.dentist)[:100],
        "clinic_document_of_patient": Document.objects.visible_to(cast.desk).of(cast.ada).current()[:25],
        "clinic_storedfile_one_picture_of_a_use": StoredFile.objects.visible_to(cast.desk).filter(
            drawn_from__in=[cast.ada.pk], use="thumbnail"
        ),
        "clinic_notification_unread": Notification.objects.visible_to(cast.desk).unread().order_by("created_at"),
        "clinic_notification_of_user": Notification.objects.visible_to(cast.desk)[:50],
        "scheduling_reminder_due": Reminder.objects.due(now)[:100],
        "scheduling_reminder_ahead": Reminder.objects.filter(clinic=clinic, visit_at__gt=now, visit_at__lt=day[1]),
        "scheduling_timewish_ahead": TimeWish.objects.filter(clinic=clinic, visit_at__gte=now),
        "clinic_accessevent_of_patient": AccessEvent.objects.visible_to(cast.desk).of(cast.ada).order_by("-id")[:50],
        "clinic_accessevent_of_user": AccessEvent.objects.filter(by=cast.desk.user).order_by("-at")[:50],
        "clinic_accessevent_of_clinic": AccessEvent.objects.filter(clinic=clinic).order_by("-at")[:50],
        "scheduling_providertime_day": ProviderTime.objects.filter(
            clinic=clinic, starts_at__lt=day[1], starts_at__gte=day[0]
        ),
        "scheduling_visitstep_of_visit": VisitStep.objects.filter(appointment=cast.ada.pk).order_by("at"),
        "scheduling_block_by_start": Block.objects.filter(clinic=clinic, starts_at__lt=day[1], starts_at__gte=day[0]),
        "clinic_patient_by_name": cast.ada.__class__.objects.filter(clinic=clinic).order_by(
            "last_key", "first_key", "id"
        )[:50],
        "clinic_diagnosiscode_since": DiagnosisCode.objects.order_by("effective_from")[:1],
        "clinic_diagnosiscode_release": DiagnosisCode.objects.order_by("-release")[:1],
        "treatment_plan_of_patient": TreatmentPlan.objects.visible_to(cast.dentist).of(cast.ada).newest_first()[:50],
        "treatment_plan_review": TreatmentPlan.objects.filter(clinic=clinic).with_review("overdue", clinic.today()),
        "treatment_procedure_of_patient": Procedure.objects.visible_to(cast.dentist).of(cast.ada).open(),
        "treatment_procedure_open": Procedure.objects.visible_to(cast.desk).unscheduled().order_by("created_at", "id"),
        "treatment_goal_of_patient": Goal.objects.visible_to(cast.dentist).of(cast.ada).open(),
        "treatment_goalprogress_latest": GoalProgress.objects.filter(goal=cast.ada.pk, rating__isnull=False).order_by(
            "-at", "-id"
        )[:1],
        "treatment_planreview_latest": PlanReview.objects.filter(plan=cast.ada.pk).order_by("-review_date", "-id")[:1],
        "milestones_alert_of_milestone": MilestoneAlert.objects.filter(
            milestone=cast.ada.pk, stage="overdue", due_on=clinic.today(), told_on__gt=clinic.today()),
        "milestones_message_of_mile": NewsMessage.objects.filter(milestone=cast.ada.pk, kind="overdue", due_on=clinic.today()),
        "milestones_newsmessage_due": NewsMessage.objects.due(now)[:100],
        "milestones_adjustment_of_plan": Adjustment.objects.filter(plan=cast.ada.pk).newest_first()[:1],
        "milestones_milestone_due": Milestone.objects.visible_to(cast.desk).overdue(clinic.today())[:50],
        "milestones_milestone_of_plan": Milestone.objects.filter(plan=cast.ada.pk).in_order(),
        "milestones_milestone_of_pat": Milestone.objects.visible_to(cast.desk).of(cast.ada).filter(status="PENDING"),
        "milestones_task_due": Task.objects.visible_to(cast.desk).overdue(clinic.today())[:50],
        "milestones_task_of_assignee": Task.objects.visible_to(cast.desk).of_assignee(cast.desk.user)[:50],
        "milestones_task_of_milestone": Task.objects.filter(milestone=cast.ada.pk).in_order(),
        "milestones_taskupdate_waits": TaskUpdate.objects.visible_to(cast.dentist).pending().order_by("created_at")[:50],
        "milestones_evidence_of_mile": Evidence.objects.filter(milestone=cast.ada.pk).in_order(),
        "milestones_comment_of_mile": Comment.objects.filter(milestone=cast.ada.pk).order_by("-at")[:50],
        "milestones_approval_latest": Approval.objects.filter(milestone=cast.ada.pk).newest_first()[:1],
        "clinic_oncekey_created_at": OnceKey.objects.filter(created_at__lt=now),
        "scheduling_appointment_of_op": conflicts.chairs_taken([visit_of(cast, now)]),
        "scheduling_providertime_of": conflicts.minutes_taken(spans_of(visit_of(cast, now))),
    }


def visit_of(cast, now):
    """A visit that is about to be booked: what stands in its way is asked of every booking."""
    visit = Appointment(
        clinic=cast.clinic,
        patient=cast.ada,
        operatory=cast.operatories[0],
        provider=cast.drill,
        appointment_type=cast.exam,
        starts_at=now,
        ends_at=now + timedelta(minutes=30),
        parts=[[str(cast.drill.pk), 0, 30]],
    )
    visit._set_chair_time()
    return visit


def spans_of(visit):
    return [(visit, *span) for span in visit.provider_spans()]


def test_what_stands_in_the_way_of_a_booking_is_bounded_on_both_sides(cast):
    """An index by start alone would read the whole past of a chair or a provider: none may be looked at without a bound."""
    visit = visit_of(cast, timezone.now())
    for rows, start in (
        (conflicts.chairs_taken([visit]), "chair_starts_at"),
        (conflicts.minutes_taken(spans_of(visit)), "starts_at"),
    ):
        where = str(rows.query).partition("WHERE")[2]
        assert re.search(rf'"{start}" > ', where), where
        assert re.search(rf'"{start}" < ', where), where


def test_each_hot_query_uses_its_index(cast, day, subtests):
    for name, rows in queries(cast, day).items():
        with subtests.test(name):
            how = plan(rows)
            # In a small table PostgreSQL may prefer another index that fits as well; none may read the whole table.
            assert name in how if connection.vendor == "sqlite" else "Index" in how
            assert "Seq Scan" not in how


def test_the_change_token_of_a_day_is_one_indexed_query(cast, day, django_assert_num_queries):
    rows = Appointment.objects.visible_to(cast.desk).between(*day)
    with django_assert_num_queries(1):
        rows.change_token()
