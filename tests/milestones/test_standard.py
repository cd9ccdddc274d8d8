"""Standard sets: what they hold, when a plan gets its own, and what moves with the plan's dates."""
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.access.actor import Actor
from clinic.dates import months_after
from clinic.db.refusals import NotAllowed, Refused
from milestones.models import Milestone, MilestoneSet, MilestoneTemplate
from milestones.targets import due_on
from treatment.models import TreatmentPlan
from treatment.signals import plan_activated

COMPREHENSIVE = [
    ("TREATMENT_START", 0), ("BONDING_COMPLETE", 1), ("INITIAL_ALIGNMENT", 6), ("SPACE_CLOSURE_START", 8),
    ("SPACE_CLOSURE_COMPLETE", 14), ("FINISHING_START", 18), ("DEBOND_READY", 22), ("DEBOND_COMPLETE", 23),
    ("RETENTION_START", 23), ("RETENTION_CHECK", 26), ("TREATMENT_COMPLETE", 35)]


@pytest.fixture
def sets(cast):
    """{kind: its starter set}"""
    return {row.treatment_type: row for row in MilestoneSet.load_starter(by=cast.system)}


@pytest.fixture
def activate(cast, draw_up):
    """`activate("COMPREHENSIVE", date(2026, 1, 31))`: a plan that began then."""
    def make(kind="GENERAL", start=None, **values):
        values |= {"start_date": start} if start else {}
        return draw_up(kind, treatment_type=kind, **values).activate(by=cast.dentist)
    return make


def dates(plan):
    return [(row.milestone_type, row.target_date) for row in plan.milestones.in_force().in_order()]


# What they hold


def test_there_is_a_set_for_each_kind_of_treatment_that_ends_with_its_last_row(cast, sets):
    assert set(sets) == {str(kind) for kind in TreatmentPlan.Type}
    start = date(2026, 3, 2)
    for kind, each in sets.items():
        rows = list(each.rows.in_use())
        due = [due_on(row, start, None, each.usual_months) for row in rows]
        assert due == sorted(due), kind
        assert due[0] == start
        assert rows[-1].milestone_type == "TREATMENT_COMPLETE"
        assert all(row.completion_criteria for row in rows)
        for row in rows:
            row.full_clean(exclude=["clinic"])


def test_the_set_of_a_comprehensive_case_is_that_of_the_field(sets):
    rows = sets["COMPREHENSIVE"].rows.in_use()
    assert [(row.milestone_type, row.months) for row in rows] == COMPREHENSIVE


def test_a_surgical_case_has_its_surgery_before_finishing_and_phase_one_has_none(sets):
    surgical, early = ([row.milestone_type for row in sets[kind].rows.in_use()] for kind in ("SURGICAL", "PHASE_I"))
    at = surgical.index("SURGICAL_READY")
    assert surgical[at:at + 3] == ["SURGICAL_READY", "SURGERY_COMPLETE", "FINISHING_START"]
    assert not {"SPACE_CLOSURE_START", "SPACE_CLOSURE_COMPLETE", "SURGICAL_READY", "SURGERY_COMPLETE"} & set(early)
    assert sets["PHASE_I"].usual_months == 12


def test_the_command_brings_what_is_lacking_and_leaves_the_rest(cast):
    own = MilestoneSet(treatment_type="GENERAL", usual_months=3).record(by=cast.manager)
    said = StringIO()
    for _ in range(2):
        call_command("open_milestones", clinic=cast.clinic.name, stdout=said)
    assert "11 kinds" in said.getvalue()
    assert "0 kinds" in said.getvalue()
    assert not own.rows.exists()
    assert MilestoneSet.objects.filter(clinic=cast.clinic).count() == 12
    assert not MilestoneSet.objects.filter(clinic=cast.outsider.clinic).exists()


@pytest.mark.parametrize("tasks", [
    "x", {"title": "x"}, ["x"], [{"description": "x"}], [{"title": ""}], [{"title": "x" * 201}], [{"title": "x", "weight": 0}],
    [{"title": "x", "weight": True}], [{"title": "x", "days_before": -1}], [{"title": "x", "shoe_size": 44}],
    [{"title": "x"}] * 21])
def test_tasks_of_a_row_that_make_no_sense_are_refused(cast, sets, tasks):
    with pytest.raises(ValidationError, match="task"):
        sets["GENERAL"].rows.first().change(by=cast.manager, tasks=tasks)


def test_the_tasks_of_a_row_are_due_days_before_its_milestone(cast, sets):
    row = sets["GENERAL"].rows.first().change(by=cast.manager, tasks=[
        {"title": "Call", "days_before": 10, "weight": 3}, {"title": "Write", "description": "By hand"}])
    day = date(2026, 3, 11)
    assert row.tasks_for(day) == [
        {"title": "Call", "description": "", "weight": 3, "due_date": date(2026, 3, 1)},
        {"title": "Write", "description": "By hand", "weight": 1, "due_date": day}]
    assert {task["due_date"] for task in row.tasks_for(None)} == {None}


