"""Goal-based care plans by the API, as its contract writes them."""
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.access.hats import hats_of
from clinic.models import Membership, User
from tests.cast import PASSWORD
from tests.program import Program
from treatment.models import CareTeamMember, GoalIntervention, Intervention, TreatmentPlan

PLAN = {
    "title": "Anxiety Management Plan", "diagnosis_codes": [{"code": "F41.1", "description": "Generalized anxiety disorder"}],
    "presenting_problems": ["chronic worry", "sleep difficulties", "physical tension"], "start_date": "2024-03-01",
    "target_end_date": "2024-09-01", "review_frequency_days": 90}


def test_the_contracts_plan_goal_and_progress_are_answered_as_it_says(cast, dentist, book):
    made = dentist.post(f"/patients/{cast.ada.pk}/treatment-plans", PLAN)
    assert (made.status_code, made.data["status"], made.data["version"]) == (201, "active", 1)
    assert {name: made.data[name] for name in PLAN} == PLAN
    assert made.data["therapist_id"] == str(cast.drill.pk)
    assert (made.data["treatment_type"], made.data["next_review_date"]) == ("GENERAL", "2024-05-30")
    plan = f"/treatment-plans/{made.data['id']}"
    relax = Intervention.objects.get(name="Deep breathing")
    top = dentist.post(f"{plan}/goals", {"goal_type": "long_term", "description": "Live without daily worry"})
    body = {
        "goal_type": "short_term", "parent_goal_id": top.data["id"], "description": "Learn and practice 3 relaxation techniques",
        "measurable_criteria": "Patient can demonstrate techniques independently", "baseline_value": "No techniques known",
        "target_value": "3 techniques mastered", "target_date": "2024-04-15",
        "interventions": [{"intervention_id": str(relax.pk), "frequency": "every session"}]}
    goal = dentist.post(f"{plan}/goals", body)
    assert goal.status_code == 201
    assert {name: goal.data[name] for name in body if name != "interventions"} == {
        name: body[name] for name in body if name != "interventions"}
    assert [(row["intervention_id"], row["frequency"]) for row in goal.data["interventions"]] == [(str(relax.pk), "every session")]
    session = book()
    entry = dentist.post(f"/goals/{goal.data['id']}/progress", {
        "session_id": str(session.pk), "progress_note": "Practised slow breathing", "progress_value": "1 technique learned",
        "rating": 7, "intervention_ids": [str(relax.pk)]})
    assert (entry.status_code, entry.data["rating"], entry.data["session_id"]) == (201, 7, str(session.pk))
    now = dentist.get(f"/goals/{goal.data['id']}").data
    assert (now["progress_percentage"], now["status"], now["current_value"]) == (70, "in_progress", "1 technique learned")
    whole = dentist.get(plan).data
    assert whole["progress_summary"] == {
        "total_goals": 2, "achieved": 0, "in_progress": 1, "not_started": 1, "overall_progress": 70}
    assert [each["id"] for each in whole["goals"]] == [top.data["id"]]
    assert [each["id"] for each in whole["goals"][0]["sub_goals"]] == [goal.data["id"]]
    used = dentist.get(f"/appointments/{session.pk}/interventions").data["items"]
    assert [row["intervention_id"] for row in used] == [str(relax.pk)]


@pytest.mark.parametrize(("missing", "field"), [("title", "title"), ("start_date", "start_date")])
def test_a_plan_without_its_title_or_start_is_asked_for_them(cast, dentist, missing, field):
    body = {name: value for name, value in PLAN.items() if name != missing}
    answer = dentist.post(f"/patients/{cast.ada.pk}/treatment-plans", body)
    assert (answer.status_code, [error["field"] for error in answer.data["errors"]]) == (422, [field])


def test_a_plan_of_a_day_to_come_or_sent_as_draft_waits(cast, dentist):
    path, today = f"/patients/{cast.ada.pk}/treatment-plans", cast.clinic.today()
    later = dentist.post(path, {"title": "Later", "start_date": str(today + timedelta(days=1))})
    assert (later.data["status"], later.data["version"]) == ("draft", 0)
    draft = dentist.post(path, {"title": "Draft", "start_date": str(today), "status": "draft"})
    assert draft.data["status"] == "draft"
    assert dentist.post(path, {"title": "X", "start_date": str(today), "status": "completed"}).status_code == 422


