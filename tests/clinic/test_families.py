"""One screen for a family: who pays, when each was here, and when each comes next."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import MedicalHistory, Patient
from tests.factories import PatientFactory


@pytest.fixture
def family(cast):
    return [PatientFactory(by=cast.desk, account=cast.ada.account) for _ in range(7)]


def test_it_shows_each_ones_next_visit_alerts_and_a_way_to_book(cast, family, book, desk_client):
    visit = book("2026-12-01 9:00", patient=family[0])
    later = book("2026-12-08 9:00", patient=family[0])
    allergy = {"allergies": [{"substance": "Latex", "reaction": "", "severity": ""}]}
    MedicalHistory.write(patient=family[0], content=allergy, by=cast.desk, seen_number=0)
    page = desk_client.get(f"/accounts/{cast.ada.account_id}/").content.decode()
    assert f"/visits/{visit.pk}/" in page
    assert f"/visits/{later.pk}/" not in page
    assert "1 alert" in page
    assert page.count("/visits/book/?patient=") == 8


def test_the_visit_of_a_merged_one_stands_with_the_survivor(cast, family, book, desk_client):
    twin = Patient.register(by=cast.desk, first_name="T", last_name="Twin", date_of_birth=cast.ada.date_of_birth)
    visit = book("2026-12-01 9:00", patient=twin)
    twin.merge_into(family[0], by=cast.manager, because="Same person")
    assert f"/visits/{visit.pk}/" in desk_client.get(f"/accounts/{cast.ada.account_id}/").content.decode()


def test_a_missed_visit_is_no_last_visit(cast, book, desk_client):
    visit = book(starts_at=timezone.now() - timedelta(days=7))
    visit.no_show(by=cast.desk)
    assert f"/visits/{visit.pk}/" not in desk_client.get(f"/accounts/{cast.ada.account_id}/").content.decode()


def test_eight_patients_take_the_same_queries_as_one(cast, book, desk_client):
    address = f"/accounts/{cast.ada.account_id}/"
    desk_client.get(address)
    with CaptureQueriesContext(connection) as alone:
        desk_client.get(address)
    for number in range(7):
        member = PatientFactory(by=cast.desk, account=cast.ada.account)
        book(f"2026-12-0{number + 1} 9:00", patient=member)
        MedicalHistory.write(patient=member, content={}, by=cast.desk, seen_number=0)
    with CaptureQueriesContext(connection) as together:
        assert desk_client.get(address).content.count(b"<tr data-href") == 8
    assert len(together) == len(alone)
