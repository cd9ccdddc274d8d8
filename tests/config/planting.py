"""The demo practice at a tiny size."""

import io

from django.core.management import call_command

from config.demo.plant import plant


def planted(**values):
    """The three clinics by key, planted beside the cast."""
    return plant(**{"patients": 40, "years": 1, "seed": 1, "out": io.StringIO(), **values})


def run(**values):
    out = io.StringIO()
    call_command("seed_demo", **values, stdout=out, stderr=io.StringIO())
    return out.getvalue()
