"""What can't be seen or printed is refused wherever a text is typed: on a page, by the API, in an import, in the admin."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from clinic.db.texts import EMPTY, why_not
from clinic.models import MedicalHistory, Membership, Patient, User

UNSEEN = ["\x01", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066"]
NEW = {"first_name": "Emmy", "last_name": "Noether", "date_of_birth": "1982-03-23"}


@pytest.mark.parametrize("mark", UNSEEN)
def test_no_text_holds_what_cannot_be_seen(mark):
    assert why_not(f"Em{mark}my")
    assert why_not(f"one\ntwo{mark}")


def test_marks_that_languages_need_are_text_and_lines_stand_where_there_are_several():
    for text in ("Zoë Łukasz-Đorđević", "נועה", "می‌خواهم", "🦷 loose", "one\r\n\ttwo"):
        assert not why_not(text)
    assert why_not("one\ntwo", lines=False)


@pytest.mark.parametrize("mark", [*UNSEEN, "\n", "\t"])
def test_a_record_refuses_it_beside_the_field(cast, mark):
    with pytest.raises(ValidationError) as refused:
        cast.ada.change(by=cast.desk, first_name=f"A{mark}da")
    assert set(refused.value.message_dict) == {"first_name"}


def test_the_page_and_the_api_say_it_beside_the_field_too(cast, desk_client, desk):
    page = desk_client.post("/patients/new/", {**NEW, "first_name": "Em\u202emy", "sex": "female"})
    assert page.status_code == 422
    assert "seen or printed" in page.content.decode()
    for path, body in (("/patients", {**NEW, "first_name": "Em\u202emy"}), ("/patients?search=Em%E2%80%AEmy", None)):
        answer = desk.post(path, body) if body else desk.get(path)
        assert answer.status_code == 422
        assert "seen or printed" in answer.data["detail"]
    several = desk.post("/patients", {**NEW, "first_name": "Em\nmy"})
    assert [each["field"] for each in several.data["errors"]] == ["first_name"]
    assert not Patient.objects.filter(last_name="Noether").exists()


def test_an_import_refuses_the_line(cast, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("first_name,last_name,date_of_birth\nEm\u202emy,Noether,1982-03-23\n", encoding="utf-8")
    call_command("import_patients", str(path), "--clinic", cast.clinic.name)
    assert "first_name" in path.with_name("patients.csv.rejected.csv").read_text(encoding="utf-8-sig")
    assert not Patient.objects.filter(last_name="Noether").exists()


def test_a_medical_history_refuses_it_too(cast, sign_in, program):
    answer = program("dentist").post(
        f"/patients/{cast.ada.pk}/medical-history", {"medications": [{"name": "Asp\u2066irin"}]})
    assert answer.status_code == 422
    page = sign_in("dentist").post(f"/patients/{cast.ada.pk}/medical-history/edit/", {
        "seen_number": 0, "note": "a\x01b", **{
            f"{name}-{count}_FORMS": 0 for name in ("medications", "allergies", "conditions") for count in ("TOTAL", "INITIAL")}})
    assert page.status_code == 422
    assert not MedicalHistory.objects.exists()


def test_a_users_name_is_one_readable_line(cast):
    for name in ("No\x01ra", "No\nra"):
        with pytest.raises(ValidationError):
            Membership.invite(
                email="new@test.example", name=name, clinic=cast.clinic, roles=["biller"], since=cast.clinic.today(),
                by=cast.manager, site="https://test.example")
    assert not User.objects.filter(email="new@test.example").exists()


@pytest.mark.parametrize("text", ["\u200b", " \u2060 ", "\ufeff\u00ad", "\u3164"])
def test_a_text_of_letters_that_nobody_sees_is_empty(text):
    assert why_not(text) == EMPTY
    assert why_not(f"{text}Ada") == ""
