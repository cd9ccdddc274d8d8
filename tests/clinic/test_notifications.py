"""Notifications: each once by its key, to whom wants them, without a name; the bell costs other pages nothing."""

import re

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.mail.post import hand_over
from clinic.models import Mail, Notification, NotificationChoices
from clinic.models.membership import Membership
from clinic.notices import NOTICES, Notice, add


@pytest.fixture(autouse=True)
def kind():
    add(Notice("daily", "Something waits", "scheduling.confirm", usual="digest"))
    yield
    NOTICES.pop("daily")


@pytest.fixture
def tell(cast):
    def tells(key="1", kind="daily", **more):
        Notification.tell(cast.clinic, kind, key=key, url="/today/", **more)

    return tells


def told(cast, role="receptionist"):
    return Notification.objects.filter(user=cast.user(role))


def choose(cast, role="receptionist", **values):
    mine = NotificationChoices.of(cast.actor(role))
    mine.choose(by=cast.actor(role), version=mine.version, **values)


def test_a_person_is_told_of_a_key_once(cast, tell):
    for _ in range(3):
        tell("1")
    tell("2")
    assert told(cast).count() == 2


def test_those_are_told_whom_it_concerns(cast, tell):
    tell()
    people = {row.user.email.split("@")[0] for row in Notification.objects.all()}
    assert people == {"receptionist", "coordinator", "manager"}
    tell("2", roles=["dentist"])
    tell("3", users=[cast.user("biller")])
    assert (told(cast, "dentist").count(), told(cast, "biller").count(), told(cast).count()) == (1, 1, 1)


def test_who_left_or_did_it_themselves_is_not_told(cast, tell):
    Membership.objects.get(user=cast.user("coordinator")).end(by=cast.manager, because="Left")
    tell(by=cast.desk)
    assert {row.user.email.split("@")[0] for row in Notification.objects.all()} == {"manager"}


@pytest.mark.parametrize(("choice", "rows", "in_digest"), [("off", 0, 0), ("bell", 1, 0), ("digest", 1, 1)])
def test_what_a_person_is_told_is_theirs_to_choose(cast, tell, choice, rows, in_digest):
    choose(cast, choices={"daily": choice})
    tell()
    assert (told(cast).count(), told(cast).filter(in_digest=True).count()) == (rows, in_digest)
    assert told(cast, "manager").count() == 1


# The bell and the list


def test_the_bell_answers_204_until_something_changes(cast, tell, desk_client):
    assert desk_client.get("/notifications/bell/?after=0-0.000000").status_code == 204
    tell()
    answer = desk_client.get("/notifications/bell/?after=0-0.000000")
    assert "Notifications, 1 new" in answer.content.decode()
    assert desk_client.get(f"/notifications/bell/?after={answer['X-Change-Token']}").status_code == 204


def test_the_bell_adds_no_query_to_a_page_and_takes_one_itself(cast, tell, desk_client):
    def queries(path):
        desk_client.get(path)
        with CaptureQueriesContext(connection) as seen:
            desk_client.get(path)
        return [query["sql"] for query in seen]

    tell()
    page = desk_client.get("/practice/codes/").content.decode()
    assert 'data-poll="/notifications/bell/"' in page
    assert not [sql for sql in queries("/practice/codes/") if "clinic_notification" in sql]
    assert len([sql for sql in queries("/notifications/bell/") if "clinic_notification" in sql]) == 1


def test_opening_one_marks_it_read_and_leads_on(cast, tell, desk_client):
    tell()
    row = told(cast).get()
    assert "Something waits" in desk_client.get("/notifications/").content.decode()
    answer = desk_client.post(f"/notifications/{row.pk}/open/", {"once": "a" * 20})
    assert answer.url == "/today/"
    row.refresh_from_db()
    assert row.read_at is not None
    assert told(cast, "manager").get().read_at is None


def test_all_are_read_at_once_and_only_ones_own(cast, tell, desk_client):
    tell("1")
    tell("2")
    desk_client.post("/notifications/read/", {"once": "a" * 20})
    assert (told(cast).unread().count(), told(cast, "manager").unread().count()) == (0, 2)


def test_nobody_opens_another_persons(cast, tell, desk_client):
    tell()
    row = told(cast, "manager").get()
    assert desk_client.post(f"/notifications/{row.pk}/open/").status_code == 404
    row.refresh_from_db()
    assert row.read_at is None


def test_the_list_takes_the_same_queries_for_one_and_for_thirty(cast, tell, desk_client):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            desk_client.get("/notifications/")
        return len(seen)

    tell("0")
    queries()
    one = queries()
    for number in range(1, 30):
        tell(str(number))
    assert queries() == one


# The daily e-mail


def test_the_daily_mail_leaves_once_at_the_chosen_hour_and_only_counts(cast, tell, at):
    choose(cast, digest_hour=9)
    choose(cast, "manager", choices={"daily": "off"})
    choose(cast, "coordinator", choices={"daily": "bell"})
    for key in "123":
        tell(key)
    written = {hour: Notification.write_digests(at(f"2026-12-01 {hour}")) for hour in ("8:50", "9:00", "9:10", "23:50")}
    assert [hour for hour, count in written.items() if count] == ["9:00"]
    assert hand_over() == 1
    (letter,) = mail.outbox
    assert letter.to == ["receptionist@test.example"]
    assert "3 things wait for you in Chairside" in letter.body
    assert "Something" not in letter.body


def test_a_second_letter_on_the_same_day_or_about_the_same_things_is_not_written(cast, tell, at):
    tell("1", users=[cast.user("receptionist")])
    assert Notification.write_digests(at("2026-12-01 9:00")) == 1
    tell("2", users=[cast.user("receptionist")])
    assert Notification.write_digests(at("2026-12-01 12:00")) == 0  # tomorrow
    assert Notification.write_digests(at("2026-12-02 9:00")) == 1
    assert Notification.write_digests(at("2026-12-03 9:00")) == 0  # nothing new


def test_what_was_read_meanwhile_is_not_mailed(cast, tell, at):
    tell(users=[cast.user("receptionist")])
    Notification.write_digests(at("2026-12-01 9:00"))
    told(cast).mark_read()
    assert hand_over() == 0
    assert Mail.objects.get().state == "nobody"


# One's choices


def form_of(client):
    page = client.get("/account/").content.decode()
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    kinds = dict.fromkeys(re.findall(r'<select name="(\w+)"', page), "off")
    return kinds | {"version": version, "digest_hour": 6, "once": "a" * 20}


def test_the_account_page_offers_what_concerns_a_person_and_keeps_their_choice(cast, sign_in):
    client = sign_in("receptionist")
    sent = form_of(client)
    assert "another_time" in sent
    assert client.post("/account/notifications/", sent).status_code == 302
    mine = NotificationChoices.objects.get()
    assert (mine.user, mine.digest_hour, mine.choices["another_time"]) == (cast.user("receptionist"), 6, "off")
    assert client.post("/account/notifications/", sent | {"once": "b" * 20, "digest_hour": 5}).status_code == 409  # an old page
    assert client.post("/account/notifications/", form_of(client) | {"another_time": "shout", "once": "c" * 20}).status_code == 422
    assert "another_time" not in form_of(sign_in("dentist"))
