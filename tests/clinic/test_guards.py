"""What the database itself refuses, on both engines."""

import pytest
from django.db import IntegrityError, connection, transaction

from clinic.db import guards
from clinic.db.refusals import constraint_name
from clinic.models import MedicalHistory, Patient


def refused(sql, params=()):
    """The name under which the database refuses this statement; empty when it lets it pass."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
    except IntegrityError as error:
        return constraint_name(error)
    return ""


def test_every_guard_the_code_asks_for_stands(db):
    assert guards.missing(connection) == []
    assert guards.guards_stand(databases=["default"]) == []


def test_a_missing_guard_fails_the_system_check_and_is_laid_again(db):
    with connection.cursor() as cursor:
        on = "" if connection.vendor == "sqlite" else " ON clinic_patient"
        name = "clinic_patient_never_deleted" + ("_delete" if connection.vendor == "sqlite" else "")
        cursor.execute(f"DROP TRIGGER {name}{on}")
    assert [message.id for message in guards.guards_stand(databases=["default"])] == ["clinic.E001"]
    assert guards.lay() == 1
    assert guards.missing(connection) == []


def test_a_trigger_that_was_weakened_counts_as_missing(db):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL: the function's name carries the digest of its text")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER clinic_patient_never_deleted_delete")
        cursor.execute(
            "CREATE TRIGGER clinic_patient_never_deleted_delete BEFORE DELETE ON clinic_patient WHEN 0 "
            "BEGIN SELECT 1; END"
        )
    assert guards.missing(connection) == ["clinic_patient_never_deleted_delete"]


def test_history_refuses_update_and_delete(cast):
    assert refused("UPDATE clinic_historicalpatient SET last_name = 'x'") == "clinic_historicalpatient_append_only"
    assert refused("DELETE FROM clinic_historicalpatient") == "clinic_historicalpatient_append_only"


def test_facts_refuse_update_and_delete(cast):
    MedicalHistory.write(patient=cast.ada, content={}, by=cast.desk, seen_number=0)
    assert refused("UPDATE clinic_medicalhistory SET number = 9") == "clinic_medicalhistory_append_only"
    assert refused("DELETE FROM clinic_medicalhistory") == "clinic_medicalhistory_append_only"


def test_truncate_is_refused_on_postgresql(cast):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    assert refused("TRUNCATE clinic_accessevent CASCADE") == "clinic_accessevent_append_only"


def test_records_refuse_delete(cast):
    assert refused("DELETE FROM clinic_patient") == "clinic_patient_never_deleted"


def test_a_row_may_not_move_to_another_clinic(cast):
    other = cast.outsider.clinic.pk
    value = other.hex if connection.vendor == "sqlite" else other
    assert refused("UPDATE clinic_operatory SET clinic_id = %s", [value]) == "clinic_operatory_clinic_fixed"


def test_a_row_may_not_point_to_another_clinics_row(cast):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Patient.register(
            by=cast.desk,
            first_name="Eve",
            last_name="Else",
            date_of_birth=cast.ada.date_of_birth,
            account=cast.outsider.ada.account,
        )
    assert constraint_name(caught.value) == "clinic_patient_account_same_clinic"


def test_lifted_guards_leave_a_record_and_come_back(cast):
    from clinic.models import GuardLift

    with guards.lifted(connection, Patient, "a test"):
        assert refused("DELETE FROM clinic_patient WHERE 1 = 0") == ""
        assert guards.missing(connection) != []
    assert guards.missing(connection) == []
    assert GuardLift.objects.get().because == "a test"


def test_a_row_longer_than_a_day_is_refused(book):
    visit = book()
    later = "2026-12-03 09:00:00" if connection.vendor == "sqlite" else "2026-12-03 09:00:00+00"
    assert refused("UPDATE scheduling_providertime SET ends_at = %s", [later]) == "scheduling_providertime_taken_span"
    assert (
        refused("UPDATE scheduling_appointment SET ends_at = %s, chair_ends_at = %s WHERE id = %s",
                [later, later, visit.pk.hex if connection.vendor == "sqlite" else visit.pk]).endswith("_span"))


def test_looking_for_overlaps_reads_the_resources_day_not_its_past(book):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL: the exclusion constraint has its own index")
    visit = book()
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT 1 FROM scheduling_providertime WHERE provider_id = %s AND starts_at < %s "
            "AND ends_at > %s AND starts_at > datetime(%s, '-24 hours')", [visit.provider_id.hex, *["2026-12-01 15:00:00"] * 3])
        plan = str(cursor.fetchall())
    assert "scheduling_providertime_of" in plan
    assert "starts_at>? AND starts_at<?" in plan


def test_a_missing_exclusion_constraint_is_noticed_and_laid_again(db):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite: triggers stand for it")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE scheduling_providertime DROP CONSTRAINT scheduling_providertime_taken")
    assert guards.missing(connection) == ["scheduling_providertime_taken"]
    guards.lay()
    assert guards.missing(connection) == []
