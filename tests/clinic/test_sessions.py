"""A session waits for the password after a pause, ends after 12 hours, and gets a new key when rights change."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.access.machines import machine_in_words
from clinic.access.sessions import SessionStore, digest
from clinic.models import AccessEvent, ApiToken, Membership, Patient, Session, User
from tests.cast import PASSWORD

COOKIE = "chairside_session"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
HTMX = {"HX-Request": "true"}


def come_in(role="receptionist", domain="test", **more):
    client = Client(headers={"User-Agent": FIREFOX}, **more)
    assert client.post("/sign-in/", {"username": f"{role}@{domain}.example", "password": PASSWORD}).status_code == 302
    return client


def row_of(client):
    return Session.objects.get(pk=digest(client.cookies[COOKIE].value))


def go_idle(client, minutes=16):
    Session.objects.filter(pk=row_of(client).pk).update(seen_at=timezone.now() - timedelta(minutes=minutes))


@pytest.fixture
def desk(cast):
    return come_in()


def test_nothing_in_the_database_opens_a_session(desk):
    key = desk.cookies[COOKIE].value
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM clinic_session")
        assert key not in str(cursor.fetchall())
    thief = Client()
    thief.cookies[COOKIE] = row_of(desk).pk
    assert thief.get("/today/").status_code == 302


def test_after_fifteen_minutes_a_page_leads_to_the_lock_and_back_to_where_one_was(cast, desk):
    go_idle(desk)
    answer = desk.get("/schedule/?day=2026-12-01")
    assert answer.url == "/unlock/?next=/schedule/%3Fday%3D2026-12-01"
    page = desk.get(answer.url).content.decode()
    assert "Receptionist Test, type your password" in page
    assert "Lovelace" not in page
    back = desk.post("/unlock/", {"password": PASSWORD, "next": "/schedule/?day=2026-12-01"})
    assert back.url == "/schedule/?day=2026-12-01"
    assert desk.get(back.url).status_code == 200


def test_fourteen_minutes_are_no_pause(desk):
    go_idle(desk, minutes=14)
    assert desk.get("/today/").status_code == 200


def test_what_was_searched_for_does_not_go_into_another_address(desk):
    go_idle(desk)
    assert desk.get("/patients/?q=lovelace&page=2").url == "/unlock/?next=/patients/%3Fpage%3D2"
    assert Client().get("/patients/?q=lovelace").url == "/sign-in/?next=/patients/"


@pytest.mark.parametrize("headers", [HTMX, {**HTMX, "X-Poll": "1"}, {"Sec-Fetch-Dest": "empty"}])
def test_what_a_script_asks_of_a_locked_session_gets_a_401_without_data(cast, desk, headers):
    go_idle(desk)
    for path in ("/search/?q=lovelace", f"/patients/{cast.ada.pk}/", "/today/?after=-"):
        answer = desk.get(path, headers=headers)
        assert (answer.status_code, answer["X-Session"]) == (401, "locked")
        assert b"Lovelace" not in answer.content
        assert b"<" not in answer.content


def test_a_form_that_is_sent_after_the_pause_does_nothing_and_leads_back_to_its_page(cast, desk):
    go_idle(desk)
    answer = desk.post("/patients/new/", {"first_name": "Emmy"}, headers={"Referer": "http://testserver/patients/new/"})
    assert answer.url == "/unlock/?next=/patients/new/"
    assert not Patient.objects.filter(first_name="Emmy").exists()


def test_polls_are_no_activity_and_pages_are(desk):
    go_idle(desk, minutes=10)
    before = row_of(desk).seen_at
    desk.get("/today/?after=-", headers={**HTMX, "X-Poll": "1"})
    desk.get("/session/", headers={"X-Poll": "1"})
    assert row_of(desk).seen_at == before
    desk.get("/today/")
    assert row_of(desk).seen_at > before


def test_typing_on_a_page_is_activity_too(desk):
    go_idle(desk, minutes=10)
    assert desk.post("/session/seen/").status_code == 204
    assert timezone.now() - row_of(desk).seen_at < timedelta(seconds=5)


def test_activity_is_written_once_a_minute_at_most(desk):
    def writes():
        with CaptureQueriesContext(connection) as queries:
            desk.get("/today/")
        return [query["sql"] for query in queries if query["sql"].startswith("UPDATE") and "session" in query["sql"]]

    assert writes() == []
    go_idle(desk, minutes=2)
    assert len(writes()) == 1
    assert writes() == []


def test_a_wrong_password_does_not_unlock_and_counts_as_a_guess(desk):
    go_idle(desk)
    answers = [desk.post("/unlock/", {"password": "wrong"}).status_code for _ in range(10)]
    assert answers == [422] * 9 + [429]
    assert desk.post("/unlock/", {"password": PASSWORD}).status_code == 429
    assert desk.get("/today/").status_code == 302


def test_the_sheet_unlocks_with_a_new_key_and_a_fresh_token(desk):
    old, token = desk.cookies[COOKIE].value, desk.get("/session/").json()["csrf"]
    go_idle(desk)
    wrong = desk.post("/unlock/", {"password": "wrong"}, headers=HTMX)
    assert (wrong.status_code, wrong.json()) == (422, {"error": "This is not your password."})
    right = desk.post("/unlock/", {"password": PASSWORD}, headers=HTMX)
    assert right.json()["csrf"] != token
    assert desk.cookies[COOKIE].value != old
    assert desk.get("/today/").status_code == 200
    thief = Client()
    thief.cookies[COOKIE] = old
    assert thief.get("/today/").status_code == 302
    assert AccessEvent.objects.filter(kind="unlock").count() == 1


def test_an_unlocked_session_has_nothing_to_unlock(desk):
    assert desk.get("/unlock/").url == "/"
    assert Client().get("/unlock/").url.startswith("/sign-in/")


def test_another_person_gets_a_clean_sign_in(cast, desk):
    first = row_of(desk).pk
    go_idle(desk)
    assert "This is not your password" in desk.post(
        "/unlock/", {"password": "a-password-for-others"}).content.decode()
    assert desk.post("/sign-out/").url == "/sign-in/"
    assert not Session.objects.filter(pk=first).exists()
    desk.post("/sign-in/", {"username": "dentist@test.example", "password": PASSWORD})
    assert row_of(desk).user == cast.user("dentist")


def test_somebody_who_signs_in_over_a_locked_session_ends_it(cast, desk):
    first = row_of(desk).pk
    go_idle(desk)
    assert b"Receptionist" not in desk.get("/sign-in/").content
    desk.post("/sign-in/", {"username": "dentist@test.example", "password": PASSWORD})
    assert not Session.objects.filter(pk=first).exists()
    assert desk.get("/session/").json()["who"] == str(cast.user("dentist").pk)


def test_twelve_hours_after_sign_in_it_ends_whatever_happened_meanwhile(desk):
    began = timezone.now()
    for hour in range(1, 12):
        with time_machine.travel(began + timedelta(hours=hour)):
            desk.post("/unlock/", {"password": PASSWORD})
            assert desk.get("/today/").status_code == 200
    with time_machine.travel(began + timedelta(hours=12, seconds=1)):
        assert desk.get("/today/").url.startswith("/sign-in/")
        assert desk.get("/session/").json()["state"] == "out"


def test_one_can_lock_before_leaving(desk):
    assert desk.post("/session/lock/").url == "/unlock/"
    assert desk.get("/today/").url.startswith("/unlock/")
    desk.post("/unlock/", {"password": PASSWORD})
    assert desk.post("/session/lock/", headers=HTMX).status_code == 204
    assert desk.get("/session/").json()["state"] == "locked"


def test_a_page_that_ends_late_does_not_wake_a_locked_session(desk):
    late = SessionStore(desk.cookies[COOKIE].value)
    late["anything"] = 1
    desk.post("/session/lock/")
    late.save()
    assert row_of(desk).locked_at is not None


def test_the_account_lists_where_one_is_signed_in_and_ends_it(cast, desk):
    other = come_in()
    page = desk.get("/account/").content.decode()
    assert page.count("Firefox on Windows") >= 2
    assert page.count("This one") == 1
    assert desk.post("/account/sessions/end/", {"session": row_of(other).pk}).status_code == 302
    assert other.get("/today/").url.startswith("/sign-in/")
    assert desk.get("/today/").status_code == 200


def test_all_other_sessions_can_be_ended_at_once(cast, desk):
    others = [come_in() for _ in range(3)]
    stranger = come_in("dentist")
    desk.post("/account/sessions/end-others/")
    assert [other.get("/today/").status_code for other in others] == [302] * 3
    assert [desk.get("/today/").status_code, stranger.get("/today/").status_code] == [200, 200]


@pytest.mark.parametrize(("ticked", "good"), [({"tokens": "on"}, False), ({}, True)])
def test_signing_out_everywhere_revokes_ones_tokens_when_the_box_is_ticked(cast, desk, ticked, good):
    token, _ = ApiToken.issue(by=cast.desk, name="Recall robot")
    page = desk.get("/account/").content.decode()
    assert "unless you revoke these as well" in page
    assert 'name="tokens" checked' in page
    assert desk.post("/sign-out-everywhere/", ticked).status_code == 302
    assert ApiToken.objects.get(pk=token.pk).is_good is good
    assert desk.get("/today/").status_code == 302


def test_the_lock_tells_of_a_pause_only_when_there_was_one(cast, desk):
    desk.post("/session/lock/")
    assert b"Nobody was here" not in desk.get("/unlock/").content
    other = come_in("dentist")
    go_idle(other)
    assert b"Nobody was here" in other.get("/unlock/").content


def test_the_portal_has_no_empty_rail(cast):
    assert b'class="rail"' not in come_in("patient").get("/my/").content
    assert b'class="rail"' in come_in().get("/today/").content


def test_nobody_ends_a_session_of_somebody_else(cast, desk):
    other = come_in("dentist")
    assert desk.post("/account/sessions/end/", {"session": row_of(other).pk}).status_code == 404
    assert other.get("/today/").status_code == 200


def test_the_account_page_has_the_same_queries_at_1_and_30_sessions(cast, desk):
    desk.get("/account/")
    with CaptureQueriesContext(connection) as one:
        desk.get("/account/")
    for _ in range(29):
        come_in()
    with CaptureQueriesContext(connection) as thirty:
        desk.get("/account/")
    assert len(one) == len(thirty)


@pytest.mark.parametrize("change", ["grant", "revoke", "password", "factor", "staff"])
def test_every_change_of_rights_gives_the_session_a_new_key(cast, desk, change):
    user, old = cast.user("receptionist"), desk.cookies[COOKIE].value
    membership = user.memberships.get()
    if change == "grant":
        membership.grant("biller", by=cast.manager)
    elif change == "revoke":
        membership.grant("biller", by=cast.manager)
        desk.get("/today/")
        old = desk.cookies[COOKIE].value
        membership.revoke("biller", by=cast.manager, because="No longer")
    elif change == "password":
        new = "another-long-password"
        desk.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    elif change == "factor":
        user.renew_recovery_codes(by=cast.actor("receptionist"))
    else:
        User.objects.filter(pk=user.pk).update(is_staff=True)
    assert desk.get("/today/").status_code == 200
    assert desk.cookies[COOKIE].value != old
    thief = Client()
    thief.cookies[COOKIE] = old
    assert thief.get("/today/").status_code == 302
    now = desk.cookies[COOKIE].value
    desk.get("/today/")
    assert desk.cookies[COOKIE].value == now


def test_of_two_requests_at_once_one_renews_the_key_and_none_is_lost(cast, desk):
    first, second = (SessionStore(desk.cookies[COOKIE].value) for _ in range(2))
    first.load()
    second.load()
    first.cycle_key()
    second.cycle_key()
    assert Session.objects.filter(user=cast.user("receptionist")).count() == 1
    assert SessionStore(first.session_key).load()


def test_switching_the_clinic_gives_a_new_key(cast):
    Membership.open(
        user=cast.user("manager"), clinic=cast.outsider.clinic, roles=["manager"], by=cast.outsider.system)
    client = come_in("manager")
    old = client.cookies[COOKIE].value
    client.post("/switch-clinic/", {"clinic": f"staff:{cast.outsider.clinic.pk}"})
    assert client.cookies[COOKIE].value != old


def test_what_was_begun_under_a_membership_that_ended_is_not_done_elsewhere(cast):
    Membership.open(
        user=cast.user("manager"), clinic=cast.outsider.clinic, roles=["manager"], by=cast.outsider.system)
    client = come_in("manager")
    client.post("/switch-clinic/", {"clinic": f"staff:{cast.clinic.pk}"})
    cast.user("dentist").memberships.get().grant("manager", by=cast.system)
    cast.user("manager").memberships.get(clinic=cast.clinic).end(by=cast.system, because="Left")
    form = {"first_name": "Emmy", "last_name": "Noether", "date_of_birth": "1982-03-23", "sex": "female", "country": "US",
            "language": "en", "contact_by": "email"}
    assert client.post("/patients/new/", form).status_code == 403
    assert not Patient.objects.filter(last_name="Noether").exists()
    assert "You are in Next Door Dental now" in client.get("/today/").content.decode()


def test_a_disabled_user_and_an_ended_membership_get_not_one_further_answer(cast, desk):
    dentist = come_in("dentist")
    cast.user("receptionist").disable(by=cast.manager, because="Left")
    cast.user("dentist").memberships.get().end(by=cast.manager, because="Left")
    for headers in ({}, HTMX, {**HTMX, "X-Poll": "1"}):
        answer = desk.get("/today/?after=-", headers=headers)
        assert answer.status_code in (302, 401)
        assert b"Lovelace" not in answer.content
        assert dentist.get("/today/?after=-", headers=headers).status_code == 403
    state = desk.get("/session/").json()
    assert (state["state"], state["who"]) == ("out", "")


def test_the_sheet_names_its_person_and_trusts_no_name(cast, desk):
    User.objects.filter(pk=cast.user("receptionist").pk).update(name="<b>[email]</b>")
    page = desk.get("/patients/").content.decode()
    assert "&lt;b&gt;[email]&lt;/b&gt;, type your password" in page
    assert f'data-who="{cast.user("receptionist").pk}"' in page
    assert "<b>[email]" not in page


def test_the_state_of_a_session_is_told_to_its_own_page(cast, desk):
    told = desk.get("/session/").json()
    assert (told["state"], told["who"]) == ("open", str(cast.user("receptionist").pk))
    go_idle(desk)
    assert desk.get("/session/").json()["state"] == "locked"
    assert Client().get("/session/").json()["state"] == "out"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18 Safari/605.1.15", "Safari on Mac"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605 (KHTML, like Gecko) CriOS/140 Mobile Safari/605", "Chrome on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("", "A browser"),
    ],
)
def test_a_machine_is_named_in_plain_words(agent, words):
    assert machine_in_words(agent) == words


