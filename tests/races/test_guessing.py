"""Somebody guesses passwords on a live server: few are compared, none fits, and the time of an answer tells nothing.

CAMPAIGN=1 (bin/campaign guessing) runs the full size: 10,000 guesses, 1,000 timed answers of each kind. What is timed
always meets the hasher of a practice; guesses that are only counted meet it in the full size.
"""

import http.client
import os
import random
import threading
import time
from collections import Counter
from urllib.parse import urlencode, urlsplit

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import make_password
from django.db import connection

from clinic.access import guessing
from clinic.models import AccessEvent, User
from tests.cast import PASSWORD
from tests.races.client import TOKEN

FULL = "CAMPAIGN" in os.environ
GUESSES = 10_000 if FULL else 240
TIMED = 1_000
# Among 1,000 and 1,000 answers chance alone makes 0.52; a hash left out makes 1.0.
TELLS = 0.55
START = GUESSES // 2 if GUESSES < 1000 else 1000
THREADS = 8
WARM = 4  # answers that only warm the workers up
ROLES = ["receptionist", "dentist", "manager", "hygienist", "biller"]

pytestmark = [pytest.mark.race, pytest.mark.busy]


@pytest.fixture
def slow(clone, live):
    """The product with the hasher of a practice, and everybody's password under it."""
    User.objects.update(password=make_password(PASSWORD, hasher="argon2"))
    return live(workers=2, threads=4, ARGON2="1")


@pytest.fixture
def server(clone, live, request):
    return request.getfixturevalue("slow") if FULL else live(workers=2, threads=4)


def attempt(server, email, password, *, source="127.0.0.1", forwarded="", path="/sign-in/"):
    """(status, seconds) of one try from an address of this machine's own network, perhaps with a forged header."""
    link = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120, source_address=(source, 0))
    try:
        link.connect()
        began = time.perf_counter()
        link.request(
            "POST", path, urlencode({"csrfmiddlewaretoken": TOKEN, "username": email, "email": email, "password": password}),
            {"Cookie": f"csrftoken={TOKEN}", "Content-Type": "application/x-www-form-urlencoded",
             **({"X-Forwarded-For": forwarded, "X-Real-IP": forwarded} if forwarded else {})})
        answer = link.getresponse()
        answer.read()
        return answer.status, time.perf_counter() - began
    finally:
        link.close()


def all_of(calls):
    """Run these with a few threads; their answers in no order."""
    waiting, answers = list(reversed(calls)), []

    def work():
        while True:
            try:
                call = waiting.pop()
            except IndexError:
                return
            answers.append(call())

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def guess(n):
    """What is tried: wrong ones, and the right one some way in, when every account rests already."""
    return PASSWORD if START < n <= START + 60 else f"guess-{n}"


def compared():
    """{account: passwords that were really compared}, from the rows; each of them ended in a wrong one."""
    rows = AccessAttempt.objects.values_list("username", "failures_since_start")
    found = Counter()
    for account, failures in rows:
        found[account] += failures
    connection.close()
    return found


def test_few_guesses_from_many_places_are_compared_and_none_fits(clone, server):
    """100 places, each its own address: here the limit of the account must hold. Late guesses are right and fail too."""
    emails = [f"{role}@test.example" for role in ROLES] + ["nobody-has-this@test.example"]
    calls = [
        lambda n=n: attempt(
            server, emails[n % len(emails)], guess(n), source=f"127.0.7.{1 + n % 100}")
        for n in range(GUESSES)]
    answers = Counter(status for status, _ in all_of(calls))
    found = compared()
    print(f"\n{GUESSES} guesses from 100 places: answers {dict(answers)}, compared {sorted(found.values())}")
    assert set(answers) == {422, 429}
    assert set(found) == {guessing.account_of(email) for email in emails}
    assert max(found.values()) <= 100
    assert max(found.values()) <= guessing.ACCOUNT_LIMIT + 2 * THREADS
    assert not AccessEvent.objects.filter(kind="sign_in").exists()
    connection.close()


