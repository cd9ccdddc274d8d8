"""A visit is found by anything that somebody remembers of it; nothing is hidden by a guess at what a word means."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.models import AccessEvent
from scheduling.finding import Days, days_meant, found, read, time_meant
from scheduling.models import Appointment
from tests.factories import PatientFactory

NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)  # a Saturday, 10:00 in New York
SATURDAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def wall(cast):
    with timezone.override(cast.clinic.zone):
        yield


@pytest.fixture
def finds(cast):
    return lambda text: list(found(cast.desk, text, NOW)[0].order_by("starts_at"))


def test_each_word_narrows_it(book, cast, finds):
    ada = book("2026-12-01 9:00")
    grace = book("2026-12-01 10:00", patient=cast.grace)
    later = book("2026-12-09 9:00", patient=cast.grace, provider=cast.bridge, operatory=cast.operatories[1])
    assert finds("hopper") == [grace, later]
    assert finds("hop 12/1") == [grace]
    assert finds("grace bridge") == [later]
    assert finds("operatory 2") == finds("Dr. Bridge") == [later]
    assert finds("exam december") == finds("Exam, 2026") == [ada, grace, later]
    assert finds("9:00 lovelace") == finds("9am ada") == [ada]
    assert finds("ada bridge") == finds("ada 2025") == finds("   ") == []


@pytest.mark.parametrize("words", [
    "#{chart}", "{chart}", "+1 201 555 0124", "(201) 555-0124", "201 555 0124", "2015550124",
    "1990-12-09", "12/9/1990"])  # fmt: skip
def test_it_is_found_by_the_patient_s_number_phone_and_birth_date(book, cast, finds, words):
    book()
    grace = book("2026-12-01 10:00", patient=cast.grace)
    assert finds(words.format(chart=cast.grace.chart_number)) == [grace]


@pytest.mark.parametrize(("words", "status"), [
    ("unconfirmed", "scheduled"), ("not confirmed", "scheduled"), ("confirmed", "confirmed"), ("cancelled", "cancelled"),
    ("no-show", "no_show"), ("missed", "no_show")])  # fmt: skip
def test_it_is_found_by_its_state(book, cast, finds, words, status):
    visits = {"scheduled": book("2026-12-01 8:00"), "confirmed": book("2026-12-01 9:00", patient=cast.grace)}
    visits["confirmed"].confirm(by=cast.desk)
    visits["cancelled"] = book("2026-12-01 10:00")
    visits["cancelled"].cancel(by=cast.desk, because="Ill")
    visits["no_show"] = book("2026-12-01 11:00")
    visits["no_show"].no_show(by=cast.desk)
    assert finds(words) == [visits[status]]


def test_a_word_that_means_a_month_and_a_name_finds_both(book, cast, finds):
    june = PatientFactory(by=cast.desk, first_name="June", last_name="Carter")
    hers = book("2026-12-01 9:00", patient=june)
    in_june = book("2027-06-01 9:00")
    book("2026-12-02 9:00")
    (part,) = read(cast.desk, "june", NOW)
    assert part.meanings == ["Mon 1 Jun 2026 to Tue 30 Jun 2026", "a patient with “june”"]
    assert finds("june") == [hers]
    assert finds("june 2027") == [in_june]


def test_a_word_that_means_a_provider_and_a_patient_finds_both(book, cast, finds):
    dana = PatientFactory(by=cast.desk, first_name="Dana", last_name="Drill")
    hers = book("2026-12-01 9:00", patient=dana, provider=cast.bridge)
    with_dana = book("2026-12-02 9:00")
    assert finds("dana drill") == finds("drill") == [hers, with_dana]


@pytest.mark.parametrize(("text", "first", "last"), [
    ("today", SATURDAY, SATURDAY), ("tomorrow", date(2026, 11, 22), date(2026, 11, 22)),
    ("friday", date(2026, 11, 27), date(2026, 11, 27)), ("next friday", date(2026, 11, 27), date(2026, 11, 27)),
    ("last friday", date(2026, 11, 20), date(2026, 11, 20)), ("last saturday", date(2026, 11, 14), date(2026, 11, 14)),
    ("this week", date(2026, 11, 16), date(2026, 11, 22)), ("next week", date(2026, 11, 23), date(2026, 11, 29)),
    ("last month", date(2026, 10, 1), date(2026, 10, 31)), ("next month", date(2026, 12, 1), date(2026, 12, 31)),
    ("january", date(2027, 1, 1), date(2027, 1, 31)), ("october", date(2026, 10, 1), date(2026, 10, 31)),
    ("march 2024", date(2024, 3, 1), date(2024, 3, 31)), ("2025", date(2025, 1, 1), date(2025, 12, 31)),
    ("mon", date(2026, 11, 23), date(2026, 11, 23)), ("Mon 23 Nov 2026".lower(), date(2026, 11, 23), date(2026, 11, 23)),
    ("nov 24th", date(2026, 11, 24), date(2026, 11, 24)), ("in 2 weeks", date(2026, 12, 5), date(2026, 12, 5)),
    ("2026-12-01", date(2026, 12, 1), date(2026, 12, 1)), ("1 dec", date(2026, 12, 1), date(2026, 12, 1))])  # fmt: skip
def test_days_are_read_as_people_say_them(text, first, last):
    assert days_meant(text, SATURDAY) == Days(first, last)


@pytest.mark.parametrize("text", ["lee", "mo", "fr", "next lee", "last", "31 feb", "13/13", "2/30/2026", "feb 0000",
    "dec 9999", "12/31/9999", "9999-12-31", "31.12.9999"])
def test_names_and_impossible_days_are_no_days(text):
    assert days_meant(text, SATURDAY) is None


def test_what_a_row_prints_finds_the_row(book, cast, finds):
    cast.drill.change(by=cast.manager, short_name="Dana D.")
    visit = book("2026-12-01 9:00")
    assert finds("Tue 1 Dec 2026 9:00") == finds("Dana D.") == finds("december morning drill") == [visit]
    assert finds("Tue 1 Dec 2026 afternoon") == []


def test_a_time_needs_a_colon_or_am_or_pm():
    assert [time_meant(text) for text in ("9:30", "2pm", "2 pm", "12am")] == [time(9, 30), time(14), time(14), time(0)]
    assert [time_meant(text) for text in ("9", "930", "25:00", "pm")] == [None] * 4


def test_a_day_ends_at_the_clinic_s_midnight(book, cast, finds, at):
    Appointment.take_over(
        by=cast.system, because="x", status="checked_out", patient=cast.ada, operatory=cast.operatories[0], provider=cast.drill,
        appointment_type=cast.exam, starts_at=at("2026-11-20 23:30"))
    assert len(finds("2026-11-20")) == 1
    assert finds("2026-11-21") == []


@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(
    ["next", "week", "last", "2", "pm", "9:00", "drill", "june", "31", "feb", "no", "show", "#", "%", "'", '"', "/"]),
    max_size=9).map(" ".join)))
def test_any_text_is_read_whole(text, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        from tests.cast import Cast

        desk = Cast().desk
        parts = read(desk, text, NOW)
        assert all(part.meanings for part in parts)
        list(found(desk, text, NOW)[0])


# The page


@pytest.fixture
def soon(cast):
    """Visits of tomorrow, one for each of so many patients of one name."""

    def make(count, **values):
        day = cast.clinic.today() + timedelta(days=1)
        return [Appointment.book(
            by=cast.system, patient=PatientFactory(by=cast.desk, last_name="Searched", first_name=f"No{number}"),
            operatory=cast.operatories[0], provider=cast.drill, appointment_type=cast.exam, double_booking="A test",
            starts_at=datetime.combine(day, time(9), tzinfo=cast.clinic.zone), **values) for number in range(count)]

    return make


def page(client, text, **more):
    return client.get("/visits/find/", {"q": text, **more})


def test_the_page_tells_how_it_read_the_text_and_leads_to_the_visit(desk_client, soon):
    (visit,) = soon(1)
    text = page(desk_client, "searched drill").content.decode()
    assert f"/visits/{visit.pk}/" in text
    assert "Dr. Dana Drill or a patient with “drill”" in text
    assert "To come" in text
    assert "Before" not in text


def test_nothing_found_says_so_and_an_empty_search_asks(desk_client):
    assert "No visit fits" in page(desk_client, "zebra").content.decode()
    assert "No visit fits" not in page(desk_client, "").content.decode()


def test_a_search_of_visits_is_one_event_without_its_text(desk_client, soon):
    soon(2)
    before = AccessEvent.objects.count()
    page(desk_client, "searched")
    event = AccessEvent.objects.order_by("pk").last()
    assert (AccessEvent.objects.count() - before, event.kind, event.rows, event.route) == (1, "search", 2, "scheduling:find")


def test_another_practice_s_visits_are_not_found(sign_in, soon):
    soon(1)
    assert "No visit fits" in page(sign_in("receptionist", "other"), "searched").content.decode()


def test_thirty_visits_take_the_queries_of_one(desk_client, soon):
    soon(1)
    page(desk_client, "searched drill tomorrow")
    with CaptureQueriesContext(connection) as one:
        page(desk_client, "searched drill tomorrow")
    soon(30)
    with CaptureQueriesContext(connection) as many:
        answer = page(desk_client, "searched drill tomorrow")
    assert len(many) == len(one)
    assert "The 25 nearest" in answer.content.decode()


def test_the_file_has_all_that_was_found(desk_client, soon):
    soon(30)
    lines = b"".join(page(desk_client, "searched", format="csv").streaming_content).decode().splitlines()
    assert len(lines) == 31


def test_visits_of_a_merged_record_are_found_by_either_name(cast, book, finds):
    other = PatientFactory(by=cast.desk, first_name="Adeline", last_name="Byron")
    visit = book("2026-12-01 9:00", patient=other)
    other.merge_into(cast.ada, by=cast.manager, because="Married, registered twice")
    assert finds("byron") == finds("lovelace") == [visit]
