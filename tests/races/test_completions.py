"""Many act on one plan at the same moment, on a live server: one takes effect, and nobody sees an error of ours.

CAMPAIGN=1 (bin/campaign plans) runs the full size: 20 completions at once, 20 rounds.
"""
import os
import threading
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import connection, models, transaction

from charting.models import Finding
from clinic.catalogue import load_starter
from clinic.db.records import Recorded
from clinic.db.refusals import Refused, Stale
from clinic.models import ProcedureCode
from tests.races.client import at_once
from tests.races.program import Program
from treatment.models import Goal, Procedure, TreatmentPlan
from treatment.signals import procedure_completed
from treatment.starter import load_rules

MANY, ROUNDS = (20, 20) if "CAMPAIGN" in os.environ else (20, 2)
LEVELS = {None: {"long_term", "short_term", "objective"}, "long_term": {"short_term"}, "short_term": {"objective"}}

pytestmark = pytest.mark.race


class Practice:
    """Plans of Ada's, and programs that work for her dentist."""

    def __init__(self, cast):
        self.cast = cast
        load_starter(cast.system)
        load_rules(by=cast.system)

    def plan(self, title="Crown", **values):
        cast = self.cast
        return TreatmentPlan.draw_up(
            by=cast.dentist, patient=cast.ada, title=title, provider=cast.drill, start_date=cast.clinic.today(), **values)

    def crown(self, tooth, **values):
        """A crown of a plan of its own that is agreed to, and beside it a cleaning that is still to be done."""
        plan, codes = self.plan(**values), {row.code: row for row in ProcedureCode.objects.filter(clinic=self.cast.clinic)}
        row = Procedure.add(by=self.cast.dentist, plan=plan, procedure_code=codes["D2740"], tooth=tooth)
        Procedure.add(by=self.cast.dentist, plan=plan, procedure_code=codes["D1110"])
        plan.present(by=self.cast.dentist).accept(by=self.cast.dentist)
        return row

    def goals(self, *levels):
        """Of a draft: what runs is also held together by its numbered copies."""
        plan = self.plan("Care")
        return [Goal.set_out(by=self.cast.dentist, plan=plan, goal_type=level, description=level) for level in levels]

    def programs(self, live, many):
        server = live(workers=2, threads=8)
        return [Program(server.url, self.cast.dentist) for _ in range(many)]


@pytest.fixture
def practice(clone):
    return Practice(clone)


def steps(row, status):
    """How often it came to this status."""
    past = [None, *row.history.order_by("version").values_list("status", flat=True)]
    return sum(now == status != before for before, now in pairwise(past))


def test_of_many_completions_one_takes_effect_and_all_are_told_the_same(practice, live):
    rows = [practice.crown(str(3 + number)) for number in range(ROUNDS)]
    programs = practice.programs(live, MANY)
    for row in rows:
        answers = at_once([lambda one=one, row=row: one.send("POST", f"/procedures/{row.pk}/complete") for one in programs])
        assert {status for status, _ in answers} == {200}
        assert all(data == answers[0][1] for _, data in answers)
        assert steps(row, "completed") == 1
        drawn = Finding.objects.filter(tooth=row.tooth, status="completed")
        assert [finding.pk for finding in drawn] == [Procedure.objects.get(pk=row.pk).finding_id]
        assert steps(row.plan, "active") == 1


def test_of_two_that_accept_alternatives_one_wins(practice, live):
    programs = practice.programs(live, 6)
    for number in range(ROUNDS):
        group = uuid4()
        plans = [practice.plan(f"{number} {each}", alternative_group=group).present(by=practice.cast.dentist) for each in range(6)]
        answers = at_once([
            lambda one=one, plan=plan: one.send("POST", f"/treatment-plans/{plan.pk}/accept")
            for one, plan in zip(programs, plans, strict=True)])
        assert sorted(status for status, _ in answers) == [200] + [409] * 5
        assert sorted(TreatmentPlan.objects.filter(alternative_group=group).values_list("status", flat=True)) == (
            ["accepted"] + ["declined"] * 5)


def stands(goals):
    """Whether each goal stands below one of the level above, or below none."""
    rows = {row.pk: row for row in Goal.objects.filter(plan=goals[0].plan)}
    return all(row.goal_type in LEVELS[row.parent_id and rows[row.parent_id].goal_type] for row in rows.values())


def test_two_goals_are_never_below_each_other(practice, live):
    programs = practice.programs(live, 2)
    for _ in range(ROUNDS * 2):
        one, two = practice.goals("long_term", "long_term")
        answers = at_once([
            lambda who=who, row=row, parent=parent: who.send(
                "PATCH", f"/goals/{row.pk}", {"goal_type": "short_term", "parent_goal_id": str(parent.pk)})
            for who, row, parent in ((programs[0], one, two), (programs[1], two, one))])
        assert sorted(status for status, _ in answers) == [200, 422]
        assert stands([one])


