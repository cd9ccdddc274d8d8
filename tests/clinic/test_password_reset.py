"""A forgotten password and a new address, by mailed links that tell nobody who exists and that the database can't open."""

import logging
import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.access import guessing
from clinic.mail.post import hand_over
from clinic.models import Mail, MailedLink, Session, User
from tests.cast import PASSWORD
from tests.clinic.test_sessions import come_in

pytestmark = pytest.mark.wide

DESK, NEW = "receptionist@test.example", "another-long-password"


def ask(email=DESK, source="10.0.0.1"):
    return Client(REMOTE_ADDR=source).post("/forgotten/", {"email": email})


def mailed_link(index=-1):
    """The address in the newest letter, as a mail program would open it."""
    return re.search(r"http://testserver(/\S+)", mail.outbox[index].body).group(1)


def get_link(email=DESK):
    ask(email)
    hand_over()
    return mailed_link()


def set_password(client, path, password=NEW):
    client.get(path)
    return client.post("/reset/", {"new_password1": password, "new_password2": password})


def test_known_unknown_and_disabled_addresses_get_the_same_answer_with_the_same_work(cast):
    cast.user("dentist").disable(by=cast.manager, because="Left")
    ask("the-first-one-finds-the-data-key@test.example")
    seen = set()
    for email in (DESK, "unknown@test.example", "dentist@test.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(email)
        seen.add((answer.status_code, answer.url, tuple(query["sql"].split(" ")[0] for query in queries)))
    assert len(seen) == 1
    hand_over()
    assert [letter.to for letter in mail.outbox] == [[DESK]]


def test_a_mailed_link_sets_a_new_password_and_tells_the_owner(cast):
    client = Client()
    assert set_password(client, get_link()).url == "/sign-in/"
    hand_over()
    assert "was changed" in mail.outbox[-1].subject
    assert client.post("/sign-in/", {"username": DESK, "password": PASSWORD}).status_code == 422
    assert client.post("/sign-in/", {"username": DESK, "password": NEW}).status_code == 302


def test_the_link_is_good_for_one_use(cast):
    path = get_link()
    set_password(Client(), path)
    again = Client()
    again.get(path)
    assert "This link has ended" in again.get("/reset/").content.decode()
    assert again.post("/reset/", {"new_password1": "x" * 20, "new_password2": "x" * 20}).status_code == 200
    assert cast.user("receptionist").check_password(NEW)


def test_two_who_opened_it_cannot_both_use_it(cast):
    path, first, second = get_link(), Client(), Client()
    first.get(path)
    second.get(path)
    set_password(first, path)
    answer = second.post("/reset/", {"new_password1": "x" * 20, "new_password2": "x" * 20})
    assert "This link has ended" in answer.content.decode()


def test_the_link_ends_after_an_hour(cast):
    path = get_link()
    with time_machine.travel(timezone.now() + MailedLink.LASTS + timedelta(seconds=1)):
        assert "This link has ended" in Client().get(path, follow=True).content.decode()


def test_a_newer_link_ends_the_older_one(cast):
    first = get_link()
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        second = get_link()
        assert "This link has ended" in Client().get(first, follow=True).content.decode()
        assert "New password" in Client().get(second, follow=True).content.decode()


def test_a_mail_scanner_that_opens_the_link_uses_nothing_up(cast):
    path = get_link()
    for _ in range(3):
        Client().get(path, follow=True)
    assert set_password(Client(), path).url == "/sign-in/"


def is_shown(record):
    """Whether the installation's logs keep this line; the test listens to every level."""
    level = settings.LOGGING["loggers"].get(record.name, settings.LOGGING["root"])["level"]
    return record.levelno >= logging.getLevelName(level)


def test_nothing_in_the_database_or_the_logs_opens_the_account(cast, caplog):
    with caplog.at_level(logging.DEBUG):
        path = get_link()
        Client().get(path, follow=True)
        Client().get("/reset/not-a-secret/", follow=True)
        assert Client(enforce_csrf_checks=True).post(path).status_code == 405
    secret = path.split("/")[2]
    assert all(secret not in record.getMessage() for record in caplog.records if is_shown(record))
    with connection.cursor() as cursor:
        for table in ("clinic_mailedlink", "clinic_mail", "clinic_session"):
            cursor.execute(f"SELECT * FROM {table}")
            assert secret not in str(cursor.fetchall())
    assert all(secret not in str(row.get_decoded()) for row in Session.objects.all())


def test_the_secret_stays_out_of_the_referer_and_of_every_page(cast):
    path, client = get_link(), Client()
    first = client.get(path)
    assert (first.url, first["Referrer-Policy"]) == ("/reset/", "no-referrer")
    page = client.get("/reset/")
    assert path.split("/")[2] not in page.content.decode()


def test_a_new_password_ends_every_session_and_signs_nobody_in(cast):
    desk, client = come_in(), Client()
    set_password(client, get_link())
    assert desk.get("/today/").url.startswith("/sign-in/")
    assert client.get("/today/").url.startswith("/sign-in/")


def test_a_reset_does_not_end_a_lock(cast):
    for _ in range(guessing.ACCOUNT_LIMIT):
        Client().post("/sign-in/", {"username": DESK, "password": "wrong"})
    set_password(Client(), get_link())
    assert Client().post("/sign-in/", {"username": DESK, "password": NEW}).status_code == 429


def test_a_weak_new_password_is_refused_and_the_link_stays_good(cast):
    path, client = get_link(), Client()
    assert set_password(client, path, "short").status_code == 422
    assert set_password(client, path).status_code == 302


def test_one_address_gets_one_link_in_five_minutes(cast):
    ask()
    ask()
    hand_over()
    assert len(mail.outbox) == 1


def test_one_source_cannot_ask_without_end(cast):
    answers = [ask(f"somebody{number}@test.example").status_code for number in range(Mail.A_SOURCE_AN_HOUR + 1)]
    assert answers == [302] * Mail.A_SOURCE_AN_HOUR + [429]
    assert ask(DESK, source="10.0.0.2").status_code == 302


def test_the_host_of_the_link_is_one_that_is_allowed(cast):
    answer = Client().post("/forgotten/", {"email": DESK}, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert not Mail.objects.exists()


@pytest.fixture
def desk(cast):
    return come_in()


def change_address(client, email="desk@new.example"):
    answer = client.post("/account/address/", {"email": email})
    hand_over()
    return answer


def test_a_new_address_counts_once_its_link_was_opened_and_confirmed(cast, desk):
    assert change_address(desk).url == "/account/"
    assert mail.outbox[-1].to == ["desk@new.example"]
    path, reader = mailed_link(), Client()
    assert reader.get(path).url == "/account/address/confirm/"
    assert cast.user("receptionist").email == DESK
    page = reader.get("/account/address/confirm/")
    assert "desk@new.example" in page.content.decode()
    reader.post("/account/address/confirm/")
    assert not User.objects.filter(email=DESK).exists()
    hand_over()
    assert mail.outbox[-1].to == [DESK]
    assert Client().post("/sign-in/", {"username": "desk@new.example", "password": PASSWORD}).status_code == 302
    old_key = desk.cookies["chairside_session"].value
    desk.get("/today/")
    assert desk.cookies["chairside_session"].value != old_key


def test_an_address_that_somebody_has_gets_no_letter_and_the_same_answer(cast, desk):
    taken, free = change_address(desk, "dentist@test.example"), change_address(desk, "free@new.example")
    assert (taken.status_code, taken.url) == (free.status_code, free.url)
    assert [letter.to for letter in mail.outbox] == [["free@new.example"]]


def test_an_address_that_somebody_took_meanwhile_is_refused(cast, desk):
    change_address(desk)
    User.objects.create_user("desk@new.example", PASSWORD, name="Quicker")
    reader = Client()
    reader.get(mailed_link())
    assert reader.post("/account/address/confirm/").status_code == 409
    assert cast.user("receptionist").email == DESK


def test_the_address_is_changed_only_after_the_password_was_shown_lately(cast, desk):
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert desk.get("/account/address/").url == "/account/confirm/?next=%2Faccount%2Faddress%2F"
        assert desk.post("/account/confirm/", {"password": "wrong"}).status_code == 422
        assert desk.post("/account/confirm/", {"password": PASSWORD, "next": "/account/address/"}).url == "/account/address/"
        assert desk.get("/account/address/").status_code == 200


def test_a_link_for_a_password_is_none_for_an_address(cast):
    secret = get_link().split("/")[2]
    assert "This link has ended" in Client().get(f"/account/address/{secret}/", follow=True).content.decode()


def test_links_are_forgotten_a_day_after_they_ended(cast):
    get_link()
    assert MailedLink.forget_old(timezone.now() + timedelta(hours=24)) == 0
    assert MailedLink.forget_old(timezone.now() + timedelta(hours=25, minutes=1)) == 1
