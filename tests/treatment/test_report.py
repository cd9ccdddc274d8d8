"""The progress report: on the page, on paper, and for programs, with the same content."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import AccessEvent
from tests.program import openapi
from treatment.models import Goal, GoalIntervention, Intervention, PlanReview, SessionIntervention
from treatment.report import Report

pytestmark = pytest.mark.wide

PDF = "application/pdf"


@pytest.fixture
def told(cast, care, goal, book):
    """The plan `care` with a tree of two goals, entries, an intervention used once, and a review."""
    top = goal(description="Sleep well", target_date=cast.clinic.today() + timedelta(days=60))
    below = goal("short_term", parent=top, description="No screens in bed", baseline_value="0", target_value="7")
    goal(description="Given up", status=Goal.Status.DISCONTINUED)
    row = GoalIntervention.add(
        by=cast.dentist, goal=below, intervention=Intervention.objects.get(name="Sleep hygiene"), frequency="daily")
    SessionIntervention.tick(by=cast.dentist, appointment=book(), goal_intervention=row, effectiveness_rating=4)
    below.record_progress(by=cast.dentist, progress_note="Said in confidence", progress_value="3", rating=4)
    below.record_progress(by=cast.dentist, progress_note="Again", rating=6)
    PlanReview.hold(by=cast.dentist, plan=care, summary="Goes well", modifications_made="Smaller steps")
    return care


def test_a_program_gets_goals_with_their_course_what_served_them_and_reviews(cast, dentist, told):
    found = dentist.get(f"/treatment-plans/{told.pk}/report").data
    today = cast.clinic.today()
    assert (found["title"], found["status"], found["therapist"]) == ("Anxiety Management Plan", "active", "Dr. Dana Drill")
    assert found["progress_summary"] == {
        "total_goals": 2, "achieved": 0, "in_progress": 1, "not_started": 1, "overall_progress": 60}
    assert [goal["description"] for goal in found["goals"]] == ["Sleep well", "Given up"]
    (below,) = found["goals"][0]["sub_goals"]
    assert below["history"] == [
        {"date": str(today), "rating": 4, "progress_value": "3"}, {"date": str(today), "rating": 6, "progress_value": ""}]
    assert [(each["name"], each["frequency"], each["average_rating"], each["uses"]) for each in below["interventions"]] == [
        ("Sleep hygiene", "daily", 4.0, 1)]  # fmt: skip
    assert (below["progress_percentage"], below["way"]) == (60, "from the latest rating")
    assert [(row["summary"], row["modifications_made"]) for row in found["reviews"]] == [("Goes well", "Smaller steps")]
    assert found["next_review_date"] == str(today + timedelta(days=90))
    assert found["goals_on_track"] == 2
    assert "in confidence" not in json.dumps(found)


def test_a_program_that_asks_for_paper_gets_a_tagged_pdf(cast, dentist, told):
    answer = dentist.get(f"/treatment-plans/{told.pk}/report", Accept=PDF)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, PDF)
    assert answer.content.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in answer.content
    assert AccessEvent.objects.latest("at").kind == "print"


@pytest.mark.parametrize(("accept", "kind"), [
    ("", "application/json"), ("*/*", "application/json"), ("application/json", "application/json"),
    ("application/pdf;q=0.2, application/json", "application/json"), ("application/pdf, application/json;q=0.2", PDF),
    ("text/html", "application/json")])  # fmt: skip
def test_which_of_both_is_answered_follows_what_is_accepted(dentist, told, accept, kind):
    answer = dentist.get(f"/treatment-plans/{told.pk}/report", Accept=accept)
    assert answer.headers["Content-Type"].partition(";")[0] == kind


def test_the_schema_tells_of_both(db):
    operation = openapi()["paths"]["/treatment-plans/{plan_id}/report"]["get"]
    assert set(operation["responses"][200]["content"]) == {"application/json", PDF}


def test_page_and_paper_of_a_long_plan_with_unusual_signs(cast, sign_in, told, goal):
    goal(description="Ω Žofie's plan: #let x = 1; *bold* $5 \\ [brackets] <b>" + " very long" * 60, target_value="100 %")
    client = sign_in("dentist")
    page = client.get(f"/plans/{told.pk}/report/")
    text = page.content.decode()
    assert page.status_code == 200
    for said in ("Sleep well", "No screens in bed", "6 of 10", "Sleep hygiene", "Goes well", "Smaller steps"):
        assert said in text
    assert "in confidence" not in text
    paper = client.get(f"/plans/{told.pk}/report/print/")
    assert paper.headers["Content-Type"] == PDF
    assert len(re.findall(rb"/Type\s*/Page\b", paper.content)) >= 1


def test_an_empty_plan_has_a_report_too(cast, sign_in, care, dentist):
    client = sign_in("dentist")
    assert "No goals are set." in client.get(f"/plans/{care.pk}/report/").content.decode()
    assert client.get(f"/plans/{care.pk}/report/print/").content.startswith(b"%PDF-")
    assert dentist.get(f"/treatment-plans/{care.pk}/report").data["goals"] == []


def test_a_plan_that_is_over_has_no_next_review(cast, care, dentist):
    care.complete(by=cast.dentist)
    assert dentist.get(f"/treatment-plans/{care.pk}/report").data["next_review_date"] is None


def test_a_patient_reads_the_report_of_the_own_plan_and_of_no_other(cast, told, program, draw_up):
    assert program("patient").get(f"/treatment-plans/{told.pk}/report").status_code == 200
    theirs = draw_up("Hers", patient=cast.grace).activate(by=cast.dentist)
    assert program("patient").get(f"/treatment-plans/{theirs.pk}/report").status_code == 404
    assert program("coach").get(f"/treatment-plans/{told.pk}/report").status_code == 403


def test_the_report_costs_the_same_with_two_goals_and_with_fifty(cast, told, goal):
    def asked():
        plan = type(told).objects.select_related("patient__merged_into", "clinic", "provider").get(pk=told.pk)
        with CaptureQueriesContext(connection) as queries:
            Report(cast.dentist, plan).pdf()
        return len(queries)

    few = asked()
    top = goal()
    for _ in range(24):
        goal("objective", parent=goal("short_term", parent=top)).record_progress(by=cast.dentist, progress_note="x", rating=5)
    assert asked() == few


def test_an_entry_without_a_rating_and_without_a_value_is_taken(dentist, goal):
    row = goal()
    answer = dentist.post(f"/goals/{row.pk}/progress", {"progress_note": "Came, and was calm"})
    assert (answer.status_code, answer.data["rating"], answer.data["progress_value"]) == (201, None, "")
