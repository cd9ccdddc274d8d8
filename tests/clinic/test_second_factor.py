"""A second factor that a clinic requires: nothing opens without it, no code counts twice, nothing stored opens anything."""

import json
from datetime import date, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinic import codes
from clinic.access import guessing
from clinic.db.refusals import Refused
from clinic.mail.post import hand_over
from clinic.models import AuthenticatorApp, Clinic, Passkey, RecoveryCode, User
from tests.cast import PASSWORD
from tests.clinic.test_password_reset import NEW, get_link, set_password
from tests.clinic.test_sessions import COOKIE, HTMX, come_in, go_idle

pytestmark = pytest.mark.wide

DESK = "receptionist@test.example"


def code_now(secret, shift=0):
    return codes.code_at(secret, int(timezone.now().timestamp()) // codes.STEP + shift)


@pytest.fixture
def app(cast):
    """The desk has an app and recovery codes: (secret, codes)."""
    secret, by = codes.new_secret(), cast.actor("receptionist")
    fresh = by.user.add_app(secret, code_now(secret, -1), by=by)
    return secret, fresh


@pytest.fixture
def required(cast):
    cast.clinic.change(by=cast.system, requires_second_factor=True)
    return cast


def password_step(email=DESK, password=PASSWORD):
    client = Client()
    answer = client.post("/sign-in/", {"username": email, "password": password, "next": "/patients/"})
    return client, answer


def show(client, code):
    return client.post("/sign-in/second-step/", {"code": code})


@pytest.mark.parametrize(("second", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")])
def test_codes_are_those_of_the_standard(second, code):
    assert codes.code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", second // 30) == code


def test_a_practice_requires_it_unless_it_says_otherwise():
    assert Clinic(name="New", opened_on=date(2026, 1, 1)).requires_second_factor is True


def test_staff_without_one_set_one_up_and_can_do_nothing_else_before(required):
    client, answer = password_step()
    assert answer.url == "/patients/"
    for path in ("/today/", f"/patients/{required.ada.pk}/", "/account/", "/password/"):
        assert client.get(path).url.startswith("/account/second-step/")
        assert client.post(path).url.startswith("/account/second-step/")
        refused = client.get(path, headers=HTMX)
        assert (refused.status_code, refused["X-Session"]) == (401, "enrol")
        assert b"Lovelace" not in refused.content
    assert "Your practice asks for more than a password" in client.get("/account/second-step/").content.decode()


def test_setting_up_an_app_opens_the_practice_and_shows_recovery_codes_once(required):
    client, _ = password_step()
    page = client.get("/account/second-step/").content.decode()
    secret = page.split('<code class="secret">')[1].split("<")[0].replace(" ", "")
    assert client.post("/account/second-step/", {"code": "000000"}).status_code == 422
    old = client.cookies[COOKIE].value
    shown = client.post("/account/second-step/", {"code": code_now(secret)}).content.decode()
    assert client.cookies[COOKIE].value != old
    assert client.get("/today/").status_code == 200
    fresh = [part.split("<")[0] for part in shown.split("<li><code>")[1:]]
    assert len(set(fresh)) == RecoveryCode.COUNT
    assert fresh[0] not in client.get("/account/").content.decode()


def test_the_admin_asks_for_it_as_every_page_does(required):
    client, _ = password_step("manager@test.example")
    assert client.get("/admin/").url.startswith("/account/second-step/")
    assert client.post("/admin/clinic/operatory/add/").url.startswith("/account/second-step/")
    assert client.get("/admin/login/").status_code in (302, 404)


def test_the_api_knows_no_session_that_waits_for_something(required, app):
    enrolling, _ = password_step("dentist@test.example")
    pending, _ = password_step()
    locked, _ = password_step("coach@test.example")
    assert locked.get("/api/me").status_code == 200
    go_idle(locked)
    for client in (enrolling, pending, locked):
        assert client.get("/api/me").status_code == 401
        assert client.post("/api/patients", "{}", content_type="application/json").status_code == 401


def test_coaches_and_patients_are_not_staff(required):
    for role in ("coach", "patient"):
        client, _ = password_step(f"{role}@test.example")
        assert client.get("/", follow=True).status_code == 200


def test_nothing_that_is_stored_opens_anything(app):
    secret, fresh = app
    with connection.cursor() as cursor:
        for table in ("clinic_authenticatorapp", "clinic_recoverycode", "clinic_historicaluser"):
            cursor.execute(f"SELECT * FROM {table}")
            rows = str(cursor.fetchall())
            assert secret not in rows
            assert all(code not in rows and codes.as_typed(code) not in rows for code in fresh)


def test_the_secret_that_waits_for_its_first_code_is_encrypted_in_the_session(required):
    client, _ = password_step()
    page = client.get("/account/second-step/").content.decode()
    secret = page.split('<code class="secret">')[1].split("<")[0].replace(" ", "")
    assert secret not in str(dict(client.session))


def test_sign_in_asks_for_the_code_and_then_goes_where_one_wanted(app):
    client, answer = password_step()
    assert answer.url == "/sign-in/second-step/"
    assert client.get("/today/").url.startswith("/sign-in/second-step/")
    assert client.get("/session/").json()["state"] == "out"
    assert show(client, "123456").status_code == 422
    assert show(client, code_now(app[0])).url == "/patients/"
    assert client.get("/today/").status_code == 200


def test_a_code_counts_once_even_for_two_who_show_it_together(cast, app):
    code = code_now(app[0])
    (first, _), (second, _) = password_step(), password_step()
    assert show(first, code).status_code == 302
    assert show(second, code).status_code == 422
    row = AuthenticatorApp.objects.get()
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        late = code_now(app[0])
        twin = AuthenticatorApp.objects.get(pk=row.pk)
        assert (row.accept(late), twin.accept(late)) == (True, False)


def test_a_code_of_another_time_is_none(app):
    client, _ = password_step()
    for shift in (-3, 3):
        assert show(client, code_now(app[0], shift)).status_code == 422


def test_a_recovery_code_opens_once_in_any_writing(app):
    client, _ = password_step()
    assert show(client, f" {app[1][0].lower().replace('-', ' ')} ").status_code == 302
    assert "9 of 10 are left" in client.get("/account/").content.decode()
    again, _ = password_step()
    assert show(again, app[1][0]).status_code == 422


def test_a_recovery_code_of_somebody_else_opens_nothing(cast, app):
    assert not RecoveryCode.accept(cast.user("dentist"), app[1][0])
    assert RecoveryCode.accept(cast.user("receptionist"), app[1][0])


def test_wrong_codes_lock_and_then_the_right_one_waits_too(app):
    client, _ = password_step()
    assert [show(client, "000000").status_code for _ in range(guessing.ACCOUNT_LIMIT)] == [422] * 9 + [429]
    assert show(client, code_now(app[0])).status_code == 429
    again, _ = password_step()
    assert show(again, code_now(app[0])).status_code == 429
    hand_over()
    assert "rests for half an hour" in mail.outbox[-1].subject
    with time_machine.travel(timezone.now() + guessing.REST + timedelta(seconds=1)):
        later, _ = password_step()
        assert show(later, code_now(app[0])).status_code == 302


def test_giving_the_right_password_again_does_not_free_the_second_step(app):
    for _ in range(guessing.ACCOUNT_LIMIT):
        client, _ = password_step()
        show(client, "000000")
    client, _ = password_step()
    assert show(client, code_now(app[0])).status_code == 429


def test_the_second_step_waits_ten_minutes(app):
    client, _ = password_step()
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert show(client, code_now(app[0])).url.startswith("/sign-in/")


def test_a_password_that_changed_meanwhile_ends_the_second_step(cast, app):
    client, _ = password_step()
    cast.user("receptionist").change_password(NEW, by=cast.actor("receptionist"))
    assert show(client, code_now(app[0])).url.startswith("/sign-in/")


def test_a_stranger_and_a_signed_in_one_have_no_second_step(cast):
    assert Client().get("/sign-in/second-step/").url.startswith("/sign-in/?")
    assert come_in().get("/sign-in/second-step/").url == "/"


def test_a_mailed_link_does_not_get_past_the_second_factor(app):
    client = Client()
    set_password(client, get_link())
    client, answer = password_step(password=NEW)
    assert answer.url == "/sign-in/second-step/"
    assert client.get("/today/").url.startswith("/sign-in/second-step/")


def test_after_a_pause_the_password_is_enough(app):
    client, _ = password_step()
    show(client, code_now(app[0]))
    go_idle(client)
    assert client.post("/unlock/", {"password": PASSWORD}).status_code == 302
    assert client.get("/today/").status_code == 200


def test_taking_the_last_one_away_where_it_is_required_asks_for_another(required, app):
    client, _ = password_step()
    show(client, code_now(app[0]))
    client.post("/account/second-step/app/remove/")
    assert client.get("/today/").url.startswith("/account/second-step/")
    assert not RecoveryCode.objects.exists()
    other = required.user("receptionist")
    assert "Authenticator app taken away" in other.history.values_list("history_change_reason", flat=True)


def test_a_session_elsewhere_loses_what_it_showed_with_the_factor(required, app):
    (here, _), (there, _) = password_step(), password_step()
    show(here, code_now(app[0]))
    show(there, app[1][0])
    assert there.get("/today/").status_code == 200
    here.post("/account/second-step/app/remove/")
    assert there.get("/today/").url.startswith("/account/second-step/")


def test_a_session_that_never_showed_the_factor_is_asked_for_it_and_cannot_set_up_another(required, sign_in, app):
    client = sign_in("receptionist")
    assert client.get("/today/").url.startswith("/sign-in/second-step/")
    assert client.get("/account/second-step/").url.startswith("/sign-in/second-step/")
    assert show(client, code_now(app[0])).url == "/today/"
    assert client.get("/today/").status_code == 200


def test_what_changes_the_second_factor_asks_for_the_password_again(app):
    client, _ = password_step()
    show(client, code_now(app[0]))
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        for path in ("", "app/remove/", "passkey/remove/", "codes/", "passkey/options/"):
            assert client.post(f"/account/second-step/{path}").url.startswith("/account/confirm/")
    assert AuthenticatorApp.objects.exists()


def test_new_recovery_codes_end_the_old_ones(cast, app):
    client, _ = password_step()
    show(client, code_now(app[0]))
    client.post("/account/second-step/codes/")
    assert not RecoveryCode.accept(cast.user("receptionist"), app[1][0])
    assert RecoveryCode.objects.filter(used_at=None).count() == RecoveryCode.COUNT


def test_recovery_codes_alone_are_no_second_factor(cast):
    client = come_in()
    assert client.post("/account/second-step/codes/").status_code == 409


def test_the_owner_is_told_of_every_change(cast, app):
    hand_over()
    assert [message.to for message in mail.outbox] == [[DESK]] * len(mail.outbox)
    told = len(mail.outbox)
    cast.user("receptionist").remove_app(by=cast.actor("receptionist"))
    hand_over()
    assert len(mail.outbox) == told + 1
    assert "second step" in mail.outbox[-1].subject


def test_who_lost_everything_is_helped_by_a_verb_with_a_reason(cast, app):
    client, _ = password_step()
    show(client, code_now(app[0]))
    cast.user("receptionist").reset_second_factor(by=cast.manager, because="Lost the phone, seen in person")
    assert client.get("/today/").url.startswith("/sign-in/")
    assert password_step()[1].url == "/patients/"
    last = cast.user("receptionist").history.first()
    assert (last.history_user, last.history_change_reason) == (cast.manager.user, "Lost the phone, seen in person")


def test_superusers_always_need_one_where_it_counts(cast, settings):
    client, _ = password_step("root@test.example")
    assert client.get("/account/").status_code == 200
    settings.SUPERUSER_SECOND_FACTOR = True
    assert client.get("/account/").url.startswith("/account/second-step/")


def test_a_wrong_first_code_sets_nothing_up(cast):
    by = cast.actor("receptionist")
    with pytest.raises(Refused, match="not the code"):
        by.user.add_app(codes.new_secret(), "000000", by=by)
    assert not AuthenticatorApp.objects.exists()


@pytest.mark.parametrize("answer", ["", "nonsense", "[]", "{}", "null", '{"id": "AAAA"}', json.dumps({
    "id": "AAAA", "response": {"authenticatorData": "AAAA", "clientDataJSON": "AAAA", "signature": "AAAA"}})])
def test_whatever_a_stranger_sends_as_a_passkey_is_refused_calmly(cast, app, answer):
    by = cast.actor("receptionist")
    Passkey.objects.create(user=by.user, name="Key", credential_id="AAAA", credential="AAAA")
    stranger = Client()
    assert stranger.post("/sign-in/passkey/options/").json()["challenge"]
    assert stranger.post("/sign-in/passkey/", {"passkey": answer}).url == "/sign-in/"
    assert stranger.get("/session/").json()["state"] == "out"
    client, _ = password_step()
    client.post("/sign-in/passkey/options/")
    assert client.post("/sign-in/second-step/", {"passkey": answer}).status_code == 422
    desk = come_in("dentist")
    desk.post("/account/second-step/passkey/options/")
    assert desk.post("/account/second-step/", {"passkey": answer}).status_code == 422
    go_idle(desk)
    assert desk.post("/unlock/", {"passkey": answer}).status_code == 422


def test_a_copied_passkey_shows_by_its_counter(cast):
    key = Passkey.objects.create(user=cast.user("dentist"), name="Key", credential_id="AAAA", credential="AAAA", sign_count=5)
    assert [key.used(count) for count in (6, 6, 5)] == [True, False, False]
    synced = Passkey.objects.create(user=cast.user("dentist"), name="Phone", credential_id="BBBB", credential="BBBB")
    assert [synced.used(0), synced.used(0)] == [True, True]


def test_the_picture_says_who_and_what_to_the_app():
    address = codes.address_of("ABC", "desk@test.example")
    assert address == "otpauth://totp/Chairside%3Adesk%40test.example?secret=ABC&issuer=Chairside"


def test_a_password_alone_opens_no_account_that_has_a_second_factor_in_any_clinic(cast, app):
    assert User.objects.get(email=DESK).has_second_factor
    assert not cast.clinic.requires_second_factor
    assert password_step()[1].url == "/sign-in/second-step/"