def test_the_steps_pass_one_gate_also_by_patch(cast, dentist, care):
    path = f"/treatment-plans/{care.pk}"
    assert dentist.post(f"{path}/activate").status_code == 409
    assert dentist.post(f"{path}/hold").data["status"] == "on_hold"
    assert dentist.patch(path, {"status": "active"}).data["status"] == "active"
    assert dentist.patch(path, {"status": "accepted"}).status_code == 409
    done = dentist.post(f"{path}/complete")
    assert (done.data["status"], done.data["actual_end_date"]) == ("completed", str(cast.clinic.today()))
    assert dentist.post(f"{path}/discontinue", {"reason": "Moved away"}).status_code == 409
    assert dentist.patch(path, {"title": "Other"}).status_code == 409


def test_discontinuing_keeps_the_day_and_the_reason(cast, dentist, care):
    ended = dentist.post(f"/treatment-plans/{care.pk}/discontinue", {"reason": "Moved away"})
    assert (ended.data["status"], ended.data["actual_end_date"]) == ("discontinued", str(cast.clinic.today()))
    care.refresh_from_db()
    assert care.status_because == "Moved away"


def test_a_stale_version_is_refused_with_the_plan_as_it_stands(dentist, care):
    path, seen = f"/treatment-plans/{care.pk}", f'"{care.version}"'
    assert dentist.get(path).headers["ETag"] == seen
    assert dentist.patch(path, {"title": "First"}, **{"If-Match": seen}).status_code == 200
    stale = dentist.patch(path, {"title": "Second"}, **{"If-Match": seen})
    assert (stale.status_code, stale.data["current"]["title"]) == (409, "First")


def test_a_whole_plan_may_be_sent_back_as_it_was_read(dentist, care, goal):
    goal()
    path = f"/treatment-plans/{care.pk}"
    read = dentist.get(path).data
    answer = dentist.put(path, read | {"notes": "Seen"})
    assert answer.status_code == 200, answer.data
    assert answer.data["notes"] == "Seen"
    assert dentist.put(path, read | {"progress_summary": {"total_goals": 9}}).status_code == 422


def test_a_goal_sent_back_as_it_was_read_changes_nothing(dentist, care, goal):
    row = goal()
    dentist.post(f"/goals/{row.pk}/progress", {"progress_note": "Better", "rating": 7})
    read = dentist.get(f"/goals/{row.pk}").data
    care.refresh_from_db()
    copies = care.number
    assert dentist.put(f"/goals/{row.pk}", read).data == read
    row.refresh_from_db()
    care.refresh_from_db()
    assert (row.progress_percentage, care.number) == (0, copies)


def test_who_gets_a_providers_sign_in_writes_their_plans(cast, draw_up):
    plan, user = draw_up("Theirs", provider=cast.bridge), cast.user("hygienist")
    assert not plan.may_write(cast.hygienist)
    cast.holly.change(by=cast.manager, user=None)
    cast.bridge.change(by=cast.manager, user=user)
    assert plan.may_write(cast.actor("hygienist"))
    cast.bridge.change(by=cast.manager, user=None)
    assert not plan.may_write(cast.actor("hygienist"))


def test_no_assistant_answers_for_a_plan(cast, draw_up):
    assistant = cast.bridge.change(by=cast.manager, kind="assistant")
    with pytest.raises(ValidationError, match="Who answers"):
        draw_up("x", provider=assistant)


def test_a_list_is_filtered_by_status_type_and_review(cast, dentist, draw_up):
    path, today = f"/patients/{cast.ada.pk}/treatment-plans", cast.clinic.today()
    draw_up("Draft")
    late = draw_up("Late", start_date=today - timedelta(days=100), treatment_type="BEHAVIORAL").activate(by=cast.dentist)
    soon = draw_up("Soon", start_date=today - timedelta(days=85)).activate(by=cast.dentist)
    due = draw_up("Due", start_date=today - timedelta(days=90)).activate(by=cast.dentist)
    found = lambda **asked: [each["title"] for each in dentist.get(  # noqa: E731
        path + "?" + "&".join(f"{name}={value}" for name, value in asked.items())).data["items"]]
    assert found() == ["Draft", "Soon", "Due", "Late"]
    assert found(status="draft") == ["Draft"]
    assert found(treatment_type="BEHAVIORAL") == [late.title]
    assert found(review_status="overdue") == [late.title]
    assert found(review_status="upcoming") == [soon.title]
    assert found(review_status="due") == [due.title]
    assert found(review_status="none") == ["Draft"]
    assert dentist.get(f"{path}?status=nonsense").status_code == 422


