"""The pages of milestones: what they show, what they write, what they cost."""
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.db.refusals import NotAllowed
from milestones.models import Milestone
from milestones.sheet import MilestoneSheet
from tests.cast import User
from treatment.models import Goal, Phase

pytestmark = pytest.mark.wide


@pytest.fixture
def drill(sign_in):
    return sign_in("dentist")


def test_each_page_opens_and_the_tab_leads_there(cast, drill, plan, milestone):
    for path in (f"/patients/{cast.ada.pk}/milestones/", f"/patients/{cast.ada.pk}/milestones/panel/",
                 f"/plans/{plan.pk}/milestones/", f"/plans/{plan.pk}/milestones/new/", f"/plans/{plan.pk}/milestones/shift/",
                 f"/milestones/{milestone.pk}/", f"/milestones/{milestone.pk}/edit/"):
        assert drill.get(path).status_code == 200, path
    assert f'href="/patients/{cast.ada.pk}/milestones/"' in drill.get(f"/plans/{plan.pk}/").content.decode()


def test_a_patient_without_milestones_is_told_what_brings_them(cast, drill):
    assert "Activating a plan brings" in drill.get(f"/patients/{cast.ada.pk}/milestones/").content.decode()


def test_the_course_is_drawn_and_the_table_says_the_same(cast, drill, plan, milestone):
    page = drill.get(f"/plans/{plan.pk}/milestones/").content.decode()
    assert 'class="course-chart"' in page
    assert page.count("<tr id=") == plan.milestones.in_force().count()
    assert "0 of 4 achieved" in page
    assert "At risk" in page  # it is a day past its day
    assert "Bite opened" in page


def test_it_moves_by_itself_when_a_colleague_changes_something(cast, drill, plan, milestone):
    page = drill.get(f"/plans/{plan.pk}/milestones/")
    path = f"/plans/{plan.pk}/milestones/changes/?after="
    assert drill.get(path + page.context["token"]).status_code == 204
    milestone.start(by=cast.dentist)
    answer = drill.get(path + page.context["token"])
    assert (answer.status_code, b"In progress" in answer.content) == (200, True)
    assert drill.get(path + answer["X-Change-Token"]).status_code == 204
    plan.revise(by=cast.dentist, target_end_date=plan.start_date + timedelta(days=700))
    assert drill.get(path + answer["X-Change-Token"]).status_code == 200


def test_each_step_is_a_button_and_a_refused_one_says_why_and_keeps_what_was_typed(cast, drill, milestone, today):
    path = f"/milestones/{milestone.pk}/"
    buttons = drill.get(path).content.decode()
    for name in ("Achieve", "Start", "Defer", "Missed", "Cancel it"):
        assert name in buttons
    assert drill.post(f"{path}steps/start/").status_code == 302
    refused = drill.post(f"{path}steps/achieve/", {"on": f"{today + timedelta(days=3):%m/%d/%Y}", "because": "Nearly there"})
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "on a day to come" in page
    assert 'value="Nearly there"' in page
    assert drill.post(f"{path}steps/achieve/", {"on": ""}).status_code == 302
    milestone.refresh_from_db()
    assert (milestone.status, milestone.achieved_date) == ("ACHIEVED", today)
    again = drill.post(f"{path}steps/achieve/", {"on": ""})
    assert (again.status_code, "from there it can" in again.content.decode()) == (422, True)
    assert drill.post(f"{path}steps/explode/").status_code == 404


def test_a_refused_step_opens_its_own_dialog_again_and_no_other(cast, drill, milestone, today):
    earlier = f"{today - timedelta(days=30):%m/%d/%Y}"
    page = drill.post(f"/milestones/{milestone.pk}/steps/defer/", {"on": earlier, "because": "Away"}).content.decode()
    assert re.findall(r'<dialog[^>]* id="([^"]+)"[^>]* data-refused="yes"', page) == ["step-defer"]
    dialogs = dict(re.findall(r'<dialog[^>]* id="step-(\w+)"(.*?)</dialog>', page, re.DOTALL))
    assert [name for name, part in dialogs.items() if 'value="Away"' in part] == ["defer"]
    assert (f'value="{earlier}"' in dialogs["defer"], "field-error" in dialogs["defer"]) == (True, True)
    assert page.count('value="Away"') == 2  # there, and in the form without JavaScript
    assert "data-refused=\"yes\"" not in drill.get(f"/milestones/{milestone.pk}/").content.decode()


