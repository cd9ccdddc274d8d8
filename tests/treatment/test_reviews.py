"""Reviews: held with what changed, reminded of by stages, each once, also after days without the job and with two workers."""

from datetime import datetime, time, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import Schedule

from clinic.models import Notification
from clinic.panels import Queue
from config import schedules
from tests.factories import PatientFactory
from treatment.differences import differences
from treatment.goal_panels import plans_to_review
from treatment.models import CareTeamMember, Goal, GoalIntervention, Intervention, PlanReview, ReviewReminder
from treatment.tasks import write_review_reminders

FIRST = "2026-12-01"  # the plan's start; its review is on 1 March


@pytest.fixture
def on(cast):
    """`on(-7)`: at noon, so many days after the day of the first review."""

    def travel(days):
        day = datetime.fromisoformat(FIRST).date() + timedelta(days=90 + days)
        return time_machine.travel(datetime.combine(day, time(12), tzinfo=cast.clinic.zone), tick=False)

    return travel


@pytest.fixture
def running(cast, draw_up, on):
    """An active plan that began on FIRST, with the hygienist as a reader of its care team."""
    with on(-90):
        plan = draw_up("Calm", start_date=cast.clinic.today()).activate(by=cast.dentist)
        CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("hygienist"))
    return plan


def told():
    """[(kind, who)] of all that people were told of reviews, in the order of telling."""
    rows = Notification.objects.filter(kind__startswith="review_").order_by("created_at", "user__email")
    return [(row.kind.removeprefix("review_"), row.user.email.split("@")[0]) for row in rows]


def run(on, *days):
    for day in days:
        with on(day):
            write_review_reminders()


UPCOMING = [("upcoming", "dentist")]
DUE = [("due", "dentist"), ("due", "hygienist")]
OVERDUE = [("overdue", "dentist"), ("overdue", "manager")]


def test_each_stage_is_told_once_to_whom_it_concerns(running, on):
    run(on, -8)
    assert told() == []
    run(on, -7, -7, -6, -1)
    assert told() == UPCOMING
    run(on, 0, 0)
    assert told() == UPCOMING + DUE
    run(on, 1, 1, 2, 30, 400)
    assert told() == UPCOMING + DUE + OVERDUE


@pytest.mark.parametrize(("days", "expected"), [
    ((-8, 2), OVERDUE),  # ten days without the job: only where it stands now
    ((-8, -3), UPCOMING),
    ((-9, 0), DUE),
    ((-7, 5), UPCOMING + OVERDUE),
])  # fmt: skip
def test_after_days_without_the_job_only_the_stage_that_holds_is_told(running, on, days, expected):
    run(on, *days)
    assert told() == expected


def test_a_clock_that_jumps_back_tells_nothing_again(running, on):
    run(on, -7, 0, 1, -7, 0, 1)
    assert told() == UPCOMING + DUE + OVERDUE
    assert ReviewReminder.objects.count() == 3


def test_a_review_begins_a_new_cycle(cast, running, on):
    run(on, -7, 0, 3)
    with on(4):
        PlanReview.hold(by=cast.dentist, plan=running, summary="Goes well")
    run(on, 4, 5)
    assert told() == UPCOMING + DUE + OVERDUE
    run(on, 94 - 7, 94, 95)
    assert told() == (UPCOMING + DUE + OVERDUE) * 2


@pytest.mark.parametrize("step", ["complete", "discontinue"])
def test_a_plan_that_is_over_reminds_nobody(cast, running, on, step):
    with on(-20):
        getattr(running, step)(by=cast.dentist)
    run(on, -7, 0, 1)
    assert told() == []


def test_a_draft_reminds_nobody_and_a_held_plan_goes_on(cast, draw_up, on):
    with on(-90):
        draw_up("Draft", start_date=cast.clinic.today())
        draw_up("Rests", start_date=cast.clinic.today()).activate(by=cast.dentist).hold(by=cast.dentist)
    run(on, -7)
    assert told() == UPCOMING


def test_who_left_the_practice_is_told_nothing(cast, running, on):
    with on(-1):
        cast.user("hygienist").memberships.get().end(by=cast.manager, because="Left")
    run(on, 0)
    assert told() == [("due", "dentist")]


def test_another_clinics_manager_is_told_nothing(cast, running, on):
    run(on, 1)
    assert not Notification.objects.filter(clinic=cast.outsider.clinic).exclude(kind="message_failed").exists()


def test_the_notice_leads_to_the_reviews_and_names_nobody(running, on, sign_in):
    run(on, 0)
    notice = Notification.objects.filter(kind="review_due").first()
    assert "Lovelace" not in notice.sentence
    assert "Urgent" in notice.sentence
    assert sign_in("dentist").get(notice.url).status_code == 200


def test_the_queries_of_the_job_do_not_grow_with_what_was_told(cast, draw_up, on, running):
    run(on, 1)
    with on(2), CaptureQueriesContext(connection) as few:
        write_review_reminders()
    with on(-90):
        for number in range(8):
            draw_up(f"Plan {number}", start_date=cast.clinic.today(), treatment_type="BEHAVIORAL" if number else "GENERAL").present(
                by=cast.dentist).accept(by=cast.dentist)  # fmt: skip
    for plan in type(running).objects.filter(status="accepted")[:1]:
        plan.activate(by=cast.dentist)
    run(on, 2)
    with on(3), CaptureQueriesContext(connection) as many:
        write_review_reminders()
    assert len(many) == len(few)


def test_the_same_reminder_cannot_be_written_twice(cast, running):
    row = {"clinic": cast.clinic, "plan": running, "review_date": running.next_review_date, "stage": "due"}
    ReviewReminder.objects.create(**row)
    with pytest.raises(IntegrityError, match="treatment_reviewreminder"), transaction.atomic():
        ReviewReminder.objects.create(**row)
    with pytest.raises(IntegrityError, match="known_stage"), transaction.atomic():
        ReviewReminder.objects.create(**row | {"stage": "later"})


