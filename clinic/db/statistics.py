"""What the planner knows about the sizes of tables. PostgreSQL counts by itself; SQLite only when it is told to.

Without it SQLite takes an index that fits the order of a list and reads a whole clinic, where another one finds three rows.
"""
from django.db import connection

ENTRIES = 1000  # of each index; enough to tell few from many, and quick also for millions of rows


def gather():
    """Count anew: every day, and after rows came in bulk."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit = {ENTRIES}")
            cursor.execute("ANALYZE")


def gather_after_migrate(plan=(), **kwargs):
    """For `post_migrate`: SQLite forgets what it knew about a table that a migration made anew."""
    if plan:
        gather()
