"""The day sheet: everything that the day needs, on paper, for whom may see the schedule."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import AccessEvent, MedicalHistory
from scheduling.models import DayNote
from tests.clinic.test_paper import MARKUP, read
from tests.scheduling.test_pages import fill_day

pytestmark = pytest.mark.wide

__all__ = ["fill_day"]
HEAD = "Time Min Patient Age Type Operatory Provider Phone Status Alerts and note"


@pytest.fixture
def sheet(desk_client):
    """`sheet("by=provider")`: the pages of the sheet of 1 December, as text."""

    def get(query="", day="2026-12-01", client=None):
        answer = (client or desk_client).get(f"/schedule/day-sheet/?day={day}&{query}")
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"].startswith("inline")
        return read(answer.content)

    return get


def test_a_visit_stands_on_it_with_all_that_the_day_needs(cast, sheet, book):
    MedicalHistory.write(
        patient=cast.ada, content={"allergies": [{"substance": "Latex"}]}, by=cast.system, seen_number=0)  # fmt: skip
    visit = book(note="Prefers the window")
    visit.confirm(by=cast.desk)
    (page,) = sheet()
    assert "Day sheet, Tuesday, 1 December 2026" in page
    for words in (f"9:00 {visit.minutes} Lovelace, Ada #{cast.ada.chart_number} 40 Exam", str(visit.operatory), "Dr. Drill",
                  "+1 201-555-0123", "Confirmed", "Allergy: Latex Prefers the window"):  # fmt: skip
        assert words in page


def test_a_day_of_150_visits_goes_over_pages_that_each_repeat_the_head(cast, sheet, fill_day):
    fill_day(150)
    pages = sheet()
    assert len(pages) > 2
    assert all(HEAD in page for page in pages)
    assert sum(page.count("Given") for page in pages) == 150
    assert "150 visits" in pages[-1]


def test_a_day_without_visits_says_so_also_when_all_were_cancelled(cast, sheet, book):
    book().cancel(by=cast.desk, because="Ill")
    assert "No visits on this day." in sheet()[0]


def test_a_providers_list_holds_their_visits_and_those_into_which_they_look(cast, sheet, book):
    book("2026-12-01 9:00")
    book("2026-12-01 11:00", patient=cast.grace, provider=cast.bridge, operatory=cast.operatories[1])
    book("2026-12-01 14:00", patient=cast.grace, provider=cast.holly, operatory=cast.operatories[2],
         appointment_type=cast.cleaning, doctor=cast.drill)  # fmt: skip
    (page,) = sheet(f"provider={cast.drill.pk}")
    assert "Dr. Dana Drill, Tuesday, 1 December 2026" in page
    assert "9:00" in page
    assert "14:00" in page
    assert "11:00" not in page
    assert "2 visits" in page


def test_everybodys_lists_are_a_sheet_each(cast, sheet, book):
    book("2026-12-01 9:00")
    book("2026-12-01 11:00", patient=cast.grace, provider=cast.bridge, operatory=cast.operatories[1])
    pages = sheet("by=provider")
    assert [("Dr. Dana Drill" in page, "Dr. Bo Bridge" in page) for page in pages] == [(True, False), (False, True)]
    (empty,) = sheet("by=provider", day="2026-12-06")
    assert "No visits on this day." in empty


def test_names_and_notes_are_text_and_never_markup(cast, sheet, book):
    cast.ada.change(by=cast.desk, last_name=MARKUP[:80], first_name="F" * 80)
    book(note=MARKUP)
    words = "".join(sheet()[0].split())
    assert "".join(MARKUP.split()) in words
    assert "F" * 80 in words


def test_the_note_of_the_day_stands_above(cast, sheet):
    DayNote.of(cast.desk, cast.clinic.today().replace(2026, 12, 1)).write("Compressor *is* serviced", by=cast.desk, version=0)
    assert "Compressor *is* serviced" in sheet()[0]


@pytest.mark.parametrize("query", ["", "by=provider"])
@pytest.mark.parametrize("count", [1, 30])
def test_it_takes_the_same_queries_for_any_number_of_visits(cast, desk_client, fill_day, count, query):
    fill_day(count)
    with CaptureQueriesContext(connection) as queries:
        answer = desk_client.get(f"/schedule/day-sheet/?day=2026-12-01&{query}")
    assert sum(page.count("Given") for page in read(answer.content)) == count
    # The session with its user, memberships, visits, the day's note, the access event; and the providers.
    assert len(queries) == 5 + (query != ""), [query["sql"][:90] for query in queries]


def test_printing_is_on_record(sheet, book):
    book()
    sheet()
    event = AccessEvent.objects.latest("id")
    assert (event.kind, event.rows, event.page) == ("print", 1, "day sheet")


def test_nobody_sees_another_clinics_day(cast, sheet, sign_in, book, desk_client):
    book()
    assert "No visits on this day." in sheet(client=sign_in("receptionist", "other"))[0]
    for provider in (cast.outsider.drill.pk, uuid4(), "x"):
        assert desk_client.get(f"/schedule/day-sheet/?provider={provider}").status_code == 404
    for role in ("coach", "patient"):
        assert sign_in(role).get("/schedule/day-sheet/").status_code == 403


def test_what_is_no_day_is_today(cast, sheet):
    today = cast.clinic.today()
    for day in ("x", "9999-01-01", ""):
        assert f"{today.day} {today:%B %Y}" in sheet(day=day)[0]
