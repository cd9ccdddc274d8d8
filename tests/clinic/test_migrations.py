"""What the migrations leave behind is what the models say: our `migrate` renders fewer models than Django's on the way."""

import re

import pytest
from django.apps import apps
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper

pytestmark = pytest.mark.wide


@pytest.fixture
def made_anew():
    """A database in memory with the tables of all models, made without a migration."""
    anew = DatabaseWrapper({**connection.settings_dict, "NAME": ":memory:", "OPTIONS": {}}, alias="anew")
    anew.disable_constraint_checking()
    with anew.schema_editor(atomic=False) as editor:
        for model in apps.get_models():
            if model._meta.managed and not model._meta.proxy:
                editor.create_model(model)
    yield anew
    anew.close()


def tables(database):
    """{table: (columns, foreign keys, named constraints, indexes)}, each without its place among the others."""
    found = {}
    with database.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        for table, made_by in cursor.fetchall():
            cursor.execute(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')")
            columns = set(cursor.fetchall())
            cursor.execute(f"SELECT \"table\", \"from\", \"to\" FROM pragma_foreign_key_list('{table}')")
            keys = set(cursor.fetchall())
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql <> ''", [table])
            indexes = set(cursor.fetchall())
            found[table] = columns, keys, set(re.findall(r'CONSTRAINT "(\w+)" (?:CHECK|UNIQUE)', made_by)), indexes
    return found


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the state of migrations is the same for every database")
def test_every_table_has_the_columns_keys_constraints_and_indexes_of_its_model(db, made_anew):
    migrated, wanted = tables(connection), tables(made_anew)
    assert len(wanted) > 100
    assert {table: migrated.get(table) for table in wanted} == wanted
