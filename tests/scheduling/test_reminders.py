"""Reminders: each once, at the right time, to whom wants them; a link answers once; nothing drops off the board."""

import os
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.access import guessing
from clinic.db.refusals import Refused
from clinic.mail import sms
from clinic.mail.post import hand_over
from clinic.models import AccessEvent, Notification, PatientLink
from scheduling import reminders
from scheduling.models import (
    ContactAttempt,
    FreedSlot,
    FrontDesk,
    Offer,
    OfferLetter,
    Reminder,
    TimeWish,
    WaitlistEntry,
)
from tests.factories import PatientFactory

VISIT = "2027-03-16 9:00"  # a Tuesday; the clocks changed on Sunday
ASKED = "2027-03-15 10:00"
GUESSES = 10_000 if "CAMPAIGN" in os.environ else 60


@pytest.fixture
def booked(book, at):
    """`booked()`: the visit, arranged a month before."""

    def make(when=VISIT, on="2027-02-16 9:00", **values):
        with time_machine.travel(at(on), tick=False):
            return book(when, **values)

    return make


@pytest.fixture
def run(at):
    """`run("2027-03-15 10:00")`: both jobs at that moment; how many left."""

    def runs(text):
        with time_machine.travel(at(text), tick=False):
            Reminder.write_due()
            return hand_over()

    return runs


@pytest.fixture
def link(cast, booked, run):
    """The link of the day's reminder as it came by mail, and the visit."""
    visit = booked()
    run(ASKED)
    return path_in(mail.outbox[-1].body), visit


@pytest.fixture
def phone(at):
    """The patient's browser, on the day before the visit."""
    with time_machine.travel(at("2027-03-15 12:00"), tick=False):
        yield Client()


def path_in(text):
    return re.search(r"http://\S+?(/[vo]/\S+/)", text)[1]


def about(visit):
    return list(Reminder.objects.filter(appointment=visit).order_by("created_at"))


# When


def test_a_visit_is_reminded_of_a_week_and_a_day_before_each_once(booked, run):
    booked()
    left = {when: run(when) for when in (
        "2027-03-09 9:50", "2027-03-09 10:00", "2027-03-09 10:10", "2027-03-12 10:00", "2027-03-15 9:50",
        "2027-03-15 10:00", "2027-03-15 10:10", "2027-03-16 8:50", "2027-03-16 9:10")}  # fmt: skip
    assert [when for when, count in left.items() if count] == ["2027-03-09 10:00", "2027-03-15 10:00"]
    assert [reminder.kind for reminder in Reminder.objects.order_by("created_at")] == ["week", "day"]


@pytest.mark.parametrize(
    ("when", "kinds"),
    [
        ("2027-03-11 15:00", ["week"]),  # two days late
        ("2027-03-11 03:00", []),  # not at night
        ("2027-03-16 8:30", ["day"]),  # on the morning itself
        ("2027-03-16 9:00", []),  # the visit has begun
    ],
)
def test_a_missed_run_is_made_up_for_at_a_decent_hour_as_long_as_it_helps(booked, run, when, kinds):
    visit = booked()
    run(when)
    assert [reminder.kind for reminder in about(visit)] == kinds


def test_a_clock_that_jumps_ahead_and_back_reminds_once(booked, run):
    visit = booked()
    for when in ("2027-03-15 10:00", "2027-04-20 10:00", "2027-03-09 10:00", "2027-03-15 10:00"):
        run(when)
    assert sorted(reminder.kind for reminder in about(visit)) == ["day", "week"]
    assert len(mail.outbox) == 2


@pytest.mark.parametrize(
    ("on", "kinds"),
    [("2027-03-08 9:50", ["week", "day"]), ("2027-03-08 10:10", ["day"]), ("2027-03-14 11:00", [])],
)
def test_nobody_is_reminded_of_what_they_have_just_arranged(booked, run, on, kinds):
    visit = booked(on=on)
    run("2027-03-09 10:00")
    run(ASKED)
    assert [reminder.kind for reminder in about(visit)] == kinds


def test_a_moved_visit_is_reminded_of_anew_and_the_old_time_no_more(cast, booked, run, at):
    visit = booked()
    with time_machine.travel(at("2027-03-09 9:59"), tick=False):
        Reminder.write_due(at("2027-03-09 10:00"))
        visit.reschedule(by=cast.desk, starts_at=at("2027-03-26 9:00"))
    assert run("2027-03-09 10:00") == 0
    assert [run("2027-03-19 10:00"), run("2027-03-25 10:00")] == [1, 1]
    assert [reminder.state for reminder in about(visit)] == ["nobody", "sent", "sent"]


