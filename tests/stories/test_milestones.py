"""An orthodontic plan from its activation to a proven milestone, by keyboard; one that a colleague changes; one that is late."""
import os
from datetime import timedelta

import pytest
from django.utils import timezone

from milestones.models import Evidence, Milestone, MilestoneAlert, Task
from milestones.models.alert import AGAIN, AHEAD
from treatment.models import TreatmentPlan

pytestmark = pytest.mark.story


@pytest.mark.parametrize("scheme", ["light", "dark"] if "CAMPAIGN" in os.environ else ["light"])
def test_a_plan_is_activated_worked_off_proven_and_its_milestone_achieved(screen, clone, scheme):
    plan = TreatmentPlan.draw_up(
        by=clone.dentist, patient=clone.ada, title="Braces", provider=clone.drill, start_date=clone.clinic.today(),
        treatment_type="COMPREHENSIVE")
    her = screen("dentist", scheme=scheme).open(f"/plans/{plan.pk}/")
    her.go("x")  # activate
    her.sees("0 of 11 achieved")
    her.go("g", "m")
    her.look("the milestones of a new plan")
    her.press("j")
    her.go("Enter")
    her.look("one that is open")
    her.press("a")
    her.page.locator("#step-achieve").wait_for(state="visible")
    her.look("the question when it was achieved")
    her.go("Control+Enter")
    her.toast("Treatment start is achieved")
    her.sees("1 of 11 achieved")

    # One that needs evidence, and has a task
    row = Milestone.objects.get(plan=plan, milestone_type="DEBOND_COMPLETE")
    her.open(f"/milestones/{row.pk}/")
    her.sees("Still missing")
    her.press("a")
    her.page.locator("#step-achieve").wait_for(state="visible")
    her.go("Control+Enter")
    her.sees("Still missing: evidence")
    her.look("refused for want of evidence")
    her.expect("422")
    her.press("Escape")
    task = her.page.locator(".ms-task button", has_text="Done").first
    task.focus()
    her.go("Enter")
    her.toast("Written down and approved")
    assert Task.objects.get(milestone=row).status == "COMPLETED"
    adding = her.page.locator("summary", has_text="Add evidence")
    adding.focus()
    her.press("Enter", "Tab")
    her.press("ArrowDown", "ArrowDown")  # a figure
    her.press("Tab")
    her.write("2.5")
    her.press("Tab")
    her.write("Overjet, mm")
    her.look("adding a figure")
    her.go("Control+Enter")
    her.toast("The evidence is added")
    assert Evidence.objects.get().value == "2.5"
    her.press("a")
    her.page.locator("#step-achieve").wait_for(state="visible")
    her.go("Control+Enter")
    her.toast("is achieved")
    row.refresh_from_db()
    assert row.status == "ACHIEVED"


def test_the_course_moves_by_itself_when_a_colleague_changes_something(screen, clone):
    plan = TreatmentPlan.draw_up(
        by=clone.dentist, patient=clone.ada, title="Check", provider=clone.drill, start_date=clone.clinic.today())
    plan.activate(by=clone.dentist)
    her = screen("receptionist").open(f"/plans/{plan.pk}/milestones/")
    her.sees("0 of 3 achieved")
    plan.milestones.first().achieve(by=clone.dentist)
    her.page.evaluate("() => document.querySelector('#course').dispatchEvent(new CustomEvent('poll-now'))")
    her.sees("1 of 3 achieved")
    assert her.page.locator(".course-done").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"] if "CAMPAIGN" in os.environ else ["light"])
def test_an_overdue_milestone_alerts_leads_to_the_list_and_is_deferred(screen, clone, scheme):
    today = clone.clinic.today()
    plan = TreatmentPlan.draw_up(
        by=clone.dentist, patient=clone.ada, title="Braces", provider=clone.drill, start_date=today,
        treatment_type="COMPREHENSIVE").activate(by=clone.dentist)
    for row in plan.milestones.upcoming(today, today + AHEAD):
        row.achieve(by=clone.dentist)
    row = Milestone.add(by=clone.dentist, plan=plan, name="Bite opened", target_date=today - timedelta(days=3))
    assert MilestoneAlert.write_due() == 1
    her = screen("dentist", scheme=scheme).open("/")
    her.page.locator("#bell-link[aria-label='Notifications, 1 new']").wait_for()
    her.go("g", "n")
    her.look("what the bell tells")
    her.press("j")
    her.go("Enter")
    assert her.path() == "/milestones/due/"
    her.sees("Bite opened")
    her.look("the list of what is due")
    her.press("j", "Tab")
    assert her.focused() == "Bite opened"
    her.go("Enter")
    her.press("d")
    her.page.locator("#step-defer").wait_for(state="visible")
    her.look("the question until when, and why")
    her.fill_by_keys("+6w")
    her.write("The bite opens slowly")
    her.go("Control+Enter")
    her.toast("Bite opened is deferred")
    row.refresh_from_db()
    assert (row.status, row.target_date, row.status_because) == ("DEFERRED", today + timedelta(weeks=6), "The bite opens slowly")
    her.open("/milestones/due/")
    her.sees("Nothing is past its day.")
    her.look("the empty list")
    her.page.locator("#bell-link[aria-label='Notifications']").wait_for()
    assert MilestoneAlert.write_due(timezone.now() + AGAIN) == 0
