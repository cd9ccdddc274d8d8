"""Milestones of a plan by the API, as its contract writes them."""
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import AccessEvent
from milestones.models import Milestone
from tests.program import Program
from treatment.models import Goal, Phase, TreatmentPlan

FIELDS = {
    "id", "clinic_id", "treatment_plan_id", "phase_id", "goal_id", "milestone_name", "milestone_type", "description", "target_date",
    "achieved_date", "started_at", "status", "completion_criteria", "notes", "sequence", "requires_evidence", "requires_approval",
    "charge_amount", "version", "created_at", "updated_at"}


@pytest.fixture
def path(plan):
    return f"/treatment-plans/{plan.pk}/milestones"


def names(answer):
    return [row["milestone_name"] for row in answer.data["items"]]


# To put in, and to read


def test_a_milestone_is_put_in_with_everything_that_it_may_say(cast, dentist, plan, path):
    phase = Phase.add(by=cast.dentist, plan=plan, name="Alignment")
    goal = Goal.set_out(by=cast.dentist, plan=plan, goal_type="long_term", description="Bite")
    key = str(uuid4())
    said = {
        "id": key, "milestone_name": "Bite opened", "milestone_type": "CUSTOM", "description": "Two millimetres",
        "target_date": "2027-02-01", "completion_criteria": "Measured", "notes": "With turbos", "phase_id": str(phase.pk),
        "goal_id": str(goal.pk), "requires_evidence": True, "charge_amount": "125.00"}
    made = dentist.post(path, said)
    assert made.status_code == 201
    assert made.data.keys() >= FIELDS
    assert {name: made.data[name] for name in said} == said
    assert (made.data["status"], made.data["sequence"], made.data["achieved_date"], made.data["started_at"]) == (
        "PENDING", 4, None, None)
    assert (made.data["requires_approval"], made.data["version"], made.data["clinic_id"]) == (True, 1, str(cast.clinic.pk))
    assert made.data["treatment_plan_id"] == str(plan.pk)
    one = dentist.get(f"/milestones/{key}")
    assert one.headers["ETag"] == '"1"'
    assert one.data | made.data == one.data
    assert dentist.post(path, said).status_code == 409  # the id is in use


def test_approval_is_needed_where_an_amount_falls_due_unless_it_is_said_otherwise(dentist, path):
    said = {"milestone_name": "Debond"}
    for more, needed in (({}, False), ({"charge_amount": "0.00"}, True), ({"charge_amount": "9.50"}, True), (
            {"charge_amount": "9.50", "requires_approval": False}, False), ({"requires_approval": True}, True)):
        assert dentist.post(path, said | more).data["requires_approval"] is needed
    row = dentist.post(path, said).data
    assert dentist.patch(f"/milestones/{row['id']}", {"charge_amount": "10.00"}).data["requires_approval"] is True


def test_a_standard_type_brings_its_name_along_and_a_custom_one_has_its_own(dentist, path):
    assert dentist.post(path, {"milestone_type": "BONDING_COMPLETE"}).data["milestone_name"] == "Bonding complete"
    refused = dentist.post(path, {})
    assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, "milestone_name")


@pytest.mark.parametrize(("wrong", "field"), [
    ({"status": "ACHIEVED"}, "status"), ({"achieved_date": "2026-01-01"}, "achieved_date"), ({"started_at": None}, "started_at"),
    ({"clinic_id": str(uuid4())}, "clinic_id"), ({"milestone_type": "WISH"}, "milestone_type"), ({"sequence": 0}, "sequence"),
    ({"charge_amount": "-1.00"}, "charge_amount"), ({"charge_amount": 5.5}, "charge_amount"),
    ({"milestone_name": " "}, "milestone_name"), ({"target_date": "soon"}, "target_date"),
    ({"phase_id": str(uuid4())}, "phase_id"), ({"goal_id": str(uuid4())}, "goal_id")])
def test_what_makes_no_sense_is_told_beside_its_field(dentist, path, wrong, field):
    refused = dentist.post(path, {"milestone_name": "x"} | wrong)
    assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, field)
    assert dentist.get(path).data["count"] == 3


def test_phase_and_goal_are_of_the_same_plan(cast, dentist, path, draw_up):
    other = draw_up("Other")
    phase = Phase.add(by=cast.dentist, plan=other, name="Elsewhere")
    goal = Goal.set_out(by=cast.dentist, plan=other, goal_type="long_term", description="Elsewhere")
    row = dentist.get(path).data["items"][0]
    for field, key in (("phase_id", phase.pk), ("goal_id", goal.pk)):
        for refused in (dentist.post(path, {"milestone_name": "x", field: str(key)}), dentist.patch(
                f"/milestones/{row['id']}", {field: str(key)})):
            assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, field)


