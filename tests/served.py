"""The product for live tests: one server serves many of them, each request on the database of the test that runs now."""

import os
from pathlib import Path

from config.wsgi import application as product

NOW = Path(os.environ["TEST_DATABASE"])  # a file that holds the name


def application(environ, start_response):
    turn_to(NOW.read_text())
    return product(environ, start_response)


def turn_to(name):
    """Each thread has a connection of its own."""
    from django.core.cache import cache
    from django.db import connection

    from clinic.models import installation

    if getattr(connection, "turned_to", None) != name:
        connection.close()
        connection.settings_dict["NAME"] = connection.turned_to = name
        installation.forget_keys()
        cache.clear()
