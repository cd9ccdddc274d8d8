"""The one gate: every cell of status, verb and role; and random sequences of everything one can do, with the database as the second
judge of what may stand.

CAMPAIGN=1 (bin/campaign milestones) walks the full size: 3,000 sequences.
"""
import os
import re
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from clinic.db.refusals import Refused
from milestones.models import Milestone
from milestones.refusals import WrongStep
from milestones.signals import milestone_achieved
from treatment.models import TreatmentPlan

SEQUENCES, STEPS = (3000 if "CAMPAIGN" in os.environ else 30), 14
STATUSES = [str(status) for status in Milestone.Status]
# How a pending one, whose day is over, comes to each status.
WAY = {"PENDING": "", "IN_PROGRESS": "start", "ACHIEVED": "achieve", "MISSED": "miss", "DEFERRED": "defer", "CANCELLED": "cancel"}
MAY = {"dentist", "hygienist", "coordinator", "manager"}  # the plan's provider, a writer, and who keeps those of all plans
MAY_NOT = {"assistant", "receptionist", "biller", "coach", "patient"}


def table():
    """{verb: (from, to)} as the docstring of Milestone writes it."""
    lines = [line.strip().strip("|") for line in Milestone.__doc__.splitlines() if "|" in line]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {row[0]: ({word for word in re.split(r"[^A-Z_]+", row[1]) if word in STATUSES}, row[2]) for row in rows[2:]}


TABLE = table()
MOVES = {(before, after) for befores, after in TABLE.values() for before in befores}


def test_the_code_has_the_table_of_the_docstring():
    assert TABLE == {verb: ({*map(str, before)}, str(after)) for verb, (before, after) in Milestone.STEPS.items()}


def brought_to(cast, milestone, status):
    if WAY[status]:
        getattr(milestone, WAY[status])(by=cast.dentist, because="So")
    assert milestone.status == status
    return milestone


@pytest.mark.wide
@pytest.mark.parametrize("verb", sorted(TABLE))
@pytest.mark.parametrize("status", STATUSES)
def test_each_step_is_taken_from_where_the_table_says_by_whom_it_says(cast, program, milestone, writer, status, verb):
    brought_to(cast, milestone, status)
    before, after = TABLE[verb]
    said = {} if verb == "achieve" else {"reason": "So"}
    for role in sorted(MAY_NOT | MAY):
        with transaction.atomic():
            answer = program(role).post(f"/milestones/{milestone.pk}/{verb}", said)
            expected = 403 if role in MAY_NOT else 200 if status in before else 409
            assert answer.status_code == expected, (role, answer.data)
            row = Milestone.objects.get(pk=milestone.pk)
            assert row.status == (after if expected == 200 else status)
            assert row.version == milestone.version + (expected == 200)
            transaction.set_rollback(True)


@pytest.mark.wide
@pytest.mark.parametrize("after", STATUSES)
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_status_that_is_put_or_patched_passes_the_same_gate(cast, dentist, today, milestone, method, status, after):
    brought_to(cast, milestone, status)
    said = {"status": after, "reason": "So"} | ({"achieved_date": str(today)} if after == "ACHIEVED" else {})
    answer = dentist.send(method, f"/milestones/{milestone.pk}", said)
    legal = (status, after) in MOVES or status == after
    assert answer.status_code == (200 if legal else 409)
    milestone.refresh_from_db()
    assert milestone.status == (after if legal else status)