def test_a_list_stands_in_its_sequence_and_a_new_one_where_it_is_put(dentist, path):
    standard = ["Treatment start", "Half-way review", "Treatment complete"]
    assert names(dentist.get(path)) == standard
    dentist.post(path, {"milestone_name": "First", "sequence": 1})
    dentist.post(path, {"milestone_name": "Third", "sequence": 3})
    dentist.post(path, {"milestone_name": "Last", "sequence": 900})
    listed = dentist.get(path)
    assert names(listed) == ["First", "Treatment start", "Third", "Half-way review", "Treatment complete", "Last"]
    assert [row["sequence"] for row in listed.data["items"]] == [1, 2, 3, 4, 5, 6]
    assert dentist.patch(f"/milestones/{listed.data['items'][0]['id']}", {"sequence": 6}).data["sequence"] == 6
    assert names(dentist.get(path)) == [*standard[:1], "Third", *standard[1:], "Last", "First"]


def test_nothing_is_put_into_a_plan_that_is_over(cast, dentist, plan, path):
    plan.complete(by=cast.dentist)
    assert dentist.post(path, {"milestone_name": "x"}).status_code == 409
    late = plan.milestones.first()
    assert dentist.post(f"/milestones/{late.pk}/cancel", {"reason": "Over"}).status_code == 200  # what is left can be settled


# To change, and to take out


def test_a_change_keeps_what_is_left_out_and_names_its_version(dentist, milestone):
    path = f"/milestones/{milestone.pk}"
    changed = dentist.patch(path, {"completion_criteria": "Seen", "notes": "x"}, **{"If-Match": '"1"'})
    assert (changed.data["milestone_name"], changed.data["completion_criteria"]) == (milestone.name, "Seen")
    assert (changed.data["version"], changed.headers["ETag"]) == (2, '"2"')
    stale = dentist.patch(path, {"notes": "y"}, **{"If-Match": '"1"'})
    assert (stale.status_code, stale.data["current"]["notes"]) == (409, "x")
    assert dentist.put(path, changed.data).data["version"] == 2  # sent back as it was: nothing to write
    for wrong in ({"version": "9", "achieved_at": 1}, {"milestone_name": None}, {"started_at": "2026-01-01T00:00:00Z"}):
        assert dentist.patch(path, wrong).status_code == 422


def test_a_day_that_a_person_set_is_known_as_such(cast, dentist, plan):
    row = plan.milestones.first()
    dentist.patch(f"/milestones/{row.pk}", {"notes": "x", "target_date": str(row.target_date)})
    assert not Milestone.objects.get(pk=row.pk).dated_by_hand
    dentist.patch(f"/milestones/{row.pk}", {"target_date": str(row.target_date + timedelta(days=1))})
    assert Milestone.objects.get(pk=row.pk).dated_by_hand


def test_what_is_withdrawn_is_gone_and_its_past_is_kept(cast, dentist, program, milestone, path):
    assert dentist.delete(f"/milestones/{milestone.pk}").status_code == 204
    for answer in (dentist.get(f"/milestones/{milestone.pk}"), dentist.delete(f"/milestones/{milestone.pk}"),
                   dentist.patch(f"/milestones/{milestone.pk}", {"notes": "x"}), dentist.post(f"/milestones/{milestone.pk}/start")):
        assert answer.status_code == 404
    assert milestone.name not in names(dentist.get(path))
    assert dentist.get("/milestones/overdue").data["count"] == 0
    assert milestone.history.count() == 2


def test_what_is_achieved_or_was_charged_is_not_withdrawn(cast, dentist, put_in):
    row = put_in(charge_amount=50, requires_approval=False)
    path = f"/milestones/{row.pk}"
    row.achieve(by=cast.dentist)
    refused = dentist.delete(path)
    assert (refused.status_code, refused.data["detail"]) == (409, "This milestone is achieved. Cancel it instead.")
    row.reopen(by=cast.dentist, because="Relapse")
    assert dentist.delete(path).data["detail"] == "This milestone was charged. Cancel it instead."
    assert dentist.patch(path, {"charge_amount": "60.00"}).status_code == 409
    assert dentist.patch(path, {"charge_amount": "50.00", "notes": "x"}).status_code == 200


