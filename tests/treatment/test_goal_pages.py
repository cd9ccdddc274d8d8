"""The pages of goals: tree, one goal, adding and changing, how it goes, what serves it, what was used in a visit."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.db.refusals import NotAllowed, Refused
from clinic.models import AccessEvent
from scheduling.hooks import visit_actions
from treatment.goal_forms import GoalForm
from treatment.goal_panels import goal_changes
from treatment.goal_sheet import GoalSheet
from treatment.models import (
    CareTeamMember,
    Goal,
    GoalIntervention,
    GoalProgress,
    Intervention,
    SessionIntervention,
    TreatmentPlan,
)

pytestmark = pytest.mark.wide


@pytest.fixture
def client(sign_in):
    return sign_in("dentist")


@pytest.fixture
def serving(cast, goal):
    """`serving("Mindfulness")`: that it serves a goal of the plan `care`."""

    def make(name="Mindfulness", on=None, frequency="every session"):
        return GoalIntervention.add(
            by=cast.dentist, goal=on or goal(), intervention=Intervention.objects.get(name=name), frequency=frequency)

    return make


@pytest.fixture
def today_visit(cast, book):
    """A visit of Ada's that has begun just now."""
    return book(f"{timezone.now().astimezone(cast.clinic.zone):%Y-%m-%d %H:%M}", double_booking="A test")


def page_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


# The tree


def test_the_plan_shows_the_tree_in_order_with_bars_and_what_serves_it(cast, client, care, goal, serving):
    top = goal(description="Sleep well", baseline_value="4 hours", target_value="8 hours")
    below = goal("short_term", parent=top, description="No screens in bed")
    goal("objective", parent=below, description="Phone in the kitchen")
    goal(description="Eat well")
    serving("Sleep hygiene", on=below, frequency="weekly").revise(by=cast.dentist, effectiveness_rating=4)
    below.record_progress(by=cast.dentist, progress_note="x", rating=6)
    page = page_of(client, f"/plans/{care.pk}/")
    places = [page.index(text) for text in ("Sleep well", "No screens in bed", "Phone in the kitchen", "Eat well")]
    assert places == sorted(places)
    assert "is-depth-2" in page
    assert "Sleep hygiene" in page
    assert "4 of 5" in page
    assert "4 hours" in page


def test_the_sheet_costs_the_same_with_one_goal_and_with_fifty(cast, care, goal, examine):
    examine(bleeding=2)
    relax = Intervention.objects.get(name="Mindfulness")
    bound = {"measure": "bleeding_percent", "baseline_value": "50", "target_value": "0", "interventions": [(relax, "weekly")]}
    top = goal(**bound)
    top.record_progress(by=cast.dentist, progress_note="x", rating=5)

    def asked():
        plan = TreatmentPlan.objects.select_related("patient__merged_into", "clinic", "provider").get(pk=care.pk)
        sheet = GoalSheet(cast.dentist, plan)
        with CaptureQueriesContext(connection) as queries:
            rows, _ = sheet.rows, (sheet.summary, sheet.on_track)
        return len(queries), len(rows)

    few = asked()
    for _ in range(24):
        below = goal("short_term", parent=top, **bound)
        goal("objective", parent=below).record_progress(by=cast.dentist, progress_note="x", rating=5)
    many = asked()
    assert many == (few[0], 49)
    assert few[0] <= 8


def test_the_plan_page_costs_the_same_with_one_goal_and_with_fifty(cast, client, care, goal):
    top = goal(interventions=[(Intervention.objects.get(name="Mindfulness"), "weekly")])
    page_of(client, f"/plans/{care.pk}/")
    with CaptureQueriesContext(connection) as few:
        page_of(client, f"/plans/{care.pk}/")
    for _ in range(24):
        goal("objective", parent=goal("short_term", parent=top))
    with CaptureQueriesContext(connection) as many:
        page_of(client, f"/plans/{care.pk}/")
    assert len(many) == len(few)


