"""`python -m docs.bench [--quick]`: loads what is missing, takes turns between the sides, and prints the ratios."""
import argparse
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import django

from docs.bench.client import median, timed
from docs.bench.databases import FOLDER, ROOT, Database, address, postgres
from docs.bench.sides import Floor, Practice, terms_for

BARS = {"day": 1.5, "search": 1.5, "record": 5, "booking": 2.5, "cheapest": 2}
GROWTH = {"day": 1.2, "record": 1.2, "booking": 1.2, "free times": 1.2, "search": 1.3}
AGAINST = {"cheapest": "floor with login"}  # all others are judged against the bare floor


def main():
    options = argparse.ArgumentParser(prog="bin/campaign bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="500 and 1,000 patients, two short rounds: does it run at all?")
    options.add_argument("--engine", choices=["SQLite", "PostgreSQL"], action="append", help="only this one")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1.0, help="of each turn")
    options.add_argument("--sizes", type=int, nargs=3, default=[10_000, 100_000, 1_000_000], metavar=("SMALL", "USUAL", "LARGE"))
    asked = options.parse_args()
    if asked.quick:
        asked.sizes, asked.rounds, asked.seconds = [500, 500, 1000], 2, 0.2
    FOLDER.mkdir(parents=True, exist_ok=True)
    missed = 0
    with postgres() as server:
        print(machine(server))
        for engine in asked.engine or ["SQLite", "PostgreSQL"]:
            missed += measure(engine, server, asked)
    print(f"\n{missed} of the ratios above are missed." if missed else "\nEvery ratio above is reached.")


def measure(engine, server, asked):
    """Both tables of one engine; returns how many bars are missed."""
    small, usual, large = asked.sizes
    with ExitStack() as stack:
        floor = Database("floor", engine, usual, server).make_ready()
        databases = {size: Database("practice", engine, size, server).make_ready() for size in (small, usual, large)}
        sides = [stack.enter_context(Floor(floor, with_login=False)), stack.enter_context(Floor(floor, with_login=True))]
        practices = {size: stack.enter_context(Practice(database)) for size, database in databases.items()}
        terms = {size: terms_for(practice) for size, practice in practices.items()}
        jobs = [(side, name, *call) for side in sides for name, call in side.calls(terms[usual]).items()]
        for size, practice in practices.items():
            for name, call in practice.calls(terms[size]).items():
                if (size == usual and name in BARS) or (size in (small, large) and name in GROWTH):
                    jobs.append((practice, name, *call))
        spent = take_turns(jobs, asked.rounds, asked.seconds)
    print(f"\n{engine}: milliseconds at one client, median of {asked.rounds} rounds of {asked.seconds:g} s; in brackets the "
          "processor time of the server's processes\n")
    return ratios(spent, practices[usual].name) + growth(spent, practices[small].name, practices[large].name)


class Cost(NamedTuple):
    """Milliseconds of one request: as the client waits, and as the server's processes work."""

    wall: float
    cpu: float

    def __str__(self):
        return f"{self.wall:.2f} ({self.cpu:.2f})"

    def to(self, other):
        """Both ratios, as a text."""
        return f"{self.wall / other.wall:.2f} ({self.cpu / max(other.cpu, 0.01):.2f})"


def take_turns(jobs, rounds, seconds):
    """{(side, page): median Cost of the rounds}. Each round asks every page of every side once over."""
    walls, cpus = defaultdict(list), defaultdict(list)
    for _, _, call, wanted in jobs:
        timed(call, wanted, min(seconds, 0.3))  # warm: templates compiled, connections open
    for _ in range(rounds):
        for side, name, call, wanted in jobs:
            before = side.server.cpu()
            spent = timed(call, wanted, seconds)
            cpus[side.name, name].append((side.server.cpu() - before) / len(spent))
            walls[side.name, name].append(median(spent))
    return {job: Cost(median(walls[job]), median(cpus[job])) for job in walls}


def ratios(spent, practice):
    print(f"| page | bare floor | floor with login | {practice} | to bare | to login | bar | |")
    print("|---|---|---|---|---|---|---|---|")
    missed = 0
    for name, bar in BARS.items():
        own, bare, login = spent[practice, name], spent["bare floor", name], spent["floor with login", name]
        judged = login if name in AGAINST else bare
        missed += own.wall / judged.wall > bar
        print(f"| {name} | {bare} | {login} | {own} | {own.to(bare)} | {own.to(login)} "
              f"| ≤ {bar:g} {'login' if name in AGAINST else 'bare'} | {verdict(own.wall / judged.wall, bar)} |")
    return missed


def growth(spent, small, large):
    print(f"\n| page | {small} | {large} | growth | bar | |")
    print("|---|---|---|---|---|---|")
    missed = 0
    for name, bar in GROWTH.items():
        before, after = spent[small, name], spent[large, name]
        missed += after.wall / before.wall > bar
        print(f"| {name} | {before} | {after} | {after.to(before)} | ≤ {bar:g} | {verdict(after.wall / before.wall, bar)} |")
    return missed


def verdict(ratio, bar):
    return "reached" if ratio <= bar else "**missed**"


def machine(server):
    """The line above the tables: what this was measured on."""
    import psycopg

    with psycopg.connect(address(server)) as connection:
        database = connection.execute("SHOW server_version").fetchone()[0].split()[0]
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024 ** 2
    return (f"{time.strftime('%Y-%m-%d')}, commit {commit}: {os.cpu_count()} cores, {memory:.0f} GiB, "
            f"Python {platform.python_version()}, Django {django.__version__}, SQLite {sqlite3.sqlite_version} "
            f"(WAL, synchronous FULL), PostgreSQL {database} (fsync on); load of the machine before: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    sys.exit(main())
