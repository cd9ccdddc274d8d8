"""What is sent again does nothing twice: at the same moment, after a crash between commit and answer, by page and program.

CAMPAIGN=1 (bin/campaign retries) runs the full size: 100 x 20 parallel posts, 200 kills, 100 rounds of 20 saves.
"""

import os
import time
from datetime import date, timedelta
from uuid import uuid4

import pytest

from clinic.access.hats import hats_of
from clinic.models import OnceKey, Patient, User
from clinic.models.membership import Membership
from scheduling.models import Appointment
from tests.cast import PASSWORD
from tests.factories import PatientFactory
from tests.races.client import Browser, at_once
from tests.races.program import Program

FULL = "CAMPAIGN" in os.environ
BOOKINGS, POSTS = (100, 20) if FULL else (4, 6)
KILLS = 100 if FULL else 2
ROUNDS, SAVERS = (100, 20) if FULL else (2, 6)
FIRST = date(2027, 6, 7)
NEW = {"first_name": "Emmy", "last_name": "Noether", "date_of_birth": "1982-03-23"}

pytestmark = [pytest.mark.race, pytest.mark.busy]


def booking(cast, patient, number):
    """The body of the booking with this number: no two overlap."""
    day, slot = FIRST + timedelta(days=number // 16), number % 16
    return {
        "patient_id": str(patient.pk),
        "operatory_id": str(cast.operatories[0].pk),
        "provider_id": str(cast.drill.pk),
        "appointment_type_id": str(cast.exam.pk),
        "starts_at": f"{day}T{8 + slot // 2:02}:{slot % 2 * 30:02}:00-04:00",
    }


def form(body):
    """The same booking as the page would send it."""
    day, at = body["starts_at"][:10], body["starts_at"][11:16]
    names = {"patient_id": "patient", "operatory_id": "operatory", "provider_id": "provider"}
    return {
        **{short: body[name] for name, short in names.items()},
        "appointment_type": body["appointment_type_id"],
        "day": day,
        "time": at,
        "minutes": 30,
    }


def test_parallel_posts_with_one_key_book_once_and_answer_alike(clone, live):
    cast, server = clone, live(workers=2, threads=8)
    desks = [Program(server.url, cast.desk) for _ in range(2)]
    patients = [PatientFactory(by=cast.system) for _ in range(BOOKINGS)]
    for number, patient in enumerate(patients):
        key, body = uuid4(), booking(cast, patient, number)
        answers = at_once([lambda: desks[0].send("POST", "/appointments", body, key=key)] * POSTS)  # noqa: B023
        assert {status for status, _ in answers} == {201}
        assert len({data["id"] for _, data in answers}) == 1
        assert desks[1].send("POST", "/appointments", body, key=key) == answers[0]
        status, _ = desks[0].send("POST", "/appointments", {**body, "note": "other"}, key=key)
        assert status == 422
    assert Appointment.objects.count() == BOOKINGS
    assert all(visit.history.count() == visit.steps.count() == 1 for visit in Appointment.objects.all())


@pytest.mark.wide
def test_the_key_is_what_holds_the_second_post_back(clone, live):
    """Without a key each of these posts counts: nothing else in the way would have made them one."""
    cast, server = clone, live(workers=2, threads=8)
    desk = Program(server.url, cast.desk)
    answers = at_once([lambda: desk.send("POST", "/patients", NEW)] * 4)
    assert [status for status, _ in answers] == [201] * 4
    assert Patient.objects.filter(last_name="Noether").count() == 4
    key = uuid4()
    at_once([lambda: desk.send("POST", "/patients", {**NEW, "last_name": "Once"}, key=key)] * 4)
    assert Patient.objects.filter(last_name="Once").count() == 1


def test_a_death_between_commit_and_answer_and_then_a_retry(clone, live):
    cast, server = clone, live(workers=2, threads=2, app="tests.races.mortal")
    desk = Program(server.url, cast.desk)
    patients = [PatientFactory(by=cast.system) for _ in range(KILLS)]
    for number, patient in enumerate(patients):
        key, body = uuid4(), booking(cast, patient, number)
        assert desk.send("POST", "/appointments", body, key=key, **{"X-Die-Before-Answering": "1"}) == (0, None)
        assert Appointment.objects.filter(patient=patient).exists()  # it died after the commit
        status, data = patiently(lambda: desk.send("POST", "/appointments", body, key=key))  # noqa: B023
        assert (status, data["patient_id"]) == (201, str(patient.pk))
    assert Appointment.objects.count() == KILLS
    assert OnceKey.objects.count() == KILLS


def test_the_same_through_the_form_with_a_double_click_and_a_reload(clone, live):
    cast, server = clone, live(workers=2, threads=4, app="tests.races.mortal")
    desk, dying = Browser(server.url, cast.user("receptionist")), Dying(server.url, cast.user("receptionist"))
    patients = [PatientFactory(by=cast.system) for _ in range(KILLS)]
    for number, patient in enumerate(patients):
        key, fields = str(uuid4()), form(booking(cast, patient, number))
        at_once([lambda who=who: who.post("/visits/book/", fields, once=key) for who in (desk, dying)])  # noqa: B023
        status, _ = patiently(lambda: desk.post("/visits/book/", fields, once=key))  # noqa: B023
        assert status == 302
    assert Appointment.objects.count() == KILLS


class Dying(Browser):
    """A browser whose requests kill the worker after their commit."""

    def headers(self):
        return {**super().headers(), "X-Die-Before-Answering": "1"}


def patiently(send):
    """Ask again until somebody answers, as a browser's reload does: the worker has to come back first."""
    deadline = time.monotonic() + 30
    while True:
        answer = send()
        if answer[0] != 0 or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


def test_of_saves_of_one_version_one_is_accepted_and_no_text_is_lost(clone, live):
    cast, server = clone, live(workers=2, threads=8)
    desks = [Browser(server.url, cast.user("receptionist")) for _ in range(SAVERS)]
    path, accepted = f"/patients/{cast.ada.pk}/edit/", []
    for turn in range(ROUNDS):
        ada = Patient.objects.get(pk=cast.ada.pk)
        fields = {
            "first_name": "Ada", "last_name": "Lovelace", "date_of_birth": "1985-12-10", "sex": "female",
            "language": "en", "contact_by": "email", "status": "active", "version": ada.version,
        }  # fmt: skip
        texts = [f"Street {turn} of {number}" for number in range(SAVERS)]
        answers = at_once(
            [
                lambda desk=desk, text=text: desk.post(path, {**fields, "line1": text})  # noqa: B023
                for desk, text in zip(desks, texts, strict=True)
            ]
        )
        assert sorted(status for status, _ in answers) == [302] + [409] * (SAVERS - 1)
        won = next(text for text, (status, _) in zip(texts, answers, strict=True) if status == 302)
        assert Patient.objects.get(pk=cast.ada.pk).line1 == won
        for text, (status, page) in zip(texts, answers, strict=True):
            assert status == 302 or (text in page and won in page)  # the loser sees both
        accepted.append(won)
    assert set(accepted) <= set(cast.ada.history.values_list("line1", flat=True))
    assert cast.ada.history.count() == ROUNDS + 1


def test_of_patches_of_one_version_one_is_accepted(clone, live):
    cast, server = clone, live(workers=2, threads=8)
    desk, path = Program(server.url, cast.desk), f"/patients/{cast.ada.pk}"
    for turn in range(ROUNDS):
        version = Patient.objects.get(pk=cast.ada.pk).version
        answers = at_once([
            lambda number=number: desk.send("PATCH", path, {"preferred_name": f"{turn}-{number}"}, version=version)  # noqa: B023
            for number in range(SAVERS)])  # fmt: skip
        assert sorted(status for status, _ in answers) == [200] + [409] * (SAVERS - 1)
        won = next(data for status, data in answers if status == 200)
        assert all(data["current"] == won for status, data in answers if status == 409)


@pytest.mark.wide
def test_without_the_version_every_save_is_taken(clone, live):
    """What the version holds back: without it each save counts, and the last one wins."""
    cast, server = clone, live(workers=2, threads=8)
    desk, path = Program(server.url, cast.desk), f"/patients/{cast.ada.pk}"
    answers = at_once(
        [lambda number=number: desk.send("PATCH", path, {"preferred_name": f"{number}"}) for number in range(6)]
    )
    assert [status for status, _ in answers] == [200] * 6
    assert cast.ada.history.count() == 7


def test_users_who_are_disabled_get_not_one_further_answer_with_their_tokens(clone, live):
    cast, server = clone, live(workers=2, threads=8)
    programs = {}
    for number in range(20 if FULL else 6):
        user = User.objects.create_user(f"temp{number}@test.example", PASSWORD, name=f"Temp {number}")
        Membership.open(user=user, clinic=cast.clinic, roles=["receptionist"], by=cast.system)
        programs[user] = Program(server.url, next(hats_of(user)))
    asked, over = {user: [] for user in programs}, []

    def work(user):
        while not over:
            began = time.monotonic()
            asked[user].append((began, programs[user].send("GET", "/patients")[0]))

    def disable():
        time.sleep(1)
        ends = {}
        for user in programs:
            user.disable(by=cast.manager, because="left")
            ends[user] = time.monotonic()
        deadline = time.monotonic() + 20  # each of them asks at least once more, however busy the machine is
        while time.monotonic() < deadline and not all(
                asked[user] and asked[user][-1][0] > end for user, end in ends.items()):
            time.sleep(0.1)
        time.sleep(1)
        over.append(True)
        return ends

    *_, ends = at_once([*(lambda user=user: work(user) for user in programs), disable])
    for user, answers in asked.items():
        assert {status for began, status in answers if began > ends[user]} == {401}
        assert 200 in {status for _, status in answers}