@pytest.mark.parametrize("verb", ["defer", "cancel", "reopen"])
def test_a_step_that_asks_why_is_refused_without_a_reason(cast, dentist, milestone, verb):
    if verb == "reopen":
        brought_to(cast, milestone, "MISSED")
    for body in ({}, {"reason": ""}, {"reason": "  "}):
        answer = dentist.post(f"/milestones/{milestone.pk}/{verb}", body)
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "reason")
    after = str(Milestone.STEPS[verb][1])
    patched = dentist.patch(f"/milestones/{milestone.pk}", {"status": after})
    assert (patched.status_code, patched.data["errors"][0]["field"]) == (422, "reason")
    assert dentist.post(f"/milestones/{milestone.pk}/{verb}", {"reason": "Moves away"}).status_code == 200
    milestone.refresh_from_db()
    assert (milestone.status, milestone.status_because) == (after, "Moves away")
    newest = milestone.history.latest("history_date")
    assert (newest.history_change_reason, newest.history_user, newest.history_via) == (
        "Moves away", cast.user("dentist"), "api")


def test_it_is_missed_only_when_its_day_is_over(cast, dentist, put_in, today):
    for target, status in ((today + timedelta(days=1), 409), (today, 409), (None, 409), (today - timedelta(days=1), 200)):
        row = put_in(target_date=target)
        assert dentist.post(f"/milestones/{row.pk}/miss").status_code == status, target


def test_it_is_put_off_to_a_later_day_or_to_none(cast, dentist, put_in, today):
    for target in (today - timedelta(days=20), today - timedelta(days=5)):  # not later, and later but over
        row = put_in(target_date=today - timedelta(days=10))
        answer = dentist.post(f"/milestones/{row.pk}/defer", {"reason": "Ill", "target_date": str(target)})
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "target_date")
    later = str(today + timedelta(days=30))
    assert dentist.post(f"/milestones/{row.pk}/defer", {"reason": "Ill", "target_date": later}).data["target_date"] == later
    row = put_in()
    assert dentist.post(f"/milestones/{row.pk}/defer", {"reason": "Ill"}).data["target_date"] is None


def test_achieving_dates_it_tells_once_and_is_never_of_a_day_to_come(cast, dentist, milestone, today):
    told = []
    tell = lambda milestone, by, on, **kwargs: told.append((milestone.pk, by.user, on))  # noqa: E731
    milestone_achieved.connect(tell)
    try:
        path = f"/milestones/{milestone.pk}/achieve"
        early = dentist.post(path, {"achieved_date": str(today + timedelta(days=1))})
        assert (early.status_code, early.data["errors"][0]["field"]) == (422, "achieved_date")
        answer = dentist.post(path, {"notes": "Went well"})
        assert (answer.data["achieved_date"], answer.data["notes"]) == (str(today), "Went well")
        assert dentist.post(path).status_code == 409
    finally:
        milestone_achieved.disconnect(tell)
    assert told == [(milestone.pk, cast.user("dentist"), today)]


def test_what_a_receiver_refuses_is_not_achieved(cast, milestone):
    def refuse(**kwargs):
        raise Refused("The books are closed.")

    milestone_achieved.connect(refuse)
    try:
        with pytest.raises(Refused):
            milestone.achieve(by=cast.dentist)
    finally:
        milestone_achieved.disconnect(refuse)
    assert Milestone.objects.get(pk=milestone.pk).status == "PENDING"


def test_what_is_missing_is_named_and_nothing_is_achieved_without_it(cast, dentist, milestone, monkeypatch):
    monkeypatch.setattr(Milestone, "missing", lambda self: ["evidence", "the patient's approval"])
    answer = dentist.post(f"/milestones/{milestone.pk}/achieve")
    assert answer.status_code == 409
    assert "evidence, the patient's approval" in answer.data["detail"]


def test_achieved_by_patch_needs_its_day_and_nothing_else_has_one(cast, dentist, milestone, today):
    path, day = f"/milestones/{milestone.pk}", str(today - timedelta(days=3))
    for body in ({"status": "ACHIEVED"}, {"achieved_date": day}, {"status": "ACHIEVED", "achieved_date": None}):
        answer = dentist.patch(path, body)
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "achieved_date"), body
    assert dentist.patch(path, {"status": "ACHIEVED", "achieved_date": day}).data["achieved_date"] == day
    assert dentist.patch(path, {"achieved_date": None}).status_code == 422
    corrected = dentist.patch(path, {"achieved_date": str(today), "reason": "Typed wrong"})
    assert (corrected.status_code, corrected.data["achieved_date"]) == (200, str(today))
    whole = dentist.put(path, corrected.data | {"status": "PENDING", "reason": "Not yet", "achieved_date": None})
    assert (whole.status_code, whole.data["status"], whole.data["achieved_date"]) == (200, "PENDING", None)


