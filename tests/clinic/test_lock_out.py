"""Wrong tries lock an account or a source; nobody learns from it who exists, and the owner is told once."""

import logging
from datetime import timedelta
from ipaddress import ip_network

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.access import guessing
from clinic.access.source import caller, network_of
from clinic.db.refusals import Refused
from clinic.mail.post import hand_over
from clinic.models import Mail
from tests.cast import PASSWORD

pytestmark = pytest.mark.wide

DESK, UNKNOWN = "receptionist@test.example", "unknown@test.example"


def attempt(email, password="wrong-password", source="10.0.0.1", **headers):  # noqa: S107
    return Client(REMOTE_ADDR=source).post("/sign-in/", {"username": email, "password": password}, headers=headers)


def lock(email, source="10.0.0.1"):
    return [attempt(email, source=source).status_code for _ in range(guessing.ACCOUNT_LIMIT)]


def test_the_tenth_wrong_password_locks_and_then_the_right_one_waits_too(cast):
    assert lock(DESK) == [422] * 9 + [429]
    answer = attempt(DESK, PASSWORD)
    assert answer.status_code == 429
    assert "rests for 30 minutes" in answer.content.decode()


def test_after_the_rest_the_right_password_signs_in(cast):
    lock(DESK)
    with time_machine.travel(timezone.now() + guessing.REST + timedelta(seconds=1)):
        assert attempt(DESK, PASSWORD).status_code == 302


def test_tries_during_the_rest_do_not_make_it_longer(cast):
    lock(DESK)
    with time_machine.travel(timezone.now() + guessing.REST - timedelta(minutes=1)):
        attempt(DESK)
    with time_machine.travel(timezone.now() + guessing.REST + timedelta(seconds=1)):
        assert attempt(DESK, PASSWORD).status_code == 302


def test_an_address_that_nobody_has_and_a_disabled_one_lock_the_very_same_way(cast):
    cast.user("dentist").disable(by=cast.manager, because="Left")
    pages = set()
    for number, email in enumerate((DESK, UNKNOWN, "dentist@test.example")):
        assert lock(email, f"10.0.1.{number}") == [422] * 9 + [429]
        page = attempt(email, PASSWORD, f"10.0.1.{number}").content.replace(email.encode(), b"")
        pages.add(page.split(b"csrfmiddlewaretoken")[0])
    assert len(pages) == 1


def test_every_path_does_the_same_work(cast, monkeypatch):
    """One hash, whatever the address: else the time would tell. The same queries, too."""
    hashes, encode = [], MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashes.append(1) or encode(*args))
    cast.user("dentist").disable(by=cast.manager, because="Left")
    lock("hygienist@test.example", "10.0.2.1")
    lock("nobody-at-all@test.example", "10.0.2.2")
    work = {}
    for email in (DESK, UNKNOWN, "dentist@test.example", "hygienist@test.example", "nobody-at-all@test.example"):
        hashes.clear()
        with CaptureQueriesContext(connection) as queries:
            attempt(email, source="10.0.3.1")
        work[email] = (len(hashes), len(queries))
    assert {hashed for hashed, _ in work.values()} == {1}
    assert work[DESK] == work[UNKNOWN] == work["dentist@test.example"]
    assert work["hygienist@test.example"] == work["nobody-at-all@test.example"]


def test_locking_a_known_and_an_unknown_address_takes_the_same_queries(cast):
    counts = set()
    for number, email in enumerate((DESK, UNKNOWN)):
        for _ in range(guessing.ACCOUNT_LIMIT - 1):
            attempt(email, source=f"10.0.4.{number}")
        with CaptureQueriesContext(connection) as queries:
            assert attempt(email, source=f"10.0.4.{number}").status_code == 429
        counts.add(len(queries))
    assert len(counts) == 1


def test_one_source_may_try_so_often_over_all_accounts(cast):
    for number in range(guessing.SOURCE_LIMIT):
        attempt(f"somebody{number}@test.example")
    assert attempt(DESK, PASSWORD).status_code == 429
    assert attempt(DESK, PASSWORD, source="10.0.0.2").status_code == 302