def test_a_hundred_forged_addresses_are_one_source(clone, server):
    calls = [
        lambda n=n: attempt(
            server, f"account{n % 200}@test.example" if n % 2 else f"{ROLES[n % 5]}@test.example",
            guess(n), forwarded=f"198.51.100.{n % 100}")
        for n in range(GUESSES)]
    answers = Counter(status for status, _ in all_of(calls))
    found = compared()
    print(f"\n{GUESSES} guesses with 100 forged addresses: answers {dict(answers)}, compared {sum(found.values())}")
    assert set(answers) == {422, 429}
    assert sum(found.values()) <= guessing.SOURCE_LIMIT + 2 * THREADS
    assert max(found.values()) <= guessing.ACCOUNT_LIMIT + 2 * THREADS
    assert not AccessEvent.objects.filter(kind="sign_in").exists()
    connection.close()


def auc(one, other):
    """How often a classifier by time is right: 0.5 is chance, and both directions count."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, group) in enumerate(ranked, 1) if group)
    share = (ranks - len(other) * (len(other) + 1) / 2) / (len(one) * len(other))
    return max(share, 1 - share)


def timed(server, kinds, *, path="/sign-in/"):
    """{kind: seconds of each answer}; the kinds take turns in random order, so that a slow moment hits all alike."""
    random.seed(7)
    found = {kind: [] for kind in kinds}
    for n in range(TIMED + WARM):
        for kind in random.sample(sorted(kinds), len(kinds)):
            _, seconds = attempt(server, kinds[kind](n), "a-wrong-guess", source=source_of(n), path=path)
            if n >= WARM:
                found[kind].append(seconds)
    return found


# Times belong in a campaign: in the suite tests/clinic/test_lock_out.py counts the hashes instead.
timing = pytest.mark.skipif(not FULL, reason="times are measured by bin/campaign guessing")


def source_of(n):
    """So many sources that none of them is locked by the measurement itself."""
    return f"127.0.{20 + n // 1000}.{1 + n // 8 % 250}"


@timing
def test_the_time_of_an_answer_does_not_tell_who_exists(clone, slow):
    """Known, disabled and unknown addresses, none of them locked: each is tried nine times at most."""
    people = (TIMED + WARM) // 9 + 1
    encoded = make_password(PASSWORD, hasher="argon2")
    for kind in ("known", "disabled"):
        User.objects.bulk_create(User(
            email=f"{kind}{n}@test.example", name=kind, password=encoded, is_active=kind == "known") for n in range(people))
    connection.close()
    found = timed(slow, {
        kind: lambda n, kind=kind: f"{kind}{n // 9}@test.example" for kind in ("known", "disabled", "unknown")})
    areas = {kind: auc(found[kind], found["unknown"]) for kind in ("known", "disabled")}
    median = sorted(found["known"])[TIMED // 2]
    print(f"\nsign-in: {TIMED} of each, median {median * 1000:.0f} ms, AUC against unknown: {areas}")
    assert max(areas.values()) <= TELLS


@timing
def test_the_time_of_a_forgotten_password_does_not_tell_either(clone, slow):
    User.objects.bulk_create(
        User(email=f"known{n}@test.example", name="known", password="!") for n in range(TIMED + WARM))
    connection.close()
    found = timed(
        slow, {kind: lambda n, kind=kind: f"{kind}{n}@test.example" for kind in ("known", "unknown")}, path="/forgotten/")
    area = auc(found["known"], found["unknown"])
    print(f"\nforgotten: {TIMED} of each, median {sorted(found['known'])[TIMED // 2] * 1000:.0f} ms, AUC {area:.3f}")
    assert area <= TELLS


@timing
def test_the_time_of_a_locked_answer_does_not_tell_either(clone, slow):
    for email in ("receptionist@test.example", "unknown@test.example"):
        for n in range(guessing.ACCOUNT_LIMIT):
            attempt(slow, email, "wrong", source=f"127.0.9.{1 + n}")
    found = timed(slow, {
        "known": lambda n: "receptionist@test.example", "unknown": lambda n: "unknown@test.example"})
    area = auc(found["known"], found["unknown"])
    print(f"\nlocked: {TIMED} of each, median {sorted(found['known'])[TIMED // 2] * 1000:.0f} ms, AUC {area:.3f}")
    assert area <= TELLS
