"""Every foreign key between rows of a clinic refuses a row of another clinic: in the database, by name."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from clinic.db.guards import has_clinic, has_patient, model_triggers
from clinic.db.records import Fact, Recorded
from clinic.db.refusals import constraint_name
from milestones.models.parts import SealedPart

APPS = ("clinic", "scheduling", "charting", "treatment", "milestones")
OWN = [model for model in apps.get_models() if model._meta.app_label in APPS]
LIVE = [model for model in OWN if not hasattr(model, "history_object")]
# Neither Record nor Fact: rows of the installation, guardian's rows, what follows from an appointment, users and sign-in.
NEITHER = {
    "AuthenticatorApp",
    "DataKey",
    "DiagnosisCode",
    "FileKey",
    "Counter",
    "Draft",
    "Mail",
    "MailedLink",
    "NewsMessage",
    "Notification",
    "OfferLetter",
    "OnceKey",
    "Passkey",
    "PatientLink",
    "GuardLift",
    "ClinicUserObjectPermission",
    "PatientUserObjectPermission",
    "PlanUserObjectPermission",
    "PortalLetter",
    "ProviderTime",
    "RecoveryCode",
    "Reminder",
    "Session",
    "SignInCode",
    "User",
}
RELATIONS = [
    (model, field)
    for model in LIVE
    if has_clinic(model)
    for field in model._meta.concrete_fields
    if field.is_relation and field.name != "clinic" and has_clinic(field.related_model)
]


def test_every_table_is_a_record_or_a_fact():
    assert {model.__name__ for model in LIVE if not issubclass(model, Fact | Recorded)} == NEITHER


def test_every_record_keeps_a_history():
    assert [model.__name__ for model in LIVE if issubclass(model, Recorded) and not hasattr(model, "history")] == []


@pytest.mark.parametrize(
    ("model", "field"), RELATIONS, ids=lambda value: getattr(value, "name", None) or value.__name__
)
def test_a_foreign_row_is_refused(furnished, cast, model, field):
    row = model.objects.filter(clinic=cast.clinic, **{f"{field.name}__isnull": False}).first()
    if row is None and model._meta.label == "clinic.Patient" and field.name == "merged_into":
        row = cast.ada
    assert row is not None, "the house lacks a row with this relation"
    foreign = field.related_model._base_manager.filter(clinic=cast.outsider.clinic).last()
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        copy_with(row, field, foreign)
    # A foreign patient may be refused first for the rows that are not theirs.
    assert says(constraint_name(caught.value), model, "" if field.name == "patient" else field.name)


@pytest.mark.parametrize(
    ("model", "field"),
    [(model, field) for model, field in RELATIONS if has_patient(model) and has_patient(field.related_model)],
    ids=lambda value: getattr(value, "name", None) or value.__name__,
)
def test_a_row_of_another_patient_is_refused(furnished, cast, model, field):
    row = model.objects.filter(clinic=cast.clinic, **{f"{field.name}__isnull": False}).first()
    others = field.related_model._base_manager.filter(clinic=cast.clinic).exclude(patient=row.patient)
    assert others.exists(), "the house lacks such a row of another patient"
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        copy_with(row, field, others.first())
    assert says(constraint_name(caught.value), model, field.name)


def says(name, model, field):
    """Whether a guard of this relation refused; parts of a plan may be refused first for being of another plan."""
    table = model._meta.db_table
    return name.startswith(f"{table}_{field}"[:39]) or (name.startswith(table) and name.endswith("_same_plan"))


def copy_with(row, field, foreign):
    """By SQL: an update for what changes, a new row for what is append-only, or was said once for all."""
    table, quote = row._meta.db_table, '"{}"'.format
    value = foreign.pk.hex if connection.vendor == "sqlite" else foreign.pk
    key = row.pk.hex if connection.vendor == "sqlite" else row.pk
    with connection.cursor() as cursor:
        if not isinstance(row, Fact | SealedPart):
            cursor.execute(f"UPDATE {table} SET {field.column} = %s WHERE id = %s", [value, key])
            return
        columns = [each.column for each in row._meta.concrete_fields]
        new = {
            "id": "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()",
            field.column: "%s",
        }
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(map(quote, columns))}) "
            f"SELECT {', '.join(new.get(name, quote(name)) for name in columns)} "
            f"FROM {table} WHERE id = %s",
            [value, key],
        )


@pytest.mark.parametrize(
    "model", [model for model in LIVE if has_clinic(model) and not issubclass(model, Fact)], ids=lambda m: m.__name__
)
def test_a_row_stays_in_its_clinic(cast, model):
    assert any(
        trigger.name.endswith("clinic_fixed") or "clinic_fixed"[:8] in trigger.name for trigger in model_triggers(model)
    )


def test_history_rows_are_append_only_everywhere():
    histories = [model for model in OWN if hasattr(model, "history_object")]
    assert len(histories) >= 14
    for model in histories:
        assert [trigger.events for trigger in model_triggers(model)] == [("UPDATE", "DELETE")]
