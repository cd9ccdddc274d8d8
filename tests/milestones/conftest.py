"""An active plan of Ada's under Dr. Drill, who has the dentist's sign-in, and milestones in it."""
from datetime import timedelta

import pytest

from milestones.models import Milestone
from treatment.models import CareTeamMember, TreatmentPlan


@pytest.fixture
def today(cast):
    return cast.clinic.today()


@pytest.fixture
def draw_up(cast):
    """`draw_up("Braces", treatment_type="COMPREHENSIVE")`: a draft of Dr. Drill's; anything can be said otherwise."""
    def make(title="Braces", **values):
        return TreatmentPlan.draw_up(**{
            "by": cast.dentist, "patient": cast.ada, "title": title, "provider": cast.drill, "start_date": cast.clinic.today(),
            **values})
    return make


@pytest.fixture
def plan(cast, draw_up):
    """Under way, with the three standard milestones of general treatment."""
    return draw_up().activate(by=cast.dentist)


@pytest.fixture
def put_in(cast, plan, today):
    """`put_in("Bite opened", target_date=…)`: a milestone of the plan, due yesterday."""
    def make(name="Bite opened", **values):
        return Milestone.add(**{
            "by": cast.dentist, "plan": plan, "name": name, "target_date": today - timedelta(days=1), **values})
    return make


@pytest.fixture
def milestone(put_in):
    return put_in()


@pytest.fixture
def quiet(plan, cast):
    """The plan without its standard milestones."""
    for row in plan.milestones.all():
        row.cancel(by=cast.dentist, because="Not asked here")
    return plan


@pytest.fixture
def due(cast, quiet, today):
    """`due(-1)`: a milestone that was due yesterday."""
    def make(days, **values):
        return Milestone.add(**{
            "by": cast.dentist, "plan": quiet, "name": f"Due {days}", "target_date": today + timedelta(days=days), **values})
    return make


@pytest.fixture
def writer(cast, plan):
    """The hygienist writes the plan too; the assistant does not."""
    CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("hygienist"), is_writer=True)
    return cast.hygienist


@pytest.fixture
def dentist(program):
    return program("dentist")
