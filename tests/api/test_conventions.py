"""What holds for every endpoint: prefixes, problems, sizes, unknown and read-only fields, versions, paging, no caching."""

import json
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pydantic import ValidationError as PydanticError

from clinic.models import MedicalHistory, Patient, User
from clinic.web import bodies, endpoints
from clinic.web.bodies import sentence_of
from config.api import api

OPERATIONS = [
    operation for _, router in api._routers for view in router.path_operations.values() for operation in view.operations]
NEW = {"first_name": "Emmy", "last_name": "Noether", "date_of_birth": "1982-03-23"}


def problem(answer, status):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.data["status"] == status
    assert {"type", "title", "status", "detail"} <= set(answer.data)
    return answer.data


def fields(answer):
    return {each["field"] for each in problem(answer, 422)["errors"]}


def test_both_prefixes_answer_alike(program):
    assert program("dentist", prefix="/api").get("/me").data == program("dentist", prefix="/api/v1").get("/me").data


@pytest.mark.parametrize("path", ["/nothing", "/patients/", "/patients/7", "", "/me/x"])
def test_an_unmatched_path_is_a_problem(desk, path):
    problem(desk.get(path), 404)


def test_a_stranger_is_told_to_sign_in(program):
    answer = program().get("/patients")
    problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Bearer"
    problem(program().post("/patients", NEW), 401)


def test_a_method_that_is_not_there_is_a_problem_that_says_which_are(desk, cast):
    answer = desk.delete(f"/patients/{cast.ada.pk}")
    problem(answer, 405)
    assert answer["Allow"] == "GET, HEAD, PATCH, PUT"


def test_head_answers_as_get_without_the_body(desk, cast):
    for path in ("/me", "/patients?limit=1", f"/patients/{cast.ada.pk}"):
        got, head = desk.get(path), desk.send("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert (head["Content-Type"], head["Content-Length"]) == (got["Content-Type"], str(len(got.content)))
    assert desk.send("HEAD", f"/patients/{cast.outsider.ada.pk}").status_code == 404
    only_post = desk.send("HEAD", f"/appointments/{uuid4()}/confirm")
    assert (only_post.status_code, only_post["Allow"]) == (405, "POST")


def test_a_list_refuses_a_parameter_that_it_does_not_know(desk, cast):
    for path, wrong in (
        ("/patients?serach=lovelace", "serach"),
        ("/appointments?patient=7&limit=2", "patient"),
        (f"/openings?appointment_type_id={cast.exam.pk}&form=2026-12-01", "form"),
        ("/operatories?search=x", "search"),
    ):
        answer = desk.get(path)
        assert fields(answer) == {wrong}
        assert "limit, offset" in answer.data["detail"]
    assert desk.get("/appointments?from=2026-12-01&to=2026-12-02&limit=2&offset=1").status_code == 200


SENSELESS = [
    *(None, 7, -1, 1.5, 10**30, True, [], [7], {}, {"x": 1}),
    *("", " ", "x" * 5000, "\ud800", "2026-02-30", "2026-02-30T09:00:00Z"),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.methods[0]} {each.path}")
def test_every_refusal_of_a_value_is_a_sentence_of_ours(operation):
    """Whatever is sent for whichever field or parameter: no error type of pydantic's is without words."""
    for model in operation.models:
        for kind in [model, *(field.annotation for field in model.model_fields.values())]:
            for name in kind.model_fields if hasattr(kind, "model_fields") else ():
                for value in SENSELESS:
                    for error in errors_of_values(kind, {name: value}):
                        assert error["type"] == "value_error" or error["type"] in bodies.SAID, error
                        assert sentence_of(error).endswith((".", '"')), error


def errors_of_values(kind, values):
    try:
        kind.model_validate(values)
    except PydanticError as error:
        return error.errors()
    return []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("first_name", 7, "Write a text."),
        ("first_name", "x" * 81, "Write at most 80 characters."),
        ("first_name", "", "Write something here."),
        ("account_id", "x", "This is not an id: write a UUID."),
        ("date_of_birth", "2026-02-30", "There is no such day."),
        ("date_of_birth", 7, "Write a date like 2026-11-30."),
        ("sex", "x", "Write one of: 'female', 'male', 'other' or 'unknown'."),
        ("address", [], "Send an object."),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(desk, name, value, said):
    told = {each["field"]: each["message"] for each in problem(desk.post("/patients", {**NEW, name: value}), 422)["errors"]}
    assert told == {name: said}


def test_a_wrong_parameter_is_told_in_plain_words(desk):
    told = {"limit=x": "Write a whole number.", "limit=201": "Write at most 200.", "offset=-1": "Write at least 0."}
    for asked, said in told.items():
        assert problem(desk.get(f"/patients?{asked}"), 422)["errors"][0]["message"] == said


def test_a_body_that_is_no_json_is_a_400(desk):
    deep = '{"address":' * 500 + "1" + "}" * 500
    for text in ("{", "nothing", '{"a": NaN}', "\xff".encode("latin-1"), "[" * 100_000, deep):
        answer = desk.client.generic(
            "POST",
            "/api/v1/patients",
            text,
            "application/json",
            headers={"Authorization": f"Bearer {desk.secret}", "Idempotency-Key": str(uuid4())},
        )
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), text[:20]


