"""Queues: whoever is about to take the same things waits for the one before, instead of a deadlock."""
from contextlib import contextmanager

from django.db import connection


def queue(*keys):
    """Wait until no other transaction holds one of these keys; held until this transaction ends.

    Only an order of arrival: what may not be is refused by constraints. SQLite's write transaction is a queue already.
    """
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) AS key",
            [sorted({str(key) for key in keys})])


@contextmanager
def turn(key):
    """Be the only one at it, over several transactions: whoever comes meanwhile waits. A killed worker gives its turn back with its
    connection. On SQLite, which has one writer at a time, each transaction is a turn by itself."""
    if connection.vendor == "sqlite":
        yield
        return
    _ask("pg_advisory_lock", key)
    try:
        yield
    finally:
        _ask("pg_advisory_unlock", key)


def _ask(function, key):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [key])