def test_who_only_reads_is_offered_nothing_to_write(care, goal, sign_in):
    row = goal()
    for path in (f"/plans/{care.pk}/", f"/goals/{row.pk}/"):
        page = page_of(sign_in("hygienist"), path)
        assert "goals/new/" not in page
        assert "Write progress" not in page


# One goal


def test_a_goal_shows_its_history_newest_first_and_its_course_as_a_table(cast, client, goal):
    row = goal(baseline_value="4", target_value="8")
    for value, rating in (("5", 3), ("6,5", 6)):
        row.record_progress(by=cast.dentist, progress_note=f"Slept {value} hours", progress_value=value, rating=rating)
    row.revise(by=cast.dentist, target_value="9", because="Feels rested only then")
    page = page_of(client, f"/goals/{row.pk}/")
    assert page.index("Feels rested only then") < page.index("Slept 6,5 hours") < page.index("Slept 5 hours")
    assert page.count('<svg class="goal-chart"') == 2
    assert "<desc>From 5 on" in page
    assert "to 6.5 on" in page
    assert "Target 9" in page
    assert " style=" not in page


def test_a_bound_goal_shows_where_its_value_is_from_and_links_it_for_who_may_see_it(cast, client, goal, examine, sign_in):
    exam = examine(bleeding=3)
    row = goal(measure="bleeding_percent", baseline_value="100", target_value="0")
    page = page_of(client, f"/goals/{row.pk}/")
    assert f"periodontal exam of {exam.exam_date:%Y-%m-%d}" in page
    assert f"/perio-exams/{exam.pk}/" in page
    assert 'name="progress_value"' not in page  # it is measured
    assert "50 %" in page
    at_the_desk = page_of(sign_in("receptionist"), f"/goals/{row.pk}/")
    assert f"/perio-exams/{exam.pk}/" not in at_the_desk
    assert "periodontal exam of" in at_the_desk


def test_text_that_people_typed_is_shown_as_text(cast, client, goal):
    row = goal(description="<script>alert(1)</script>", target_value="<b>8</b>")
    row.record_progress(by=cast.dentist, progress_note="<img src=x>", progress_value="7", rating=3)
    page = page_of(client, f"/goals/{row.pk}/")
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "<b>8</b>" not in page


def test_looking_at_a_goal_is_on_record(cast, client, goal):
    row = goal()
    client.get(f"/goals/{row.pk}/")
    event = AccessEvent.objects.filter(route="treatment:goal").latest("at")
    assert (event.kind, event.patient) == ("view", cast.ada)


def test_a_goal_costs_the_same_with_one_entry_and_with_thirty(cast, client, goal, serving):
    row = goal()
    serving(on=row)
    row.record_progress(by=cast.dentist, progress_note="x", progress_value="1", rating=5)
    page_of(client, f"/goals/{row.pk}/")
    with CaptureQueriesContext(connection) as few:
        page_of(client, f"/goals/{row.pk}/")
    for number in range(30):
        row.record_progress(by=cast.dentist, progress_note="x", progress_value=str(number), rating=5)
    with CaptureQueriesContext(connection) as many:
        page_of(client, f"/goals/{row.pk}/")
    assert len(many) == len(few)


# How it goes


def test_the_visit_of_today_is_chosen_and_what_was_ticked_there(cast, client, goal, serving, today_visit):
    row = goal()
    used, other = serving(on=row), serving("Deep breathing", on=row)
    SessionIntervention.tick(by=cast.dentist, appointment=today_visit, goal_intervention=used)
    form = client.get(f"/goals/{row.pk}/").context["form"]
    assert form.initial["appointment"] == today_visit
    assert form.initial["used"] == [used.pk]
    answer = client.post(f"/goals/{row.pk}/progress/", {
        "progress_note": "Slept through", "progress_value": "7", "rating": "8", "appointment": str(today_visit.pk),
        "used": [str(used.pk), str(other.pk)]})  # fmt: skip
    assert answer.status_code == 302
    entry = GoalProgress.objects.get(goal=row)
    assert (entry.rating, entry.progress_value, entry.appointment) == (8, "7", today_visit)
    assert SessionIntervention.objects.filter(appointment=today_visit, is_withdrawn=False).count() == 2
    row.refresh_from_db()
    assert (row.status, row.current_value) == ("in_progress", "7")


