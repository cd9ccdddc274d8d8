"""A practice that has worked with the last release migrates to this one."""

import json
import os
import subprocess
import sys

import pytest
from django.db import connection, transaction

from clinic.db import guards
from tests.databases import ROOT, database_url
from tests.sweeps.house import furnish

# One migration back, and forth again: SQLite makes a table anew to which the guards of many others look.
UPGRADE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", "clinic", "0012", verbosity=0)
call_command("migrate", verbosity=0)
"""
KEPT = ("clinic_patient", "clinic_historicalpatient", "clinic_accessevent", "scheduling_appointment", "scheduling_providertime")


@pytest.mark.wide
def test_a_practice_with_rows_migrates_with_its_guards_and_statistics(clone):
    with transaction.atomic():
        furnish(clone)
    before = rows()
    connection.close()
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert guards.missing(connection) == []
    assert rows() == before
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'clinic_patient'")
            assert cursor.fetchone()[0] > 0
    assert all(count for count, _ in before.values())


def rows():
    """{table: (how many rows, the keys of all)}."""
    found = {}
    with connection.cursor() as cursor:
        for table in KEPT:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            lines = cursor.fetchall()
            found[table] = len(lines), json.dumps([str(line[0]) for line in lines])
    return found
