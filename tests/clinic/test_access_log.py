"""Managers see who looked at what, who signs in, and take lists out: filtered, safe in a spreadsheet, and on record."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import AccessEvent, User
from clinic.web.csv_out import safe
from tests.factories import PatientFactory


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


@pytest.fixture
def looks(cast):
    """The desk looked at Ada, the dentist at Grace, forty days ago the desk searched."""
    now = timezone.now()
    make, stranger = AccessEvent.objects.create, cast.outsider
    return [
        make(clinic=cast.clinic, by=cast.desk.user, kind="view", patient=cast.ada, route="clinic:patient", via="page"),
        make(clinic=cast.clinic, by=cast.dentist.user, kind="change", patient=cast.grace, route="clinic:patient", via="api"),
        make(clinic=cast.clinic, by=cast.desk.user, kind="search", route="clinic:search", via="page", at=now - timedelta(days=40)),
        make(clinic=stranger.clinic, by=stranger.desk.user, kind="view", patient=stranger.ada, route="x", via="page"),
    ]


def lines(answer):
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def log(manager, **asked):
    rows = lines(manager.get("/practice/access/", {**asked, "format": "csv"}))
    return [(row["who"], row["what"], row["patient"]) for row in rows if row["who"] != "Manager Test"]


def test_the_log_tells_every_look_of_this_practice_alone(manager, looks):
    assert log(manager) == [
        ("Dentist Test", "Changed", "Grace Hopper"), ("Receptionist Test", "Looked at", "Ada Lovelace"),
        ("Receptionist Test", "Searched", "")]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "patients"),
    [
        ({"who": "desk"}, ["Ada Lovelace", ""]),
        ({"chart_number": "ada"}, ["Ada Lovelace"]),
        ({"kind": "change"}, ["Grace Hopper"]),
        ({"since": "yesterday"}, ["Grace Hopper", "Ada Lovelace"]),
        ({"until": "yesterday"}, [""]),
        ({"since": "no day at all"}, []),
    ],
)
def test_it_is_filtered_by_person_patient_kind_and_period(cast, manager, looks, asked, patients):
    said = {"desk": cast.desk.user.pk, "ada": f"#{cast.ada.chart_number}"}
    assert [row[2] for row in log(manager, **{name: said.get(text, text) for name, text in asked.items()})] == patients


def test_a_person_of_another_practice_is_no_choice(cast, manager, looks):
    assert log(manager, who=cast.outsider.desk.user.pk) == []


@pytest.mark.parametrize("count", [1, 30])
def test_the_log_takes_the_same_queries_for_any_number(cast, manager, count):
    for _ in range(count):
        AccessEvent.objects.create(clinic=cast.clinic, by=cast.desk.user, kind="view", patient=cast.ada, route="x", via="page")
    manager.get("/practice/access/")
    with CaptureQueriesContext(connection) as queries:
        manager.get("/practice/access/")
    assert len(queries) == 2 + 3  # sign-in; looks, choices of the filter, own event


def test_taking_a_list_out_is_on_record_with_the_number_of_patients(cast, manager):
    answer = manager.get("/patients/?format=csv")
    rows = lines(answer)
    assert {row["last name"] for row in rows} == {"Lovelace", "Hopper"}
    assert 'filename="patients.csv"' in answer["Content-Disposition"]
    taken = AccessEvent.objects.get(kind="export")
    assert (taken.by, taken.rows, taken.route) == (cast.manager.user, 2, "clinic:patients")


def test_who_may_see_a_list_but_not_take_it_out_is_told_so(sign_in):
    assert sign_in("hygienist").get("/patients/").status_code == 200
    assert sign_in("hygienist").get("/patients/?format=csv").status_code == 403
    assert not AccessEvent.objects.filter(kind="export").exists()


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\tx", "\rx"])
def test_what_begins_like_a_formula_is_text_in_a_spreadsheet(cast, manager, text):
    assert safe(text) == f"'{text}"


def test_a_name_that_is_a_formula_comes_out_as_text(cast, manager):
    PatientFactory(by=cast.desk, last_name="=HYPERLINK(1)", first_name="Eve")
    assert "'=HYPERLINK(1)" in {row["last name"] for row in lines(manager.get("/patients/?format=csv"))}


def test_numbers_stay_numbers_and_nothing_stays_nothing():
    assert (safe(-2), safe(None), safe("a-b")) == (-2, "", "a-b")


def test_sign_ins_tell_the_last_one_the_failed_ones_and_the_unused(cast, manager):
    desk = cast.desk.user
    AccessEvent.objects.create(clinic=cast.clinic, by=desk, kind="sign_in", route="x", via="page")
    for _ in range(3):
        AccessEvent.objects.create(by=desk, kind="sign_in_failed", route="x", via="page")
    page = manager.get("/practice/sign-ins/")
    row = next(row for row in page.context["rows"] if row.user == desk)
    assert (row.failed, row.is_unused) == (3, False)
    assert timezone.now() - row.last < timedelta(minutes=1)


def test_an_account_that_nobody_used_for_long_is_told(cast, manager, monkeypatch):
    monkeypatch.setattr("clinic.views.audit.UNUSED", timedelta(0))
    page = manager.get("/practice/sign-ins/").content.decode()
    assert "was not used" in page or "were not used" in page


def test_accounts_that_nobody_has_used_yet_are_not_called_used(manager):
    page = manager.get("/practice/sign-ins/").content.decode()
    assert "never" in page
    assert "No open account has lain unused for 90 days." in page


@pytest.mark.parametrize("count", [1, 30])
def test_sign_ins_take_the_same_queries_for_any_number_of_people(cast, manager, count):
    from clinic.models import Membership

    for number in range(count):
        user = User.objects.create_user(f"p{number}@test.example", "a-password-for-tests", name=f"P {number}")
        Membership.open(user=user, clinic=cast.clinic, roles=["assistant"], by=cast.manager)
    with CaptureQueriesContext(connection) as queries:
        manager.get("/practice/sign-ins/")
    assert len(queries) == 2 + 3  # sign-in; members, their roles, the names of the roles
