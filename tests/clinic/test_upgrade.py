"""A practice that has worked with an earlier release migrates to this one."""

import json

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from clinic.db import guards
from tests.databases import ROOT
from tests.sweeps.house import furnish

KEPT = ("clinic_patient", "clinic_historicalpatient", "clinic_accessevent", "scheduling_appointment", "scheduling_providertime")


NEXT = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("clinic", "{newest}")]
    operations = [migrations.AlterField("patient", "first_name", models.CharField(max_length=81))]
"""


@pytest.fixture
def next_release(tmp_path, monkeypatch, settings):
    """One migration more: for it SQLite makes a table anew to which the guards of many others look."""
    ours = ROOT / "clinic" / "migrations"
    (tmp_path / "next_release").mkdir()
    (tmp_path / "next_release" / "__init__.py").write_text(f"__path__.append({str(ours)!r})")
    newest = max(path.stem for path in ours.glob("0*.py"))
    (tmp_path / "next_release" / "9999_next.py").write_text(NEXT.format(newest=newest))
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"clinic": "next_release"}


@pytest.mark.wide
def test_a_practice_with_rows_migrates_with_its_guards_and_statistics(clone, next_release):
    with transaction.atomic():
        furnish(clone)
    before_plans()
    before = rows()
    call_command("migrate", verbosity=0)
    assert guards.missing(connection) == []
    assert rows() == before
    with connection.cursor() as cursor:
        assert {"treatment_treatmentplan", "milestones_milestone"} <= set(connection.introspection.table_names(cursor))
        cursor.execute("SELECT closed_through FROM clinic_clinic")
        assert cursor.fetchall()
        columns = {column.name: column for column in connection.introspection.get_table_description(cursor, "clinic_patient")}
        assert columns["first_name"].display_size == 81
        if connection.vendor == "sqlite":
            cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'clinic_patient'")
            assert cursor.fetchone()[0] > 0
    assert all(count for count, _ in before.values())


def before_plans():
    """The database as it was before clinic 0013, with its rows and guards; Django's own way further back takes a minute."""
    call_command("migrate", "clinic", "0013", verbosity=0)
    guards.lift_before_migrate(plan=[True])
    cascade = "" if connection.vendor == "sqlite" else " CASCADE"
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("treatment_", "milestones_")):
                cursor.execute(f"DROP TABLE {table}{cascade}")
        for table in ("clinic_clinic", "clinic_historicalclinic"):
            cursor.execute(f"ALTER TABLE {table} DROP COLUMN closed_through")
        cursor.execute(
            "DELETE FROM django_migrations WHERE app IN ('treatment', 'milestones') OR app = 'clinic' AND name >= '0013'")
    guards.lay()
    assert guards.missing(connection) == []


def rows():
    """{table: (how many rows, the keys of all)}."""
    found = {}
    with connection.cursor() as cursor:
        for table in KEPT:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            lines = cursor.fetchall()
            found[table] = len(lines), json.dumps([str(line[0]) for line in lines])
    return found