def test_a_draft_of_another_patient_and_of_another_clinic_are_not_there(cast, program, dentist, draw_up, milestone):
    draft = draw_up("Not shown yet")
    hidden = Milestone.add(by=cast.dentist, plan=draft, name="Hidden")
    hers = draw_up("Hers", patient=cast.grace).activate(by=cast.dentist).milestones.first()
    assert program("patient").get(f"/milestones/{milestone.pk}").status_code == 200
    for row in (hidden, hers):
        assert program("patient").get(f"/milestones/{row.pk}").status_code == 404
        assert dentist.get(f"/milestones/{row.pk}").status_code == 200
    assert Program(cast.outsider.actor("dentist")).get(f"/milestones/{milestone.pk}").status_code == 404
    assert program("coach").get(f"/milestones/{milestone.pk}").status_code == 403
    assert AccessEvent.objects.filter(patient=cast.ada, route="api:milestone").exists()


def test_who_keeps_milestones_is_told_by_me(program):
    for role in ("dentist", "hygienist", "assistant", "coordinator", "manager"):
        assert {"milestone:create", "milestone:update"} <= set(program(role).get("/me").data["permissions"]), role
    for role in ("receptionist", "biller", "coach", "patient"):
        assert not {"milestone:create", "milestone:update"} & set(program(role).get("/me").data["permissions"]), role


def test_a_clinician_outside_the_care_team_reads_and_does_not_write(program, writer, milestone, path):
    for role, status in (("assistant", 403), ("hygienist", 200), ("coordinator", 200), ("manager", 200)):
        assert program(role).get(path).status_code == 200
        assert program(role).patch(f"/milestones/{milestone.pk}", {"notes": role}).status_code == status, role
        assert program(role).post(path, {"milestone_name": role}).status_code == (403 if status == 403 else 201)
    assert program("assistant").delete(f"/milestones/{milestone.pk}").status_code == 403


# What is due


def test_overdue_ones_stand_oldest_first_and_only_while_they_are_open(cast, dentist, plan, put_in, today):
    rows = {days: put_in(f"{days} ago", target_date=today - timedelta(days=days)) for days in (3, 10, 1, 0)}
    for verb in ("achieve", "miss", "defer", "cancel"):
        getattr(put_in(), verb)(by=cast.dentist, because="So")
    rows[1].start(by=cast.dentist)
    found = dentist.get("/milestones/overdue")
    assert names(found) == ["10 ago", "3 ago", "1 ago"]
    assert [(row["is_overdue"], row["days_late"]) for row in found.data["items"]] == [(True, 10), (True, 3), (True, 1)]
    plan.discontinue(by=cast.dentist, because="Moves")
    assert dentist.get("/milestones/overdue").data["count"] == 0


def test_overdue_ones_are_found_by_provider_kind_of_treatment_and_patient(cast, dentist, milestone, draw_up, today):
    hers = draw_up("Hers", patient=cast.grace, provider=cast.bridge, treatment_type="RETENTION")
    other = Milestone.add(by=cast.manager, plan=hers, name="Hers", target_date=today - timedelta(days=2))
    for asked, row in (({"provider": cast.bridge.pk}, other), ({"treatment_type": "GENERAL"}, milestone),
                       ({"patient": cast.grace.pk}, other), ({"patient": cast.ada.pk, "provider": cast.drill.pk}, milestone)):
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        assert names(dentist.get(f"/milestones/overdue?{query}")) == [row.name]
    assert dentist.get(f"/milestones/overdue?patient={cast.outsider.ada.pk}").data["count"] == 0
    for wrong in ("treatment_type=MAGIC", "provider=x", "who=x"):
        assert dentist.get(f"/milestones/overdue?{wrong}").status_code == 422


def test_upcoming_ones_are_due_from_today_to_the_last_day_that_is_asked_for(cast, dentist, plan, put_in, today):
    plan.milestones.first().achieve(by=cast.dentist)  # the one that is due today by its set
    for days in (-1, 0, 7, 30, 31):
        put_in(f"in {days}", target_date=today + timedelta(days=days))
    assert names(dentist.get("/milestones/upcoming")) == ["in 0", "in 7", "in 30"]
    assert names(dentist.get("/milestones/upcoming?days=7")) == ["in 0", "in 7"]
    assert dentist.get("/milestones/upcoming?days=-1").status_code == 422


def test_the_progress_of_a_plan_leaves_the_cancelled_out(cast, dentist, plan):
    first, second, third = plan.milestones.in_order()
    path = f"/treatment-plans/{plan.pk}"
    assert dentist.get(path).data["milestone_progress"] == {"achieved": 0, "total": 3, "percent": 0}
    first.achieve(by=cast.dentist)
    assert dentist.get(path).data["milestone_progress"] == {"achieved": 1, "total": 3, "percent": 33}
    second.cancel(by=cast.dentist, because="So")
    assert dentist.get(path).data["milestone_progress"] == {"achieved": 1, "total": 2, "percent": 50}
    third.withdraw(by=cast.dentist)
    listed = dentist.get(f"/patients/{cast.ada.pk}/treatment-plans").data["items"]
    assert [row["milestone_progress"] for row in listed] == [{"achieved": 1, "total": 1, "percent": 100}]