def test_the_job_is_laid_to_run_each_hour(db):
    schedules.lay()
    assert Schedule.objects.get(func="treatment.tasks.write_review_reminders").minutes == 60


# The Work page


def queue(actor):
    return next(each for each in plans_to_review(actor) if isinstance(each, Queue))


def test_the_work_page_counts_own_plans_and_for_the_manager_all(cast, running, on):
    with on(-8):
        assert queue(cast.dentist).count == 0
    with on(-7):
        assert (queue(cast.dentist).count, queue(cast.dentist).is_late) == (1, False)
        assert queue(cast.hygienist).count == 0  # reads
        assert queue(cast.manager).count == 1
    with on(1):
        assert queue(cast.dentist).is_late
    assert plans_to_review(cast.desk) == []


def test_the_list_shows_how_late_a_review_is(running, on, sign_in):
    with on(3):
        page = sign_in("dentist").get("/plans/to-review/").content.decode()
    assert "3 days overdue" in page
    assert "Calm" in page


def test_the_list_costs_the_same_with_one_and_with_thirty(cast, draw_up, on, running, sign_in):
    def asked():
        with on(1):
            client = sign_in("manager")
            client.get("/plans/to-review/")
            with CaptureQueriesContext(connection) as queries:
                assert client.get("/plans/to-review/").status_code == 200
        return len(queries)

    few = asked()
    with on(-90):
        for number in range(29):
            patient = PatientFactory(by=cast.desk)
            draw_up(f"Plan {number}", patient=patient, start_date=cast.clinic.today()).activate(by=cast.dentist)
    assert asked() <= few + 1  # the other patients' looks are written in one more


# Holding one


@pytest.fixture
def client(sign_in):
    return sign_in("dentist")


def test_a_review_by_the_page_counts_the_goals_and_shows_what_changed(cast, client, care, goal):
    top = goal(description="Sleep", target_value="6 hours")
    PlanReview.hold(by=cast.dentist, plan=care, summary="Begun")
    top.revise(by=cast.dentist, target_value="8 hours")
    goal("short_term", parent=top, description="No coffee after noon", status="achieved")
    path = f"/plans/{care.pk}/reviews/new/"
    page = client.get(path).content.decode()
    assert "6 hours" in page
    assert "8 hours" in page
    assert "No coffee after noon" in page
    form = client.get(path).context["form"]
    assert (form.initial["goals_reviewed"], form.initial["goals_on_track"]) == (2, 2)
    assert "Added: Goal “No coffee after noon”" in form.initial["modifications_made"]
    answer = client.post(path, {
        "summary": "Better", "goals_reviewed": 2, "goals_on_track": 1, "review_date": "today", "modifications_made": "Less coffee",
        "next_review_date": "+30d", "once": "a-key-of-this-form"})  # fmt: skip
    assert answer.status_code == 302
    held = care.reviews.first()
    today = cast.clinic.today()
    assert (held.summary, held.goals_on_track, held.next_review_date) == ("Better", 1, today + timedelta(days=30))
    care.refresh_from_db()
    assert care.next_review_date == today + timedelta(days=30)
    assert "Less coffee" in client.get(f"/plans/{care.pk}/reviews/").content.decode()


@pytest.mark.parametrize(("field", "value"), [
    ("summary", ""), ("goals_on_track", 3), ("review_date", "tomorrow"), ("next_review_date", "today"),
    ("review_date", "nonsense")])  # fmt: skip
def test_a_review_that_makes_no_sense_is_asked_again(client, care, field, value):
    sent = {"summary": "x", "goals_reviewed": 2, "goals_on_track": 1, "review_date": "today", "next_review_date": "+30d"}
    answer = client.post(f"/plans/{care.pk}/reviews/new/", sent | {field: value})
    assert answer.status_code == 422
    assert not care.reviews.exists()


def test_a_reader_holds_no_review(cast, care, sign_in):
    sent = {"summary": "x", "goals_reviewed": 0, "goals_on_track": 0, "review_date": "today", "next_review_date": "+30d"}
    assert sign_in("hygienist").post(f"/plans/{care.pk}/reviews/new/", sent).status_code == 403
    assert "Hold a review" not in sign_in("hygienist").get(f"/plans/{care.pk}/reviews/").content.decode()
    assert not care.reviews.exists()


def test_differences_name_what_came_went_and_changed(cast, care, goal):
    top = goal(description="Sleep", target_value="6 hours")
    gone = goal(description="Eat at noon")
    before = care.versions.first().content
    top.revise(by=cast.dentist, target_value="8 hours", specific={"what": "Sleep", "who": "Ada"})
    gone.revise(by=cast.dentist, status=Goal.Status.DISCONTINUED)
    goal("short_term", parent=top, description="No coffee")
    GoalIntervention.add(by=cast.dentist, goal=top, intervention=Intervention.objects.get(name="Mindfulness"), frequency="daily")
    care.refresh_from_db()
    care.revise(by=cast.dentist, title="Sleep well")
    found = differences(before, care.versions.first().content)
    assert [(each.sign, each.what) for each in found] == [
        ("~", "The plan"), ("+", "Goal “No coffee”"), ("-", "Goal “Eat at noon”"), ("~", "Goal “Sleep”")]  # fmt: skip
    assert found[0].fields == [("title", "Anxiety Management Plan", "Sleep well")]
    assert found[3].fields == [
        ("target", "6 hours", "8 hours"), ("specific", "", "Sleep; Ada"), ("interventions", "", "Mindfulness daily")]  # fmt: skip
    assert differences(before, before) == []