def test_an_entry_without_a_note_or_with_use_and_no_visit_is_asked_again(client, goal, serving):
    row = goal()
    used = serving(on=row)
    for sent in ({"rating": "5"}, {"progress_note": "x", "used": [str(used.pk)]}, {"progress_note": "x", "rating": "11"}):
        answer = client.post(f"/goals/{row.pk}/progress/", sent)
        assert answer.status_code == 422
    assert not GoalProgress.objects.exists()


def test_another_patients_visit_is_not_offered(cast, client, goal, book):
    row, theirs = goal(), book(patient=cast.grace)
    answer = client.post(f"/goals/{row.pk}/progress/", {"progress_note": "x", "appointment": str(theirs.pk)})
    assert answer.status_code == 422


def test_sent_twice_with_one_key_is_one_entry(client, goal):
    row = goal()
    for _ in range(2):
        client.post(f"/goals/{row.pk}/progress/", {"progress_note": "x", "once": "one-key-for-both"})
    assert GoalProgress.objects.filter(goal=row).count() == 1


# Adding and changing


def places(actor, goal):
    """{group: [words]} of what the form offers as a place."""
    form = GoalForm(instance=goal, actor=actor)
    return {group: [words for _, words in options] for group, options in form.fields["place"].choices}


def test_only_places_that_the_tree_allows_are_offered(cast, care, goal):
    top = goal(description="Sleep")
    below = goal("short_term", parent=top, description="Bed at ten")
    goal("objective", parent=below, description="Alarm")
    blank = Goal(clinic=cast.clinic, plan=care, patient=cast.ada, goal_type="")
    assert places(cast.dentist, blank) == {
        "Long-term goal": ["Long-term goal"], "Short-term goal": ["Short-term goal by itself", "Short-term goal under “Sleep”"],
        "Objective": ["Objective by itself", "Objective under “Bed at ten”"]}  # fmt: skip
    assert list(places(cast.dentist, below)) == ["Short-term goal"]  # it has one below it, so its level stays
    assert places(cast.dentist, top) == {"Long-term goal": ["Long-term goal"]}


def test_every_place_that_is_offered_is_taken(cast, client, care, goal):
    top = goal(description="Sleep")
    goal("short_term", parent=top, description="Bed at ten")
    blank = Goal(clinic=cast.clinic, plan=care, patient=cast.ada, goal_type="")
    offered = [key for _, options in GoalForm(instance=blank, actor=cast.dentist).fields["place"].choices for key, _ in options]
    assert len(offered) == 5
    for key in offered:
        sent = {"description": f"At {key}", "place": key, "priority": "1"}
        assert client.post(f"/plans/{care.pk}/goals/new/", sent).status_code == 302
    assert Goal.objects.filter(description__startswith="At ").count() == 5


def test_a_place_that_is_not_offered_is_refused(client, care, goal):
    top = goal()
    for place in ("", "long_term:" + str(top.pk), "objective:" + str(top.pk), "nonsense"):
        sent = {"description": "x", "place": place, "priority": "1"}
        assert client.post(f"/plans/{care.pk}/goals/new/", sent).status_code == 422
    assert Goal.objects.count() == 1


def test_the_questions_lead_to_the_goals_own_parts(cast, client, care):
    sent = {
        "description": "Sleep", "place": "long_term:", "priority": "2", "target_date": "+3m", "baseline_value": "4",
        "target_value": "8", "specific_what": "Eight hours", "specific_who": "Ada", "measurable_indicator": "Diary",
        "achievable_barriers": "Baby\nNoise", "relevant_importance": "Tired at work", "time_bound_milestones": "6 hours in May"}
    assert client.post(f"/plans/{care.pk}/goals/new/", sent).status_code == 302
    made = Goal.objects.get(plan=care)
    assert made.specific == {"what": "Eight hours", "who": "Ada"}
    assert made.achievable == {"barriers": "Baby\nNoise"}
    assert (made.priority, made.target_value, made.goal_type) == (2, "8", "long_term")
    page = page_of(client, f"/goals/{made.pk}/")
    assert "What barriers might exist?" in page
    assert "Tired at work" in page