def test_reopening_clears_what_the_steps_before_set_and_may_bring_a_new_day(cast, dentist, milestone, today):
    milestone.start(by=cast.dentist)
    milestone.achieve(by=cast.dentist)
    day = str(today + timedelta(days=9))
    row = dentist.post(f"/milestones/{milestone.pk}/reopen", {"reason": "Relapse", "target_date": day}).data
    assert (row["status"], row["achieved_date"], row["started_at"], row["target_date"]) == ("PENDING", None, None, day)
    for verb in ("start", "miss", "cancel"):
        answer = dentist.post(f"/milestones/{milestone.pk}/{verb}", {"reason": "x", "target_date": day})
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "target_date")


def test_the_steps_that_are_offered_are_those_of_the_table(cast, milestone, writer):
    for actor, steps in ((cast.dentist, ["start", "achieve", "miss", "defer", "cancel"]), (cast.actor("assistant"), [])):
        assert milestone.steps_for(actor) == steps


# Random sequences


def sensible(status, achieved_date, started_at, status_because, is_withdrawn):
    """Whether a milestone may stand so, by the rules as they are written."""
    return (
        (status == "ACHIEVED") == (achieved_date is not None)
        and (status != "IN_PROGRESS" or started_at is not None) and (status != "PENDING" or started_at is None)
        and (status not in ("DEFERRED", "CANCELLED") or status_because != "") and not (is_withdrawn and status == "ACHIEVED"))


