"""The databases of the tests: migrated once for each state of the migrations, and copied from then on."""

import fcntl
import hashlib
import os
import shutil
import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import setup_databases

from clinic.models import installation

ROOT = Path(__file__).resolve().parent.parent
CODE = ROOT / "clinic" / "db"  # it runs in the migrations
CLONES = count(1)


def make_test_database():
    """As `setup_databases`; what it migrates from nothing is kept, so that the next one finds nothing to migrate."""
    name, migrated = connection.creation._get_test_db_name(), name_of_migrated()
    with one_at_a_time():
        if migrated not in all_migrated():
            made = set_up()
            for old in all_migrated():
                drop(old)
            copy(name, migrated)
            return made
        drop(name)
        copy(migrated, name)
    return set_up(keepdb=True)


def set_up(keepdb=False):
    made = setup_databases(verbosity=0, interactive=False, aliases={"default"}, serialized_aliases=(), keepdb=keepdb)
    connection.close()
    return made


def name_of_migrated():
    """Another one for other migrations, other code that runs in them, and another ring, which wraps the first data key."""
    modules = {sys.modules[type(migration).__module__] for migration in MigrationLoader(None).disk_migrations.values()}
    files = sorted([*(Path(module.__file__) for module in modules), *CODE.glob("*.py")])
    state = hashlib.sha256(b"".join([settings.KEYRING.encode(), *(path.read_bytes() for path in files)])).hexdigest()[:16]
    name = f"chairside_migrated_{state}"
    return str(settings.VAR_DIR / f"{name}.sqlite3") if connection.vendor == "sqlite" else name


def all_migrated():
    if connection.vendor == "sqlite":
        return [str(path) for path in settings.VAR_DIR.glob("chairside_migrated_*.sqlite3")]
    with maintenance() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'chairside\\_migrated\\_%'")
        return [name for (name,) in cursor.fetchall()]


@contextmanager
def one_at_a_time():
    """Of workers that begin together one migrates, and the others copy."""
    with open(settings.VAR_DIR / f"migrated-{connection.vendor}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def clone(original):
    """The name of a new copy: none is used twice, so that no process mistakes one for the other."""
    number = f"{os.getpid()}_{next(CLONES)}"
    name = f"{original}.clone-{number}" if connection.vendor == "sqlite" else f"{original}_clone_{number}"
    copy(original, name)
    return name


@contextmanager
def turned_to(name):
    """Meanwhile `django.db.connection` points to this database."""
    original = connection.settings_dict["NAME"]
    turn_to(name)
    try:
        yield
    finally:
        turn_to(original)


def turn_to(name):
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    installation.forget_keys()


def copy(original, name):
    if connection.vendor == "sqlite":
        if Path(f"{original}-wal").exists():
            shutil.copyfile(f"{original}-wal", f"{name}-wal")
        shutil.copyfile(original, f"{name}.part")  # whoever is interrupted leaves no half of a database behind
        os.replace(f"{name}.part", name)
        return
    with maintenance() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')


def drop(name):
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
    """Where `django.db.connection` points to, for another process."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    head, _, _ = parts.path.rpartition("/")
    return urlunsplit(parts._replace(path=f"{head}/{config['NAME']}"))
