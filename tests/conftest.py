"""One cast per test database; tests that commit run on a clone of it, and nothing ever flushes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import setup_databases, teardown_databases

from tests import cast as people
from tests.program import Program

if settings.ENVIRONMENT != "test":
    pytest.exit("Run bin/test, or set ENVIRONMENT=test: the settings of other environments have no test database.")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_modify_db_settings, django_db_blocker):
    """The migrated database with the cast in it; always made, also for tests that only use a clone of it."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
        people.make()
        connection.close()
    yield
    with django_db_blocker.unblock():
        connection.close()
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def files_dir(tmp_path_factory):
    """Files of the tests lie in a folder of their own; live servers are told of it."""
    folder = tmp_path_factory.mktemp("files")
    settings.STORAGES["files"]["OPTIONS"]["location"] = folder
    os.environ["FILES_DIR"] = str(folder)
    return folder


@pytest.fixture
def cast(db):
    return people.Cast()


@pytest.fixture(scope="module")
def furnished(django_db_setup, django_db_blocker):
    """(a visit of ours, a visit of the clinic next door): both clinics furnished once for all tests of a module.

    They stand in a transaction around those of the tests, and go with it.
    """
    from tests.sweeps.house import furnish

    with django_db_blocker.unblock():
        cast = people.Cast()
        with transaction.atomic():
            yield furnish(cast), furnish(cast.outsider)
            transaction.set_rollback(True)
        clear_caches()


@pytest.fixture
def sign_in(cast):
    """`sign_in("receptionist")`: a test client that holds that person's session and checks CSRF like a browser's."""

    def start(role, domain="test"):
        client = Client()
        client.force_login(people.User.objects.get(email=f"{role}@{domain}.example"))
        return client

    return start


@pytest.fixture
def desk_client(sign_in):
    return sign_in("receptionist")


@pytest.fixture
def program(cast):
    """`program("dentist")`: a program that works for that person; `program()` for nobody."""
    return lambda role=None, **more: Program(cast.actor(role) if role else None, **more)


@pytest.fixture
def desk(program):
    return program("receptionist")


@pytest.fixture
def at(cast):
    """`at("2026-12-01 9:00")`: that moment by the clinic's wall clock."""

    def moment(text):
        return datetime.fromisoformat(text.replace(" ", "T") if len(text) == 16 else text.replace(" ", "T0")).replace(
            tzinfo=cast.clinic.zone
        )

    return moment


@pytest.fixture
def book(cast, at):
    """`book("2026-12-01 9:00")`: an exam of Ada's with Dr. Drill in operatory 1; anything can be said otherwise."""
    from scheduling.models import Appointment

    def make(when="2026-12-01 9:00", **values):
        return Appointment.book(
            **{
                "by": cast.desk,
                "patient": cast.ada,
                "operatory": cast.operatories[0],
                "provider": cast.drill,
                "appointment_type": cast.exam,
                "starts_at": at(when),
                **values,
            }
        )

    return make


class LiveServer:
    """gunicorn over a clone of the test database."""

    def __init__(self, url, process, workers):
        self.url, self.process, self.workers = url, process, workers

    def worker_pids(self):
        out = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False).stdout
        return [int(pid) for pid in out.split()]


@pytest.fixture
def clone(request, django_db_setup, django_db_blocker):
    """The test's own copy of the test database; `django.db.connection` points to it. Committed rows stay in it."""
    with django_db_blocker.unblock():
        connection.close()
        original = connection.settings_dict["NAME"]
        name = copy_database(original)
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        clear_caches()
        try:
            yield people.Cast()
        finally:
            connection.close()
            settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = original
            clear_caches()
            drop_database(original, name)


def clear_caches():
    from clinic.models import installation

    installation.forget_keys()


def copy_database(original):
    if connection.vendor == "sqlite":
        name = f"{original}.clone-{os.getpid()}"
        for suffix in ("", "-wal"):
            if Path(f"{original}{suffix}").exists():
                shutil.copyfile(f"{original}{suffix}", f"{name}{suffix}")
        return name
    name = f"{original}_clone_{os.getpid()}"
    with maintenance() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
    return name


def drop_database(original, name):
    if connection.vendor == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{name}{suffix}").unlink(missing_ok=True)
        return
    with maintenance() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def maintenance():
    """A cursor outside the test database: a template must have no session."""
    with connection._nodb_cursor() as cursor:
        yield cursor


def database_url():
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(os.environ["DATABASE_URL"])
    head, _, _ = parts.path.rpartition("/")
    return urlunsplit(parts._replace(path=f"{head}/{config['NAME']}"))


@pytest.fixture
def live(clone):
    """`live(workers=2, threads=4)` starts the product on the clone; the server ends with the test."""
    started = []

    def start(workers=2, threads=4, app="config.wsgi", **env):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        connection.close()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                app,
                "-b",
                f"127.0.0.1:{port}",
                "-w",
                str(workers),
                "--threads",
                str(threads),
                "-k",
                "gthread",
                "--log-level",
                "error",
                "--graceful-timeout",
                "5",
            ],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url(), "ENVIRONMENT": "test", **env},
            start_new_session=True,
        )
        server = LiveServer(f"http://127.0.0.1:{port}", process, workers)
        started.append(server)
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{server.url}/readyz", timeout=2).close()  # noqa: S310
                return server
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    yield start
    for server in started:
        try:
            os.killpg(server.process.pid, signal.SIGTERM)
            server.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
