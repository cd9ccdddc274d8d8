"""Hot queries are served by the index that was made for them; their plans are asserted."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import AccessEvent, MedicalHistory, OnceKey
from scheduling import slots
from scheduling.models import Appointment, Block, ProviderTime, VisitStep


def plan(rows):
    """The plan, with sequential scans made unattractive on PostgreSQL, because the tables of a test are small."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    return rows.explain()


@pytest.fixture
def day(cast):
    start = slots.midnight(cast.clinic.today(), cast.clinic.zone)
    return start, start + timedelta(days=1)


def queries(cast, day):
    clinic, now = cast.clinic, timezone.now()
    return {
        "scheduling_appointment_day": Appointment.objects.visible_to(cast.desk).between(*day).order_by("starts_at"),
        "scheduling_appointment_of_pat": Appointment.objects.filter(patient=cast.ada, starts_at__gte=now).order_by(
            "starts_at"
        ),
        "clinic_medicalhistory_newest": MedicalHistory.objects.filter(patient=cast.ada).order_by("-number")[:1],
        "clinic_accessevent_of_patient": AccessEvent.objects.filter(patient=cast.ada).order_by("-at")[:50],
        "clinic_accessevent_of_user": AccessEvent.objects.filter(by=cast.desk.user).order_by("-at")[:50],
        "clinic_accessevent_of_clinic": AccessEvent.objects.filter(clinic=clinic).order_by("-at")[:50],
        "scheduling_providertime_day": ProviderTime.objects.filter(
            clinic=clinic, starts_at__lt=day[1], starts_at__gte=day[0]
        ),
        "scheduling_visitstep_of_visit": VisitStep.objects.filter(appointment=cast.ada.pk).order_by("at"),
        "scheduling_block_by_start": Block.objects.filter(clinic=clinic, starts_at__lt=day[1], starts_at__gte=day[0]),
        "clinic_patient_by_name": cast.ada.__class__.objects.filter(clinic=clinic).order_by(
            "last_key", "first_key", "id"
        )[:50],
        "clinic_oncekey_created_at": OnceKey.objects.filter(created_at__lt=now),
    }


def test_each_hot_query_uses_its_index(cast, day, subtests):
    for name, rows in queries(cast, day).items():
        with subtests.test(name):
            how = plan(rows)
            # In a small table PostgreSQL may prefer another index that fits as well; none may read the whole table.
            assert name in how if connection.vendor == "sqlite" else "Index" in how
            assert "Seq Scan" not in how


def test_the_change_token_of_a_day_is_one_indexed_query(cast, day, django_assert_num_queries):
    rows = Appointment.objects.visible_to(cast.desk).between(*day)
    with django_assert_num_queries(1):
        rows.change_token()
