"""How much one statement takes."""
import sqlite3

ENOUGH = 32_766  # values; what SQLite itself allows since 3.32, and a statement of that many is still short


def learn(connection, **kwargs):
    """For `connection_created`: SQLite says itself how many values a statement takes. Django assumes the 999 of old builds, and
    would write a thousand rows in ten statements."""
    if connection.vendor == "sqlite":
        allowed = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = min(allowed, ENOUGH)
