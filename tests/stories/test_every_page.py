"""Every page that a manager can open: reachable for everybody, quiet in the console, in light and in dark."""
from datetime import time

import pytest
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from clinic.models import MedicalHistory
from scheduling import slots
from scheduling.models import Appointment, Block

pytestmark = pytest.mark.story
NO_PAGES = {"livez", "readyz"}


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
    return {
        "patient_id": clone.grace.pk, "account_id": clone.grace.account_id, "visit_id": visit.pk, "block_id": block.pk,
        "type_id": clone.cleaning.pk, "user_id": clone.user("dentist").pk}


def test_every_page_is_accessible_and_quiet_in_light_and_dark(screen, ids):
    manager = screen("manager")
    seen = []
    for path in pages(ids):
        answer = manager.context.request.get(manager.url + path, max_redirects=0)
        if answer.status != 200 or "<!doctype" not in answer.text()[:200].lower():
            continue
        manager.open(path)
        seen.append(path)
        manager.page.emulate_media(color_scheme="light")
        manager.look(f"{path} in light")
        manager.page.emulate_media(color_scheme="dark")
        manager.look(f"{path} in dark", only=["color-contrast"])  # nothing else differs
        assert manager.page.locator("h1").count() == 1, f"{path} has one title"
        if path != reverse("clinic:styleguide"):
            assert manager.page.locator(".is-primary:visible").count() <= 1, f"{path} has one primary button"
        assert manager.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"
    assert len(seen) > 20, seen


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
