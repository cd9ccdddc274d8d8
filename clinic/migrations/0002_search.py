"""Search over `search_text`: a trigram GIN index on PostgreSQL, an FTS5 table on SQLite (its triggers: see guards)."""
from django.db import migrations

SQLITE = [
    "CREATE TABLE clinic_patient_search (id INTEGER PRIMARY KEY, patient_id char(32) NOT NULL UNIQUE, text text NOT NULL)",
    "CREATE VIRTUAL TABLE clinic_patient_fts USING fts5(text, tokenize='trigram', "
    "content='clinic_patient_search', content_rowid='id')",
]
SQLITE_BACK = ["DROP TABLE clinic_patient_fts", "DROP TABLE clinic_patient_search"]
POSTGRES = [
    "CREATE INDEX clinic_patient_search_gin ON clinic_patient USING gin (clinic_id, search_text gin_trgm_ops)"
]
POSTGRES_BACK = ["DROP INDEX clinic_patient_search_gin"]


def run(sqlite, postgres):
    def operation(apps, schema_editor):
        for statement in sqlite if schema_editor.connection.vendor == "sqlite" else postgres:
            schema_editor.execute(statement)
    return operation


class Migration(migrations.Migration):
    dependencies = [("clinic", "0001_initial")]
    operations = [migrations.RunPython(run(SQLITE, POSTGRES), run(SQLITE_BACK, POSTGRES_BACK))]