@pytest.mark.parametrize(("level", "above"), [
    ("long_term", "long_term"), ("short_term", "short_term"), ("objective", "long_term"), ("long_term", "short_term")])
def test_a_parent_of_the_wrong_level_is_refused(dentist, care, goal, level, above):
    parent = goal(above)
    answer = dentist.post(f"/treatment-plans/{care.pk}/goals", {
        "goal_type": level, "description": "x", "parent_goal_id": str(parent.pk)})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "parent_goal_id")


def test_a_parent_of_another_plan_and_a_loop_are_refused(dentist, care, goal, draw_up, cast):
    elsewhere = goal(plan=draw_up("Other").activate(by=cast.dentist))
    top = goal()
    below = goal("short_term", parent=top)
    for key, parent in ((below.pk, elsewhere.pk), (below.pk, below.pk), (top.pk, below.pk)):
        answer = dentist.patch(f"/goals/{key}", {"parent_goal_id": str(parent)})
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "parent_goal_id")
    answer = dentist.patch(f"/goals/{top.pk}", {"goal_type": "objective"})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "goal_type")


def test_no_goal_needs_a_parent(dentist, care):
    for level in ("long_term", "short_term", "objective"):
        answer = dentist.post(f"/treatment-plans/{care.pk}/goals", {"goal_type": level, "description": level})
        assert (answer.status_code, answer.data["parent_goal_id"]) == (201, None)


def test_the_smart_questions_stand_under_the_names_of_the_fields(dentist):
    template = dentist.get("/goals/template").data
    assert template["specific"]["what"] == "What exactly will be accomplished?"
    assert {name: set(questions) for name, questions in template.items()} == {
        "specific": {"what", "who", "where"}, "measurable": {"indicator", "target"}, "achievable": {"resources", "barriers"},
        "relevant": {"alignment", "importance"}, "time_bound": {"deadline", "milestones"}}


def test_smart_answers_come_back_as_they_were_given(dentist, care):
    smart = {"specific": {"what": "Sleep", "who": "Ada", "where": "At home"}, "time_bound": {
        "deadline": "2026-12-31", "milestones": ["two nights", "a week"]}}
    made = dentist.post(f"/treatment-plans/{care.pk}/goals", {"goal_type": "objective", "description": "x", **smart})
    assert {name: made.data[name] for name in smart} == smart
    unknown = dentist.patch(f"/goals/{made.data['id']}", {"specific": {"when": "now"}})
    assert unknown.status_code == 422


def test_the_history_of_a_goal_is_one_list_newest_first(dentist, goal):
    row = goal()
    dentist.post(f"/goals/{row.pk}/progress", {"progress_note": "Begun", "rating": 2})
    dentist.patch(f"/goals/{row.pk}", {"target_value": "8 hours"})
    steps = dentist.get(f"/goals/{row.pk}/history").data
    assert [step["kind"] for step in steps["items"]] == ["change", "change", "progress", "change"]
    assert [step["at"] for step in steps["items"]] == sorted((step["at"] for step in steps["items"]), reverse=True)
    assert steps["items"][0]["fields"][0]["after"] == "8 hours"
    assert steps["items"][2]["progress"]["progress_note"] == "Begun"


def test_interventions_are_filtered_and_one_of_our_own_stands_beside_them(cast, dentist):
    names = lambda asked: {each["name"] for each in dentist.get(f"/interventions{asked}").data["items"]}  # noqa: E731
    assert names("?modality=cbt") == {"Cognitive restructuring", "Behavioral activation", "Exposure therapy"}
    assert names("?search=breath") >= {"Deep breathing"}
    own = dentist.post("/interventions", {"name": "Music", "modality": "Relaxation", "evidence_level": "emerging"})
    assert (own.status_code, own.data["is_system"], own.data["created_by"]) == (201, False, str(cast.user("dentist").pk))
    assert "Music" in names("?modality=RELAXATION")
    assert dentist.post("/interventions", {"name": "Deep breathing", "modality": "Relaxation"}).status_code == 409


