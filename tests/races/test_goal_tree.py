"""Goals that are moved under each other at the same moment: one moves, the other is refused, and no tree has a loop."""

import pytest

from tests.races.client import at_once
from tests.races.program import Program
from treatment.models import Goal, TreatmentPlan

pytestmark = pytest.mark.race
ROUNDS = 8


def test_of_two_goals_that_move_under_each_other_one_moves(clone, live):
    server = live(workers=2, threads=4)
    by = clone.dentist
    plan = TreatmentPlan.draw_up(
        by=by, patient=clone.ada, title="Tree", provider=clone.drill, start_date=clone.clinic.today()).activate(by=by)
    programs = [Program(server.url, by) for _ in range(4)]
    for _ in range(ROUNDS):
        pair = [Goal.set_out(by=by, plan=plan, goal_type="short_term", description="x").pk for _ in range(2)]
        moves = [(pair[0], pair[1]), (pair[1], pair[0])] * 2
        answers = at_once([
            lambda program=program, key=key, above=above: program.send(
                "PATCH", f"/goals/{key}", {"goal_type": "objective", "parent_goal_id": str(above)})
            for program, (key, above) in zip(programs, moves, strict=True)])
        statuses = sorted(status for status, _ in answers)
        assert statuses == [200, 200, 422, 422]  # each move is sent twice: the second time it says what is so
        rows = {row.pk: row.parent_id for row in Goal.objects.filter(pk__in=pair)}
        assert sorted(parent is None for parent in rows.values()) == [False, True]
