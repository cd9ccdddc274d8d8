"""A therapist by keyboard: a plan of goals, what serves them, a visit ticked and written down, a review, the report."""

import os
from datetime import date

import pytest
from django.utils import timezone

from clinic.access.hats import hats_of
from clinic.models import Membership, Provider, User
from scheduling.models import Appointment, AppointmentType
from tests.cast import PASSWORD
from treatment.models import (
    Goal,
    GoalIntervention,
    GoalProgress,
    Intervention,
    PlanReview,
    SessionIntervention,
    TreatmentPlan,
)

pytestmark = pytest.mark.story


@pytest.fixture
def thea(clone):
    """Thea Therapist, who has a sign-in."""
    user = User.objects.create_user("therapist@test.example", PASSWORD, name="Thea Therapist")
    Membership.open(user=user, clinic=clone.clinic, roles=["dentist"], by=clone.system, since=date(2020, 1, 6))
    return Provider(name="Thea Therapist", short_name="Thea", kind="therapist", user=user, sequence=9, colour=4).record(
        by=clone.system)


@pytest.fixture
def visit(clone, thea):
    """A visit of Ada's with her that is about now."""
    now = timezone.now().replace(second=0, microsecond=0)
    kind = AppointmentType(name="Therapy", minutes=50, colour=3, kinds=["therapist"], sequence=9).record(by=clone.system)
    return Appointment.book(
        by=clone.system, patient=clone.ada, operatory=clone.operatories[1], provider=thea, appointment_type=kind, starts_at=now,
        double_booking="A story")


def save(who):
    who.go("Control+Enter")


def tab_to(who, name, most=40):
    """Walk by Tab until the field of this name has the focus."""
    for _ in range(most):
        if who.focused_name() == name:
            return
        who.press("Tab")
    pytest.fail(f"Tab does not come to {name} on {who.path()}")


@pytest.mark.parametrize("scheme", ["light", "dark"] if "CAMPAIGN" in os.environ else ["dark"])
def test_a_therapist_plans_goals_ticks_a_visit_writes_progress_and_reviews(screen, clone, thea, visit, scheme):
    her = screen("therapist", scheme=scheme).open(f"/patients/{clone.ada.pk}/")
    her.go("g", "l")
    her.go("n")
    her.write("Calm at the dentist")
    save(her)
    her.go("x")
    her.sees("Active")
    her.look("a plan without goals")

    # A long-term goal, and what serves it
    her.go("a")
    assert her.focused_name() == "description"
    her.look("the empty form of a goal")
    her.write("Have a filling without sedation")
    save(her)
    her.toast("The goal is added")
    her.go("i")
    her.look("the library")
    her.press("f")
    her.write("deep br")
    assert her.page.locator("[data-library-row]:visible").count() == 1
    tab_to(her, "chosen")
    her.press("Space")
    tab_to(her, "frequency")
    her.write("every session")
    save(her)
    her.sees("Deep breathing")

    # A step to it, guided by the questions; its place is chosen already
    her.go("a")
    assert her.page.locator("#id_place option:checked").inner_text() == (
        "Short-term goal under “Have a filling without sedation”")
    her.write("Sit calmly for 20 minutes")
    for name, text in (("specific_what", "Chair upright, then back"), ("specific_who", "Ada"), ("baseline_value", "3"),
                       ("target_value", "20"), ("achievable_barriers", "The sound"), ("relevant_importance", "Pain since spring"),
                       ("target_date", "+3m")):
        tab_to(her, name)
        her.write(text)
    save(her)
    her.sees("What barriers might exist?")
    step = Goal.objects.get(description="Sit calmly for 20 minutes")
    assert (step.parent.description, step.specific["who"], step.target_value) == ("Have a filling without sedation", "Ada", "20")
    row = GoalIntervention.add(by=actor_of(thea), goal=step, intervention=Intervention.objects.get(name="Exposure therapy"))

    # The visit: two keys tick what was used, and how well it went
    her.open(f"/visits/{visit.pk}/")
    her.go("u")
    her.look("what was used in a visit")
    her.press("2", "4")
    save(her)
    her.toast("Saved.")
    used = SessionIntervention.objects.get()
    assert (used.goal_intervention, used.effectiveness_rating) == (row, 4)

    # Progress in a few keys: the visit is chosen, what was ticked there too
    her.open(f"/goals/{step.pk}/")
    assert her.page.locator("#id_appointment option:checked").get_attribute("value") == str(visit.pk)
    assert her.page.locator("input[name=used]:checked").count() == 1
    her.press("7", "p")
    her.write("Stayed for twelve minutes")
    tab_to(her, "progress_value")
    her.write("12")
    save(her)
    her.toast("Written down.")
    her.sees("Stayed for twelve minutes")
    her.look("a goal with an entry")
    entry = GoalProgress.objects.get()
    assert (entry.rating, entry.progress_value, entry.appointment) == (7, "12", visit)

    # The plan shows it; a review sets the next one
    plan = TreatmentPlan.objects.get(title="Calm at the dentist")
    her.open(f"/plans/{plan.pk}/")
    assert her.page.locator(".goal-row").count() == 2
    her.sees("4 of 5")
    her.look("a plan with goals")
    her.go("v")
    her.look("no reviews yet")
    her.go("n")
    her.look("the form of a review")
    assert "Sit calmly for 20 minutes" in her.page.locator("#id_modifications_made").input_value()
    her.write("The breathing carries her through the first half.")
    save(her)
    her.toast("Reviewed.")
    her.look("reviews")
    review = PlanReview.objects.get()
    assert (review.goals_reviewed, review.next_review_date) == (2, plan.review_after(clone.clinic.today()))
    her.go("r")
    her.sees("7 of 10")
    her.look("the report")
    her.open("/interventions/")
    her.look("the interventions")
    her.open("/plans/to-review/")
    her.look("nothing to review")


def actor_of(provider):
    return next(hats_of(provider.user))


def test_without_javascript_ticks_and_progress_are_plain_forms(screen, clone, thea, visit):
    by = actor_of(thea)
    plan = TreatmentPlan.draw_up(
        by=by, patient=clone.ada, title="Calm", provider=thea, start_date=clone.clinic.today()).activate(by=by)
    goal = Goal.set_out(
        by=by, plan=plan, goal_type="long_term", description="Sit calmly",
        interventions=[(Intervention.objects.get(name="Mindfulness"), "")])
    her = screen("therapist", js=False).open(f"/visits/{visit.pk}/interventions/")
    her.page.get_by_label("Mindfulness", exact=False).first.check()
    her.page.get_by_role("button", name="Save").click()
    assert SessionIntervention.objects.get().effectiveness_rating is None
    her.open(f"/goals/{goal.pk}/")
    her.page.get_by_label("Note").fill("Calm throughout")
    her.page.get_by_role("button", name="Write down").click()
    her.sees("Calm throughout")
    her.open(f"/goals/{goal.pk}/interventions/?modality=CBT&q=exposure")
    assert her.page.locator("[data-library-row]").count() == 1