def test_another_clinics_intervention_is_not_there(cast, dentist, goal):
    other = cast.outsider
    theirs = Intervention.define(by=other.manager, name="Theirs")
    assert "Theirs" not in {each["name"] for each in dentist.get("/interventions").data["items"]}
    answer = dentist.post(f"/goals/{goal().pk}/interventions", {"intervention_id": str(theirs.pk)})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "intervention_id")


def test_effectiveness_is_the_mean_of_all_ratings_and_counts_sessions(cast, dentist, goal, book):
    relax = Intervention.objects.get(name="Mindfulness")
    serving = dentist.post(f"/goals/{goal().pk}/interventions", {"intervention_id": str(relax.pk), "frequency": "weekly"})
    path = f"/interventions/{relax.pk}/effectiveness"
    assert dentist.get(path).data == {"intervention_id": str(relax.pk), "average_rating": None, "ratings": 0, "uses": 0}
    dentist.patch(f"/goal-interventions/{serving.data['id']}", {"effectiveness_rating": 5})
    for hour, rating in (("9:00", 4), ("11:00", None)):
        visit = book(f"2026-12-01 {hour}")
        body = {"goal_intervention_id": serving.data["id"]} | ({"effectiveness_rating": rating} if rating else {})
        assert dentist.post(f"/appointments/{visit.pk}/interventions", body).status_code == 201
    found = dentist.get(path).data
    assert (found["average_rating"], found["ratings"], found["uses"]) == (4.5, 2, 2)


def test_ticked_twice_is_one_use_with_what_was_said_last(dentist, cast, goal, book):
    row = GoalIntervention.add(by=cast.dentist, goal=goal(), intervention=Intervention.objects.get(name="Mindfulness"))
    visit = book()
    first = dentist.post(f"/appointments/{visit.pk}/interventions", {"goal_intervention_id": str(row.pk)})
    again = dentist.post(f"/appointments/{visit.pk}/interventions", {
        "goal_intervention_id": str(row.pk), "effectiveness_rating": 3})
    assert first.data["id"] == again.data["id"]
    assert dentist.get(f"/appointments/{visit.pk}/interventions").data["count"] == 1


def test_a_review_counts_the_goals_and_sets_the_next_one(cast, dentist, care, goal):
    top = goal(target_date=cast.clinic.today() + timedelta(days=100))
    goal("short_term", parent=top, status="achieved")
    goal(status="discontinued")
    today = cast.clinic.today()
    made = dentist.post(f"/treatment-plans/{care.pk}/review", {"summary": "Goes well"})
    assert made.status_code == 201
    assert (made.data["goals_reviewed"], made.data["goals_on_track"]) == (2, 2)
    assert made.data["next_review_date"] == str(today + timedelta(days=90))
    assert dentist.get(f"/treatment-plans/{care.pk}").data["next_review_date"] == made.data["next_review_date"]
    wrong = dentist.post(f"/treatment-plans/{care.pk}/review", {"summary": "x", "goals_reviewed": 1, "goals_on_track": 2})
    assert wrong.status_code == 422
    assert [each["id"] for each in dentist.get(f"/treatment-plans/{care.pk}/review").data["items"]] == [made.data["id"]]


def test_only_the_assigned_provider_and_added_writers_write(cast, program, dentist, care, goal):
    row, path = goal(), f"/treatment-plans/{care.pk}"
    other = User.objects.create_user("second@test.example", PASSWORD, name="Second Dentist")
    Membership.open(user=other, clinic=cast.clinic, roles=["dentist"], by=cast.system)
    second = Program(next(hats_of(other)))
    assert second.get(path).status_code == 200
    for answer in (second.patch(path, {"title": "Mine"}), second.post(f"{path}/hold"), second.post(
            f"/goals/{row.pk}/progress", {"progress_note": "x"}), second.post(f"{path}/review", {"summary": "x"})):
        assert answer.status_code == 403
    member = CareTeamMember.add(by=cast.manager, plan=care, user=other, is_writer=True)
    assert second.patch(path, {"title": "Ours"}).status_code == 200
    member.end(by=cast.manager)
    assert second.patch(path, {"title": "Mine"}).status_code == 403
    assert program("receptionist").patch(path, {"title": "Desk"}).status_code == 403
    assert program("coach").get(path).status_code == 403


