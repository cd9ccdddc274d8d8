"""Patients: registered once, warned about doubles, changed without losing what somebody else wrote."""

from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import AccessEvent, Account, Patient
from tests.factories import PatientFactory

SIGN_IN = 2  # the session with its user, memberships
NEW = {
    "first_name": "Marie",
    "last_name": "Curie",
    "date_of_birth": "11/7/1967",
    "sex": "female",
    "phone": "(201) 555-0150",
    "email": "marie@patients.example",
    "line1": "1 Radium Road",
    "city": "Rye",
    "region": "NY",
    "postal_code": "10580",
    "country": "US",
    "language": "en",
    "contact_by": "sms",
    "wants_reminders": "on",
    "emergency_name": "Pierre",
}


def test_registering_gives_a_chart_number_and_an_account(cast, desk_client):
    answer = desk_client.post("/patients/new/", {**NEW, "once": str(uuid4())})
    patient = Patient.objects.get(last_name="Curie")
    assert answer.url == f"/patients/{patient.pk}/"
    assert patient.date_of_birth == date(1967, 11, 7)
    assert str(patient.phone) == "+1 201-555-0150"
    assert patient.account.name == "Marie Curie"
    assert patient.chart_number.isdecimal()
    assert patient.history.get().history_user == cast.desk.user


def test_chart_numbers_never_repeat_in_a_clinic_and_each_clinic_counts_alone(cast):
    one, two = PatientFactory(by=cast.desk), PatientFactory(by=cast.desk)
    assert int(two.chart_number) == int(one.chart_number) + 1
    other = PatientFactory(by=cast.outsider.desk)
    assert other.chart_number == one.chart_number


def test_sending_the_registration_twice_registers_once(cast, desk_client):
    form = {**NEW, "once": str(uuid4())}
    first, second = desk_client.post("/patients/new/", form), desk_client.post("/patients/new/", form)
    assert first["Location"] == second["Location"]
    assert Patient.objects.filter(last_name="Curie").count() == 1


def test_a_family_member_joins_the_account_with_its_address(cast, desk_client):
    cast.ada.account.change(by=cast.desk, line1="5 Analytical Way", city="Rye")
    page = desk_client.get(f"/patients/new/?account={cast.ada.account_id}").content.decode()
    assert "5 Analytical Way" in page
    desk_client.post("/patients/new/", {**NEW, "account": cast.ada.account_id})
    assert Patient.objects.get(last_name="Curie").account == cast.ada.account
    assert desk_client.get(f"/patients/new/?account={cast.outsider.ada.account_id}").status_code == 404


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"first_name": ""}, "required"),
        ({"date_of_birth": "2/30/1988"}, "not a date we can read"),
        ({"date_of_birth": "1/1/2199"}, "in the future"),
        ({"date_of_birth": "1/1/1700"}, "130 years ago"),
        ({"last_name": "x" * 5000}, "at most 80"),
        ({"phone": "12"}, "not a phone number we can read"),
        ({"email": "not-an-address"}, "valid email"),
        ({"sex": "robot"}, "Select a valid choice"),
        ({"first_name": "a\x00b"}, "Null characters"),
    ],
)
def test_bad_input_gets_a_sentence_and_keeps_what_was_typed(cast, desk_client, values, sentence):
    answer = desk_client.post("/patients/new/", {**NEW, **values})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "1 Radium Road" in page
    assert not Patient.objects.filter(city="Rye").exists()


@pytest.mark.parametrize(
    ("typed", "warned"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace"}, True),
        ({"first_name": "ada", "last_name": "LOVELÁCE"}, True),
        ({"last_name": "Love", "date_of_birth": "12/10/1985"}, True),
        ({"first_name": "Ad", "date_of_birth": "1985-12-10"}, True),
        ({"first_name": "Xavier", "last_name": "Unlike", "phone": "201 555 0123"}, True),
        ({"first_name": "Ada", "last_name": "Byron"}, False),
        ({"first_name": "Xavier", "date_of_birth": "12/10/1985"}, False),
        ({"date_of_birth": "12/"}, False),
        ({}, False),
    ],
)
def test_a_likely_duplicate_is_shown_while_one_types(cast, desk_client, typed, warned):
    page = desk_client.post("/patients/likely-duplicates/", typed).content.decode()
    assert ("Lovelace, Ada" in page) is warned


def test_a_likely_duplicate_of_another_clinic_is_never_shown(cast):
    found = Patient.objects.visible_to(cast.desk).likely_duplicates(first_name="Ada", last_name="Lovelace")
    assert list(found) == [cast.ada]


def edit_form(patient, **values):
    data = {
        name: getattr(patient, name) or ""
        for name in (
            "first_name",
            "last_name",
            "preferred_name",
            "sex",
            "email",
            "line1",
            "line2",
            "city",
            "region",
            "postal_code",
            "country",
            "language",
            "contact_by",
            "status",
            "emergency_name",
            "emergency_relationship",
            "guarantor_name",
            "guarantor_relationship",
        )
    }
    return {
        **data,
        "date_of_birth": str(patient.date_of_birth),
        "phone": str(patient.phone),
        "version": patient.version,
        **values,
    }