@pytest.mark.parametrize("change", ["cancel", "confirm", "unwanted", "address"])
def test_whether_it_should_go_is_asked_again_when_it_leaves(cast, booked, at, change):
    visit = booked()
    Reminder.write_due(at(ASKED))
    if change == "cancel":
        visit.cancel(by=cast.desk, because="Ill")
    elif change == "confirm":
        visit.confirm(by=cast.desk)
    else:
        cast.ada.change(by=cast.desk, **({"wants_reminders": False} if change == "unwanted" else {"email": ""}))
    assert hand_over(at(ASKED)) == 0
    assert [reminder.state for reminder in about(visit)] == ["nobody"]


def test_what_could_not_leave_by_day_waits_for_the_morning(booked, at):
    visit = booked()
    Reminder.write_due(at("2027-03-09 19:50"))
    assert hand_over(at("2027-03-09 21:00")) == 0
    (reminder,) = about(visit)
    assert (reminder.state, reminder.attempts, reminder.due_at) == ("due", 0, at("2027-03-10 8:00"))
    assert hand_over(at("2027-03-10 8:00")) == 1


def test_a_clinic_may_send_nothing_by_itself_and_chooses_the_hour(cast, booked, run):
    visit = booked()
    desk = FrontDesk(reminds_by_itself=False).record(by=cast.manager)
    assert run(ASKED) == 0
    desk.change(by=cast.manager, reminds_by_itself=True, reminder_hour=12)
    assert (run(ASKED), run("2027-03-15 12:00")) == (0, 1)
    assert len(about(visit)) == 1


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "America/Sao_Paulo"]
)
def test_ten_o_clock_is_ten_by_the_wall_everywhere(zone):
    for day in range(1, 29):
        visit_at = datetime(2027, 4, day, 9, tzinfo=ZoneInfo(zone))
        for kind in reminders.DAYS_BEFORE:
            assert reminders.due_at(kind, visit_at, ZoneInfo(zone), 10).astimezone(ZoneInfo(zone)).hour == 10


# To whom, and what it says


class Texts(list):
    error = None

    def __call__(self):
        return self

    def send(self, to, text):
        if self.error:
            raise self.error
        self.append((to, text))


@pytest.fixture
def texts(monkeypatch):
    sent = Texts()
    monkeypatch.setattr("clinic.mail.sms.import_string", lambda path: sent)
    return sent


def test_a_text_message_goes_to_whom_wants_texts(cast, booked, run, texts):
    cast.ada.change(by=cast.desk, contact_by="sms")
    booked()
    assert run(ASKED) == 1
    ((to, text),) = texts
    assert to == "+12015550123"
    assert text.startswith("Harbour Dental: a visit of yours is coming up. Do you come? http://")
    assert mail.outbox == []


@pytest.mark.parametrize(("error", "state"), [(sms.NotSent(), "due"), (TimeoutError(), "maybe_sent")])
def test_a_sender_says_whether_a_text_surely_did_not_leave(cast, booked, run, texts, error, state):
    cast.ada.change(by=cast.desk, contact_by="sms")
    visit = booked()
    texts.error = error
    assert run(ASKED) == 0
    assert [reminder.state for reminder in about(visit)] == [state]


@pytest.mark.parametrize("values", [{"contact_by": "phone"}, {"contact_by": "post"}, {"email": ""}, {"wants_reminders": False}])
def test_who_cannot_or_will_not_be_written_to_stands_on_the_board_alone(cast, booked, run, sign_in, at, values):
    cast.ada.change(by=cast.desk, **values)
    booked()
    assert run(ASKED) == 0
    assert not Reminder.objects.exists()
    with time_machine.travel(at(ASKED), tick=False):
        page = sign_in("receptionist").get("/visits/unconfirmed/").content.decode()
    said = {"contact_by": "Wants a call", "email": "No e-mail address", "wants_reminders": "Wants no reminders"}
    assert "Lovelace, Ada" in page
    assert said[next(iter(values))] in page