def test_a_plan_without_an_activation_has_no_milestones_and_an_active_one_is_told_with_its_set(cast, dentist):
    said = {"title": "x", "start_date": str(cast.clinic.today())}
    made = dentist.post(f"/patients/{cast.ada.pk}/treatment-plans", said)
    assert (made.data["status"], made.data["version"], made.data["milestone_progress"]["total"]) == ("active", 1, 3)
    draft = dentist.post(f"/patients/{cast.ada.pk}/treatment-plans", said | {"status": "draft"})
    assert draft.data["milestone_progress"] == {"achieved": 0, "total": 0, "percent": 0}
    assert TreatmentPlan.objects.get(pk=draft.data["id"]).milestones.count() == 0


# Rates


def test_rates_count_what_was_on_time_late_and_missed(cast, dentist, plan, put_in, today):
    plan.milestones.last().cancel(by=cast.dentist, because="So")
    for days in (1, 4, 9):  # days late
        put_in(target_date=today - timedelta(days=days)).achieve(by=cast.dentist)
    put_in(target_date=today).achieve(by=cast.dentist)
    put_in(target_date=None).achieve(by=cast.dentist)
    put_in().miss(by=cast.dentist)
    rows = {row["milestone_type"]: row for row in dentist.get("/milestones/report?by=milestone_type").data["items"]}
    assert set(rows) == {"TREATMENT_START", "CUSTOM"}
    figures = {"total": 7, "achieved": 5, "on_time": 2, "late": 3, "missed": 1, "median_days_late": 4.0, "percent": 71,
               "average_days": 0.0}
    assert rows["CUSTOM"] == {
        "milestone_type": "CUSTOM", "treatment_type": None, "provider_id": None, "month": None, **figures}
    assert rows["TREATMENT_START"]["median_days_late"] is None


def test_rates_are_asked_by_kind_provider_and_month_and_of_a_span(cast, dentist, draw_up, put_in, today):
    hers = draw_up("Hers", patient=cast.grace, provider=cast.bridge, treatment_type="RETENTION")
    Milestone.add(by=cast.manager, plan=hers, name="x", milestone_type="RETENTION_CHECK", target_date="2024-02-29")
    put_in(target_date="2024-02-01")
    whole = dentist.get("/milestones/report?to=2024-12-31").data["items"]
    assert [(row["milestone_type"], row["treatment_type"], row["provider_id"], row["month"], row["total"]) for row in whole] == [
        ("CUSTOM", "GENERAL", str(cast.drill.pk), "2024-02", 1),
        ("RETENTION_CHECK", "RETENTION", str(cast.bridge.pk), "2024-02", 1)]
    by_month = dentist.get("/milestones/report?by=month&to=2024-12-31").data
    assert by_month["count"] == 1
    assert (by_month["items"][0]["month"], by_month["items"][0]["total"]) == ("2024-02", 2)
    by_two = dentist.get("/milestones/report?by=provider&by=treatment_type&from=2024-02-10&to=2024-03-01").data["items"]
    assert [(row["provider_id"], row["treatment_type"], row["total"]) for row in by_two] == [(str(cast.bridge.pk), "RETENTION", 1)]
    assert dentist.get(f"/milestones/report?provider={cast.bridge.pk}").data["count"] == 1
    assert dentist.get("/milestones/report?by=weather").status_code == 422


# How much is asked


@pytest.mark.parametrize("asked", ["list", "overdue", "upcoming", "report"])
def test_every_list_asks_the_same_for_one_and_for_30(cast, dentist, put_in, draw_up, path, today, asked):
    address = path if asked == "list" else f"/milestones/{asked}"

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert dentist.get(f"{address}?limit=200").status_code == 200
        return len(found)

    put_in(), put_in(target_date=today)
    few = queries()
    for number in range(15):
        plan = draw_up(f"Plan {number}").activate(by=cast.dentist)
        for target in (today, today - timedelta(days=1)):
            put_in(target_date=target)
            Milestone.add(by=cast.dentist, plan=plan, name="x", target_date=target)
    assert queries() == few


def test_a_step_asks_the_same_in_a_short_and_in_a_long_plan(cast, dentist, plan, put_in):
    def queries(row):
        with CaptureQueriesContext(connection) as found:
            assert dentist.post(f"/milestones/{row.pk}/achieve").status_code == 200
        return len(found)

    few = queries(put_in())
    rows = [put_in(str(number)) for number in range(30)]
    assert queries(rows[0]) == few