class Milestones(RuleBasedStateMachine):
    """A plan's milestones over the weeks; each act is done, or refused and then changes nothing."""

    cast = plan = None

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.clock, self.told = None, []
        milestone_achieved.connect(self._tell)

    def teardown(self):
        milestone_achieved.disconnect(self._tell)
        if self.clock:
            self.clock.stop()
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def _tell(self, milestone, **kwargs):
        self.told.append(milestone.pk)

    # What is there

    @property
    def today(self):
        return self.cast.clinic.today()

    @property
    def rows(self):
        return list(Milestone.objects.filter(plan=self.plan).in_force().in_order().select_related("plan"))

    def everything(self):
        return list(Milestone.objects.filter(plan=self.plan).order_by("pk").values_list("pk", "version"))

    def do(self, allowed, act):
        before = self.everything()
        try:
            act()
        except (Refused, ValidationError):
            assert not allowed
            assert self.everything() == before
        else:
            assert allowed

    # What people do

    @initialize()
    def begin(self):
        for number, days in enumerate((-30, 0, 1, 20)):
            Milestone.add(by=self.cast.dentist, plan=self.plan, name=f"Own {number}", target_date=self.today + timedelta(days=days))

    @rule(days=st.integers(1, 40))
    def wait(self, days):
        now = timezone.now() + timedelta(days=days)
        if self.clock:
            self.clock.stop()
        self.clock = time_machine.travel(now, tick=True)
        self.clock.start()

    @rule(at=st.integers(0, 9), verb=st.sampled_from(sorted(TABLE)), reason=st.sampled_from(["", " ", "So", "So"]),
          days=st.one_of(st.none(), st.integers(-5, 60)))
    def step(self, at, verb, reason, days):
        row = self.rows[at % len(self.rows)]
        allowed = row.status in TABLE[verb][0] and (verb not in ("defer", "cancel", "reopen") or reason.strip() != "")
        said, day = {"because": reason}, days is not None and self.today + timedelta(days=days)
        if verb == "achieve" and day:
            said["on"], allowed = day, allowed and days <= 0
        if verb == "miss":
            allowed = allowed and row.target_date is not None and row.target_date < self.today
        if verb == "defer" and day:
            said["target_date"], allowed = day, allowed and days >= 0 and (row.target_date is None or day > row.target_date)
        told = len(self.told)
        self.do(allowed, lambda: getattr(row, verb)(by=self.cast.dentist, **said))
        assert self.told[told:] == ([row.pk] if allowed and verb == "achieve" else [])

    @rule(at=st.integers(0, 9), place=st.integers(1, 9), days=st.integers(-20, 20))
    def revise(self, at, place, days):
        row, count = self.rows[at % len(self.rows)], len(self.rows)
        self.do(True, lambda: row.revise(
            by=self.cast.dentist, sequence=place, target_date=self.today + timedelta(days=days)))
        assert [each.pk for each in self.rows].index(row.pk) == min(place, count) - 1

    @rule(at=st.integers(0, 9))
    def withdraw(self, at):
        row = self.rows[at % len(self.rows)]
        if len(self.rows) > 2:
            self.do(row.status != "ACHIEVED", lambda: row.withdraw(by=self.cast.dentist))

    @rule(at=st.integers(0, 9), status=st.sampled_from(STATUSES), dated=st.booleans(), begun=st.booleans(), why=st.booleans(),
          gone=st.booleans())
    def write_past_the_verbs(self, at, status, dated, begun, why, gone):
        """The database takes exactly what the rules call sensible."""
        row, now = self.rows[at % len(self.rows)], timezone.now()
        columns = {"status": status, "achieved_date": self.today if dated else None, "started_at": now if begun else None,
                   "status_because": "So" if why else "", "is_withdrawn": gone}
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE milestones_milestone SET {', '.join(f'{name} = %s' for name in columns)} WHERE id = %s",
                    [*columns.values(), row.pk.hex if connection.vendor == "sqlite" else row.pk])
                transaction.set_rollback(True)
        except IntegrityError:
            assert not sensible(**columns), columns
        else:
            assert sensible(**columns), columns

    # What holds after each of it

    @invariant()
    def every_past_is_a_way_through_the_table(self):
        past = {}
        for key, *stood in Milestone.history.filter(plan=self.plan).order_by("version").values_list(
                "id", "status", "achieved_date", "started_at", "status_because", "is_withdrawn"):
            assert sensible(*stood)
            past.setdefault(key, []).append(stood[0])
        assert {move for each in past.values() for move in pairwise(each) if move[0] != move[1]} <= MOVES

    @invariant()
    def places_are_counted_without_a_gap(self):
        assert [row.sequence for row in self.rows] == list(range(1, len(self.rows) + 1))

    @invariant()
    def one_and_all_say_the_same_of_what_is_overdue(self):
        listed = [row.pk for row in Milestone.objects.filter(plan=self.plan).overdue(self.today)]
        late = sorted((row for row in self.rows if row.is_overdue(self.today)), key=lambda row: (row.target_date, row.pk))
        assert listed == [row.pk for row in late]


@pytest.mark.wide
def test_whatever_one_does_to_milestones_record_and_database_agree(cast, draw_up):
    plan = draw_up().activate(by=cast.dentist)
    machine = type("MilestonesOfThePlan", (Milestones,), {"cast": cast, "plan": TreatmentPlan.objects.get(pk=plan.pk)})
    for number in range(SEQUENCES // 10):
        run_state_machine_as_test(seed(number)(machine), settings=settings(
            max_examples=10, stateful_step_count=STEPS, deadline=None, database=None, suppress_health_check=list(HealthCheck),
            phases=[Phase.generate]))


def test_a_step_out_of_the_table_says_where_it_stands(cast, milestone):
    milestone.cancel(by=cast.dentist, because="So")
    with pytest.raises(WrongStep, match=r"This milestone is cancelled; from there it can't be started\."):
        milestone.start(by=cast.dentist)