def test_a_visit_of_a_patient_who_was_merged_is_told_to_the_one_person(cast, booked, run):
    booked(patient=cast.grace)
    cast.grace.merge_into(cast.ada, by=cast.manager, because="Same person")
    assert run(ASKED) == 1
    assert mail.outbox[0].to == ["ada@patients.example"]


def test_a_mail_says_that_a_visit_comes_up_and_nothing_of_whose_or_what(cast, booked, run):
    cast.clinic.change(by=cast.manager, phone="+1 201 555 0100", email="desk@harbour.example", address="1 Quay")
    booked()
    run(ASKED)
    (message,) = mail.outbox
    assert (message.to, message.reply_to) == (["ada@patients.example"], ["desk@harbour.example"])
    assert message.subject == "Harbour Dental: your coming visit"
    for word in ("Ada", "Lovelace", "Exam", "Drill", "16", "9:00", "March"):
        assert word not in message.body.split("http")[0], word
    assert "+1 201 555 0100" in message.body
    FrontDesk(reminders_say_when=True).record(by=cast.manager)
    booked("2027-03-23 9:30")
    run("2027-03-22 10:00")
    assert "Tuesday, 23 March 2027 at 9:30" in mail.outbox[1].body


# What a link does


def test_a_mail_scanner_that_opens_the_link_confirms_nothing(link, phone):
    path, visit = link
    for _ in range(3):
        page = phone.get(path, follow=True)
    assert "Do you come to your visit?" in page.content.decode()
    visit.refresh_from_db()
    assert visit.status == "scheduled"
    assert PatientLink.objects.get().is_good()


def test_i_am_coming_confirms_the_visit_once_and_says_who_did(cast, link, phone):
    path, visit = link
    assert phone.get(path).headers["Referrer-Policy"] == "no-referrer"
    page = phone.get("/v/").content.decode()
    assert "Tuesday, 16 March 2027, 9:00" in page
    assert "Lovelace" not in page
    assert "Exam" not in page
    assert phone.post("/v/", {"answer": "coming"}).url == "/v/"
    assert "Thank you, we expect you" in phone.get(path, follow=True).content.decode()
    phone.post("/v/", {"answer": "another", "wish": "Friday"})
    visit.refresh_from_db()
    assert visit.status == "confirmed"
    assert not TimeWish.objects.exists()
    assert visit.steps.last().who == "the patient"
    assert visit.history.first().history_via == "link"
    events = AccessEvent.objects.filter(via="link", patient=cast.ada, clinic=cast.clinic)
    assert set(events.values_list("kind", flat=True)) == {"view", "change"}


def test_the_secret_is_kept_nowhere(link, phone, caplog):
    path, _ = link
    secret = path.split("/")[2]
    assert len(secret) >= 43
    phone.get(path)
    with connection.cursor() as cursor:
        for table in ("clinic_patientlink", "scheduling_reminder", "clinic_session", "clinic_accessevent"):
            cursor.execute(f"SELECT * FROM {table}")
            assert secret not in repr(cursor.fetchall()), table
    assert secret not in caplog.text
    assert secret not in phone.get("/v/").content.decode()


def test_i_need_another_time_is_a_wish_on_the_board_and_a_word_to_the_desk(cast, link, phone, sign_in):
    path, visit = link
    phone.get(path)
    phone.post("/v/", {"answer": "another", "wish": "Fridays after four"})
    assert "We look for another time" in phone.get("/v/").content.decode()
    told = Notification.objects.filter(kind="another_time", url=f"/visits/{visit.pk}/")
    assert {row.user.name.split()[0] for row in told} == {"Receptionist", "Coordinator", "Manager"}
    board = sign_in("receptionist").get("/visits/unconfirmed/?days=1").content.decode()
    assert board.index("Another time wanted") < board.index("Fridays after four")
    visit.confirm(by=cast.desk)  # they keep it after all
    assert "Fridays after four" not in sign_in("receptionist").get("/visits/unconfirmed/").content.decode()


def test_asking_for_another_time_opens_a_confirmed_visit_again(cast, link, phone):
    path, visit = link
    visit.confirm(by=cast.desk)
    assert "This visit is confirmed already" in phone.get(path, follow=True).content.decode()
    phone.post("/v/", {"answer": "another"})
    visit.refresh_from_db()
    assert (visit.status, TimeWish.objects.count()) == ("scheduled", 1)