def test_a_stranger_and_another_patient_find_nothing(cast, care, program, dentist):
    path = f"/treatment-plans/{care.pk}"
    other = cast.outsider.actor("dentist")
    assert Program(other).get(path).status_code == 404
    mine = program("patient").get(path)
    assert mine.status_code == 200  # Ada's own
    hidden = TreatmentPlan.draw_up(
        by=cast.dentist, patient=cast.grace, title="Hers", provider=cast.drill, start_date=cast.clinic.today())
    hidden.activate(by=cast.dentist)
    assert program("patient").get(f"/treatment-plans/{hidden.pk}").status_code == 404


def test_notes_on_the_way_are_for_who_reads_clinical_notes(cast, program, dentist, draw_up, goal):
    care = draw_up("Care", notes="Difficult family").activate(by=cast.dentist)
    relax = Intervention.objects.get(name="Mindfulness")
    row = goal(plan=care, interventions=[(relax, "weekly")])
    row.interventions.get().revise(by=cast.dentist, notes="Falls asleep")
    row.record_progress(by=cast.dentist, progress_note="Cried a lot", rating=4)
    hidden = {"patient": ("Difficult family", "Falls asleep", "Cried a lot"), "receptionist": ("Falls asleep", "Cried a lot"),
              "biller": ("Falls asleep", "Cried a lot"), "hygienist": ()}
    for role, texts in hidden.items():
        reader = program(role)
        answers = [reader.get(path) for path in (
            f"/treatment-plans/{care.pk}", f"/patients/{cast.ada.pk}/treatment-plans", f"/goals/{row.pk}",
            f"/goals/{row.pk}/history", f"/treatment-plans/{care.pk}/versions/1", f"/treatment-plans/{care.pk}/report")]
        assert {answer.status_code for answer in answers} == {200}, role
        told = " ".join(str(answer.data) for answer in answers)
        for text in ("Difficult family", "Falls asleep", "Cried a lot"):
            assert (text in told) == (text not in texts), (role, text)


def test_what_a_tick_leaves_out_stays(cast, dentist, goal, book):
    row, visit = goal(interventions=[(Intervention.objects.get(name="Mindfulness"), "")]), book()
    serving, path = row.interventions.get(), f"/appointments/{visit.pk}/interventions"
    dentist.post(path, {"goal_intervention_id": str(serving.pk), "effectiveness_rating": 4, "notes": "Well"})
    again = dentist.post(path, {"goal_intervention_id": str(serving.pk)})
    assert (again.status_code, again.data["effectiveness_rating"], again.data["notes"]) == (201, 4, "Well")


def test_an_entry_names_the_interventions_that_it_was_sent_with(cast, dentist, goal, book):
    relax = Intervention.objects.get(name="Mindfulness")
    row, visit = goal(interventions=[(relax, "")]), book()
    said = {"session_id": str(visit.pk), "progress_note": "x"}
    dentist.post(f"/goals/{row.pk}/progress", said)
    dentist.post(f"/goals/{row.pk}/progress", said | {"intervention_ids": [str(relax.pk)]})
    steps = dentist.get(f"/goals/{row.pk}/history").data["items"]
    told = [step["progress"]["intervention_ids"] for step in steps if step["progress"]]
    assert told == [[str(relax.pk)], []]


def test_a_plan_costs_the_same_with_one_and_with_fifty_goals(cast, dentist, care, goal):
    relax = Intervention.objects.get(name="Mindfulness")
    top, counts = goal(interventions=[(relax, "weekly")]), []
    top.record_progress(by=cast.dentist, progress_note="x", rating=3)
    for number in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert dentist.get(f"/treatment-plans/{care.pk}").status_code == 200
        counts.append(len(asked))
        if not number:
            for _ in range(24):
                below = goal("short_term", parent=top, interventions=[(relax, "weekly")])
                goal("objective", parent=below).record_progress(by=cast.dentist, progress_note="x", rating=5)
    assert counts[0] == counts[1]



def test_who_defined_an_intervention_stays_its_author_and_a_list_asks_once(cast, dentist):
    own = Intervention.define(by=cast.dentist, name="Music")
    own.change(by=cast.manager, description="Of the patient's choice")

    def listed():
        with CaptureQueriesContext(connection) as asked:
            items = dentist.get("/interventions?limit=200").data["items"]
        return len(asked), {each["name"]: each["created_by"] for each in items}

    few, authors = listed()
    assert authors["Music"] == str(cast.user("dentist").pk)
    for number in range(29):
        Intervention.define(by=cast.dentist, name=f"Own {number}")
    assert listed()[0] == few
