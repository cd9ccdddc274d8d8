"""An orthodontic plan from its activation to a proven milestone, by keyboard; and one that a colleague changes meanwhile."""
import os

import pytest

from milestones.models import Evidence, Milestone, Task
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
    her.page.keyboard.press("ArrowDown")  # a figure
    her.press("Tab")
    her.write("Overjet, mm")
    her.press("Tab", "Tab")
    her.write("2.5")
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