def test_a_forged_header_never_moves_the_source(cast):
    for number in range(guessing.SOURCE_LIMIT):
        attempt(f"somebody{number}@test.example", **{"X-Forwarded-For": f"192.0.2.{number}", "X-Real-IP": "192.0.2.9"})
    assert attempt(DESK, PASSWORD, **{"X-Forwarded-For": "192.0.2.200"}).status_code == 429
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"10.0.0.1"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("203.0.113.5", "198.51.100.7", "203.0.113.5"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_names_the_source_and_nobody_left_of_it_does(peer, forwarded, source):
    assert caller(peer, forwarded, [ip_network("10.0.0.0/8")]) == source


@pytest.mark.parametrize(
    ("peer", "source"),
    [("2001:db8:1:2:3::4", "2001:db8:1:2::"), ("::ffff:10.1.2.3", "10.1.2.3"), ("10.1.2.3", "10.1.2.3"), ("", None)],
)
def test_the_network_of_one_ipv6_customer_is_one_source(peer, source):
    assert network_of(RequestFactory(REMOTE_ADDR=peer).get("/")) == source


def test_the_owner_is_told_once_a_lock_and_nobody_for_an_unknown_address(cast):
    lock(DESK)
    lock(UNKNOWN, "10.0.0.2")
    attempt(DESK)
    hand_over()
    assert [letter.to for letter in mail.outbox] == [[DESK]]
    assert "rests for half an hour" in mail.outbox[0].body
    assert sorted(Mail.objects.values_list("state", flat=True)) == ["nobody", "sent"]


def test_a_whole_sign_in_starts_the_count_anew(cast):
    for _ in range(guessing.ACCOUNT_LIMIT - 1):
        attempt(DESK)
    assert attempt(DESK, PASSWORD).status_code == 302
    assert [attempt(DESK).status_code for _ in range(guessing.ACCOUNT_LIMIT - 1)] == [422] * 9


def test_signing_in_with_an_account_of_ones_own_does_not_free_the_source(cast):
    for number in range(guessing.SOURCE_LIMIT - 1):
        attempt(f"somebody{number}@test.example")
    assert attempt(DESK, PASSWORD).status_code == 302
    attempt(UNKNOWN)
    assert attempt("dentist@test.example", PASSWORD).status_code == 429


def test_a_locked_user_can_be_unlocked_with_a_reason(cast):
    lock(DESK)
    user = cast.user("receptionist")
    assert user.is_locked_out
    user.unlock(by=cast.manager, because="Called from the desk")
    assert not user.is_locked_out
    last = user.history.first()
    assert (last.history_user, last.history_change_reason) == (cast.manager.user, "Called from the desk")
    assert attempt(DESK, PASSWORD).status_code == 302
    with pytest.raises(Refused, match="nothing to unlock"):
        user.unlock(by=cast.manager, because="Once more")


def test_a_command_unlocks_where_nobody_else_can(cast, capsys):
    lock(DESK)
    call_command("unlock_user", DESK, because="The manager is locked out too")
    assert not cast.user("receptionist").is_locked_out
    with pytest.raises(CommandError, match="Nobody signs in"):
        call_command("unlock_user", UNKNOWN, because="x")
    with pytest.raises(CommandError, match="nothing to unlock"):
        call_command("unlock_user", DESK, because="x")


def test_a_command_unlocks_a_source_at_once(cast, capsys, caplog):
    for number in range(guessing.SOURCE_LIMIT):
        attempt(f"somebody{number}@test.example", source="2001:db8::7")
    lock("dentist@test.example", source="10.0.0.9")
    assert attempt(DESK, PASSWORD, source="2001:db8::8").status_code == 429
    call_command("unlock_source", "2001:db8::7", because="The desk rang")
    assert "2001:db8::" in capsys.readouterr().out
    assert "The desk rang" in caplog.text
    assert attempt(DESK, PASSWORD, source="2001:db8::8").status_code == 302
    assert attempt("dentist@test.example", PASSWORD, source="10.0.0.9").status_code == 429
    with pytest.raises(CommandError, match="nothing to unlock"):
        call_command("unlock_source", "2001:db8::7", because="x")
    with pytest.raises(CommandError, match="not an IP address"):
        call_command("unlock_source", "the desk", because="x")


def test_a_manager_who_unlocks_somebody_frees_the_place_where_both_are(cast, sign_in):
    for number in range(guessing.SOURCE_LIMIT):
        attempt(f"somebody{number}@test.example", source="127.0.0.1")
        attempt(f"somebody{number}@test.example", source="10.0.0.9")
    manager, user = sign_in("manager"), cast.user("receptionist")
    page = manager.get(f"/admin/clinic/user/{user.pk}/change/").content.decode()
    act = f"/admin/clinic/user/{user.pk}/act/unlock/"
    assert act in page
    assert manager.post(act, {"because": "Typed the old one"}).status_code == 302
    assert attempt(DESK, PASSWORD, source="127.0.0.1").status_code == 302
    assert attempt("dentist@test.example", PASSWORD, source="10.0.0.9").status_code == 429
    assert act not in manager.get(f"/admin/clinic/user/{user.pk}/change/").content.decode()


def test_nothing_that_was_typed_is_kept_or_logged(cast, caplog):
    with caplog.at_level(logging.DEBUG):
        lock("my-password-by-mistake@test.example")
        lock(DESK, "10.0.0.2")
        attempt(DESK, PASSWORD, "10.0.0.2")
    assert "by-mistake" not in caplog.text
    assert DESK not in caplog.text
    with connection.cursor() as cursor:
        for table in ("axes_accessattempt", "clinic_mail"):
            cursor.execute(f"SELECT * FROM {table}")
            rows = str(cursor.fetchall())
            assert "by-mistake" not in rows
            assert DESK not in rows
            assert "wrong-password" not in rows
