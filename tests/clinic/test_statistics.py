"""SQLite is told how large its tables are; else it reads a whole clinic to find a family."""

import pytest
from django.db import connection

from clinic.db import statistics
from clinic.models import Patient
from clinic.tasks import gather_statistics
from config.schedules import SCHEDULES
from tests.factories import PatientFactory

only_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL counts by itself")


@pytest.fixture
def family(cast):
    for _ in range(60):
        PatientFactory(by=cast.system)
    return Patient.objects.visible_to(cast.desk).current().filter(account=cast.ada.account_id)


@only_sqlite
def test_a_family_is_found_by_its_account_once_statistics_are_gathered(family):
    assert "clinic_patient_of_account" not in family.explain()
    gather_statistics()
    assert "clinic_patient_of_account" in family.explain()


def test_gathering_leaves_every_row_as_it_was(cast, family):
    before = list(Patient.objects.order_by("pk").values_list("pk", "version"))
    statistics.gather()
    assert list(Patient.objects.order_by("pk").values_list("pk", "version")) == before


def test_it_is_done_every_day():
    assert ("clinic.tasks.gather_statistics", 24 * 60) in [schedule[1:] for schedule in SCHEDULES]
