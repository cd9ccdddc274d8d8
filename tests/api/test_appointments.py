"""The schedule by the API: free slots, booking, moving, and the steps of a visit."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from scheduling.models import Appointment
from scheduling.models.reach import FARTHEST
from tests.api.test_conventions import fields, problem

STEPS = ["confirm", "check-in", "seat", "complete", "check-out"]


@pytest.fixture
def new(cast):
    return {
        "patient_id": str(cast.ada.pk),
        "operatory_id": str(cast.operatories[0].pk),
        "provider_id": str(cast.drill.pk),
        "appointment_type_id": str(cast.exam.pk),
        "starts_at": "2026-12-01T09:00:00-05:00",
    }


def test_a_visit_is_booked_for_the_types_length(desk, new):
    answer = desk.post("/appointments", new)
    assert answer.status_code == 201
    assert answer.data == desk.get(f"/appointments/{answer.data['id']}").data
    assert set(answer.data) == {
        "id",
        "patient_id",
        "operatory_id",
        "provider_id",
        "appointment_type_id",
        "starts_at",
        "ends_at",
        "status",
        "note",
        "provider_time",
        "version",
    }
    assert {name: answer.data[name] for name in new} == new
    assert (answer.data["ends_at"], answer.data["status"]) == ("2026-12-01T09:30:00-05:00", "scheduled")


def test_the_types_pattern_gives_the_providers_time(desk, new, cast):
    answer = desk.post(
        "/appointments", {**new, "appointment_type_id": str(cast.cleaning.pk), "provider_id": str(cast.holly.pk)}
    )
    assert [
        (each["provider_id"], each["starts_at"][11:16], each["ends_at"][11:16]) for each in answer.data["provider_time"]
    ] == [(str(cast.holly.pk), "09:00", "10:00"), (str(cast.drill.pk), "09:40", "09:50")]


def test_provider_time_can_be_said_and_lies_within_the_visit(desk, new, cast):
    said = [
        {
            "provider_id": str(cast.bridge.pk),
            "starts_at": "2026-12-01T09:10:00-05:00",
            "ends_at": "2026-12-01T09:20:00-05:00",
        }
    ]
    assert desk.post("/appointments", {**new, "provider_time": said}).data["provider_time"] == said
    outside = [{**said[0], "ends_at": "2026-12-01T11:00:00-05:00"}]
    assert fields(desk.post("/appointments", {**new, "patient_id": str(cast.grace.pk), "provider_time": outside})) == {
        "provider_time"
    }


def test_an_overlap_is_a_409_that_names_what_stands_in_the_way(desk, new, cast):
    first = desk.post("/appointments", new).data
    answer = desk.post(
        "/appointments", {**new, "patient_id": str(cast.grace.pk), "starts_at": "2026-12-01T09:15:00-05:00"}
    )
    conflicts = problem(answer, 409)["conflicts"]
    assert {each["resource"] for each in conflicts} == {"operatory", "provider"}
    assert {each["appointment_id"] for each in conflicts} == {first["id"]}
    assert set(conflicts[0]) == {"appointment_id", "resource", "starts_at", "ends_at"}
    assert {(each["starts_at"], each["ends_at"]) for each in conflicts} == {(first["starts_at"], first["ends_at"])}
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts_at": "2026-12-01T09:00:00"},
        {"starts_at": "tomorrow"},
        {"starts_at": 1796000000},
        {"starts_at": None},
        {"ends_at": "2026-12-01T08:00:00-05:00"},
        {"starts_at": "1800-01-01T09:00:00Z"},
        {"starts_at": "2060-01-01T09:00:00Z"},
        {"starts_at": "0001-01-01T00:00:00+14:00"},
        {"starts_at": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_a_moment_that_makes_no_sense_is_a_422(desk, new, wrong):
    assert fields(desk.post("/appointments", {**new, **wrong})) == set(wrong)


@pytest.mark.parametrize(
    "wrong", [{"starts_at": "2026-12-01T09:00:30-05:00"}, {"ends_at": "2026-12-01T09:20:00.5-05:00"}]
)
def test_seconds_are_refused_and_never_cut(desk, new, wrong):
    answer = desk.post("/appointments", {**new, **wrong})
    assert fields(answer) == set(wrong)
    assert "whole minute" in answer.data["detail"]
    path = f"/appointments/{desk.post('/appointments', new).data['id']}"
    assert fields(desk.patch(path, wrong)) == set(wrong)


def test_references_to_other_clinics_are_refused_by_name(desk, new, cast):
    other = cast.outsider
    foreign = {
        "patient_id": other.ada,
        "operatory_id": other.operatories[0],
        "provider_id": other.drill,
        "appointment_type_id": other.exam,
    }
    for name, row in foreign.items():
        assert fields(desk.post("/appointments", {**new, name: str(row.pk)})) == {name}
    said = [{"provider_id": str(other.drill.pk), "starts_at": new["starts_at"], "ends_at": "2026-12-01T09:10:00-05:00"}]
    assert fields(desk.post("/appointments", {**new, "provider_time": said})) == {"provider_time"}
    assert not Appointment.objects.exists()


def test_a_patch_moves_and_keeps_the_length_and_a_put_does_the_same(desk, new, cast):
    path = f"/appointments/{desk.post('/appointments', new).data['id']}"
    moved = desk.patch(path, {"starts_at": "2026-12-02T14:00:00-05:00"})
    assert moved.data["ends_at"] == "2026-12-02T14:30:00-05:00"
    longer = desk.put(path, {**moved.data, "ends_at": "2026-12-02T15:00:00-05:00", "note": "anxious"})
    assert (longer.data["ends_at"], longer.data["note"]) == ("2026-12-02T15:00:00-05:00", "anxious")
    assert fields(desk.patch(path, {"patient_id": str(cast.grace.pk), "status": "seated"})) == {"patient_id", "status"}
    late = desk.patch(path, {"note": "x"}, **{"If-Match": '"1"'})
    assert problem(late, 409)["current"]["note"] == "anxious"


def test_moving_onto_another_visit_is_a_409_and_leaves_it_where_it_was(desk, new, cast):
    desk.post("/appointments", new)
    other = desk.post(
        "/appointments", {**new, "patient_id": str(cast.grace.pk), "starts_at": "2026-12-01T11:00:00-05:00"}
    ).data
    answer = desk.patch(f"/appointments/{other['id']}", {"starts_at": new["starts_at"]})
    assert problem(answer, 409)["conflicts"]
    assert desk.get(f"/appointments/{other['id']}").data == other


def test_the_visit_goes_step_by_step_and_out_of_order_is_a_409(program, desk, new):
    manager = program("manager")
    path = f"/appointments/{desk.post('/appointments', new).data['id']}"
    problem(manager.post(f"{path}/seat"), 409)
    statuses = [manager.post(f"{path}/{step}").data["status"] for step in STEPS]
    assert statuses == ["confirmed", "checked_in", "seated", "completed", "checked_out"]
    for step in (*STEPS, "no-show"):
        problem(manager.post(f"{path}/{step}"), 409)
    problem(manager.post(f"{path}/cancel", {"reason": "late"}), 409)


def test_reception_and_clinicians_take_their_own_steps(program, desk, new):
    hygienist = program("hygienist")
    path = f"/appointments/{desk.post('/appointments', new).data['id']}"
    problem(hygienist.post(f"{path}/check-in"), 403)
    assert desk.post(f"{path}/check-in", {}).status_code == 200
    problem(desk.post(f"{path}/seat"), 403)
    assert hygienist.post(f"{path}/seat").status_code == 200


def test_a_cancellation_says_why_and_frees_the_time(desk, new):
    path = f"/appointments/{desk.post('/appointments', new).data['id']}"
    for body in ({}, {"reason": ""}, {"reason": " "}, {"reason": None}):
        assert fields(desk.post(f"{path}/cancel", body)) == {"reason"}
    problem(desk.post(f"{path}/cancel"), 422)
    assert desk.post(f"{path}/cancel", {"reason": "ill"}).data["status"] == "cancelled"
    assert desk.post("/appointments", new).status_code == 201


def test_the_schedule_lists_the_days_visits_by_their_start(desk, new, cast, book):
    book("2026-12-01 11:00", patient=cast.grace)
    desk.post("/appointments", new)
    book("2026-12-02 9:00")
    day = desk.get("/schedule?date=2026-12-01").data
    assert [each["starts_at"][11:16] for each in day["items"]] == ["09:00", "11:00"]
    assert desk.get("/schedule?date=2026-12-01&days=2").data["count"] == 3
    assert desk.get(f"/schedule?date=2026-12-01&provider_id={cast.bridge.pk}").data["count"] == 0
    assert fields(desk.get("/schedule?date=today&days=0")) == {"date", "days"}
    assert desk.get("/schedule").status_code == 200


def test_appointments_are_filtered(desk, cast, book):
    book("2026-12-01 9:00"), book("2026-12-02 9:00", patient=cast.grace)
    assert desk.get(f"/appointments?patient_id={cast.grace.pk}").data["count"] == 1
    assert desk.get("/appointments?from=2026-12-02&to=2026-12-02").data["count"] == 1
    assert desk.get("/appointments?status=confirmed").data["count"] == 0
    assert desk.get(f"/appointments?patient_id={cast.outsider.ada.pk}").data["count"] == 0


def test_openings_are_free_by_start_one_for_each_provider_and_operatory(desk, cast, book):
    book("2026-12-01 8:00")
    asked = f"/openings?appointment_type_id={cast.exam.pk}&provider_id={cast.drill.pk}&from=2026-12-01&days=1&limit=200"
    found = desk.get(asked).data["items"]
    keys = [(each["starts_at"], each["provider_id"], each["operatory_id"]) for each in found]
    assert len(set(keys)) == len(keys)
    assert [key[0] for key in keys] == sorted(key[0] for key in keys)
    assert keys[0][0] == "2026-12-01T08:30:00-05:00"
    first = found[0]
    booked = desk.post(
        "/appointments",
        {
            "patient_id": str(cast.grace.pk),
            "appointment_type_id": str(cast.exam.pk),
            **{name: first[name] for name in ("operatory_id", "provider_id", "starts_at")},
        },
    )
    assert (booked.status_code, booked.data["ends_at"]) == (201, first["ends_at"])


def test_openings_ask_for_a_type_of_this_clinic_and_at_most_sixty_days(desk, cast):
    assert fields(desk.get("/openings")) == {"appointment_type_id"}
    assert fields(desk.get(f"/openings?appointment_type_id={cast.outsider.exam.pk}")) == {"appointment_type_id"}
    assert fields(desk.get(f"/openings?appointment_type_id={cast.exam.pk}&days=61")) == {"days"}
    assert desk.get(f"/openings?appointment_type_id={cast.exam.pk}").status_code == 200


def test_openings_end_where_booking_ends(desk, cast):
    now = timezone.now()
    last = cast.clinic.today(now + FARTHEST)
    asked = f"/openings?appointment_type_id={cast.exam.pk}&limit=200&from="
    assert fields(desk.get(f"{asked}{last + timedelta(days=1)}")) == {"from"}
    found = desk.get(f"{asked}{last - timedelta(days=1)}&days=60").data["items"]
    assert found
    assert all(datetime.fromisoformat(each["starts_at"]) <= now + FARTHEST + timedelta(minutes=1) for each in found)


def test_the_reference_lists_name_what_they_hold(desk, cast):
    from clinic.catalogue import load_starter

    load_starter(cast.system)
    assert {"id", "name"} <= set(desk.get("/operatories").data["items"][0])
    assert {each["kind"] for each in desk.get("/providers").data["items"]} == {"dentist", "hygienist"}
    assert {each["minutes"] for each in desk.get("/appointment-types").data["items"]} == {30, 60}
    crown = desk.get("/procedure-codes?search=D2740").data["items"][0]
    assert {"code", "description", "category", "treatment_area", "fee"} <= set(crown)
    assert crown["fee"].count(".") == 1
    assert len(crown["fee"].split(".")[1]) == 2
