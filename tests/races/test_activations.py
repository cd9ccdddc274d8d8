"""Many activate one plan at the same moment, or the first plans of one kind: each plan has its standard milestones once.

CAMPAIGN=1 (bin/campaign milestones) runs the full size: 20 rounds.
"""
import os
import threading
from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction

from clinic.db.records import Recorded
from milestones.models import Milestone, MilestoneSet
from tests.races.client import at_once
from tests.races.program import Program
from treatment.models import TreatmentPlan

MANY, ROUNDS = 12, 20 if "CAMPAIGN" in os.environ else 2
KINDS = ["GENERAL", "COMPREHENSIVE", "RETENTION", "IMPLANT"]

pytestmark = pytest.mark.race


@pytest.fixture
def draft(clone):
    """`draft("RETENTION")`: a plan of Ada's that is not activated yet."""
    def make(kind="GENERAL"):
        return TreatmentPlan.draw_up(
            by=clone.dentist, patient=clone.ada, title=kind, provider=clone.drill, start_date=clone.clinic.today(),
            treatment_type=kind)
    return make


@pytest.fixture
def programs(clone, live):
    server = live(workers=2, threads=8)
    return [Program(server.url, clone.dentist) for _ in range(MANY)]


def standard(plan):
    """How often each row of the set stands in the plan."""
    return Counter(Milestone.objects.filter(plan=plan).values_list("template", flat=True))


def is_whole(plan):
    rows = MilestoneSet.objects.get(clinic=plan.clinic_id, treatment_type=plan.treatment_type).rows.in_use()
    return standard(plan) == dict.fromkeys(rows.values_list("pk", flat=True), 1)


def test_of_many_activations_one_lays_out_the_set(draft, programs):
    for number in range(ROUNDS):
        plan = draft(KINDS[number % len(KINDS)])
        answers = at_once([lambda one=one, plan=plan: one.send("POST", f"/treatment-plans/{plan.pk}/activate") for one in programs])
        assert sorted(status for status, _ in answers) == [200] + [409] * (MANY - 1)
        assert is_whole(plan)
        plan.refresh_from_db()
        assert plan.number == 1


def test_the_first_plans_of_a_kind_bring_one_set_between_them(clone, draft, programs):
    for kind in KINDS[:ROUNDS]:
        plans = [draft(kind) for _ in programs]
        answers = at_once([
            lambda one=one, plan=plan: one.send("POST", f"/treatment-plans/{plan.pk}/activate")
            for one, plan in zip(programs, plans, strict=True)])
        assert {status for status, _ in answers} == {200}, answers
        assert MilestoneSet.objects.filter(clinic=clone.clinic, treatment_type=kind).count() == 1
        assert all(is_whole(plan) for plan in plans)


def test_steps_changes_and_moves_in_one_plan_wait_for_each_other_in_one_order(clone, draft, programs):
    plan = draft("COMPREHENSIVE").activate(by=clone.dentist)
    rows = list(plan.milestones.in_order())
    for number in range(ROUNDS * 2):
        row = Milestone.add(by=clone.dentist, plan=plan, name=f"Own {number}")
        answers = at_once([lambda who=who, call=call: who.send(*call) for who, call in zip(programs, [
            ("PATCH", f"/milestones/{rows[0].pk}", {"sequence": 1 + number % 9}),
            ("PATCH", f"/milestones/{rows[1].pk}", {"sequence": 9 - number % 9}),
            ("PATCH", f"/milestones/{rows[2].pk}", {"notes": f"{number}"}),
            ("POST", f"/milestones/{row.pk}/achieve"), ("POST", f"/milestones/{row.pk}/achieve"),
            ("POST", f"/milestones/{row.pk}/start"),
            ("POST", f"/treatment-plans/{plan.pk}/milestones", {"milestone_name": "x", "sequence": 2}),
            ("PATCH", f"/treatment-plans/{plan.pk}", {"notes": f"{number}"})], strict=False)])
        statuses = [status for status, _ in answers]
        assert set(statuses) <= {200, 201, 409}, answers
        assert statuses[3:5].count(200) == 1
        assert {statuses[at] for at in (0, 1, 2, 6, 7)} <= {200, 201}, answers
    kept = list(plan.milestones.in_force().in_order().values_list("sequence", flat=True))
    assert kept == list(range(1, len(kept) + 1))


# Without the guards


@pytest.fixture
def two_at_once(clone, draft, monkeypatch):
    """Two lay out the set of one plan; the first one is done only when the second one has seen that there is none yet, or waits.
    What the second one came to: how many it laid out, or the error."""
    plan, seen, begun, found = draft("RETENTION"), threading.Event(), threading.Event(), []
    MilestoneSet.load_starter(by=clone.system)
    of = MilestoneSet.of.__func__

    def told(cls, *args, **kwargs):
        if threading.current_thread() is not threading.main_thread():
            seen.set()
        return of(cls, *args, **kwargs)

    def second():
        begun.wait(30)
        try:
            found.append(len(Milestone.lay_out(TreatmentPlan.objects.get(pk=plan.pk), by=clone.dentist)))
        except IntegrityError as error:
            found.append(error)
        connection.close()

    def run():
        monkeypatch.setattr(MilestoneSet, "of", classmethod(told))
        thread = threading.Thread(target=second)
        thread.start()
        with transaction.atomic():
            Milestone.lay_out(plan, by=clone.dentist)
            begun.set()
            seen.wait(2)
        thread.join()
        return plan, found[0]

    return run


def test_the_second_one_waits_and_lays_out_nothing(two_at_once):
    plan, laid_out = two_at_once()
    assert laid_out == 0
    assert is_whole(plan)


@pytest.mark.guard_removed
@pytest.mark.parametrize("index_stands", [True, False])
def test_without_the_plans_lock_the_index_refuses_and_without_both_it_is_there_twice(two_at_once, monkeypatch, index_stands):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time, whatever is locked.")
    monkeypatch.setattr(Recorded, "lock", lambda row, version=None: row)
    monkeypatch.setattr("milestones.models.milestone_set.queue", lambda *keys: None)
    if not index_stands:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX milestones_milestone_standard_once")
    plan, came_to = two_at_once()
    if index_stands:
        assert isinstance(came_to, IntegrityError)
        assert is_whole(plan)
    else:
        assert set(standard(plan).values()) == {2}