def test_json_that_is_no_object_is_a_422(desk):
    for body in ([], "text", 7, [NEW]):
        problem(desk.post("/patients", body), 422)


def test_a_body_over_one_megabyte_is_a_413(desk):
    problem(desk.post("/patients", {**NEW, "preferred_name": "x" * 1_100_000}), 413)


def test_a_form_with_fields_is_a_415_and_an_empty_one_is_no_body(desk, book):
    visit = book()
    headers = {"Authorization": f"Bearer {desk.secret}"}
    for content in (
        {"content_type": "application/x-www-form-urlencoded", "data": "first_name=E"},
        {"data": {"a": "b"}},
    ):
        answer = desk.client.post("/api/v1/patients", headers=headers, **content)
        assert (answer.status_code, answer["Content-Type"]) == (415, "application/problem+json")
    assert desk.client.post(f"/api/v1/appointments/{visit.pk}/confirm", headers=headers).status_code == 200


def test_unknown_and_server_set_fields_are_refused_by_name(desk):
    body = {**NEW, "clinic_id": str(uuid4()), "chart_number": "9", "shoe_size": 44}
    assert fields(desk.post("/patients", body)) == {"clinic_id", "chart_number", "shoe_size"}
    assert not Patient.objects.filter(last_name="Noether").exists()


def test_read_only_fields_may_be_sent_back_unchanged_and_put_leaves_the_rest(desk, cast):
    path = f"/patients/{cast.ada.pk}"
    for send in (desk.put, desk.patch):
        whole = desk.get(path).data
        answer = send(path, {**whole, "preferred_name": send.__name__})
        assert answer.status_code == 200
        assert answer.data == {**whole, "preferred_name": send.__name__, "version": whole["version"] + 1}
        assert send(path, {"preferred_name": "Countess"}).data["email"] == whole["email"]
    assert fields(desk.patch(path, {"chart_number": "77", "alerts": ["x"]})) == {"chart_number", "alerts"}
    old = desk.get(path).data
    desk.patch(path, {"preferred_name": "Changed"})
    assert desk.put(path, {**old, "id": old["id"].upper()}).data["preferred_name"] == "Countess"  # the last write wins


def test_what_is_not_sent_changed_writes_no_version(desk, cast):
    path = f"/patients/{cast.ada.pk}"
    version = desk.get(path).data["version"]
    assert desk.patch(path, {}).data["version"] == version


def test_a_null_for_what_cannot_be_null_is_refused(desk, cast):
    path = f"/patients/{cast.ada.pk}"
    for name in ("first_name", "phone", "date_of_birth", "address", "sex", "account_id"):
        assert fields(desk.patch(path, {name: None})) == {name}
    assert desk.patch(path, {"primary_provider_id": None}).data["primary_provider_id"] is None


def test_a_stale_version_is_a_409_that_holds_the_record(desk, cast):
    path = f"/patients/{cast.ada.pk}"
    seen = desk.get(path)
    assert seen["ETag"] == f'"{seen.data["version"]}"'
    assert desk.patch(path, {"city": "x"}, **{"If-Match": seen["ETag"]}).status_code == 422
    assert desk.patch(path, {"preferred_name": "First"}, **{"If-Match": seen["ETag"]}).status_code == 200
    late = desk.patch(path, {"preferred_name": "Second"}, **{"If-Match": seen["ETag"]})
    assert problem(late, 409)["current"] == desk.get(path).data
    assert desk.get(path).data["preferred_name"] == "First"
    assert fields(desk.patch(path, {"preferred_name": "x"}, **{"If-Match": "new"})) == {"If-Match"}


def test_without_if_match_the_last_write_wins_and_both_stand_in_the_history(desk, cast):
    for name in ("First", "Second"):
        assert desk.patch(f"/patients/{cast.ada.pk}", {"preferred_name": name}).status_code == 200
    assert {"First", "Second"} <= set(cast.ada.history.values_list("preferred_name", flat=True))
    assert set(cast.ada.history.order_by("-version").values_list("history_via", flat=True)[:2]) == {"api"}