@pytest.mark.parametrize("end", ["moved", "cancelled", "over", "revoked"])
def test_a_link_that_has_ended_says_so_kindly_with_the_phone_number(cast, link, phone, at, end):
    path, visit = link
    cast.clinic.change(by=cast.manager, phone="+1 201 555 0100")
    if end == "moved":
        visit.reschedule(by=cast.desk, starts_at=at("2027-03-17 9:00"))
    elif end == "cancelled":
        visit.cancel(by=cast.desk, because="Ill")
    elif end == "revoked":
        PatientLink.objects.get().revoke()
    with time_machine.travel(at("2027-03-16 9:01" if end == "over" else "2027-03-15 12:00"), tick=False):
        page = phone.get(path, follow=True)
        assert (page.status_code, "This page has ended" in page.content.decode()) == (200, True)
        assert "+1 201 555 0100" in page.content.decode()
        assert "March" not in page.content.decode()
        phone.post("/v/", {"answer": "coming"})
    visit.refresh_from_db()
    assert visit.status in ("scheduled", "cancelled")


def test_the_page_is_in_the_patients_language(cast, link, phone):
    cast.ada.change(by=cast.desk, language="de")
    page = phone.get(link[0], follow=True).content.decode()
    assert '<html lang="de">' in page
    assert "Dienstag, 16 März 2027" in page


def test_no_guess_finds_a_link_and_who_guesses_has_to_wait(link):
    client, answers = Client(), set()
    for number in range(GUESSES):
        page = client.get(f"/v/{number:043d}/", follow=True)
        answers.add(page.status_code)
        assert b"March" not in page.content
    assert answers == {200, 429}
    assert guessing.source_is_locked(page.wsgi_request)
    assert client.get(link[0]).status_code == 429


def test_a_purpose_opens_no_page_of_another_one(link, phone):
    phone.get(link[0].replace("/v/", "/o/"))
    assert "This page can't be opened" in phone.get("/o/").content.decode()


# The desk


def test_the_desk_asks_now_and_not_twice_within_the_hour(cast, booked, at, sign_in):
    cast.ada.change(by=cast.desk, wants_reminders=False)
    visit = booked()
    with time_machine.travel(at("2027-03-01 21:00"), tick=False):
        sign_in("receptionist").post(f"/visits/{visit.pk}/ask/", {"once": "a" * 20})
        assert hand_over() == 1
        with pytest.raises(Refused, match="within the last hour"):
            Reminder.ask(visit)
        page = sign_in("receptionist").get(f"/visits/{visit.pk}/").content.decode()
        assert "Asked: e-mail" in page
    assert Reminder.ask(visit, now=at("2027-03-02 9:00")).kind == "asked"


def test_who_has_no_address_is_called(cast, booked, at):
    cast.ada.change(by=cast.desk, email="")
    with pytest.raises(Refused, match="no e-mail address"):
        Reminder.ask(booked(), now=at(ASKED))


def test_a_call_is_logged_and_confirms_when_they_come(cast, booked, at, sign_in):
    visit = booked()
    with time_machine.travel(at(ASKED), tick=False):
        client = sign_in("receptionist")
        client.post(f"/visits/{visit.pk}/called/", {"outcome": "no_answer", "back": "/visits/unconfirmed/", "once": "b" * 20})
        assert "No answer" in client.get("/visits/unconfirmed/").content.decode()
        client.post(f"/visits/{visit.pk}/called/", {"outcome": "reached", "comes": "on", "once": "c" * 20})
        assert "Lovelace, Ada" not in client.get("/visits/unconfirmed/").content.decode()
    calls = ContactAttempt.objects.filter(appointment=visit, about="confirm")
    assert {call.outcome for call in calls} == {"reached", "no_answer"}


class Refusing(EmailBackend):
    def open(self):
        raise OSError("no route")


def test_nothing_drops_off_the_board_because_a_mail_failed(cast, booked, at, sign_in, monkeypatch):
    visit = booked()
    monkeypatch.setattr("clinic.mail.post.get_connection", Refusing)
    Reminder.write_due(at(ASKED))
    for half_hours in range(18):
        hand_over(at(ASKED) + timedelta(minutes=30 * half_hours))
    assert [(row.state, row.attempts) for row in about(visit)] == [("failed", Reminder.TRIES)]
    with time_machine.travel(at("2027-03-15 19:00"), tick=False):
        page = sign_in("receptionist").get("/visits/unconfirmed/").content.decode()
    assert "Lovelace, Ada" in page
    assert "Refused: e-mail" in page