def test_a_measure_shows_its_figure_of_now_before_it_is_chosen(client, care, examine):
    examine(bleeding=3, plaque=2)
    page = page_of(client, f"/plans/{care.pk}/goals/new/")
    assert "Bleeding on probing, %: 50 now, periodontal exam of" in page
    assert "Kept appointments, %: no visit since" in page


def test_answers_that_a_program_gave_as_lists_stay_until_they_are_changed(cast, client, goal):
    row = goal(achievable={"barriers": ["Baby", "Noise"], "resources": ["Curtain"]})
    form = client.get(f"/goals/{row.pk}/edit/").context["form"]
    assert form.initial["achievable_barriers"] == "Baby\nNoise"
    sent = {name: value for name, value in form.initial.items() if value is not None and name in form.fields}
    answer = client.post(f"/goals/{row.pk}/edit/", sent | {"achievable_resources": "Curtain and earplugs"})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.achievable == {"barriers": ["Baby", "Noise"], "resources": "Curtain and earplugs"}
    assert row.version == form.initial["version"] + 1


def test_of_two_who_change_a_goal_the_second_sees_both_texts(cast, client, goal):
    row = goal(description="Sleep", specific={"what": "Eight hours"})
    form = client.get(f"/goals/{row.pk}/edit/").context["form"]
    sent = {name: value for name, value in form.initial.items() if value is not None and name in form.fields}
    row.revise(by=cast.dentist, description="Sleep through", specific={"what": "Seven hours"})
    answer = client.post(f"/goals/{row.pk}/edit/", sent | {"description": "Sleep better", "specific_what": "Nine hours"})
    page = answer.content.decode()
    assert answer.status_code == 409
    for text in ("Sleep through", "Sleep better", "Seven hours", "Nine hours", "What exactly will be accomplished?"):
        assert text in page
    row.refresh_from_db()
    settled = sent | {
        "description": "Sleep better", "specific_what": "Nine hours", "version": row.version, "take": "",
        "choice-description": "mine", "choice-specific_what": "theirs"}
    assert client.post(f"/goals/{row.pk}/edit/", settled).status_code == 302
    row.refresh_from_db()
    assert (row.description, row.specific["what"]) == ("Sleep better", "Seven hours")


@pytest.mark.parametrize("path", ["/plans/{plan}/goals/new/", "/goals/{goal}/edit/", "/goals/{goal}/progress/"])
def test_a_reader_writes_no_goal(care, goal, sign_in, path):
    row = goal()
    sent = {"description": "Mine", "place": "long_term:", "priority": "1", "progress_note": "x", "status": "achieved",
            "progress_percentage": "0", "version": row.version}  # fmt: skip
    answer = sign_in("hygienist").post(path.format(plan=care.pk, goal=row.pk), sent)
    assert answer.status_code == 403
    assert Goal.objects.count() == 1
    assert not GoalProgress.objects.exists()


def test_who_was_added_as_a_writer_writes(cast, care, goal, sign_in):
    row = goal()
    CareTeamMember.add(by=cast.manager, plan=care, user=cast.user("hygienist"), is_writer=True)
    assert sign_in("hygienist").post(f"/goals/{row.pk}/progress/", {"progress_note": "x"}).status_code == 302


def test_a_plan_that_is_over_takes_no_goal(cast, client, care):
    care.complete(by=cast.dentist)
    sent = {"description": "Late", "place": "long_term:", "priority": "1"}
    assert client.post(f"/plans/{care.pk}/goals/new/", sent).status_code == 409


# What serves a goal


