"""Calendar feeds: one provider's or operatory's visits behind a secret address, without names unless the clinic says so."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from clinic.db.refusals import Refused
from clinic.models import AccessEvent
from scheduling.models import Block, Feed, FrontDesk
from tests.factories import PatientFactory


@pytest.fixture
def feed(cast):
    """(the feed of Dr. Drill, its address)."""
    made, secret = Feed.open(by=cast.manager, name="Dr. Drill's phone", provider=cast.drill)
    return made, f"/feeds/{secret}.ics"


def events(address):
    answer = Client().get(address)
    assert answer.status_code == 200
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def test_a_calendar_reads_the_providers_visits_without_names(cast, book, feed, at):
    visit = book()
    book("2026-12-01 9:00", patient=cast.grace, provider=cast.bridge, operatory=cast.operatories[1])
    [event] = events(feed[1])
    assert (event["SUMMARY"], event["LOCATION"], event["UID"]) == ("Exam", "Operatory 1", f"{visit.pk}@chairside")
    assert event["DTSTART"].dt == at("2026-12-01 9:00")
    assert event["DTSTART"].params["TZID"] == "America/New_York"
    assert b"Lovelace" not in Client().get(feed[1]).content


def test_a_look_at_somebody_elses_patient_stands_in_it_too(cast, book, feed):
    book(appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])
    assert [event["SUMMARY"] for event in events(feed[1])] == ["Cleaning"]


def test_an_operatory_has_a_calendar_with_its_blocks(cast, book, at):
    book()
    Block.place(by=cast.desk, operatory=cast.operatories[0], starts_at=at("2026-12-01 12:00"),
                ends_at=at("2026-12-01 13:00"), title="Repair")  # fmt: skip
    _, secret = Feed.open(by=cast.manager, name="Door", operatory=cast.operatories[0])
    assert [event["SUMMARY"] for event in events(f"/feeds/{secret}.ics")] == ["Exam", "Repair"]


def test_names_stand_in_it_when_the_clinic_says_so_and_that_is_on_record(cast, book, feed):
    book()
    FrontDesk(feeds_name_patients=True).record(by=cast.manager)
    assert [event["SUMMARY"] for event in events(feed[1])] == ["Ada Lovelace, Exam"]
    taken = AccessEvent.objects.get(kind="export")
    assert (taken.clinic, taken.by, taken.rows, taken.route) == (cast.clinic, None, 1, "scheduling:feed")


def test_a_moved_visit_is_the_same_event_with_a_higher_sequence(cast, book, feed, at):
    visit = book()
    [before] = events(feed[1])
    visit.reschedule(by=cast.desk, starts_at=at("2026-12-02 9:00"))
    [after] = events(feed[1])
    assert before["UID"] == after["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    visit.cancel(by=cast.desk, because="Ill")
    assert events(feed[1]) == []


def test_what_did_not_change_is_not_sent_again(book, feed):
    book()
    etag = Client().get(feed[1])["ETag"]
    assert Client().get(feed[1], headers={"If-None-Match": etag}).status_code == 304


def test_a_revoked_or_guessed_address_is_not_found(cast, feed):
    feed[0].revoke(by=cast.manager)
    assert Client().get(feed[1]).status_code == 404
    assert Client().get("/feeds/guessed.ics").status_code == 404
    with pytest.raises(Refused):
        feed[0].revoke(by=cast.manager)


def test_only_a_digest_is_stored(feed):
    secret = feed[1].removeprefix("/feeds/").removesuffix(".ics")
    assert secret not in str(Feed.objects.values().get())


@pytest.mark.parametrize("whose", [{}, {"provider": True, "operatory": True}])
def test_a_calendar_is_a_providers_or_an_operatorys(cast, whose):
    chosen = {name: {"provider": cast.drill, "operatory": cast.operatories[0]}[name] for name in whose}
    with pytest.raises(ValidationError, match="either"):
        Feed(name="x", digest="0", **chosen).full_clean(exclude=["clinic", "created_at", "updated_at"])


@pytest.mark.parametrize("count", [1, 30])
def test_the_calendar_takes_the_same_queries_for_any_number_of_visits(cast, book, feed, count):
    for number in range(count):
        book(f"2026-12-{1 + number // 10:02} {8 + number % 10}:00", patient=PatientFactory(by=cast.desk))
    with CaptureQueriesContext(connection) as queries:
        assert len(events(feed[1])) == count
    assert len(queries) == 4  # the feed, the front desk, visits, blocks


def test_a_manager_makes_an_address_and_sees_it_once(cast, sign_in):
    manager = sign_in("manager")
    answer = manager.post("/feeds/", {"name": "Phone", "provider": cast.drill.pk}, follow=True)
    address = re.search(r'value="http://testserver(/feeds/[^"]+\.ics)"', answer.content.decode())[1]
    assert Client().get(address).status_code == 200
    assert manager.get("/feeds/made/").status_code == 302
    page = manager.get("/feeds/").content.decode()
    assert "Phone" in page
    assert address not in page
    manager.post(f"/feeds/{Feed.objects.get().pk}/revoke/")
    assert Client().get(address).status_code == 404