def test_lists_are_paged_and_counted(desk, cast):
    for number in range(5):
        Patient.register(by=cast.desk, first_name="Many", last_name=f"Manifold{number}", date_of_birth="1990-01-01")
    whole = desk.get("/patients?search=manifold").data
    assert (whole["count"], len(whole["items"])) == (5, 5)
    part = desk.get("/patients?search=manifold&limit=2&offset=3").data
    assert part == {"count": 5, "items": whole["items"][3:5]}
    assert desk.get("/patients?search=manifold&offset=50").data == {"count": 5, "items": []}
    for wrong in ("limit=201", "limit=0", "limit=-1", "limit=x", "offset=-1"):
        assert fields(desk.get(f"/patients?{wrong}")) == {wrong.split("=")[0]}


@pytest.mark.parametrize("path", ["/patients", "/schedule?date=2026-12-01&days=40", "/appointments"])
def test_a_list_costs_the_same_at_1_and_at_30_rows(desk, cast, book, path):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(path).status_code == 200
        return len(queries)

    book("2026-12-01 9:00")
    few = cost()
    for day in range(2, 31):
        patient = Patient.register(by=cast.desk, first_name="N", last_name=f"Number{day}", date_of_birth="1990-01-01")
        book(f"2026-12-{day:02} 9:00", patient=patient)
    assert cost() == few


def test_an_unknown_enum_value_in_a_filter_is_a_422(desk):
    assert fields(desk.get("/patients?status=lost")) == {"status"}
    assert fields(desk.get("/appointments?status=lost")) == {"status"}


def test_a_character_that_no_text_can_hold_is_a_422(desk, cast):
    assert desk.get("/patients?search=%00").status_code == 422
    assert fields(desk.patch(f"/patients/{cast.ada.pk}", {"preferred_name": "a\x00b"})) == {"preferred_name"}
    answer = desk.client.generic(
        "PATCH",
        f"/api/v1/patients/{cast.ada.pk}",
        '{"preferred_name": "\\ud800"}',
        "application/json",
        headers={"Authorization": f"Bearer {desk.secret}"},
    )
    assert answer.status_code == 422


def test_an_id_that_exists_anywhere_is_a_409_with_one_sentence_for_own_and_foreign(desk, cast):
    own = problem(desk.post("/patients", {**NEW, "id": str(cast.ada.pk)}), 409)
    foreign = problem(desk.post("/patients", {**NEW, "id": str(cast.outsider.ada.pk)}), 409)
    assert own == foreign
    path = f"/patients/{cast.ada.pk}/medical-history"
    told = [problem(desk.post(path, {"id": str(key)}), 409) for key in _histories(cast)]
    assert told[0] == told[1] == own
    made = str(uuid4())
    assert desk.post("/patients", {**NEW, "id": made}).data["id"] == made


def _histories(cast):
    """A medical history here and one next door."""
    for one in (cast, cast.outsider):
        yield MedicalHistory.write(patient=one.ada, content={}, by=one.desk, seen_number=0).pk


def test_somebody_without_a_clinic_is_told_so(cast):
    client = Client()
    client.force_login(User.objects.get(email="nobody@test.example"))
    assert client.get("/api/v1/me").status_code == 403


def test_nothing_signed_in_stays_in_a_cache(desk, cast):
    for answer in (
        desk.get("/me"),
        desk.get(f"/patients/{cast.ada.pk}"),
        desk.get("/nothing"),
        desk.post("/patients", {}),
    ):
        assert answer["Cache-Control"] == "no-store"


def test_the_session_works_with_its_csrf_token_and_not_without(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.user("receptionist"))
    assert client.get("/api/v1/me").status_code == 200
    refused = client.post("/api/v1/patients", json.dumps(NEW), "application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    token = client.get("/patients/new/").context["csrf_token"]
    sent = client.post("/api/v1/patients", json.dumps(NEW), "application/json", headers={"X-CSRFToken": str(token)})
    assert sent.status_code == 201


def test_more_than_the_limit_a_minute_is_a_429(desk, settings, monkeypatch):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "limit"}}
    settings.API_PER_MINUTE = 3
    monkeypatch.setattr(endpoints.timezone, "now", lambda: cast_now)
    answers = [desk.get("/me") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    problem(answers[-1], 429)
    assert answers[-1]["Retry-After"] == "60"


cast_now = endpoints.timezone.now()


def test_nobody_is_limited_below_a_thousand_a_minute(settings):
    assert settings.API_PER_MINUTE >= 1000