def test_the_library_is_sifted_by_modality_and_words_and_added_in_one_go(client, care, goal, serving):
    row = goal()
    serving("Deep breathing", on=row)
    path = f"/goals/{row.pk}/interventions/"
    found = lambda asked: {each.name for each in client.get(path, asked).context["rows"]}  # noqa: E731
    assert found({"modality": "cbt"}) == {"Cognitive restructuring", "Behavioral activation", "Exposure therapy"}
    assert "Deep breathing" not in found({})  # serves already
    assert found({"q": "GUIDED"}) == {"Guided imagery"}
    chosen = Intervention.objects.filter(name__in=["Mindfulness", "Guided imagery"])
    versions = care.versions.count()
    answer = client.post(path, {"chosen": [str(each.pk) for each in chosen], "frequency": "weekly"})
    assert answer.status_code == 302
    assert row.interventions.filter(frequency="weekly").count() == 2
    assert care.versions.count() == versions + 1  # one copy for both
    assert client.post(path, {"frequency": "weekly"}).status_code == 422


def test_a_goal_with_three_interventions_makes_one_copy_of_the_plan(cast, care, goal):
    before = care.versions.count()
    goal(interventions=[(row, "weekly") for row in Intervention.objects.filter(modality="CBT")])
    assert care.versions.count() == before + 1


def test_frequency_effect_and_taking_out(cast, client, goal, serving):
    row = serving()
    path = f"/goal-interventions/{row.pk}/"
    sent = {"frequency": "daily", "effectiveness_rating": "4", "notes": "Likes it", "version": row.version}
    assert client.post(path, sent).status_code == 302
    row.refresh_from_db()
    assert (row.frequency, row.effectiveness_rating, row.notes) == ("daily", 4, "Likes it")
    assert client.post(path, sent | {"effectiveness_rating": "6"}).status_code == 422
    assert client.post(path, sent | {"frequency": "weekly"}).status_code == 409  # the version of before
    assert client.post(f"{path}withdraw/").status_code == 302
    assert "Likes it" not in page_of(client, f"/goals/{row.goal_id}/").split("History")[0]
    row.refresh_from_db()
    assert row.is_withdrawn


def test_one_of_our_own_stands_in_the_list_with_its_average(cast, client, goal, serving):
    answer = client.post("/interventions/new/", {"name": "Music", "modality": "Relaxation", "evidence_level": "emerging"})
    made = Intervention.objects.get(name="Music")
    assert answer.url == f"/interventions/{made.pk}/"
    row = GoalIntervention.add(by=cast.dentist, goal=goal(), intervention=made)
    row.revise(by=cast.dentist, effectiveness_rating=3)
    assert "3 of 5" in page_of(client, f"/interventions/{made.pk}/")
    listed = {each.name: effect for each, effect in client.get("/interventions/", {"q": "music"}).context["rows"]}
    assert listed["Music"].average_rating == 3
    twin = client.post("/interventions/new/", {"name": "Music", "modality": "Relaxation", "description": "Songs"})
    assert (twin.status_code, "Songs" in twin.content.decode()) == (422, True)


def test_another_clinics_own_intervention_is_not_found(cast, client):
    theirs = Intervention.define(by=cast.outsider.manager, name="Theirs")
    assert client.get(f"/interventions/{theirs.pk}/").status_code == 404
    assert "Theirs" not in page_of(client, "/interventions/")


def test_averages_of_another_clinic_do_not_count(cast, client):
    row = rated_next_door(cast.outsider)
    assert "not rated yet" in page_of(client, f"/interventions/{row.pk}/")


def rated_next_door(other):
    """An intervention of the library that the clinic next door rated."""
    plan = TreatmentPlan.draw_up(
        by=other.dentist, patient=other.ada, title="x", provider=other.drill, start_date=other.clinic.today())
    plan.activate(by=other.dentist)
    row = Intervention.objects.get(name="Mindfulness")
    made = Goal.set_out(by=other.dentist, plan=plan, goal_type="objective", description="x", interventions=[(row, "")])
    made.interventions.get().revise(by=other.dentist, effectiveness_rating=5)
    return row


# Used in a visit


def told(rows, **values):
    """The form of the visit's page: these rows ticked, with what is said of them."""
    return {f"{row.pk}-{name}": value for row in rows for name, value in {"used": "on", "notes": "", **values}.items()}


