"""Twenty people are at work when they are disabled, or when their membership ends: not one further answer."""

import os
import threading
import time

import pytest
from django.db import connection

from clinic.models import Membership, User
from tests.cast import PASSWORD
from tests.races.client import Browser

PEOPLE = 20
AFTER = 3 if "CAMPAIGN" in os.environ else 1  # seconds that they go on trying
PATHS = ["/today/", "/today/?after=-", "/search/?q=love", "/schedule/"]

pytestmark = [pytest.mark.race, pytest.mark.busy]


class Worker(threading.Thread):
    """Somebody who asks for pages, polls and searches without a break; `answers`: (sent at, path, status, body)."""

    def __init__(self, browser, stop):
        super().__init__()
        self.browser, self.stop, self.answers = browser, stop, []

    def run(self):
        while not self.stop.is_set():
            for path in PATHS:
                sent = time.monotonic()
                status, body = self.browser.get(path)
                self.answers.append((sent, path, status, body))


@pytest.fixture
def at_work(clone, live):
    """(users, workers, stop) with every worker busy."""
    by, users = clone.manager, []
    for number in range(PEOPLE):
        user = User.objects.create_user(f"desk{number}@test.example", PASSWORD, name=f"Desk {number}")
        Membership.open(user=user, clinic=clone.clinic, roles=["receptionist"], by=by)
        users.append(user)
    server = live(workers=2, threads=8)
    stop = threading.Event()
    workers = [Worker(Browser(server.url, user), stop) for user in users]
    for worker in workers:
        worker.start()
    yield users, workers, stop
    stop.set()
    for worker in workers:
        worker.join()


def end_all(users, workers, stop, end):
    """End each one in the middle of their work; {worker: when it was done}."""
    deadline = time.monotonic() + 60
    while min(len(worker.answers) for worker in workers) < 2 * len(PATHS) and time.monotonic() < deadline:
        time.sleep(0.05)
    done = {}
    for user, worker in zip(users, workers, strict=True):
        end(user)
        done[worker] = time.monotonic()
    time.sleep(AFTER)
    while min(sum(sent > done[w] for sent, *_ in list(w.answers)) for w in workers) < len(PATHS) and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    for worker in workers:
        worker.join()
    connection.close()
    return done


def judge(done, refused):
    before = after = 0
    for worker, moment in done.items():
        for sent, path, status, body in worker.answers:
            if sent <= moment:
                before += status == 200
                continue
            after += 1
            assert status in refused, (path, status)
            assert "Lovelace" not in body
    assert before >= 2 * PEOPLE
    assert after >= PEOPLE * len(PATHS)
    print(f"\n{PEOPLE} people: {before} answers while at work, {after} tries afterwards, none answered")


def test_disabled_users_get_not_one_further_answer(clone, at_work):
    users, workers, stop = at_work
    by = clone.manager
    done = end_all(users, workers, stop, lambda user: user.disable(by=by, because="Left"))
    judge(done, refused={302, 401})  # led to the sign-in page


def test_ended_memberships_get_not_one_further_answer(clone, at_work):
    users, workers, stop = at_work
    by = clone.manager
    done = end_all(users, workers, stop, lambda user: user.memberships.get().end(by=by, because="Left"))
    judge(done, refused={403})
