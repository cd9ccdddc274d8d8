"""Sign-in tells nobody who exists, every signed-in answer stays out of caches, and the policy is strict."""

import pytest
from django.test import Client

from clinic.models import AccessEvent
from tests.cast import PASSWORD

pytestmark = pytest.mark.wide


def sign_in(email, password):
    return Client().post("/sign-in/", {"username": email, "password": password})


def test_the_right_password_leads_to_the_first_page(cast):
    client = Client()
    answer = client.post("/sign-in/", {"username": "Receptionist@TEST.example", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == "/today/"


def test_each_hat_has_its_first_page(cast):
    for role, path in (("receptionist", "/today/"), ("patient", "/my/"), ("coach", "/practice/")):
        client = Client()
        client.post("/sign-in/", {"username": f"{role}@test.example", "password": PASSWORD})
        assert client.get("/").url == path


def test_known_and_unknown_addresses_get_the_same_answer(cast):
    cast.user("dentist").disable(by=cast.manager, because="Left")
    pages = {
        sign_in(email, "wrong-password").content.replace(email.encode(), b"")
        for email in ("receptionist@test.example", "unknown@test.example", "dentist@test.example")
    }
    texts = {page.split(b"csrfmiddlewaretoken")[0] for page in pages}
    assert len(texts) == 1
    assert sign_in("dentist@test.example", PASSWORD).status_code == 422


def test_a_wrong_password_keeps_the_address_and_says_what_to_do(cast):
    page = sign_in("receptionist@test.example", "wrong").content.decode()
    assert "receptionist@test.example" in page
    assert "belong together" in page


def test_sign_ins_and_failures_are_on_record(cast):
    sign_in("receptionist@test.example", PASSWORD)
    sign_in("receptionist@test.example", "wrong")
    assert list(AccessEvent.objects.order_by("at").values_list("kind", "clinic__name")) == [
        ("sign_in", "Harbour Dental"),
        ("sign_in_failed", None),
    ]


def test_sign_in_never_leads_to_another_host(cast):
    answer = Client().post(
        "/sign-in/", {"username": "receptionist@test.example", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.url == "/"


def test_the_session_key_changes_at_sign_in(cast):
    client = Client()
    client.get("/sign-in/")
    client.session.save()
    before = client.session.session_key
    client.post("/sign-in/", {"username": "receptionist@test.example", "password": PASSWORD})
    assert client.session.session_key != before


def test_a_stranger_is_led_to_sign_in_and_htmx_is_told_to_go_there(cast):
    assert Client().get("/today/").url == "/sign-in/?next=/today/"
    answer = Client().get("/today/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in/?next=/today/")


def test_pages_are_never_cached_and_run_nothing_inline(desk_client):
    for path in ("/sign-in/", "/today/", "/patients/"):
        answer = desk_client.get(path, follow=True)
        assert answer["Cache-Control"] == "no-store"
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert b" style=" not in answer.content
        assert b"<script>" not in answer.content


def test_a_weak_password_is_refused_with_the_reason(desk_client):
    for new, reason in (("short", "12 characters"), ("123456789012", "numeric"), ("password1234", "common"),
        ("Chairside-Demo", "demo&#x27;s public password")):
        answer = desk_client.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
        assert answer.status_code == 422
        assert reason in answer.content.decode()


def test_changing_the_password_ends_other_sessions_and_keeps_this_one(sign_in):
    here, there = sign_in("receptionist"), sign_in("receptionist")
    new = "another-long-password"
    answer = here.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert answer.status_code == 302
    assert here.get("/today/").status_code == 200
    assert there.get("/today/").status_code == 302


def test_changing_the_password_needs_the_old_one(desk_client):
    new = "another-long-password"
    answer = desk_client.post("/password/", {"old_password": "wrong", "new_password1": new, "new_password2": new})
    assert "not your password now" in answer.content.decode()


def test_somebody_without_a_clinic_is_told_whom_to_ask(cast):
    client = Client()
    client.post("/sign-in/", {"username": "nobody@test.example", "password": PASSWORD})
    answer = client.get("/")
    assert answer.status_code == 403
    assert "manager of your practice" in answer.content.decode()


def test_a_referer_that_is_no_address_leads_to_the_first_page(client, db):
    answer = client.post("/patients/new/", {}, headers={"Referer": "http://[::1"})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