def test_only_what_was_changed_is_written(cast, desk_client):
    desk_client.post(
        f"/patients/{cast.ada.pk}/edit/",
        edit_form(
            cast.ada, preferred_name="Augusta", wants_reminders="on", wants_recall="on", primary_provider=cast.drill.pk
        ),
    )
    new, old = cast.ada.history.order_by("-version")[:2]
    assert set(new.diff_against(old).changed_fields) - {"updated_at", "version"} == {"preferred_name"}


def test_a_foreign_provider_cannot_be_chosen(cast, desk_client):
    answer = desk_client.post(
        f"/patients/{cast.ada.pk}/edit/", edit_form(cast.ada, primary_provider=cast.outsider.drill.pk)
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_takes_the_same_queries_for_any_number(cast, desk_client, count):
    for _ in range(count):
        PatientFactory(by=cast.desk)
    for path, searches in (("/patients/", 0), ("/patients/?q=fam", 1), ("/search/?q=fam", 1)):
        with CaptureQueriesContext(connection) as queries:
            page = desk_client.get(path)
        assert page.status_code == 200
        assert len(queries) == SIGN_IN + 2 + searches  # the rows, the access event; whom a merged one means


@pytest.mark.parametrize("count", [1, 30])
def test_an_account_takes_the_same_queries_for_any_family(cast, desk_client, count):
    for _ in range(count):
        PatientFactory(by=cast.desk, account=cast.ada.account)
    with CaptureQueriesContext(connection) as queries:
        assert desk_client.get(f"/accounts/{cast.ada.account_id}/").content.count(b"<tr data-href") == count + 1
    assert len(queries) == SIGN_IN + 5  # the account, its patients, their alerts, their visits, the access event


@pytest.mark.parametrize("count", [1, 30])
def test_a_patients_page_takes_the_same_queries_for_any_number_of_visits(cast, desk_client, book, at, count):
    for n in range(count):
        book(
            f"2026-12-{1 + n // 10:02d} {8 + n % 10 // 3:02d}:{n % 3 * 20:02d}",
            ends_at=None,
            appointment_type=cast.exam,
            provider_time=[],
            operatory=cast.operatories[0],
        ) if n % 3 == 0 else None
    with CaptureQueriesContext(connection) as queries:
        assert desk_client.get(f"/patients/{cast.ada.pk}/").status_code == 200
    assert len(queries) == SIGN_IN + 6


def test_paging_walks_through_all(cast, desk_client):
    for _ in range(55):
        PatientFactory(by=cast.desk)
    first = desk_client.get("/patients/").content.decode()
    assert "start=50" in first
    second = desk_client.get("/patients/?start=50").content.decode()
    assert second.count("<tr data-href") == 57 - 50
    assert desk_client.get("/patients/?start=evil").status_code == 200


def test_search_words_stand_in_no_event_and_no_log(cast, desk_client, caplog):
    desk_client.get("/patients/?q=Lovelace")
    desk_client.get("/search/?q=Lovelace")
    desk_client.get(f"/patients/{cast.outsider.ada.pk}/?q=Lovelace")
    for event in AccessEvent.objects.all():
        assert "ovelace" not in str(vars(event))
    assert "ovelace" not in caplog.text


def test_an_empty_search_says_how_to_go_on(desk_client):
    page = desk_client.get("/patients/?q=zzzzzz").content.decode()
    assert "Nobody here matches" in page
    assert "Register patient" in page


def test_hostile_text_is_shown_as_text(cast, desk_client):
    evil = "<script>alert(1)</script>"
    patient = PatientFactory(by=cast.desk, first_name=evil, last_name="O'Neil\"", preferred_name="{{ 7*7 }}")
    page = desk_client.get(f"/patients/{patient.pk}/").content.decode()
    assert evil not in page
    assert "&lt;script&gt;" in page
    assert "{{ 7*7 }}" in page
    assert "<script>alert" not in desk_client.get("/search/?q=neil").content.decode()


def test_an_account_can_be_edited_by_the_desk_and_is_foreign_to_others(cast, desk_client, sign_in):
    account = Account.objects.get(pk=cast.ada.account_id)
    answer = desk_client.post(
        f"/accounts/{account.pk}/edit/",
        {"name": "The Lovelaces", "phone": "", "email": "", "country": "US", "version": account.version},
    )
    assert answer.status_code == 302
    assert sign_in("receptionist", "other").get(f"/accounts/{account.pk}/").status_code == 404
    assert sign_in("hygienist").get(f"/accounts/{account.pk}/edit/").status_code == 403


def test_the_reason_of_a_change_stands_in_the_history(cast, desk_client):
    form = edit_form(cast.ada, city="Rye", because="Moved", wants_reminders="on", wants_recall="on")
    desk_client.post(f"/patients/{cast.ada.pk}/edit/", form)
    assert cast.ada.history.latest().history_change_reason == "Moved"


def test_a_body_beyond_the_limit_is_a_clear_413(desk_client):
    answer = desk_client.post("/patients/new/", {**NEW, "line1": "x" * 1_100_000})
    assert answer.status_code == 413


def test_the_longest_names_are_registered(cast, desk_client):
    assert desk_client.post("/patients/new/", {**NEW, "first_name": "x" * 80, "last_name": "y" * 80}).status_code == 302