# When they are due


@pytest.mark.parametrize(("start", "months", "due"), [
    (date(2026, 1, 31), 1, date(2026, 2, 28)), (date(2028, 1, 31), 1, date(2028, 2, 29)), (date(2026, 8, 31), 1, date(2026, 9, 30)),
    (date(2026, 12, 15), 1, date(2027, 1, 15)), (date(2026, 11, 30), 3, date(2027, 2, 28)),
    (date(2024, 2, 29), 12, date(2025, 2, 28)), (date(2026, 5, 5), 0, date(2026, 5, 5)),
    (date(2026, 1, 31), 35, date(2028, 12, 31))])
def test_months_are_those_of_the_calendar_and_end_with_a_shorter_month(start, months, due):
    assert months_after(start, months) == due


def test_activating_lays_out_the_set_of_its_kind_by_calendar_months(cast, activate):
    plan = activate("COMPREHENSIVE", date(2026, 1, 31))
    assert dates(plan) == [(kind, months_after(date(2026, 1, 31), months)) for kind, months in COMPREHENSIVE]
    row = plan.milestones.in_order().first()
    assert (row.status, row.patient, row.clinic, row.dated_by_hand) == ("PENDING", cast.ada, cast.clinic, False)
    assert {each.status for each in plan.milestones.all()} == {"PENDING"}
    assert (row.template_version, row.completion_criteria) == (row.template.version, row.template.completion_criteria)
    assert [each.sequence for each in plan.milestones.in_order()] == list(range(1, 12))


def test_shares_are_of_the_plans_length_or_of_what_is_usual(cast, activate):
    start = date(2026, 3, 2)
    planned = activate("GENERAL", start, target_end_date=date(2026, 3, 13))  # eleven days: half of it is five and a half
    assert [day for _, day in dates(planned)] == [start, date(2026, 3, 8), date(2026, 3, 13)]
    open_ended = activate("GENERAL", start)
    assert [day for _, day in dates(open_ended)] == [start, date(2026, 9, 1), date(2027, 3, 2)]


# Once, and never again


def test_the_first_plan_of_a_kind_brings_its_set_and_the_next_one_uses_it(cast, activate):
    assert not MilestoneSet.objects.filter(clinic=cast.clinic).exists()
    first, second = activate("RETENTION"), activate("RETENTION")
    made = MilestoneSet.objects.get(clinic=cast.clinic)
    assert {row.template.milestone_set for row in (*first.milestones.all(), *second.milestones.all())} == {made}
    assert first.milestones.count() == second.milestones.count() == 7


def test_a_set_of_which_the_practice_uses_nothing_stays_empty(cast, sets, activate):
    for row in sets["IMPLANT"].rows.all():
        row.change(by=cast.manager, is_active=False)
    assert dates(activate("IMPLANT")) == []


def test_nothing_is_laid_out_a_second_time(cast, activate):
    plan = activate()
    kept, gone, *_ = plan.milestones.in_order()
    kept.revise(by=cast.dentist, name="Our own words")
    gone.withdraw(by=cast.dentist)
    MilestoneTemplate(milestone_set=kept.template.milestone_set, name="New here", percent=10).record(by=cast.manager)
    before = list(Milestone.objects.filter(plan=plan).values_list("pk", "version").order_by("pk"))
    plan_activated.send(TreatmentPlan, plan=plan, by=cast.dentist, on=cast.clinic.today())
    plan.complete(by=cast.dentist)
    plan.reopen(by=cast.dentist, because="Not yet")
    assert list(Milestone.objects.filter(plan=plan).values_list("pk", "version").order_by("pk")) == before
    assert plan.milestones.in_order().first().name == "Our own words"


def test_what_a_draft_had_already_stands_before_what_comes_with_activation(cast, draw_up):
    plan = draw_up()
    Milestone.add(by=cast.dentist, plan=plan, name="Own")
    plan.activate(by=cast.dentist)
    assert [row.sequence for row in plan.milestones.in_order()] == [1, 2, 3, 4]
    assert plan.milestones.in_order().first().name == "Own"


def test_what_the_manager_changes_in_a_set_changes_no_plan_that_has_its_own(cast, sets, activate):
    plan = activate("GENERAL", date(2026, 1, 1), target_end_date=date(2026, 12, 27))
    row = sets["GENERAL"].rows.get(percent=50)
    row.change(by=cast.manager, percent=25, name="Quarter-way review")
    own = plan.milestones.get(template=row)
    assert (own.name, own.template_version, row.version) == ("Half-way review", 1, 2)
    assert Milestone.shifts(plan) == []  # by the rule as it was
    assert activate("GENERAL").milestones.get(template=row).name == "Quarter-way review"