def test_what_was_used_in_a_visit_is_ticked_with_effect_and_note(cast, client, goal, serving, book):
    visit, row = book(), goal()
    first, second = serving(on=row), serving("Deep breathing", on=row)
    path = f"/visits/{visit.pk}/interventions/"
    assert [form.serving for form in client.get(path).context["forms"]] == [first, second]
    assert client.post(path, told([first], effectiveness_rating="4", notes="Calmer")).status_code == 302
    held = SessionIntervention.objects.get(is_withdrawn=False)
    assert (held.goal_intervention, held.effectiveness_rating, held.notes) == (first, 4, "Calmer")
    version = held.version
    assert client.post(path, told([first], effectiveness_rating="4", notes="Calmer")).status_code == 302
    held.refresh_from_db()
    assert held.version == version  # nothing was said anew
    client.post(path, told([second]) | {f"{first.pk}-version": version})
    assert [each.goal_intervention for each in SessionIntervention.objects.filter(is_withdrawn=False)] == [second]
    assert "used 1 time" in page_of(client, f"/goals/{row.pk}/")


def test_an_effect_alone_says_that_it_was_used(client, serving, book):
    visit, row = book(), serving()
    client.post(f"/visits/{visit.pk}/interventions/", {f"{row.pk}-effectiveness_rating": "2", f"{row.pk}-notes": ""})
    assert SessionIntervention.objects.get().effectiveness_rating == 2


def test_taking_the_tick_off_takes_it_out_though_effect_and_note_stand_there(client, serving, book):
    visit, row = book(), serving()
    path = f"/visits/{visit.pk}/interventions/"
    client.post(path, told([row], effectiveness_rating="2", notes="Hard"))
    held = SessionIntervention.objects.get()
    client.post(path, {f"{row.pk}-effectiveness_rating": "2", f"{row.pk}-notes": "Hard", f"{row.pk}-version": held.version})
    held.refresh_from_db()
    assert held.is_withdrawn


