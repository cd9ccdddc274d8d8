"""Every page that a manager can open: reachable for everybody, quiet in the console, in light and in dark."""
import os
from datetime import time, timedelta

import pytest
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse
from django.utils import timezone

from clinic.models import Document, LetterTemplate, MedicalHistory
from milestones.models import Comment, Evidence, Milestone, Task, TaskUpdate, TimeEntry
from scheduling import slots
from scheduling.models import Appointment, Block, FreedSlot, HoursException, Series, WaitlistEntry
from tests.pictures import picture
from treatment.models import CareTeamMember, Goal, GoalIntervention, Intervention, PlanReview, TreatmentPlan

pytestmark = pytest.mark.story
NO_PAGES = {"livez", "readyz"}
PARTS = 3  # so that several workers share them
SCHEMES = ("light", "dark")  # by turns; `bin/campaign pages` looks at each page in both


def routes(resolver=None, prefix=""):
    """The name of each route of ours."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name and pattern.name not in NO_PAGES:
                yield prefix + pattern.name, pattern
        elif pattern.app_name != "admin":
            yield from routes(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)


def pages(ids):
    """Each address that needs nothing, or only rows that the story has made."""
    for name, pattern in routes():
        wanted = {key: ids[key] for key in pattern.pattern.converters if key in ids}
        try:
            yield reverse(name, kwargs=wanted)
        except NoReverseMatch:
            continue
    yield f"/visits/book/?patient={ids['patient_id']}"
    yield f"/visits/walk-in/?patient={ids['patient_id']}"
    yield f"/patients/{ids['patient_id']}/documents/?withdrawn=1"
    for kind in ("welcome", "excuse", "appointment_card"):
        yield f"/patients/{ids['patient_id']}/letter/?template={kind}"
    yield "/practice/letters/new/?starter=welcome"
    yield "/schedule/?by=provider"
    yield "/patients/?q=nobody-of-this-name"
    yield reverse("admin:index")
    for page in ("clinic_procedurecode_changelist", "clinic_membership_changelist", "scheduling_workinghours_add",
                 "clinic_feeschedule_add", "clinic_membership_add", "clinic_accessevent_changelist"):
        yield reverse(f"admin:{page}")
    for page in ("clinic_patient_change", "clinic_patient_history"):
        yield reverse(f"admin:{page}", args=[ids["patient_id"]])
    yield reverse("admin:scheduling_appointmenttype_change", args=[ids["type_id"]])
    yield reverse("admin:clinic_user_change", args=[ids["user_id"]])
    yield reverse("admin:clinic_user_act", args=[ids["user_id"], "disable"])


@pytest.fixture
def ids(clone):
    """A day with something in it, and a name that nobody planned for."""
    by, today = clone.manager, clone.clinic.today()
    clone.grace.change(by=by, first_name="Maximiliane-Theodora Konstantinopoulou", last_name="F" * 60, preferred_name="M" * 40)
    MedicalHistory.write(patient=clone.grace, by=by, seen_number=0, content={
        **MedicalHistory.EMPTY, "allergies": [{"substance": "Penicillin", "reaction": "Anaphylaxis", "severity": "severe"}],
        "conditions": [{"name": "Asthma", "severity": "moderate", "onset": "2001", "note": ""}]})
    at = {hour: slots.wall(today, time(hour), clone.clinic.zone) for hour in (9, 10, 11)}
    visit = Appointment.book(
        by=by, patient=clone.grace, operatory=clone.operatories[2], provider=clone.holly, appointment_type=clone.cleaning,
        starts_at=at[9], doctor=clone.drill)
    Appointment.book(by=by, patient=clone.ada, operatory=clone.operatories[0], provider=clone.drill,
                     appointment_type=clone.exam, starts_at=at[10]).check_in(by=by)
    over = Appointment.book(by=by, patient=clone.grace, operatory=clone.operatories[0], provider=clone.bridge,
                            appointment_type=clone.exam, starts_at=at[11])
    over.check_in(by=by)
    over.seat(by=by)
    over.complete(by=by)
    block = Block.place(by=by, title="Meeting", operatory=clone.operatories[1], provider=None, starts_at=at[10], ends_at=at[11])
    paper = Document.add(
        by=by, patient=clone.grace, kind="insurance_card", content=picture(), name="F" * 120 + ".jpg", back=picture(colour=1))
    Document.add(by=by, patient=clone.grace, kind="letter", content=b"Dear Grace").withdraw(by=by, because="Another's letter")
    letter = LetterTemplate(kind="other", title="L" * 120, body="Dear {addressee}").record(by=by)
    series, entry = front_desk(clone, at[9] + timedelta(days=14))
    return {
        "document_id": paper.pk, "template_id": letter.pk, "series_id": series.pk, "entry_id": entry.pk,
        "patient_id": clone.grace.pk, "account_id": clone.grace.account_id, "visit_id": visit.pk, "block_id": block.pk,
        "type_id": clone.cleaning.pk, "user_id": clone.user("dentist").pk, **care(clone, visit)}


def care(clone, visit):
    """A plan of goals that the manager may write, with what serves them, an entry, a visit in which it was used, and a review."""
    by, long = clone.dentist, "Konstantinopolitanische " * 6
    plan = TreatmentPlan.draw_up(
        by=by, patient=clone.grace, title="P" * 120, provider=clone.drill, start_date=clone.clinic.today() - timedelta(days=95))
    plan.activate(by=by)
    CareTeamMember.add(by=clone.manager, plan=plan, user=clone.user("manager"), is_writer=True)
    top = Goal.set_out(by=by, plan=plan, goal_type="long_term", description=long, target_date=clone.clinic.today())
    goal = Goal.set_out(
        by=by, plan=plan, goal_type="short_term", parent=top, description="G" * 300, baseline_value="B" * 100, target_value="9",
        specific={"what": long}, interventions=[(Intervention.define(by=by, name="I" * 150, modality="M" * 50), "F" * 100)])
    serving = GoalIntervention.objects.get(goal=goal)
    for rating in (3, 7):
        goal.record_progress(
            by=by, progress_note=long, progress_value=str(rating), rating=rating, appointment=visit, used=[serving])
    PlanReview.hold(by=by, plan=plan, summary=long, review_date=clone.clinic.today() - timedelta(days=92))
    goal.revise(by=by, target_value="T" * 150)
    return {"plan_id": plan.pk, "goal_id": goal.pk, "serving_id": serving.pk, "intervention_id": serving.intervention_id,
            **milestones(clone, plan, goal)}


def milestones(clone, plan, goal):
    """A milestone that is late, with a task that was told of, a figure as evidence, and talk."""
    by, today, long = clone.dentist, clone.clinic.today(), "Konstantinopolitanische " * 6
    plan.milestones.first().achieve(by=by)
    row = Milestone.add(
        by=by, plan=plan, name="M" * 180, goal=goal, target_date=today - timedelta(days=12), completion_criteria=long,
        requires_evidence=True, charge_amount=1200)
    task = Task.add(by=by, milestone=row, title="T" * 150, description=long, assignee=clone.user("assistant"),
                    due_date=today - timedelta(days=20))
    TaskUpdate.tell(by=by, task=task, note=long, percent=40)
    TimeEntry.log(by=by, task=task, started_at=timezone.now() - timedelta(hours=2), minutes=90)
    evidence = Evidence.add(by=by, milestone=row, evidence_type="metric", title="E" * 150, value="V" * 60)
    Comment.write(by=by, milestone=row, body=long, internal=True)
    return {"milestone_id": row.pk, "task_id": task.pk, "evidence_id": evidence.pk}


def front_desk(clone, start):
    """A series, two who wait, and a time that was freed and is being offered."""
    by, exam = clone.manager, {"operatory": clone.operatories[0], "provider": clone.drill, "appointment_type": clone.exam}
    series = Series.book(
        by=by, patient=clone.grace, every_weeks=2, visits=[{**exam, "starts_at": start + timedelta(weeks=2 * n)} for n in range(3)])
    entries = [
        WaitlistEntry.add(by=by, patient=patient, appointment_type=clone.exam, weekdays=[1, 3], is_urgent=patient == clone.ada)
        for patient in (clone.ada, clone.grace)]
    WaitlistEntry.objects.filter(pk=entries[0].pk).get().change(by=by, weekdays=[])
    gone = Appointment.book(by=by, patient=clone.ada, starts_at=start + timedelta(days=1), **exam)
    gone.cancel(by=by, because="Ill")
    FreedSlot.objects.get(appointment=gone).advance(by=by)
    HoursException.keep_holidays(by=by, year=clone.clinic.today().year)
    return series, entries[1]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_accessible_and_quiet_in_light_and_dark(screen, ids, part):
    manager = screen("manager")
    seen = []
    for number, path in enumerate(list(pages(ids))[part::PARTS]):
        answer = manager.context.request.get(manager.url + path, max_redirects=0)
        if answer.status != 200 or "<!doctype" not in answer.text()[:200].lower():
            continue
        manager.open(path)
        seen.append(path)
        for scheme in SCHEMES if "CAMPAIGN" in os.environ else SCHEMES[number % 2:][:1]:
            manager.page.emulate_media(color_scheme=scheme)
            manager.look(f"{path} in {scheme}")
        assert manager.page.locator("h1").count() == 1, f"{path} has one title"
        if path != reverse("clinic:styleguide"):
            assert manager.page.locator(".is-primary:visible").count() <= 1, f"{path} has one primary button"
        assert manager.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"
    assert len(seen) > 20 // PARTS, seen


def test_the_keys_of_a_page_are_listed_with_a_question_mark(screen, ids):
    manager = screen("manager").open("/today/")
    manager.press("?")
    keys = manager.page.locator("#keys [data-keys-list]")
    for words in ("Walk-in", "Book", "Check in the row's patient", "Seat", "Complete", "Check out", "Next row", "Search"):
        keys.get_by_text(words, exact=True).wait_for()
    manager.look("the keys of Today")
    manager.open("/schedule/")
    manager.press("?")
    for words in ("Go to a day", "Today", "Day before", "Day after", "Move the visit, Enter drops it", "Longer, shorter"):
        manager.page.locator("#keys [data-keys-list]").get_by_text(words, exact=True).first.wait_for()
    manager.look("the keys of the schedule")
