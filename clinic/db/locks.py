"""Queues: whoever is about to take the same things waits for the one before, instead of a deadlock."""
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