def test_of_two_who_tick_a_visit_the_second_sees_what_stands(cast, client, serving, book):
    visit, row = book(), serving()
    path = f"/visits/{visit.pk}/interventions/"
    SessionIntervention.tick(by=cast.dentist, appointment=visit, goal_intervention=row, notes="Theirs", effectiveness_rating=5)
    answer = client.post(path, told([row], effectiveness_rating="2", notes="Mine"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Meanwhile somebody saved here: used, effect 5: Theirs" in page
    assert 'value="Mine"' in page
    client.post(path, told([row], effectiveness_rating="2", notes="Mine", version=answer.context["forms"][0]["version"].value()))
    assert SessionIntervention.objects.get().notes == "Mine"


def test_what_a_colleague_took_off_meanwhile_is_not_ticked_again_unseen(cast, client, serving, book):
    visit, row = book(), serving()
    path = f"/visits/{visit.pk}/interventions/"
    client.post(path, told([row], effectiveness_rating="2"))
    held = SessionIntervention.objects.get()
    seen = held.version
    held.untick(by=cast.dentist)
    answer = client.post(path, told([row], effectiveness_rating="3", version=seen))
    assert (answer.status_code, "took this off" in answer.content.decode()) == (409, True)
    held.refresh_from_db()
    assert held.is_withdrawn


def test_nothing_is_used_in_a_visit_that_was_not_held(cast, goal, serving, book):
    row = goal()
    used, visit = serving(on=row), book()
    visit.cancel(by=cast.desk, because="Ill")
    with pytest.raises(Refused):
        SessionIntervention.tick(by=cast.dentist, appointment=visit, goal_intervention=used)
    with pytest.raises(ValidationError):
        row.record_progress(by=cast.dentist, progress_note="x", appointment=visit)


def test_the_average_of_visits_and_goal_is_seen_on_plan_goal_and_intervention(cast, client, care, goal, serving, book):
    row = serving()
    row.revise(by=cast.dentist, effectiveness_rating=5)
    for when, effect in (("2026-12-01 9:00", 2), ("2026-12-01 11:00", 3)):
        SessionIntervention.tick(by=cast.dentist, appointment=book(when), goal_intervention=row, effectiveness_rating=effect)
    for path in (f"/plans/{care.pk}/", f"/goals/{row.goal_id}/", f"/interventions/{row.intervention_id}/", "/interventions/"):
        assert "3.3" in page_of(client, path), path  # (5 + 2 + 3) / 3


def test_a_visit_offers_only_plans_that_one_writes_and_only_this_patients(cast, serving, book, sign_in):
    row, theirs = serving(), book(patient=cast.grace)
    assert GoalIntervention.objects.to_tick(cast.dentist, theirs, {}) == []
    assert GoalIntervention.objects.to_tick(cast.hygienist, book("2026-12-02 9:00"), {}) == []
    answer = sign_in("dentist").post(f"/visits/{theirs.pk}/interventions/", told([row]))
    assert answer.status_code == 302
    assert not SessionIntervention.objects.exists()


def test_a_writer_of_the_list_is_one_whom_guardian_lets_write(cast, draw_up, care):
    """The list is by the care team's rows, the rule by guardian's: they say the same of everybody."""
    CareTeamMember.add(by=cast.manager, plan=care, user=cast.user("hygienist"), is_writer=True)
    ended = CareTeamMember.add(by=cast.manager, plan=draw_up("Other"), user=cast.user("assistant"), is_writer=True)
    ended.end(by=cast.manager)
    for role in ("dentist", "hygienist", "assistant", "manager", "receptionist"):
        actor = cast.actor(role)
        listed = set(TreatmentPlan.objects.written_by(actor))
        assert listed == {plan for plan in TreatmentPlan.objects.all() if plan.may_write(actor)}


def test_settling_refuses_who_only_reads(cast, serving, book):
    with pytest.raises(NotAllowed):
        SessionIntervention.settle(
            by=cast.hygienist, appointment=book(), told={serving(): {"notes": "", "effectiveness_rating": None}})


def test_the_visit_links_the_ticks_where_there_is_something_to_tick(cast, serving, book):
    visit = book()
    linked = lambda actor: [act.label for acts in visit_actions(actor, visit) for act in acts]  # noqa: E731
    assert "Interventions used" not in linked(cast.dentist)
    serving()
    assert "Interventions used" in linked(cast.dentist)
    assert "Interventions used" not in linked(cast.hygienist)


def test_the_ticks_cost_the_same_for_two_rows_and_for_twenty(cast, client, goal, serving, book):
    visit, row = book(), goal()
    serving(on=row)
    path = f"/visits/{visit.pk}/interventions/"
    page_of(client, path)
    with CaptureQueriesContext(connection) as few:
        page_of(client, path)
    library = Intervention.objects.filter(clinic=None).exclude(name="Mindfulness")
    GoalIntervention.add_all(by=cast.dentist, goal=row, interventions=library, frequency="weekly")
    with CaptureQueriesContext(connection) as many:
        page_of(client, path)
    assert len(many) == len(few)


def test_the_history_of_the_patient_tells_goals_and_hides_texts(cast, goal, serving):
    row = goal()
    serving(on=row).revise(by=cast.dentist, notes="Secret note")
    row.record_progress(by=cast.dentist, progress_note="Told in confidence", rating=4)
    told = goal_changes(cast.dentist, cast.ada)
    assert {each.what for each in told} >= {
        "Goal Sleep through the night (new)", "Intervention Mindfulness (new)", "Progress of Sleep through the night: 4 of 10"}
    assert "Secret note" not in str(told)
    assert "Told in confidence" not in str(told)


def test_a_goal_that_is_late_says_so(cast, client, care, goal):
    row = goal(target_date=cast.clinic.today() - timedelta(days=1))
    assert ", late" in page_of(client, f"/plans/{care.pk}/")
    row.revise(by=cast.dentist, status=Goal.Status.ACHIEVED)
    assert ", late" not in page_of(client, f"/plans/{care.pk}/")
