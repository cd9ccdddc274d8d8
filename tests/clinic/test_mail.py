"""A letter is a row of the transaction it tells of; it is handed over at most once, and says nothing about patients."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from clinic.mail.post import hand_over
from clinic.models import Mail, Notification
from config.schedules import SCHEDULES

DESK = "receptionist@test.example"
LOST_AFTER = Mail.LOST_AFTER


@pytest.fixture
def letter(cast):
    return Mail.write(Mail.Kind.PASSWORD_CHANGED, user=cast.user("receptionist"), key="1")


class Broken(EmailBackend):
    """A server that fails where `at` says, as `error`."""

    at, error = "open", OSError("no route to mail.example")

    def open(self):
        if self.at == "open":
            raise self.error

    def send_messages(self, messages):
        raise self.error


@pytest.fixture
def broken(settings, monkeypatch):
    def breaks(at, error):
        monkeypatch.setattr(Broken, "at", at)
        monkeypatch.setattr(Broken, "error", error)
        monkeypatch.setattr("clinic.mail.post.get_connection", Broken)

    return breaks


def test_a_letter_leaves_with_its_transaction_or_not_at_all(cast):
    with transaction.atomic():
        Mail.write(Mail.Kind.PASSWORD_CHANGED, user=cast.user("receptionist"), key="1")
        transaction.set_rollback(True)
    assert hand_over() == 0
    assert mail.outbox == []


def test_the_same_key_is_written_once(cast, letter):
    assert Mail.write(Mail.Kind.PASSWORD_CHANGED, user=cast.user("receptionist"), key="1") is None
    assert Mail.objects.count() == 1


def test_the_job_is_only_nudged_after_the_commit(cast, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        Mail.write(Mail.Kind.PASSWORD_CHANGED, user=cast.user("receptionist"), key="1")
    assert OrmQ.objects.count() == 1
    assert "clinic.tasks.hand_over_mail" in [function for _, function, _ in SCHEDULES]


def test_a_letter_is_handed_over_once(letter):
    assert (hand_over(), hand_over()) == (1, 0)
    assert [message.to for message in mail.outbox] == [[DESK]]
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == ("sent", 1)


def test_of_two_who_claim_one_gets_it(letter):
    now = timezone.now()
    twin = Mail.objects.get(pk=letter.pk)
    assert (letter.claim(now), twin.claim(now)) == (True, False)


def test_who_dies_in_the_middle_leaves_a_letter_that_is_maybe_sent_and_stays_so(letter):
    letter.claim(timezone.now())
    assert hand_over(timezone.now() + LOST_AFTER / 2) == 0
    assert hand_over(timezone.now() + LOST_AFTER + timedelta(seconds=1)) == 0
    letter.refresh_from_db()
    assert letter.state == "maybe_sent"
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("at", "error"),
    [("open", OSError("no route")), ("send", SMTPRecipientsRefused({DESK: (550, b"no such user")}))],
)
def test_what_surely_did_not_leave_is_tried_again_and_given_up_in_the_end(letter, broken, at, error, caplog):
    broken(at, error)
    now = timezone.now()
    for _ in range(Mail.TRIES):
        assert hand_over(now) == 0
        now += timedelta(hours=1)
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == ("failed", Mail.TRIES)
    assert DESK not in caplog.text


def test_a_try_that_failed_waits_before_the_next(letter, broken):
    broken("open", OSError("no route"))
    hand_over()
    letter.refresh_from_db()
    assert letter.state == "due"
    assert letter.due_at > timezone.now() + timedelta(minutes=1)


def test_a_line_that_breaks_in_the_middle_is_maybe_sent_and_not_sent_again(letter, broken):
    broken("send", SMTPServerDisconnected("Connection unexpectedly closed"))
    assert (hand_over(), hand_over(timezone.now() + timedelta(days=1))) == (0, 0)
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == ("maybe_sent", 1)


def test_a_user_who_was_disabled_meanwhile_gets_no_letter(cast, letter):
    cast.user("receptionist").disable(by=cast.manager, because="Left")
    hand_over()
    letter.refresh_from_db()
    assert letter.state == "nobody"


@pytest.mark.parametrize("kind", sorted(set(Mail.Kind.values) - {Mail.Kind.CODE}))  # tests/clinic/test_portal_access.py
def test_every_letter_says_what_happened_and_nothing_about_patients(cast, kind):
    address = "new@test.example" if kind in ("confirm_address", "address_changed") else ""
    if kind == "digest":
        Notification.tell(cast.clinic, "another_time", key="1", url="/today/")
    Mail.write(kind, user=cast.user("receptionist"), address=address, key="1", site="http://testserver")
    assert hand_over() == 1
    (message,) = mail.outbox
    assert message.to == [address or DESK]
    assert message.body.startswith("Hello Receptionist Test,")
    assert "Lovelace" not in message.body
    assert ("http://testserver/" in message.body) is (kind in ("reset", "confirm_address", "welcome", "digest"))


def test_old_letters_are_forgotten_and_what_was_typed_for_nobody_after_a_day(cast, letter):
    Mail.write(Mail.Kind.RESET, address="stranger@elsewhere.example", key="2")
    hand_over()
    assert Mail.forget_old(timezone.now() + timedelta(days=1, minutes=1)) == 1
    assert Mail.forget_old(timezone.now() + Mail.KEEP + timedelta(minutes=1)) == 1