def test_a_message_that_did_not_surely_leave_is_told_to_the_desk(cast, booked, at):
    visit = booked()
    Reminder.write_due(at(ASKED))
    (reminder,) = about(visit)
    reminder.claim(at(ASKED))
    hand_over(at("2027-03-15 10:30"))  # whoever claimed it died
    told = Notification.objects.filter(kind="message_failed", user=cast.desk.user)
    assert [row.url for row in told] == [f"/visits/{visit.pk}/"]
    hand_over(at("2027-03-15 10:40"))
    assert told.count() == 1


def test_the_board_asks_as_often_for_thirty_rows_as_for_one(cast, booked, at, sign_in):
    def fill(count, minute):
        for number in range(count):
            visit = booked(f"2027-03-16 {9 + number // 6:02d}:{number % 6}{minute}", patient=PatientFactory(by=cast.desk),
                           ends_at=at(f"2027-03-16 {9 + number // 6:02d}:{number % 6}{minute}") + timedelta(minutes=5))  # fmt: skip
            Reminder.about(visit, kind="day", channel="email", key=str(visit.pk)).write_once()
            TimeWish(clinic=cast.clinic, appointment=visit, visit_at=visit.starts_at, wish="Later").save()
            ContactAttempt.log(by=cast.desk, patient=visit.patient, about="confirm", outcome="message", appointment=visit)

    def queries():
        with time_machine.travel(at(ASKED), tick=False):
            client = sign_in("receptionist")
            client.get("/visits/unconfirmed/")
            with CaptureQueriesContext(connection) as seen:
                assert client.get("/visits/unconfirmed/").content.count(b"unconfirmed-row") == TimeWish.objects.count()
            return len(seen)

    fill(1, 0)
    one = queries()
    fill(29, 5)
    assert queries() == one


# Offers of the waitlist


@pytest.fixture
def offered(cast, booked, at):
    """A freed time that is offered to Ada by e-mail; the path of her link."""
    with time_machine.travel(at("2027-03-01 9:00"), tick=False):
        WaitlistEntry.add(by=cast.desk, patient=cast.ada, appointment_type=cast.exam)
        booked(patient=cast.grace).cancel(by=cast.desk, because="Ill")
        offer = FreedSlot.objects.get().advance(by=cast.system)
        assert hand_over() == 1
    assert "Lovelace" not in mail.outbox[-1].body
    return path_in(mail.outbox[-1].body), offer


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [("take", "accepted", "It is yours"), ("leave", "declined", "You stay on the list")],
)
def test_a_freed_time_is_taken_or_left_by_the_link(cast, offered, at, answer, status, says):
    path, offer = offered
    with time_machine.travel(at("2027-03-01 9:30"), tick=False):
        phone = Client()
        page = phone.get(path, follow=True).content.decode()
        assert "A time is free" in page
        assert "Tuesday, 16 March 2027, 9:00" in page
        phone.post("/o/", {"answer": answer})
        phone.post("/o/", {"answer": "take"})
        assert says in phone.get("/o/").content.decode()
    offer.refresh_from_db()
    assert offer.status == status
    assert cast.ada.appointments.count() == (answer == "take")


def test_an_offer_whose_hold_is_over_says_so_kindly_and_books_nothing(cast, offered, at):
    path, offer = offered
    with time_machine.travel(offer.holds_until + timedelta(seconds=1), tick=False):
        phone = Client()
        assert "This time is not held any more" in phone.get(path, follow=True).content.decode()
        phone.post("/o/", {"answer": "take"})
    assert not cast.ada.appointments.exists()


def test_the_letter_of_an_offer_that_ended_before_it_left_stays_here(cast, booked, at):
    WaitlistEntry.add(by=cast.desk, patient=cast.ada, appointment_type=cast.exam)
    booked(patient=cast.grace).cancel(by=cast.desk, because="Ill", now=at("2027-03-01 9:00"))
    slot = FreedSlot.objects.get()
    slot.advance(by=cast.system, now=at("2027-03-01 9:00"))
    slot.stop(by=cast.desk, because="Needed")
    assert hand_over(at("2027-03-01 9:01")) == 0
    assert OfferLetter.objects.get().state == "nobody"
    assert Offer.objects.get().status == "withdrawn"
