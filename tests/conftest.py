"""One cast per test database; tests that commit run on a clone of it, and nothing ever flushes."""

import gc
import os
from datetime import datetime

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import teardown_databases

from tests import cast as people
from tests import databases
from tests.program import Program
from tests.servers import Servers

if settings.ENVIRONMENT != "test":
    pytest.exit("Run bin/test, or set ENVIRONMENT=test: the settings of other environments have no test database.")


def pytest_collection_finish():
    """What is loaded by now stays, so garbage is not looked for in it again and again: a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_modify_db_settings, django_db_blocker):
    """The name of the migrated database with the cast in it; always made, also for tests that only use a clone of it."""
    with django_db_blocker.unblock():
        made = databases.make_test_database()
        people.make()
        connection.close()
    yield connection.settings_dict["NAME"]
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


@pytest.fixture(scope="session")
def furnished_database(django_db_setup, django_db_blocker):
    """The name of a copy of the test database in which both clinics are furnished, and the keys of a visit in each."""
    from tests.sweeps.house import furnish

    with django_db_blocker.unblock():
        connection.close()
        name = databases.clone(django_db_setup)
        with databases.turned_to(name), transaction.atomic():
            cast = people.Cast()
            visits = [furnish(cast).pk, furnish(cast.outsider).pk]
    yield name, visits
    with django_db_blocker.unblock():
        databases.drop(name)


@pytest.fixture(scope="module")
def furnished(furnished_database, django_db_blocker):
    """(a visit of ours, a visit of the clinic next door): from here on the module's tests find both clinics furnished."""
    from scheduling.models import Appointment

    name, visits = furnished_database
    with django_db_blocker.unblock(), databases.turned_to(name):
        yield tuple(Appointment.objects.get(pk=key) for key in visits)


@pytest.fixture(scope="session")
def coded_database(django_db_setup, django_db_blocker):
    """The name of a copy of the test database in which our clinic has the starter catalogue with the usual rules."""
    from clinic.catalogue import load_starter
    from treatment.starter import load_rules

    with django_db_blocker.unblock():
        connection.close()
        name = databases.clone(django_db_setup)
        with databases.turned_to(name):
            by = people.Cast().system
            load_starter(by)
            load_rules(by=by)
    yield name
    with django_db_blocker.unblock():
        databases.drop(name)


@pytest.fixture(scope="module")
def coded(coded_database, django_db_blocker):
    """From here on the module's tests find the starter catalogue."""
    with django_db_blocker.unblock(), databases.turned_to(coded_database):
        yield


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


@pytest.fixture
def clone(django_db_setup, django_db_blocker, running_now):
    """The test's own copy of the test database; `django.db.connection` points to it. Committed rows stay in it."""
    with django_db_blocker.unblock():
        connection.close()
        name = databases.clone(connection.settings_dict["NAME"])
        running_now.write_text(name)
        try:
            with databases.turned_to(name):
                yield people.Cast()
        finally:
            databases.drop(name)


@pytest.fixture(scope="session")
def running_now(tmp_path_factory):
    """The file that tells the live servers on which database the running test works; see tests/served.py."""
    path = tmp_path_factory.mktemp("live") / "database"
    os.environ["TEST_DATABASE"] = str(path)
    return path


@pytest.fixture(scope="session")
def servers(running_now, files_dir):
    servers = Servers()
    yield servers
    servers.stop()


@pytest.fixture
def live(clone, servers):
    """`live(workers=2, threads=4)`: the product on the clone, behind a server that later tests use too."""
    connection.close()
    return servers.get