def test_activation_freezes_one_copy_with_the_milestones_in_it(cast, activate):
    plan = activate()
    assert plan.number == 1
    [section] = plan.versions.newest().content["sections"]
    assert [row["name"] for row in section["milestones"]] == ["Treatment start", "Half-way review", "Treatment complete"]
    plan.milestones.first().achieve(by=cast.dentist)  # how far it has come is not what was agreed
    assert TreatmentPlan.objects.get(pk=plan.pk).number == 1
    plan.milestones.last().defer(by=cast.dentist, because="Ill")
    assert TreatmentPlan.objects.get(pk=plan.pk).number == 2


def test_laying_out_costs_the_same_for_three_and_for_eleven(cast, sets, activate):
    counts = []
    for kind in ("GENERAL", "GENERAL", "COMPREHENSIVE"):
        with CaptureQueriesContext(connection) as asked:
            activate(kind)
        counts.append(len(asked))
    assert counts[1] == counts[2]


# With the plan's dates


@pytest.fixture
def moved(cast, activate):
    """A comprehensive plan that in truth began a month later."""
    plan = activate("COMPREHENSIVE", date(2026, 1, 31))
    by_type = {row.milestone_type: row for row in plan.milestones.all()}
    by_type["TREATMENT_START"].achieve(by=cast.dentist)
    by_type["BONDING_COMPLETE"].revise(by=cast.dentist, target_date=date(2026, 3, 9))
    by_type["DEBOND_READY"].defer(by=cast.dentist, because="Ill")
    by_type["RETENTION_CHECK"].withdraw(by=cast.dentist)
    Milestone.add(by=cast.dentist, plan=plan, name="Own", target_date=date(2026, 7, 1))
    plan.revise(by=cast.dentist, start_date=date(2026, 2, 28))
    return TreatmentPlan.objects.get(pk=plan.pk)


STAYS = {"TREATMENT_START", "BONDING_COMPLETE", "DEBOND_READY", "RETENTION_CHECK", "CUSTOM"}


def test_a_preview_tells_what_would_move_and_moves_nothing(moved):
    before = dates(moved)
    found = Milestone.shifts(moved)
    assert {each.milestone.milestone_type for each in found} == {kind for kind, _ in COMPREHENSIVE} - STAYS
    assert all((each.old, each.new) == (
        months_after(date(2026, 1, 31), each.milestone.template.months),
        months_after(date(2026, 2, 28), each.milestone.template.months)) for each in found)
    assert dates(moved) == before


def test_shifting_moves_what_the_preview_told_and_nothing_that_a_person_dated(cast, moved):
    told = {each.milestone.pk: each.new for each in Milestone.shifts(moved)}
    before = {row.pk: (row.target_date, row.version) for row in moved.milestones.all()}
    number = moved.number
    assert len(Milestone.shift(by=cast.dentist, plan=moved)) == len(told) == 7
    for row in moved.milestones.all():
        assert (row.target_date, row.version) == ((told[row.pk], before[row.pk][1] + 1) if row.pk in told else before[row.pk])
    assert TreatmentPlan.objects.get(pk=moved.pk).number == number + 1
    assert Milestone.shift(by=cast.dentist, plan=moved) == []


def test_shifting_is_refused_to_readers_and_in_plans_that_are_over(cast, moved):
    with pytest.raises(NotAllowed):
        Milestone.shift(by=cast.desk, plan=moved)
    moved.discontinue(by=cast.dentist, because="Moves")
    with pytest.raises(Refused):
        Milestone.shift(by=cast.dentist, plan=moved)


def test_a_preview_costs_the_same_for_one_and_for_many(cast, moved):
    moved.milestones.get(milestone_type="INITIAL_ALIGNMENT").cancel(by=cast.dentist, because="x")
    with CaptureQueriesContext(connection) as many:
        assert len(Milestone.shifts(moved)) == 6
    for row in list(moved.milestones.filter(status="PENDING", dated_by_hand=False, is_withdrawn=False))[1:]:
        row.cancel(by=cast.dentist, because="x")
    with CaptureQueriesContext(connection) as one:
        assert len(Milestone.shifts(moved)) == 1
    assert len(one) == len(many) == 2


def test_the_installation_may_lay_out_and_shift_too(cast, activate):
    plan = activate("GENERAL", date(2026, 1, 1))
    plan.revise(by=cast.dentist, start_date=date(2026, 2, 1))
    assert len(Milestone.shift(by=Actor.system(cast.clinic), plan=plan)) == 3
    assert plan.milestones.order_by("sequence").first().target_date == date(2026, 1, 1) + timedelta(days=31)
