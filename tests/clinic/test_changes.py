"""Managers see who changed what in the whole practice: every record type by itself, filtered, paged, and as CSV."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.audit import past
from clinic.audit.past import Asked, entries, kinds, lines_of
from clinic.db.fields import EncryptedTextField
from clinic.models import AccessEvent, MedicalHistory, Operatory, User
from tests.clinic.test_access_log import lines
from tests.factories import PatientFactory


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


def told(cast, **asked):
    """(which, [field: before > after]) of the newest changes."""
    found = lines_of(entries(cast.clinic, Asked(**asked), 100))
    return [
        (line.change.what, [f"{label}: {old} > {new}" for label, old, new in line.change.fields]) for line in found
    ]


# What is in it


def test_a_change_tells_old_and_new_in_words_and_why(cast):
    cast.ada.change(by=cast.manager, because="Moved house", city="Rye", primary_provider=cast.bridge)
    (line,) = lines_of(entries(cast.clinic, Asked(who=cast.manager.user), 10))
    assert (line.change.who, line.change.why, line.patient, line.entry.kind.words) == (
        "Manager Test", "Moved house", cast.ada, "Patient")  # fmt: skip
    assert line.change.fields == [("City", "", "Rye"), ("Primary provider", "Dr. Dana Drill", "Dr. Bo Bridge")]


def test_a_change_is_compared_with_the_version_before_it_also_across_pages(cast):
    for city in ("Rye", "Harrison", "Mamaroneck"):
        cast.ada.change(by=cast.desk, city=city)
    first = entries(cast.clinic, Asked(who=cast.desk.user), 1)
    assert lines_of(first)[0].change.fields == [("City", "Harrison", "Mamaroneck")]
    second = entries(cast.clinic, Asked(who=cast.desk.user, before=(first[0].at, first[0].key)), 1)
    assert lines_of(second)[0].change.fields == [("City", "Rye", "Harrison")]


def test_encrypted_texts_are_never_spelled_out(cast, book, manager):
    visit = book(note="Afraid of needles")
    visit.reschedule(by=cast.desk, note="Afraid of drills")
    assert told(cast, who=cast.desk.user, kind="scheduling.appointment")[0][1] == ["Note:  > changed"]
    MedicalHistory.write(patient=cast.ada, content={"note": "Afraid of everything"}, by=cast.desk, seen_number=0)
    for answer in (manager.get("/practice/changes/").content, *manager.get("/practice/changes/?format=csv")):
        assert b"Afraid" not in answer
    assert any(isinstance(field, EncryptedTextField) for field in visit._meta.fields)


def test_what_happened_under_a_merged_record_belongs_to_the_person(cast, manager):
    cast.grace.change(by=cast.desk, city="Rye")
    cast.grace.merge_into(cast.ada, by=cast.manager, because="The same")
    found = entries(cast.clinic, Asked(patient=cast.ada.pk), 100)
    assert {"Rye"} <= {new for line in lines_of(found) for _, _, new in line.change.fields}
    text = b"".join(
        manager.get("/practice/changes/", {"chart_number": cast.grace.chart_number, "format": "csv"})).decode()  # fmt: skip
    assert "Ada" in text
    assert "Rye" in text


# The page


def which(manager, **asked):
    rows = lines(manager.get("/practice/changes/", {**asked, "format": "csv"}))
    return [(row["what"], row["field"] or row["which"]) for row in rows]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"who": "desk", "kind": "clinic.patient"}, [("Patient", "City")]),
        ({"who": "manager"}, [("Operatory", "Is hygiene"), ("Patient", "State or region")]),
        ({"chart_number": "ada", "who": "manager"}, [("Patient", "State or region")]),
        ({"kind": "clinic.operatory", "who": "manager"}, [("Operatory", "Is hygiene")]),
        ({"way": "api"}, [("Patient", "City")]),
        ({"since": "tomorrow"}, []),
        ({"until": "yesterday"}, []),
        ({"since": "today", "way": "api"}, [("Patient", "City")]),
        ({"since": "no day"}, []),
        ({"kind": "clinic.nothing"}, []),
        ({"way": "pigeon"}, []),
        ({"chart_number": "0"}, []),
        ({"who": "stranger"}, []),
    ],
)
def test_it_is_filtered_by_person_patient_kind_way_and_period(cast, manager, program, asked, expected):
    cast.ada.change(by=cast.manager, region="NY")
    cast.operatories[0].change(by=cast.manager, is_hygiene=True)
    program("receptionist").send("PATCH", f"/patients/{cast.grace.pk}", {"address": {"city": "Rye"}})
    said = {
        "desk": cast.desk.user.pk, "manager": cast.manager.user.pk, "ada": f"#{cast.ada.chart_number}",
        "stranger": cast.outsider.desk.user.pk}  # fmt: skip
    assert which(manager, **{name: said.get(text, text) for name, text in asked.items()}) == expected


def test_it_names_no_change_of_another_clinic(cast, manager):
    cast.outsider.ada.change(by=cast.outsider.desk, city="Zebra-Town")
    assert b"Zebra-Town" not in manager.get("/practice/changes/").content
    assert "Zebra-Town" not in b"".join(manager.get("/practice/changes/?format=csv")).decode()


def test_it_pages_back_to_the_first_change_without_a_gap(cast, manager):
    for number in range(120):
        cast.ada.change(by=cast.desk, city=f"Town {number}")
    seen, address, pages = [], f"/practice/changes/?who={cast.desk.user.pk}", 0
    while address:
        answer = manager.get(address)
        found = [line.change.fields[0][2] for line in answer.context["lines"]]
        older = answer.context["older"]
        address = older and (
            f"/practice/changes/?who={cast.desk.user.pk}&before={older.key}&at={quote(older.at.isoformat())}")  # fmt: skip
        assert not older or f"before={older.key}" in answer.content.decode()
        seen, pages = seen + found, pages + 1
    assert (seen, pages) == ([f"Town {number}" for number in reversed(range(120))], 3)


@pytest.mark.parametrize("asked", ["before=x", "before=x&at=y", f"before={'0' * 32}", f"before={'0' * 32}&at=2026-01-01"])
def test_a_page_that_makes_no_sense_is_not_there(manager, asked):
    assert manager.get(f"/practice/changes/?{asked}").status_code == 404


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_takes_the_same_queries_for_any_number(cast, manager, count):
    for number in range(count):
        cast.ada.change(by=cast.desk, city=f"Town {number}", primary_provider=(cast.bridge, cast.drill)[number % 2])
        Operatory(name=f"Room {number}", sequence=9).record(by=cast.desk)
    address = f"/practice/changes/?who={cast.desk.user.pk}"
    manager.get(address)
    with CaptureQueriesContext(connection) as queries:
        manager.get(address)
    # sign-in; choices, the chosen person; all tables together; patients and rooms each with rows, names, who; versions before
    # and providers; people; own event
    assert len(queries) <= 2 + 2 + 1 + 4 + 4 + 1 + 1


def test_it_is_a_look_at_as_many_patients_as_it_names(cast, manager):
    PatientFactory(by=cast.desk)
    PatientFactory(by=cast.desk)
    manager.get(f"/practice/changes/?who={cast.desk.user.pk}")
    event = AccessEvent.objects.get()
    assert (event.kind, event.rows, event.route) == ("list", 2, "clinic:changes")
    b"".join(manager.get(f"/practice/changes/?who={cast.desk.user.pk}&format=csv"))
    event = AccessEvent.objects.exclude(pk=event.pk).get()
    assert (event.kind, event.rows) == ("export", 2)


def test_the_file_is_read_a_few_hundred_at_a_time_and_has_them_all(cast, manager, monkeypatch):
    monkeypatch.setattr("clinic.views.audit.AT_ONCE", 7)
    for number in range(30):
        cast.ada.change(by=cast.desk, city=f"Town {number}")
    rows = lines(manager.get(f"/practice/changes/?who={cast.desk.user.pk}&format=csv"))
    assert [row["after"] for row in rows] == [f"Town {number}" for number in reversed(range(30))]
    assert rows[0]["before"] == "Town 28"


def test_it_is_for_managers(sign_in):
    assert sign_in("receptionist").get("/practice/changes/").status_code == 403


@pytest.mark.parametrize("asked", [{}, {"since": timezone.now() - timedelta(days=400), "until": timezone.now()}])
def test_the_newest_and_an_old_period_are_found_by_the_index_of_dates(cast, asked):
    rows = kinds()["scheduling.appointment"].newest(cast.clinic, Asked(**asked), 51)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = rows.explain()
    # In a small table PostgreSQL may prefer another index that fits as well.
    assert "Index" in plan if connection.vendor == "postgresql" else "scheduling_historicalappointment_history_date" in plan
    assert "SCAN scheduling_historicalappointment\n" not in plan


def test_users_are_named_though_they_left(cast):
    user = User.objects.create_user("gone@test.example", "a-password-for-tests", name="Gone Person")
    cast.ada.change(by=type(cast.desk)(user=user, clinic=cast.clinic), city="Rye")
    assert lines_of(entries(cast.clinic, Asked(who=user), 1))[0].change.who == "Gone Person"


def test_the_kinds_are_the_choices_of_the_page(manager):
    page = manager.get("/practice/changes/").content.decode()
    for name, kind in past.kinds().items():
        assert f'value="{name}"' in page, kind.words


def test_from_a_patient_s_long_history_a_manager_is_led_to_all_of_it(cast, manager, desk_client, monkeypatch):
    monkeypatch.setattr("clinic.views.history.MOST_CHANGES", 2)
    for city in ("Rye", "Harrison"):
        cast.ada.change(by=cast.desk, city=city)
    page = manager.get(f"/patients/{cast.ada.pk}/history/").content.decode()
    link = f"/practice/changes/?chart_number={cast.ada.chart_number}"
    assert link in page
    assert "Rye" in manager.get(link).content.decode()
    assert "/practice/changes/" not in desk_client.get(f"/patients/{cast.ada.pk}/history/").content.decode()
