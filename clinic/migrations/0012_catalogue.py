"""Editions of licensed lists for procedure codes, and the table of ICD-10-CM with its search (see 0002)."""
import clinic.db.fields
from clinic import search
from django.db import migrations, models

SQLITE = [
    "CREATE VIRTUAL TABLE clinic_diagnosiscode_fts USING fts5(search_text, tokenize='trigram', "
    "content='clinic_diagnosiscode', content_rowid='id')",
]
SQLITE_BACK = ["DROP TABLE clinic_diagnosiscode_fts"]
POSTGRES = ["CREATE INDEX clinic_diagnosiscode_search_gin ON clinic_diagnosiscode USING gin (search_text gin_trgm_ops)"]
POSTGRES_BACK = ["DROP INDEX clinic_diagnosiscode_search_gin"]


def run(sqlite, postgres):
    def operation(apps, schema_editor):
        for statement in sqlite if schema_editor.connection.vendor == "sqlite" else postgres:
            schema_editor.execute(statement)
    return operation


def fill_search_text(apps, schema_editor):
    """What `ProcedureCode` derives from now on; no part of its history."""
    codes = apps.get_model("clinic", "ProcedureCode").objects.using(schema_editor.connection.alias)
    for key, code, description in codes.values_list("pk", "code", "description"):
        codes.filter(pk=key).update(search_text=search.spaced(f"{code} {code.removeprefix('D')} {description}"))


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0011_medical_histories_by_time'),
    ]

    operations = [
        migrations.CreateModel(
            name='DiagnosisCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=8, unique=True)),
                ('description', models.CharField(max_length=300)),
                ('is_billable', models.BooleanField(help_text='A claim names only codes that have none below them.', verbose_name='can be billed')),
                ('release', models.DateField(verbose_name='newest release that has it')),
                ('effective_from', models.DateField(help_text='When the first list that has it began, of those that were loaded here.')),
                ('effective_to', models.DateField(blank=True, null=True, verbose_name='effective until')),
                ('search_text', models.TextField(editable=False)),
            ],
            options={
                'ordering': ['code'],
            },
        ),
        migrations.AddField(
            model_name='historicalprocedurecode',
            name='edition',
            field=models.CharField(blank=True, default='', help_text='Of the licensed list that it comes from, such as CDT 2027. Empty: in our own words.', max_length=40),
        ),
        migrations.AddField(
            model_name='historicalprocedurecode',
            name='effective_from',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='historicalprocedurecode',
            name='effective_to',
            field=models.DateField(blank=True, null=True, verbose_name='effective until'),
        ),
        migrations.AddField(
            model_name='procedurecode',
            name='edition',
            field=models.CharField(blank=True, default='', help_text='Of the licensed list that it comes from, such as CDT 2027. Empty: in our own words.', max_length=40),
        ),
        migrations.AddField(
            model_name='procedurecode',
            name='effective_from',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='procedurecode',
            name='effective_to',
            field=models.DateField(blank=True, null=True, verbose_name='effective until'),
        ),
        migrations.AddField(
            model_name='procedurecode',
            name='search_text',
            field=clinic.db.fields.DerivedField(blank=True, default='', derive='_search_text', editable=False),
        ),
        migrations.AddConstraint(
            model_name='procedurecode',
            constraint=models.CheckConstraint(condition=models.Q(('effective_to__gte', models.F('effective_from')), ('effective_from', None), ('effective_to', None), _connector='OR'), name='clinic_procedurecode_ends_after_start', violation_error_message='The code ends before it begins.'),
        ),
        migrations.AddIndex(
            model_name='diagnosiscode',
            index=models.Index(fields=['release'], name='clinic_diagnosiscode_release'),
        ),
        migrations.AddIndex(
            model_name='diagnosiscode',
            index=models.Index(fields=['effective_from'], name='clinic_diagnosiscode_since'),
        ),
        migrations.AddConstraint(
            model_name='diagnosiscode',
            constraint=models.CheckConstraint(condition=models.Q(('effective_to', None), ('effective_to__gte', models.F('effective_from')), _connector='OR'), name='clinic_diagnosiscode_ends_after_start'),
        ),
        migrations.RunPython(run(SQLITE, POSTGRES), run(SQLITE_BACK, POSTGRES_BACK)),
        migrations.RunPython(fill_search_text, migrations.RunPython.noop),
    ]