def test_who_may_not_take_a_step_gets_no_form_back(drill, milestone, monkeypatch):
    def refuse(*_args, **_named):
        raise NotAllowed("Not yours.")
    monkeypatch.setattr(Milestone, "start", refuse)
    assert drill.post(f"/milestones/{milestone.pk}/steps/start/").status_code == 403


def test_missed_is_offered_only_when_its_day_is_over(cast, drill, put_in, today):
    row = put_in("Later", target_date=today + timedelta(days=9))
    assert "Missed" not in drill.get(f"/milestones/{row.pk}/").content.decode().split('id="milestone"')[1]


def test_deferring_takes_a_day_or_none_and_a_reason(cast, drill, milestone, today):
    path = f"/milestones/{milestone.pk}/steps/defer/"
    assert drill.post(path, {"on": "", "because": ""}).status_code == 422
    later = today + timedelta(days=30)
    assert drill.post(path, {"on": f"{later:%m/%d/%Y}", "because": "Away"}).status_code == 302
    milestone.refresh_from_db()
    assert (milestone.status, milestone.target_date, milestone.status_because) == ("DEFERRED", later, "Away")


def test_one_is_put_in_anywhere_and_changed_and_taken_out(cast, drill, plan, today):
    goal = Goal.set_out(by=cast.dentist, plan=plan, goal_type="long_term", description="Chew again")
    phase = Phase.add(by=cast.dentist, plan=plan, name="Alignment")
    form = {"name": "Records complete", "milestone_type": "CUSTOM", "target_date": f"{today:%m/%d/%Y}", "sequence": "1",
            "phase": str(phase.pk), "goal": str(goal.pk), "charge_amount": "120.50"}
    made = drill.post(f"/plans/{plan.pk}/milestones/new/", form)
    row = Milestone.objects.get(name="Records complete")
    assert made.url == f"/milestones/{row.pk}/"
    assert (row.sequence, row.phase, row.goal, str(row.charge_amount), row.requires_approval) == (1, phase, goal, "120.50", True)
    assert "Records complete" in drill.get(f"/goals/{goal.pk}/").content.decode()
    assert "Records complete" in drill.get(f"/plans/{plan.pk}/").content.decode()
    edited = drill.post(f"/milestones/{row.pk}/edit/", form | {"name": "Records", "version": row.version})
    assert edited.status_code == 302
    assert drill.post(f"/milestones/{row.pk}/withdraw/").status_code == 302
    assert drill.get(f"/milestones/{row.pk}/").status_code == 404


