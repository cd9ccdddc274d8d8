"""Random sequences of everything one can do to plans and their procedures: whatever happens, record, chart and copies agree.

CAMPAIGN=1 (bin/campaign plans) walks the full size: 5,000 sequences.
"""
import os
import re
from collections import Counter
from contextlib import nullcontext
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from charting.models import Finding
from clinic.db.refusals import Refused
from treatment.canonical import canonical, digest
from treatment.models import PlanVersion, Procedure, TreatmentPlan
from treatment.refusals import WrongStep
from treatment.signals import procedure_completed, procedure_voided
from treatment.snapshot import content_of

FULL = "CAMPAIGN" in os.environ
SEQUENCES, STEPS = (5000 if FULL else 30), 16
STATUSES = [str(status) for status in TreatmentPlan.Status]
OVER, UNDER_WAY, OPEN = {"completed", "discontinued", "declined"}, {"accepted", "active"}, {"planned", "in_progress"}
# (code, place, how the chart draws it)
WORK = [
    ("D2740", {"tooth": "14"}, ("14", "", "crown")), ("D2392", {"tooth": "19", "surfaces": "MO"}, ("19", "MO", "restoration")),
    ("D7140", {"tooth": "30"}, ("30", "", "missing")), ("D1110", {}, None), ("D4341", {"quadrant": "UR"}, None)]
DRAWN = {"planned": "planned", "in_progress": "planned", "completed": "completed", "existing": "existing"}


def table():
    """{verb: (from, to)} as the docstring of TreatmentPlan writes it."""
    lines = [line.strip().strip("|") for line in TreatmentPlan.__doc__.splitlines() if "|" in line]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {row[0]: ({word for word in re.split(r"[^a-z_]+", row[1]) if word in STATUSES}, row[2]) for row in rows[2:]}


TABLE = table()
MOVES = {(before, after) for befores, after in TABLE.values() for before in befores}
WORK_MOVES = {
    ("planned", "in_progress"), ("planned", "completed"), ("in_progress", "completed"), ("planned", "cancelled"),
    ("in_progress", "cancelled"), ("completed", "cancelled"), ("existing", "cancelled")}
# How a draft comes to each status.
WAY = {"draft": [], "proposed": ["present"], "accepted": ["present", "accept"], "active": ["present", "accept", "activate"],
       "on_hold": ["present", "accept", "activate", "hold"], "completed": ["present", "accept", "activate", "complete"],
       "discontinued": ["present", "accept", "activate", "discontinue"], "declined": ["decline"]}
OFTEN = ["step"] * 6 + ["work"] * 5 + ["draw_up"] * 2 + ["add", "revise", "void", "reorder"]
some = st.integers(0, 11)  # one of those that there are


