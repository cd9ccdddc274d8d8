"""A form sent twice does its work once; a crash leaves nothing; keys of two people never meet."""

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from clinic.models import AccessEvent, Membership, OnceKey, Patient

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
    assert Patient.objects.filter(last_name="Noether").count() == 2


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


def test_a_file_is_part_of_what_was_sent(cast, desk_client):
    key = str(uuid4())

    def post(content, name="scan.png"):
        return desk_client.post("/patients/new/", {**NEW, "once": key, "scan": SimpleUploadedFile(name, content)})

    first = post(b"one picture" * 9000)
    again = post(b"one picture" * 9000)  # another boundary, the same file
    assert (first.status_code, again.status_code, again["Location"]) == (302, 302, first["Location"])
    assert post(b"another picture").status_code == 422
    assert post(b"one picture" * 9000, name="other.png").status_code == 422
    assert Patient.objects.filter(last_name="Noether").count() == 1


def test_a_second_answer_is_on_record_as_a_look_too(cast, desk_client):
    key = str(uuid4())
    for _ in range(2):
        send(desk_client, key)
    patient = Patient.objects.get(last_name="Noether")
    assert list(AccessEvent.objects.filter(patient=patient).values_list("kind", flat=True)) == ["change", "change"]


def test_a_key_of_one_clinic_brings_nothing_of_it_to_another(cast, sign_in):
    Membership.open(
        user=cast.user("receptionist"), clinic=cast.outsider.clinic, roles=["receptionist"], by=cast.outsider.system
    )
    client, key = sign_in("receptionist"), str(uuid4())
    first = send(client, key)
    assert Patient.objects.filter(clinic=cast.clinic, last_name="Noether").exists()
    client.post("/switch-clinic/", {"clinic": f"staff:{cast.outsider.clinic.pk}"})
    assert send(client, key)["Location"] != first["Location"]
    assert Patient.objects.filter(clinic=cast.outsider.clinic, last_name="Noether").count() == 1


def test_a_body_of_the_same_meaning_is_the_same_body(program):
    desk, key = program("receptionist"), str(uuid4())
    body = {"first_name": "Emmy", "last_name": "Noether", "date_of_birth": "1982-03-23"}
    first = desk.post("/patients", body, **{"Idempotency-Key": key})
    turned = desk.post("/patients", dict(reversed(body.items())), **{"Idempotency-Key": key})
    assert (first.status_code, turned.status_code) == (201, 201)
    assert first.data == turned.data
    assert first["ETag"] == turned["ETag"]
    desk.prefix = "/api"
    assert desk.post("/patients", body, **{"Idempotency-Key": key}).data == first.data
    assert desk.post("/patients", {**body, "sex": "female"}, **{"Idempotency-Key": key}).status_code == 422
    assert desk.post("/patients", body, **{"Idempotency-Key": "not-a-uuid"}).status_code == 422
    assert Patient.objects.filter(last_name="Noether").count() == 1


def test_a_refusal_leaves_no_key_so_the_corrected_body_may_use_it(program):
    desk, key = program("receptionist"), str(uuid4())
    body = {"first_name": "Emmy", "last_name": "Noether", "date_of_birth": "1982-03-23"}
    assert desk.post("/patients", {**body, "email": "no"}, **{"Idempotency-Key": key}).status_code == 422
    assert desk.post("/patients", body, **{"Idempotency-Key": key}).status_code == 201


def test_the_question_of_an_address_is_part_of_what_was_sent(cast, desk_client):
    body = {"text": "On call", "version": "0", "once": "one-key-for-two-days"}
    first = desk_client.post("/schedule/note/?day=2026-12-01", body)
    second = desk_client.post("/schedule/note/?day=2026-12-02", body)
    assert (first.status_code, second.status_code) == (302, 422)
