"""Records change only through verbs that leave who, why and which way; facts never change."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from clinic.access.actor import Actor
from clinic.db.records import record_bulk
from clinic.db.refusals import Stale
from clinic.models import AccessEvent, Operatory, Patient, User


def test_a_change_leaves_who_why_and_which_way(cast):
    cast.ada.change(by=cast.desk, because="Married", last_name="King")
    row = cast.ada.history.latest()
    assert (row.history_user, row.history_change_reason, row.history_via) == (cast.desk.user, "Married", "page")
    assert row.last_name == "King"
    assert cast.ada.version == 2


def test_a_system_actor_leaves_its_way_and_no_user(cast):
    operatory = Operatory(name="Attic").record(by=Actor.system(cast.clinic, via="job"))
    assert (operatory.history.get().history_user, operatory.history.get().history_via) == (None, "job")


def test_saving_without_an_author_raises(cast):
    cast.ada.last_name = "Nobody"
    with pytest.raises(RuntimeError, match="names its author"):
        cast.ada.save()


@pytest.mark.parametrize(
    "act",
    [
        lambda rows: rows.update(last_name="x"),
        lambda rows: rows.delete(),
        lambda rows: rows.bulk_update(list(rows), ["last_name"]),
        lambda rows: rows.bulk_create([]),
    ],
)
def test_whatever_goes_past_the_history_raises(cast, act):
    with pytest.raises(RuntimeError):
        act(Patient.objects.all())


def test_records_and_users_cannot_be_deleted(cast):
    with pytest.raises(RuntimeError):
        cast.ada.delete()
    with pytest.raises(RuntimeError):
        cast.user("dentist").delete()
    with pytest.raises(RuntimeError):
        User.objects.all().delete()


def test_a_stale_version_is_refused_and_nothing_is_overwritten(cast):
    seen = cast.ada.version
    cast.ada.change(by=cast.desk, version=seen, first_name="Augusta")
    with pytest.raises(Stale):
        Patient.objects.get(pk=cast.ada.pk).change(by=cast.desk, version=seen, first_name="Lost")
    assert Patient.objects.get(pk=cast.ada.pk).first_name == "Augusta"


def test_saving_an_old_copy_without_a_lock_is_refused_too(cast):
    old = Patient.objects.get(pk=cast.ada.pk)
    cast.ada.change(by=cast.desk, first_name="Augusta")
    old.first_name = "Lost"
    with pytest.raises(Stale):
        old.record(by=cast.desk)


def test_recording_validates(cast):
    with pytest.raises(ValidationError):
        cast.ada.change(by=cast.desk, date_of_birth=date(2190, 1, 1))


def test_bulk_rows_have_the_same_history_as_single_ones(cast):
    single = Operatory(name="One").record(by=cast.system, because="Opened")
    [bulk] = record_bulk([Operatory(name="Two")], by=cast.system, because="Opened")
    shape = {
        "history_user_id",
        "history_change_reason",
        "history_via",
        "history_request",
        "history_type",
        "version",
        "clinic_id",
    }
    one, two = single.history.get(), bulk.history.get()
    assert {name: getattr(one, name) for name in shape} == {name: getattr(two, name) for name in shape}
    assert single.version == bulk.version == 1


def test_a_fact_is_written_once(cast):
    event = AccessEvent.objects.create(clinic=cast.clinic, kind="view", route="x", via="page")
    with pytest.raises(RuntimeError):
        event.save()
    with pytest.raises(RuntimeError):
        event.delete()
    with pytest.raises(RuntimeError):
        AccessEvent.objects.update(route="y")


def test_two_rows_of_one_name_are_refused_by_the_database(cast):
    with pytest.raises(IntegrityError):
        Operatory(name="Operatory 1").record(by=cast.system)
