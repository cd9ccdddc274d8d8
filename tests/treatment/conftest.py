"""Plans of Ada's: with procedures under Dr. Drill, who has the dentist's sign-in, and with goals."""
from datetime import timedelta

import pytest
from django.utils import timezone

from charting.models import PerioExam
from charting.perio import ToothFigures
from clinic.models import ProcedureCode
from treatment.models import Goal, Procedure, TreatmentPlan


@pytest.fixture
def codes(coded, cast):
    """{code: ProcedureCode} of the starter catalogue, with the usual rules."""
    return {row.code: row for row in ProcedureCode.objects.filter(clinic=cast.clinic).select_related("rule")}


@pytest.fixture
def draw_up(cast):
    """`draw_up("Crown")`: a draft of Dr. Drill's; anything can be said otherwise."""
    def make(title="Crown on 14", **values):
        return TreatmentPlan.draw_up(**{
            "by": cast.dentist, "patient": cast.ada, "title": title, "provider": cast.drill, "start_date": cast.clinic.today(),
            **values})
    return make


@pytest.fixture
def plan(draw_up):
    return draw_up()


@pytest.fixture
def put_in(cast, codes):
    """`put_in(plan, "D2740", tooth="14")`: a procedure of the plan."""
    def make(plan, code="D2740", by=None, **values):
        place = values or {"tooth": "14"}
        return Procedure.add(by=by or cast.dentist, plan=plan, procedure_code=codes[code], **place)
    return make


@pytest.fixture
def agreed(cast, plan, put_in):
    """An accepted plan with a crown on 14 and a filling on 19."""
    put_in(plan, "D2740", tooth="14")
    put_in(plan, "D2392", tooth="19", surfaces="MO")
    plan.present(by=cast.dentist)
    return plan.accept(by=cast.dentist)


@pytest.fixture
def care(cast, draw_up):
    """An active plan of goals."""
    return draw_up("Anxiety Management Plan").activate(by=cast.dentist)


@pytest.fixture
def goal(cast, care):
    """`goal("short_term", parent=…)`: a goal of the plan `care`, or of another one."""
    def make(goal_type="long_term", plan=None, **values):
        return Goal.set_out(**{
            "by": cast.dentist, "plan": plan or care, "goal_type": goal_type, "description": "Sleep through the night", **values})
    return make


@pytest.fixture
def dentist(program):
    return program("dentist")


@pytest.fixture
def examine(cast):
    """`examine(bleeding=3, plaque=2, deep=1, days_ago=0)`: a closed exam of six measured sites of one tooth."""

    def make(bleeding=0, plaque=0, deep=0, days_ago=0, closed=True):
        figures = ToothFigures(
            pd=[6] * deep + [2] * (6 - deep), gm=[0] * 6, bleeding=[site < bleeding for site in range(6)],
            plaque=[site < plaque for site in range(6)])  # fmt: skip
        exam = PerioExam.start(
            by=cast.hygienist, patient=cast.ada, teeth={"3": figures}, exam_date=cast.clinic.today() - timedelta(days=days_ago))
        return exam.close(by=cast.hygienist, now=timezone.now()) if closed else exam

    return make
