"""Who is told of what comes up and what is overdue: once, then weekly, by the clinic's own date, and nobody who wants peace."""
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.db.records import record_bulk
from clinic.models import Notification
from milestones.models import Milestone, MilestoneAlert, MilestoneSnooze
from milestones.models.alert import AHEAD
from treatment.models import TreatmentPlan


def at(today, days, clinic):
    return datetime.combine(today + timedelta(days=days), datetime.min.time(), clinic.zone) + timedelta(hours=9)


def told(cast, kind):
    """The roles that were told of this kind, each as often as it was told."""
    return sorted(user.email.split("@")[0] for user in (
        row.user for row in Notification.objects.filter(clinic=cast.clinic, kind=kind).select_related("user")))


def test_what_comes_up_is_told_once_to_provider_and_coordinators(cast, due, today):
    due(14)
    due(15)
    assert [MilestoneAlert.write_due() for _ in range(3)] == [1, 0, 0]
    assert told(cast, "milestone_upcoming") == ["coordinator", "dentist"]
    assert Notification.objects.filter(url="/milestones/due/").count() == 2


def test_what_is_overdue_is_told_at_once_then_weekly_and_after_30_days_to_the_manager(cast, due, today):
    row = due(-1)
    days = [day for day in range(45) if MilestoneAlert.write_due(at(today, day, cast.clinic))]
    assert days == [0, 7, 14, 21, 28, 35, 42]
    assert list(row.alerts.order_by("told_on").values_list("period", flat=True)) == [0, 1, 2, 3, 4, 5, 6]
    assert told(cast, "milestone_overdue").count("manager") == 2  # on the days 35 and 42: it is overdue for 36 and 43 days
    assert told(cast, "milestone_overdue").count("dentist") == 7


def test_after_days_without_a_run_it_is_told_once_as_it_stands(cast, due, today):
    due(-1)
    assert MilestoneAlert.write_due(at(today, 60, cast.clinic)) == 1
    assert MilestoneAlert.objects.get().period == 8


@pytest.mark.parametrize("change", [
    lambda row, by: row.achieve(by=by), lambda row, by: row.cancel(by=by, because="x"), lambda row, by: row.withdraw(by=by),
    lambda row, by: row.defer(by=by, because="x"), lambda row, by: row.plan.discontinue(by=by)])
def test_what_is_no_longer_open_alerts_nobody(cast, due, change):
    change(due(-1), cast.dentist)
    assert MilestoneAlert.write_due() == 0


def test_another_day_begins_everything_anew(cast, due, today):
    row = due(-1)
    MilestoneAlert.write_due()
    row.revise(by=cast.dentist, target_date=today - timedelta(days=2))
    assert MilestoneAlert.write_due() == 1


def test_who_snoozes_hears_nothing_until_that_day_and_the_others_do(cast, due, today, sign_in):
    row = due(-1)
    client = sign_in("coordinator")
    assert client.post(f"/milestones/{row.pk}/snooze/", {"until": "+10d"}).status_code == 302
    assert "silent until" in client.get("/milestones/due/").content.decode()
    MilestoneAlert.write_due()
    assert told(cast, "milestone_overdue") == ["dentist"]
    MilestoneAlert.write_due(at(today, 14, cast.clinic))
    assert told(cast, "milestone_overdue") == ["coordinator", "dentist", "dentist"]
    for days in (-1, 0, 61):
        with pytest.raises(ValidationError):
            MilestoneSnooze.sleep(by=cast.dentist, milestone=row, until=today + timedelta(days=days))
    MilestoneSnooze.sleep(by=cast.dentist, milestone=row, until=today + timedelta(days=5))
    MilestoneSnooze.sleep(by=cast.dentist, milestone=row, until=today + timedelta(days=6))
    assert MilestoneSnooze.objects.filter(user=cast.dentist.user).count() == 1


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York", "Australia/Lord_Howe"])
def test_it_becomes_overdue_at_the_clinics_own_midnight(cast, quiet, zone):
    cast.clinic.change(by=cast.manager, time_zone=zone)
    quiet.refresh_from_db()
    clinic = type(cast.clinic).objects.get(pk=cast.clinic.pk)
    day = clinic.today() + timedelta(days=3)
    Milestone.add(by=cast.dentist, plan=quiet, name="x", target_date=day)
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), clinic.zone)
    MilestoneAlert.write_due(midnight - timedelta(seconds=1))
    assert not MilestoneAlert.objects.filter(stage="overdue").exists()
    MilestoneAlert.write_due(midnight)
    assert MilestoneAlert.objects.filter(stage="overdue").count() == 1


def test_the_database_holds_an_alert_once(cast, due, today):
    row = due(-1)
    MilestoneAlert.write_due()
    there = MilestoneAlert.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        MilestoneAlert.objects.create(
            clinic=cast.clinic, patient=row.patient, milestone=row, due_on=there.due_on, stage="overdue", period=there.period,
            told_on=today, at=timezone.now())


def test_a_sweep_asks_two_questions_for_each_thousand_and_tells_everybody_once(cast, quiet, today):
    counts = []
    for count in (1000, 3000):
        record_bulk([Milestone(
            clinic=cast.clinic, plan=quiet, patient=quiet.patient, name=f"Row {number}", sequence=number + 1,
            target_date=today - timedelta(days=1)) for number in range(count)], by=cast.dentist, because="A sweep")
        with CaptureQueriesContext(connection) as asked:
            assert MilestoneAlert.write_due() == count
        counts.append(len(asked))
    assert counts[1] - counts[0] == 2 * 2
    assert counts[0] < 25
    assert told(cast, "milestone_overdue") == ["coordinator"] * 2 + ["dentist"] * 2


def test_the_list_is_filtered_and_counted_on_the_work_page(cast, due, quiet, sign_in, draw_up):
    due(-3)
    due(5)
    due(AHEAD.days + 1)
    client = sign_in("receptionist")
    page = client.get("/milestones/due/").content.decode()
    assert "Due -3" in page
    assert "Due 5" in page
    assert "Due 15" not in page
    assert "Due -3" not in client.get(f"/milestones/due/?provider={cast.holly.pk}").content.decode()
    assert "Due -3" in client.get(f"/milestones/due/?provider={cast.drill.pk}&type=GENERAL").content.decode()
    assert client.get("/milestones/due/?provider=nonsense").status_code == 404
    assert "Overdue milestones" in client.get("/queues/").content.decode()


def test_the_list_costs_the_same_with_one_and_with_thirty(cast, due, sign_in):
    due(-1)
    client, counts = sign_in("manager"), []
    for number in range(2):
        client.get("/milestones/due/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/milestones/due/")
        counts.append(len(asked))
        if not number:
            for day in range(2, 31):
                due(-day)
    assert counts[0] == counts[1]


def test_a_running_plan_of_another_clinic_alerts_nobody_here(cast):
    other = cast.outsider
    plan = TreatmentPlan.draw_up(
        by=other.dentist, patient=other.ada, title="x", provider=other.drill, start_date=other.clinic.today()).activate(
        by=other.dentist)
    Milestone.add(by=other.dentist, plan=plan, name="x", target_date=other.clinic.today() - timedelta(days=1))
    MilestoneAlert.write_due()
    assert not Notification.objects.filter(clinic=cast.clinic, kind="milestone_overdue").exists()
