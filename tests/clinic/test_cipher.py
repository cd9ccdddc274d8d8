"""Encrypted columns: ciphertext at rest, loud failures, rotation without touching rows."""

import base64
import os

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from clinic.db import cipher
from clinic.models import DataKey, MedicalHistory
from clinic.models.installation import _current, _unwrapped
from scheduling.models import Appointment


@pytest.fixture(autouse=True)
def fresh_keys():
    _current.cache_clear()
    _unwrapped.cache_clear()
    yield
    _current.cache_clear()
    _unwrapped.cache_clear()


def key():
    return base64.b64encode(os.urandom(32)).decode()


def stored(table, column):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")
        return [row[0] for row in cursor.fetchall()]


def test_a_note_is_ciphertext_in_the_table_and_in_its_history(book):
    visit = book(note="Afraid of needles")
    for table in ("scheduling_appointment", "scheduling_historicalappointment"):
        values = stored(table, "note")
        assert values
        assert all(value.startswith("e1:") and "needles" not in value for value in values)
    assert Appointment.objects.get(pk=visit.pk).note == "Afraid of needles"
    assert visit.history.get().note == "Afraid of needles"


def test_the_same_text_never_looks_the_same(db):
    assert cipher.encrypt("x", "a.b") != cipher.encrypt("x", "a.b")


def test_a_value_does_not_open_in_another_column(db):
    with pytest.raises(cipher.CannotDecrypt):
        cipher.decrypt(cipher.encrypt("x", "a.b"), "a.c")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value[:-4] + "AAAA",
        lambda value: "plain text",
        lambda value: value.replace("e1:", "e9:"),
    ],
)
def test_a_value_that_was_tampered_with_raises(db, spoil):
    with pytest.raises(cipher.CannotDecrypt):
        cipher.decrypt(spoil(cipher.encrypt("secret text", "a.b")), "a.b")


def test_the_wrong_ring_raises_and_says_which_key_is_missing(db, settings):
    value = cipher.encrypt("x", "a.b")
    _unwrapped.cache_clear()
    settings.KEYRING = f"other:{key()}"
    with pytest.raises(cipher.CannotDecrypt, match="KEYRING lacks the key"):
        cipher.decrypt(value, "a.b")


def test_rotation_rewraps_keys_and_touches_no_row(cast, settings):
    MedicalHistory.write(patient=cast.ada, content={"note": "Before"}, by=cast.desk, seen_number=0)
    before = stored("clinic_medicalhistory", "content")
    settings.KEYRING = f"new:{key()},{settings.KEYRING}"
    call_command("rotate_keys", "--new-data-key")
    assert stored("clinic_medicalhistory", "content") == before
    assert set(DataKey.objects.values_list("ring_key", flat=True)) == {"new"}
    settings.KEYRING = settings.KEYRING.split(",")[0]  # the old key can go now
    assert cast.ada.medical_history.content["note"] == "Before"
    MedicalHistory.write(patient=cast.ada, content={"note": "After"}, by=cast.desk, seen_number=1)
    assert cast.ada.medical_history.content["note"] == "After"


@pytest.mark.parametrize("ring", ["", "name:short", "no-colon", ":" + "A" * 43 + "="])
def test_an_unusable_ring_is_said(ring):
    with pytest.raises(ImproperlyConfigured):
        cipher.parse_keyring(ring)


def test_an_encrypted_column_refuses_to_be_searched(db):
    with pytest.raises(TypeError, match="can't be searched"):
        list(Appointment.objects.filter(note="Afraid"))
