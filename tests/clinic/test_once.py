"""A form sent twice does its work once; a crash leaves nothing; keys of two people never meet."""

from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import OnceKey, Patient
from clinic.models.patient import Patient as PatientModel

NEW = {
    "first_name": "Emmy",
    "last_name": "Noether",
    "date_of_birth": "1982-03-23",
    "sex": "female",
    "country": "US",
    "language": "en",
    "contact_by": "email",
}


def send(client, key, **values):
    return client.post("/patients/new/", {**NEW, "once": key, **values})


def test_a_crash_in_the_middle_leaves_neither_work_nor_key(cast, desk_client, monkeypatch):
    key = str(uuid4())

    def broken(*args, **kwargs):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("clinic.views.patients.messages.success", broken)
        with pytest.raises(ZeroDivisionError):
            send(desk_client, key)
    assert not OnceKey.objects.exists()
    assert not Patient.objects.filter(last_name="Noether").exists()
    assert send(desk_client, key).status_code == 302


def test_two_people_may_use_one_key(cast, sign_in):
    key = str(uuid4())
    assert send(sign_in("receptionist"), key).status_code == 302
    assert send(sign_in("coordinator"), key, first_name="Amalie").status_code == 302
    assert PatientModel.objects.filter(last_name="Noether").count() == 2


def test_the_header_is_as_good_as_the_hidden_field(cast, desk_client):
    for _ in range(2):
        desk_client.post("/patients/new/", NEW, headers={"Idempotency-Key": "11111111-2222-4333-8444-555555555555"})
    assert Patient.objects.filter(last_name="Noether").count() == 1


def test_the_stored_answer_holds_no_plain_patient_data(cast, desk_client):
    send(desk_client, str(uuid4()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM clinic_oncekey")
        assert "Noether" not in str(cursor.fetchall())


def test_keys_are_kept_for_thirty_days(cast, desk_client):
    send(desk_client, str(uuid4()))
    assert OnceKey.forget_old() == 0
    assert OnceKey.forget_old(now=timezone.now() + OnceKey.KEEP + timezone.timedelta(minutes=1)) == 1