def test_a_level_is_not_changed_under_a_goal_that_is_being_added(practice, live):
    programs = practice.programs(live, 2)
    for _ in range(ROUNDS * 2):
        [top] = practice.goals("long_term")
        below = {"goal_type": "short_term", "description": "x", "parent_goal_id": str(top.pk)}
        answers = at_once([
            lambda top=top: programs[0].send("PATCH", f"/goals/{top.pk}", {"goal_type": "objective"}),
            lambda top=top, below=below: programs[1].send("POST", f"/treatment-plans/{top.plan_id}/goals", below)])
        assert sorted(status for status, _ in answers) in ([200, 422], [201, 422])
        assert stands([top])


def test_who_changes_and_who_works_wait_for_each_other_in_one_order(practice, live):
    """A change takes the row that it was asked for, work takes the plan: in two orders they would wait for each other for ever."""
    programs, row, goals = practice.programs(live, 8), practice.crown("14"), practice.goals("long_term", "short_term")
    row.revise(by=practice.cast.dentist, estimated_visits=60)
    for number in range(ROUNDS * 2):
        answers = at_once([
            lambda who=who, call=call: who.send(*call) for who, call in zip(programs, [
                ("PATCH", f"/procedures/{row.pk}", {"fee": f"{number}.00"}), ("POST", f"/procedures/{row.pk}/start"),
                ("PATCH", f"/procedures/{row.pk}", {"note": f"{number}"}),
                ("PATCH", f"/treatment-plans/{row.plan_id}", {"notes": "x"}),
                ("PATCH", f"/goals/{goals[0].pk}", {"priority": 1 + number % 9}),
                ("POST", f"/goals/{goals[0].pk}/progress", {"progress_note": "x", "progress_value": f"{number}"}),
                ("PATCH", f"/goals/{goals[0].pk}", {"target_value": f"{number}"}),
                ("POST", f"/goals/{goals[0].pk}/progress", {"progress_note": "y", "rating": 5})], strict=True)])
        assert {status for status, _ in answers} <= {200, 201}, answers


# Without the guards


@pytest.fixture
def unlocked(monkeypatch):
    """No verb takes its row before it looks at it."""
    monkeypatch.setattr(Recorded, "lock", lambda row, version=None: row)


@pytest.fixture
def unversioned(monkeypatch):
    """No save asks whether the row is still the one that was read."""
    monkeypatch.setattr(Recorded, "_do_update", models.Model._do_update)


def both(model, key):
    """The row as two see it who read it at the same moment."""
    return [model.objects.get(pk=key), model.objects.get(pk=key)]


@pytest.mark.wide
@pytest.mark.guard_removed
def test_without_its_lock_the_second_completion_is_no_longer_told_the_same(practice, unlocked):
    first, second = both(Procedure, practice.crown("14").pk)
    first.complete(by=practice.cast.dentist)
    with pytest.raises(Stale):
        second.complete(by=practice.cast.dentist)


@pytest.mark.wide
@pytest.mark.guard_removed
def test_without_lock_and_version_a_completion_takes_effect_twice(practice, unlocked, unversioned):
    told, tell = [], lambda procedure, **kwargs: told.append(procedure.pk)
    row = practice.crown("14")
    procedure_completed.connect(tell)
    for each in both(Procedure, row.pk):
        each.complete(by=practice.cast.dentist)
    procedure_completed.disconnect(tell)
    assert told == [row.pk] * 2
    assert Finding.objects.filter(tooth="14", status="completed").count() == 2


@pytest.mark.wide
@pytest.mark.guard_removed
@pytest.mark.parametrize("index_stands", [True, False])
def test_without_lock_version_and_index_two_alternatives_are_accepted(practice, unlocked, unversioned, index_stands):
    group = uuid4()
    keys = [practice.plan(title, alternative_group=group).present(by=practice.cast.dentist).pk for title in ("Crown", "Onlay")]
    one, two = (TreatmentPlan.objects.get(pk=key) for key in keys)
    if not index_stands:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX treatment_plan_one_alternative")
    one.accept(by=practice.cast.dentist)
    two._decline_alternatives = lambda by: None  # that the first one is accepted is not to be seen yet
    if index_stands:  # alone it refuses too
        with pytest.raises(Refused):
            two.accept(by=practice.cast.dentist)
    else:
        two.accept(by=practice.cast.dentist)
        assert set(TreatmentPlan.objects.filter(pk__in=keys).values_list("status", flat=True)) == {"accepted"}


@pytest.mark.guard_removed
def test_without_the_plans_lock_two_goals_come_to_stand_below_each_other(practice, unlocked):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time, whatever is locked.")
    one, two = practice.goals("long_term", "long_term")
    written, answered = threading.Event(), threading.Event()

    def the_other():
        written.wait(30)
        two.revise(by=practice.cast.dentist, goal_type="short_term", parent=Goal.objects.get(pk=one.pk))
        connection.close()
        answered.set()

    thread = threading.Thread(target=the_other)
    thread.start()
    with transaction.atomic():
        one.revise(by=practice.cast.dentist, goal_type="short_term", parent=Goal.objects.get(pk=two.pk))
        written.set()
        assert answered.wait(30)
    thread.join()
    assert not stands([one])
