"""Patients by the API: the body as the contract lists it, found by what people know of them, never deleted."""

from clinic.models import AccessEvent, MedicalHistory, Patient
from tests.api.test_conventions import NEW, fields, problem

BODY = {
    "id",
    "chart_number",
    "first_name",
    "last_name",
    "preferred_name",
    "date_of_birth",
    "sex",
    "phone",
    "email",
    "address",
    "account_id",
    "guarantor",
    "emergency_contact",
    "primary_provider_id",
    "status",
    "alerts",
    "version",
}


def test_three_fields_register_a_patient_with_an_account_of_their_own(desk, cast):
    answer = desk.post("/patients", NEW)
    assert answer.status_code == 201
    assert set(answer.data) == BODY
    patient = Patient.objects.get(pk=answer.data["id"])
    assert (str(patient.account_id), patient.clinic) == (answer.data["account_id"], cast.clinic)
    assert desk.get(f"/patients/{patient.pk}").data == answer.data
    assert desk.get(f"/accounts/{patient.account_id}").data["patient_ids"] == [str(patient.pk)]


def test_everything_that_is_sent_is_answered(desk, cast):
    sent = {
        **NEW,
        "preferred_name": "Em",
        "sex": "female",
        "phone": "+1 201-555-0188",
        "email": "em@patients.example",
        "address": {
            "line1": "1 Ring",
            "line2": "",
            "city": "Erlangen",
            "region": "BY",
            "postal_code": "91052",
            "country": "DE",
        },
        "guarantor": {
            "patient_id": str(cast.ada.pk),
            "name": "Ada",
            "phone": "+1 201-555-0123",
            "relationship": "aunt",
        },
        "emergency_contact": {"name": "Fritz", "phone": "+1 201-555-0199", "relationship": "brother"},
        "primary_provider_id": str(cast.drill.pk),
        "status": "inactive",
        "account_id": str(cast.ada.account_id),
    }
    answer = desk.post("/patients", sent)
    assert answer.status_code == 201
    assert {name: answer.data[name] for name in sent} == sent


def test_a_part_of_an_address_leaves_the_rest(desk, cast):
    path = f"/patients/{cast.ada.pk}"
    desk.patch(path, {"address": {"line1": "1 Ring", "city": "London"}})
    assert desk.patch(path, {"address": {"city": "Paris"}}).data["address"]["line1"] == "1 Ring"


def test_what_is_needed_is_named(desk):
    assert fields(desk.post("/patients", {})) == {"first_name", "last_name", "date_of_birth"}
    assert fields(desk.post("/patients", {**NEW, "first_name": "  "})) == {"first_name"}
    for born in ("2999-01-01", "1700-01-01", "23.3.1982", "1982-02-30", 1982, True):
        assert fields(desk.post("/patients", {**NEW, "date_of_birth": born})) == {"date_of_birth"}, born
    assert fields(desk.post("/patients", {**NEW, "email": "no", "phone": "no"})) == {"email", "phone"}
    assert fields(desk.post("/patients", {**NEW, "address": {"country": "Germany", "planet": "Earth"}})) == {
        "address.country",
        "address.planet",
    }


def test_a_reference_to_another_clinics_row_is_refused_as_one_to_nothing(desk, cast):
    other = cast.outsider
    nowhere = "00000000-0000-7000-8000-000000000000"
    for name, foreign in (("account_id", other.ada.account_id), ("primary_provider_id", other.drill.pk)):
        one, two = (desk.post("/patients", {**NEW, name: str(key)}) for key in (foreign, nowhere))
        assert fields(one) == {name}
        assert one.content == two.content
    answer = desk.post("/patients", {**NEW, "guarantor": {"patient_id": str(other.ada.pk)}})
    assert fields(answer) == {"guarantor.patient_id"}


def test_another_clinics_patient_is_not_there(desk, cast):
    for send in (desk.get, lambda path: desk.patch(path, {"first_name": "x"})):
        problem(send(f"/patients/{cast.outsider.ada.pk}"), 404)
    problem(desk.get(f"/patients/{cast.outsider.ada.pk}/medical-history"), 404)


def test_found_by_name_phone_birth_date_and_chart_number(desk, cast):
    for text in ("love", "Ada Love", "2015550123", "1985-12-10", cast.ada.chart_number):
        assert str(cast.ada.pk) in {row["id"] for row in desk.get(f"/patients?search={text}").data["items"]}, text
    assert desk.get("/patients?search=zzzz").data == {"items": [], "count": 0}


def test_the_archived_are_listed_when_asked_for(desk, cast):
    desk.patch(f"/patients/{cast.ada.pk}", {"status": "archived"})
    assert str(cast.ada.pk) not in {row["id"] for row in desk.get("/patients").data["items"]}
    assert [row["id"] for row in desk.get("/patients?status=archived").data["items"]] == [str(cast.ada.pk)]


def test_a_post_of_history_makes_the_next_version_and_leaves_what_is_left_out(program, cast):
    hygienist, path = program("hygienist"), f"/patients/{cast.ada.pk}/medical-history"
    assert hygienist.post(path, {"allergies": [{"substance": "Latex", "severity": "severe"}]}).status_code == 201
    second = hygienist.post(path, {"tobacco": "never"})
    assert (second.data["version"], second.data["allergies"][0]["substance"]) == (2, "Latex")
    written = MedicalHistory.objects.get(pk=second.data["id"]).at
    assert second.data["at"] == written.astimezone(cast.clinic.zone).isoformat(timespec="milliseconds")
    assert [row["version"] for row in hygienist.get(path).data["items"]] == [2, 1]
    assert hygienist.get(f"/patients/{cast.ada.pk}").data["alerts"] == ["Allergy: Latex"]
    late = hygienist.post(path, {"tobacco": "former"}, **{"If-Match": '"1"'})
    assert problem(late, 409)["current"]["version"] == 2
    assert fields(hygienist.post(path, {"allergies": [{"substance": ""}], "tobacco": "often"})) == {
        "allergies.0.substance",
        "tobacco",
    }
    assert MedicalHistory.objects.filter(patient=cast.ada).count() == 2


def test_each_look_and_each_change_is_on_record(desk, cast):
    desk.get(f"/patients/{cast.ada.pk}")
    desk.patch(f"/patients/{cast.ada.pk}", {"preferred_name": "A"})
    desk.get("/patients?search=love")
    assert list(AccessEvent.objects.order_by("id").values_list("kind", "rows", "via")) == [
        ("view", 1, "api"),
        ("change", 1, "api"),
        ("search", 1, "api"),
    ]