def test_a_bad_amount_or_day_is_asked_again_with_everything_typed(drill, plan):
    answer = drill.post(f"/plans/{plan.pk}/milestones/new/", {
        "name": "Records", "milestone_type": "CUSTOM", "target_date": "someday", "charge_amount": "1e5"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="someday"' in page
    assert 'value="1e5"' in page
    assert not Milestone.objects.filter(name="Records").exists()


def test_of_two_who_change_one_the_second_sees_both(cast, drill, milestone):
    form = {"name": "Mine", "milestone_type": "CUSTOM", "version": milestone.version}
    milestone.revise(by=cast.manager, name="Theirs")
    answer = drill.post(f"/milestones/{milestone.pk}/edit/", form)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Mine" in page
    assert "Theirs" in page


def test_the_order_is_sent_as_it_was_dragged(drill, plan, milestone):
    keys = [str(row.pk) for row in plan.milestones.in_force().in_order()]
    assert drill.post(f"/plans/{plan.pk}/milestones/order/", {"order": ",".join(reversed(keys))}).status_code == 302
    assert [str(row.pk) for row in plan.milestones.in_force().in_order()] == keys[::-1]


def test_changed_dates_offer_to_move_what_is_open_with_a_preview(cast, drill, plan):
    path = f"/plans/{plan.pk}/milestones/"
    assert "can move with them" not in drill.get(path).content.decode()
    plan.revise(by=cast.dentist, start_date=plan.start_date + timedelta(days=60))
    assert "can move with them" in drill.get(path).content.decode()
    assert "can move with them" in drill.get(f"/plans/{plan.pk}/").content.decode()
    page = drill.get(f"{path}shift/")
    shown, seen = page.context["shifts"], page.context["plan"].version
    assert drill.post(f"{path}shift/", {"version": seen - 1}).status_code == 409  # of a preview that nobody sees any more
    assert drill.post(f"{path}shift/", {"version": seen}).status_code == 302
    for each in shown:
        assert Milestone.objects.get(pk=each.milestone.pk).target_date == each.new
    assert "Nothing is to move" in drill.get(f"{path}shift/").content.decode()


@pytest.mark.parametrize("role", ["receptionist", "biller", "assistant"])
def test_who_only_reads_is_offered_nothing_to_write(sign_in, plan, milestone, role):
    client = sign_in(role)
    page = client.get(f"/milestones/{milestone.pk}/").content.decode()
    assert "/steps/" not in page
    assert "data-order" not in page
    assert client.post(f"/milestones/{milestone.pk}/steps/start/").status_code in (403, 422)
    milestone.refresh_from_db()
    assert milestone.status == "PENDING"


def test_a_stranger_finds_nothing_and_the_patient_no_staff_page(cast, sign_in, plan, milestone):
    stranger = Client()
    stranger.force_login(User.objects.get(email="dentist@other.example"))
    for path in (f"/plans/{plan.pk}/milestones/", f"/milestones/{milestone.pk}/", f"/plans/{plan.pk}/milestones/changes/"):
        assert stranger.get(path).status_code == 404
        assert sign_in("patient").get(path).status_code == 403


def test_a_page_costs_the_same_with_three_milestones_and_with_thirty(cast, drill, plan, put_in, today):
    counts = []
    row = put_in()
    for number in range(2):
        drill.get(f"/milestones/{row.pk}/")
        with CaptureQueriesContext(connection) as asked:
            assert drill.get(f"/milestones/{row.pk}/").status_code == 200
        counts.append(len(asked))
        if not number:
            for day in range(27):
                put_in(f"Step {day}", target_date=today + timedelta(days=day))
    assert counts[0] == counts[1]


def test_a_milestone_of_a_phase_that_was_taken_out_stays_changeable(cast, drill, plan, put_in, program):
    phase = Phase.add(by=cast.dentist, plan=plan, name="Alignment")
    row = put_in("Aligned", phase=phase)
    phase.withdraw(by=cast.dentist)
    assert program("dentist").patch(f"/milestones/{row.pk}", {"milestone_name": "Straight"}).status_code == 200
    form = drill.get(f"/milestones/{row.pk}/edit/").context["form"]
    row.refresh_from_db()
    drill.post(f"/milestones/{row.pk}/edit/", {
        "name": "Straight teeth", "milestone_type": "CUSTOM", "phase": str(phase.pk), "version": row.version})
    row.refresh_from_db()
    assert (row.name, row.phase, form["phase"].value()) == ("Straight teeth", phase, phase.pk)


def test_a_visit_that_nobody_checked_in_is_not_drawn_as_kept(cast, plan, book):
    start = plan.start_date
    visit = book(f"{start} 9:00")
    sheet = MilestoneSheet(cast.dentist, plan, now=visit.starts_at + timedelta(hours=5))
    assert 'course-visit is-open' in sheet.drawing
    visit.no_show(by=cast.desk, now=visit.starts_at + timedelta(hours=1))
    assert 'course-visit is-missed' in MilestoneSheet(cast.dentist, plan).drawing


def test_cancelled_ones_count_neither_in_the_drawing_nor_beside_it(cast, drill, plan):
    plan.milestones.in_order().last().cancel(by=cast.dentist, because="Not needed")
    page = drill.get(f"/plans/{plan.pk}/milestones/").content.decode()
    assert "0 of 2 achieved" in page
    assert "0 of 2 milestones achieved" in page