class Plans(RuleBasedStateMachine):
    """Up to four plans of one patient, three of them alternatives; each step is taken, or refused and then changes nothing."""

    cast = codes = None

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.completed, self.voided = Counter(), Counter()
        procedure_completed.connect(self._completed)
        procedure_voided.connect(self._voided)

    def teardown(self):
        procedure_completed.disconnect(self._completed)
        procedure_voided.disconnect(self._voided)
        try:
            self.copies_are_up_to_date(self.plans)
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def _completed(self, procedure, **kwargs):
        self.completed[procedure.pk] += 1

    def _voided(self, procedure, **kwargs):
        self.voided[procedure.pk] += 1

    # What is there

    @property
    def plans(self):
        return list(TreatmentPlan.objects.filter(clinic=self.cast.clinic).order_by("pk"))

    def everything(self):
        """All that a step can change."""
        tables = (TreatmentPlan, "version"), (Procedure, "version"), (Finding, "version"), (PlanVersion, "number")
        return [list(model.objects.filter(clinic=self.cast.clinic).order_by("pk").values_list("pk", column))
                for model, column in tables]

    def do(self, allowed, act):
        """Take a step; refused is exactly what is not allowed, and leaves all as it was."""
        before = self.everything()
        try:
            act()
        except (Refused, ValidationError):
            assert not allowed
            assert self.everything() == before
        else:
            assert allowed
            changed = {key for key, _ in set(self.everything()[0]) - set(before[0])}
            self.copies_are_up_to_date(plan for plan in self.plans if plan.pk in changed)

    # What people do

    @initialize(way=st.sampled_from(sorted(WAY)), first=some, second=some, beside=st.integers(0, 2))
    def begin(self, way, first, second, beside):
        plan = self._draw_up("First")
        for which in (first, second):
            self._add(plan, which)
        for number in range(beside):
            self._draw_up(f"Beside {number}").set_beside(self.plans[0], by=self.cast.dentist)
        for verb in WAY[way]:
            self.step(0, sorted(TABLE).index(verb), fits=False)

    # One rule: hypothesis leaves out rules by chance, and then most plans would stay drafts.
    @rule(what=st.sampled_from(OFTEN), at=some, which=st.integers(0, 59), fits=st.booleans())
    def act(self, what, at, which, fits):
        getattr(self, what)(at, which, fits)

    def draw_up(self, at, which, beside):
        plans = self.plans
        if len(plans) == 4:
            return
        plan = self._draw_up(f"Plan {len(plans) + 1}")
        self._add(plan, which)
        if beside:
            other = plans[at % len(plans)]
            self.do(not other.is_over, lambda: plan.set_beside(other, by=self.cast.dentist))

    def add(self, at, which, fits):
        plan = self.plans[at % len(self.plans)]
        self.do(not plan.is_over, lambda: self._add(plan, which))

    def step(self, at, which, fits):
        plan = self.plans[at % len(self.plans)]
        known = sorted(verb for verb, (before, _) in TABLE.items() if plan.status in before or not fits)
        verb = known[which % len(known)]
        before, after = TABLE[verb]
        allowed = plan.status in before
        if verb == "activate" and plan.status == "draft":
            allowed &= not plan.procedures.exclude(status="cancelled").exists()
        if verb == "complete":
            allowed &= not plan.procedures.filter(status__in=OPEN).exists()
        if after in UNDER_WAY:
            allowed &= not plan.alternatives().filter(status__in=UNDER_WAY).exists()
        self.do(allowed, lambda: getattr(plan, verb)(by=self.cast.dentist, because="So"))

    def work(self, at, which, fits):
        verb = ["start", "work_on", "complete"][which % 3]
        row = self._procedure(at, fits)
        again = row.status == {"start": "in_progress", "complete": "completed"}.get(verb)
        before = {"start": {"planned"}}.get(verb, OPEN)
        there = self.everything()
        self.do(again or (row.status in before and row.plan.status in UNDER_WAY), lambda: getattr(row, verb)(by=self.cast.dentist))
        assert not again or self.everything() == there

    def revise(self, at, which, fits):
        row = self._procedure(at, fits)
        self.do(row.status in OPEN and row.plan.status not in OVER, lambda: row.revise(
            by=self.cast.dentist, fee=100 * (which % 4), estimated_visits=1 + which % 3))

    def void(self, at, which, fits):
        row = self._procedure(at, fits)
        self.do(row.status != "cancelled", lambda: row.void(by=self.cast.dentist, because="Wrong"))

    def reorder(self, at, which, fits):
        plan = self.plans[at % len(self.plans)]
        keys = [row.pk for row in plan.procedures.all()]
        self.do(not plan.is_over, lambda: Procedure.reorder(by=self.cast.dentist, plan=plan, keys=keys[::-1]))
        assert plan.is_over or [row.pk for row in plan.procedures.all()] == keys[::-1]

    # What holds after each of it

    @invariant()
    def every_past_is_a_way_through_the_table(self):
        for model, moves in ((TreatmentPlan, MOVES), (Procedure, WORK_MOVES)):
            past = {}
            for key, status in model.history.filter(clinic=self.cast.clinic).order_by("version").values_list("id", "status"):
                past.setdefault(key, []).append(status)
            taken = {move for statuses in past.values() for move in pairwise(statuses) if move[0] != move[1]}
            assert taken <= moves
            if model is Procedure:
                self._told_once(past)

    def _told_once(self, past):
        once = Counter(key for key, statuses in past.items() if "completed" in statuses)
        assert self.completed == once
        assert self.voided == Counter(key for key in once if past[key][-1] == "cancelled")

    @invariant()
    def the_chart_says_what_the_procedures_say(self):
        wanted = Counter()
        for row in Procedure.objects.filter(clinic=self.cast.clinic).select_related("plan", "procedure_code", "finding"):
            sign = next(sign for code, _, sign in WORK if code == row.procedure_code.code)
            status = None if row.status in OPEN and row.plan.status in OVER else DRAWN.get(row.status)
            if sign and status:
                wanted[(*sign, status)] += 1
                assert row.finding.is_open
                assert (row.finding.tooth, row.finding.surfaces, row.finding.condition, row.finding.status) == (*sign, status)
            else:
                assert row.finding is None
        assert wanted == Counter(Finding.objects.filter(
            clinic=self.cast.clinic, resolved_on=None, error_because="").values_list("tooth", "surfaces", "condition", "status"))

    @invariant()
    def of_alternatives_one_is_chosen(self):
        chosen = Counter(plan.alternative_group for plan in self.plans if plan.alternative_group and plan.status in UNDER_WAY)
        assert set(chosen.values()) <= {1}

    @invariant()
    def copies_are_numbered_without_a_gap(self):
        for plan in self.plans:
            assert list(plan.versions.order_by("number").values_list("number", flat=True)) == list(range(1, plan.number + 1))

    def copies_are_up_to_date(self, plans):
        for plan in plans:
            if plan.status in TreatmentPlan.LIVE:
                assert plan.versions.newest().digest == digest(canonical(content_of(plan))), plan.status

    # Means

    def _draw_up(self, title):
        return TreatmentPlan.draw_up(
            by=self.cast.dentist, patient=self.cast.ada, title=title, provider=self.cast.drill, start_date=self.cast.clinic.today())

    def _add(self, plan, which):
        code, place, sign = WORK[which % len(WORK)]
        told = {"status": "existing"} if which > 9 and sign else {}
        Procedure.add(by=self.cast.dentist, plan=plan, procedure_code=self.codes[code], **place, **told)

    def _procedure(self, at, open_ones):
        rows = list(Procedure.objects.filter(clinic=self.cast.clinic).order_by("pk"))
        rows = [row for row in rows if open_ones and row.status in OPEN] or rows
        return rows[at % len(rows)]


