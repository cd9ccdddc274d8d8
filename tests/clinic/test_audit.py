"""Every look at a patient is on record before it is shown; the history tells who, what, when and why."""

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from clinic.audit import middleware
from clinic.audit.routes import words_of
from clinic.models import AccessEvent, MedicalHistory
from tests.sweeps.test_routes import OURS


def test_each_page_of_a_patient_leaves_one_event(cast, desk_client):
    for path in ("", "edit/", "medical-history/", "history/"):
        before = AccessEvent.objects.count()
        desk_client.get(f"/patients/{cast.ada.pk}/{path}")
        assert AccessEvent.objects.count() == before + 1
    event = AccessEvent.objects.filter(route="clinic:patient").get()
    assert (event.patient, event.by, event.clinic, event.kind, event.source) == (
        cast.ada,
        cast.desk.user,
        cast.clinic,
        "view",
        "127.0.0.1",
    )


def test_a_change_is_an_event_of_its_own_kind(cast, desk_client):
    desk_client.post(f"/patients/{cast.ada.pk}/medical-history/review/", {"seen_number": 0})
    assert AccessEvent.objects.get(patient=cast.ada).kind == "change"


def test_a_search_and_a_list_say_how_many_they_named(cast, desk_client):
    desk_client.get("/search/?q=lovelace")
    desk_client.get("/patients/")
    assert list(AccessEvent.objects.order_by("id").values_list("kind", "rows")) == [("search", 1), ("list", 2)]


def test_a_refusal_is_on_record(cast, sign_in):
    sign_in("dentist").get("/patients/new/")
    sign_in("receptionist").get(f"/patients/{cast.outsider.ada.pk}/")
    assert set(AccessEvent.objects.values_list("kind", "route")) == {
        ("refused", "clinic:patient_new"),
        ("refused", "clinic:patient"),
    }


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ("clinic:patient", "overview"),
        ("scheduling:exit_card", "exit card"),
        ("api:medical_history", "medical history (program)"),
        ("admin:clinic_medicalhistory_change", "administration, medical history"),
        ("admin:scheduling_appointment_changelist", "administration, appointment, list"),
        ("admin:django_q_schedule_changelist", "administration, django q schedule changelist"),
        ("admin:index", "administration"),
        ("home", "first page"),
    ],
)
def test_a_page_is_named_in_words(route, words):
    assert AccessEvent(route=route).page == words


def test_no_route_of_ours_shows_its_code():
    assert [name for name, *_ in OURS if set(words_of(name)) & set(":_")] == []


def test_what_cannot_be_recorded_is_not_shown(cast, desk_client, monkeypatch):
    def broken(*args, **kwargs):
        raise DatabaseError("disk full")

    monkeypatch.setattr(middleware, "write_event", broken)
    answer = desk_client.get(f"/patients/{cast.ada.pk}/")
    assert answer.status_code == 503
    assert b"Lovelace" not in answer.content


def test_the_history_page_tells_who_looked_and_who_changed_what_and_why(cast, sign_in, book, at):
    cast.ada.change(by=cast.manager, because="Moved house", city="Rye", primary_provider=cast.bridge)
    visit = book()
    visit.reschedule(by=cast.desk, starts_at=at("2026-12-02 9:00"), because="Bus strike")
    MedicalHistory.write(patient=cast.ada, content={}, by=cast.hygienist, seen_number=0)
    sign_in("dentist").get(f"/patients/{cast.ada.pk}/")
    page = sign_in("manager").get(f"/patients/{cast.ada.pk}/history/").content.decode()
    for words in (
        "Moved house",
        "Manager Test",
        "Rye",
        "Dr. Dana Drill",
        "Dr. Bo Bridge",
        "Bus strike",
        "Wed 2026-12-02 09:00",
        "Medical history 1",
        "Hygienist Test",
        "Dentist Test",
        "overview",
    ):
        assert words in page, words


@pytest.mark.parametrize("count", [1, 30])
def test_the_history_page_takes_the_same_queries_for_any_past(cast, sign_in, book, count):
    client = sign_in("manager")
    visit = book()
    for n in range(count):
        cast.ada.change(by=cast.desk, city=f"Town {n}")
        visit.reschedule(by=cast.desk, note=f"Note {n}")
        client.get(f"/patients/{cast.ada.pk}/")
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/patients/{cast.ada.pk}/history/")
    assert len(queries) <= 40, len(queries)


def test_looks_page_back_to_the_first(cast, desk_client):
    for _ in range(55):
        desk_client.get(f"/patients/{cast.ada.pk}/")
    page = desk_client.get(f"/patients/{cast.ada.pk}/history/").content.decode()
    older = page.split("?before=")[1].split('"')[0]
    assert desk_client.get(f"/patients/{cast.ada.pk}/history/?before={older}").status_code == 200
    assert desk_client.get(f"/patients/{cast.ada.pk}/history/?before=evil").status_code in (200, 404)


def test_who_looked_is_served_by_its_index(cast):
    plan = AccessEvent.objects.visible_to(cast.desk).of(cast.ada).order_by("-id")[:51].explain()
    assert "clinic_accessevent_of_patient" in plan or connection.vendor == "postgresql"


def test_a_refused_form_shows_the_patient_and_is_on_record(cast, desk_client):
    answer = desk_client.post(f"/patients/{cast.ada.pk}/edit/", {"first_name": ""})
    assert answer.status_code == 422
    assert AccessEvent.objects.get(patient=cast.ada).kind == "view"


def test_who_pays_is_a_look_too(cast, desk_client):
    desk_client.get(f"/accounts/{cast.ada.account_id}/edit/")
    desk_client.get(f"/patients/new/?account={cast.ada.account_id}")
    assert AccessEvent.objects.filter(kind="view").count() == 2


def test_what_only_asks_is_no_change_though_it_is_sent(cast, sign_in):
    """A page that answers a POST with itself only asked something; one that wrote leads on."""
    client, address = sign_in("dentist"), f"/patients/{cast.ada.pk}/chart"
    client.post(f"{address}/preview/", {"entry": "14 o caries"})
    assert AccessEvent.objects.get(patient=cast.ada).kind == "view"
    client.post(f"{address}/enter/", {"entry": "14 o caries", "once": "a-key-of-its-own"})
    assert sorted(AccessEvent.objects.filter(patient=cast.ada).values_list("kind", flat=True)) == ["change", "view"]
