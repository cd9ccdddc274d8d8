"""Notes by programs."""

from uuid import uuid4

import pytest


def test_a_program_writes_changes_signs_and_adds(cast, program, book):
    dentist, visit = program("dentist"), book()
    answer = dentist.post(f"/patients/{cast.ada.pk}/notes", {
        "kind": "exam", "body": "All well.", "appointment_id": str(visit.pk)})
    assert answer.status_code == 201
    note = answer.data
    assert (note["status"], note["appointment_id"], note["addenda"], note["signed_at"], note["version"]) == (
        "draft", str(visit.pk), [], None, 1)  # fmt: skip
    path = f"/notes/{note['id']}"
    assert dentist.patch(path, {"body": "All is well."}, **{"If-Match": '"1"'}).data["version"] == 2
    answer = dentist.patch(path, {"body": "x"}, **{"If-Match": '"1"'})
    assert (answer.status_code, answer.data["current"]["body"]) == (409, "All is well.")
    assert dentist.post(f"{path}/addenda", {"body": "x"}).status_code == 409
    assert program("hygienist").post(f"{path}/sign").status_code == 409
    signed = dentist.post(f"{path}/sign").data
    assert (signed["status"], signed["version"]) == ("signed", 3)
    assert dentist.patch(path, {"body": "x"}).status_code == 409
    assert dentist.post(f"{path}/sign").status_code == 409
    added = dentist.post(f"{path}/addenda", {"body": "Shade A2."})
    assert (added.status_code, [each["body"] for each in added.data["addenda"]]) == (201, ["Shade A2."])
    assert dentist.get(path).data["body"] == "All is well."
    listed = dentist.get(f"/patients/{cast.ada.pk}/notes?kind=exam&status=signed").data
    assert (listed["count"], listed["items"][0]["id"]) == (1, note["id"])


@pytest.mark.parametrize(("body", "status", "field"), [
    ({"kind": "poem", "body": "x"}, 422, "kind"), ({"kind": "exam"}, 422, "body"), ({"kind": "exam", "body": " "}, 422, "body"),
    ({"kind": "exam", "body": "x" * 20_001}, 422, "body"), ({"kind": "exam", "body": "x", "status": "signed"}, 422, "status"),
    ({"kind": "exam", "body": "x", "appointment_id": str(uuid4())}, 422, "appointment_id"),
    ({"kind": "exam", "body": "x\x07"}, 422, "body"), ({"kind": "exam", "body": "\u200b\u200b"}, 422, "body")])  # fmt: skip
def test_what_a_program_may_not_send_is_named(cast, program, body, status, field):
    answer = program("dentist").post(f"/patients/{cast.ada.pk}/notes", body)
    assert answer.status_code == status
    assert answer.data["errors"][0]["field"] == field


def test_a_visit_of_another_patient_is_named_to_a_program(cast, program, book):
    visit = book(patient=cast.grace)
    answer = program("dentist").post(
        f"/patients/{cast.ada.pk}/notes", {"kind": "exam", "body": "x", "appointment_id": str(visit.pk)})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "appointment_id")


def test_the_desk_s_program_writes_what_the_desk_may(cast, desk, write):
    assert desk.post(f"/patients/{cast.ada.pk}/notes", {"kind": "exam", "body": "x"}).status_code == 403
    assert desk.post(f"/patients/{cast.ada.pk}/notes", {"kind": "phone", "body": "x"}).status_code == 201
    assert desk.get(f"/notes/{write().pk}").status_code == 404
    assert desk.get(f"/patients/{cast.ada.pk}/notes?kind=poem").status_code == 422
    assert desk.get(f"/patients/{cast.ada.pk}/notes").data["count"] == 1