@pytest.mark.wide
def test_whatever_one_does_to_plans_record_chart_and_copies_agree(cast, codes):
    machine = type("PlansOfTheCast", (Plans,), {"cast": cast, "codes": codes})
    for number in range(SEQUENCES // 10):  # ten at a time: later ones of a run are much like earlier ones
        run_state_machine_as_test(seed(number)(machine), settings=settings(
            max_examples=10, stateful_step_count=STEPS, deadline=None, database=None, suppress_health_check=list(HealthCheck),
            phases=[Phase.generate]))  # sixteen steps are read as they are; to find fewer takes minutes


# The table of steps, one by one


def test_the_code_has_the_table_of_the_docstring():
    assert TABLE == {verb: ({*map(str, before)}, str(after)) for verb, (before, after) in TreatmentPlan.STEPS.items()}


@pytest.mark.wide
@pytest.mark.parametrize("verb", sorted(TABLE))
@pytest.mark.parametrize("status", STATUSES)
def test_each_step_is_taken_from_where_the_table_says_and_from_nowhere_else(cast, program, draw_up, status, verb):
    plan = draw_up()
    for step in WAY[status]:
        getattr(plan, step)(by=cast.dentist)
    assert plan.status == status
    before, after = TABLE[verb]
    expected = after if status in before else status
    if verb in ("reopen", "redraft"):  # pages alone have these
        with nullcontext() if status in before else pytest.raises(WrongStep):
            getattr(plan, verb)(by=cast.dentist, because="So")
    else:
        answer = program("dentist").post(f"/treatment-plans/{plan.pk}/{verb}", {"reason": "So"})
        assert answer.status_code == (200 if status in before else 409)
    plan.refresh_from_db()
    assert plan.status == expected


def work_in(cast, agreed, status):
    """A procedure that stands there."""
    row = agreed.procedures.first()
    ways = {"in_progress": ["start"], "completed": ["complete"], "cancelled": ["void"]}
    if status in Procedure.TOLD:
        return Procedure.add(by=cast.dentist, plan=agreed, procedure_code=row.procedure_code, tooth="3", status=status)
    for verb in ways.get(status, []):
        getattr(row, verb)(by=cast.dentist, **({"because": "Wrong"} if verb == "void" else {}))
    return row


@pytest.mark.parametrize("verb", ["start", "complete", "void"])
@pytest.mark.parametrize("status", [str(status) for status in Procedure.Status])
def test_each_step_of_a_procedure_is_taken_from_where_its_table_says(cast, program, agreed, status, verb):
    row = work_in(cast, agreed, status)
    assert row.status == status
    before, after = Procedure.STEPS[verb]
    again = (verb, status) in (("start", "in_progress"), ("complete", "completed"))
    answer = program("dentist").post(f"/procedures/{row.pk}/{verb}", {"reason": "Wrong"} if verb == "void" else {})
    assert answer.status_code == (200 if status in before or again else 409)
    row.refresh_from_db()
    assert row.status == (after if status in before else status)
