"""What the database itself refuses of milestones, whoever writes past the verbs."""
import pytest
from django.db import IntegrityError, connection, transaction

from clinic.db.records import record_bulk
from clinic.db.refusals import constraint_name
from milestones.models import Milestone
from tests.treatment.test_guards import refusal
from treatment.models import Goal, Phase


@pytest.fixture
def other(draw_up):
    return draw_up("Other")


def test_a_phase_or_a_goal_of_another_plan_is_refused(cast, plan, other, milestone):
    rows = {each: (Phase.add(by=cast.dentist, plan=each, name="Later"), Goal.set_out(
        by=cast.dentist, plan=each, goal_type="long_term", description="Bite")) for each in (plan, other)}
    for column, mine, theirs in zip(("phase", "goal"), rows[plan], rows[other], strict=True):
        assert refusal(milestone, **{f"{column}_id": theirs.pk}) == f"milestones_milestone_{column}_same_plan"
        assert refusal(milestone, **{f"{column}_id": mine.pk}) is None


def test_a_milestone_stays_in_its_plan_and_of_its_patient(cast, other, milestone):
    assert refusal(milestone, plan_id=other.pk) == "milestones_milestone_plan_fixed"
    assert refusal(milestone, patient_id=cast.grace.pk) == "milestones_milestone_plan_same_patient"


def test_a_standard_milestone_stands_once_in_a_plan_also_when_it_was_withdrawn(cast, plan):
    row = plan.milestones.in_order().first().withdraw(by=cast.dentist)
    twin = Milestone(
        clinic=cast.clinic, plan=plan, patient=cast.ada, name="Twin", template=row.template, template_version=row.template_version)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        record_bulk([twin], by=cast.dentist)
    name = constraint_name(caught.value)
    assert name == "milestones_milestone_standard_once" or (connection.vendor == "sqlite" and "template_id" in name)


def test_one_that_is_achieved_and_one_that_has_a_day_are_the_same(cast, milestone, today):
    for columns in ({"status": "ACHIEVED"}, {"achieved_date": today}, {"status": "MISSED", "achieved_date": today}):
        assert refusal(milestone, **columns) == "milestones_milestone_achieved_has_a_date", columns
    assert refusal(milestone, status="ACHIEVED", achieved_date=today) is None
