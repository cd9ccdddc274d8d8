"""One settings file for every environment; what is missing or wrong is said in a sentence that mends it."""
import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.wide

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = {
    "ENVIRONMENT": "production",
    "DEMO": "0",
    "SECRET_KEY": "x7" * 40,
    "KEYRING": "a:" + base64.b64encode(b"k" * 32).decode(),
    "ALLOWED_HOSTS": "chairside.example",
    "DATABASE_URL": "postgres://user:pass@db.example/chairside",
}


def load(**environment):
    """(exit code, what it said) of loading the settings under exactly this environment."""
    code = (
        "from django.conf import settings as s; s.DEBUG;"
        "print(s.DATABASES['default']['ENGINE'], s.DATABASES['default'].get('OPTIONS', {}).get('sslmode'), s.DEMO)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
    )
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()[-1]


def test_production_needs_everything_and_verifies_the_databases_tls():
    assert load(**GOOD) == (0, "django.db.backends.postgresql verify-full False")


def test_development_needs_nothing():
    code, said = load(ENVIRONMENT="dev")
    assert (code, said) == (0, "django.db.backends.sqlite3 None True")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ENVIRONMENT": "moon"}, "Set it to dev, test, staging or production"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing. Set it to a long random text"),
        ({"KEYRING": ""}, "KEYRING is missing. Set it to name:key"),
        ({"KEYRING": "a:short"}, "KEYRING is not usable"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is shorter than 40 characters"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is missing"),
        ({"DEMO": "1"}, "Set DEMO=0 in production"),
        ({"DEBUG": "1"}, "DEBUG shows patient data"),
        ({"DEBUG": "perhaps"}, "Set it to true or false"),
        ({"DATABASE_URL": "mysql://u:p@h/n"}, "must name SQLite or PostgreSQL"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"POLL_SECONDS": "often"}, "Set it to whole seconds"),
        ({"IDLE_SECONDS": "soon"}, "Set it to whole seconds"),
        ({"TRUSTED_PROXIES": "the proxy"}, "Write networks such as 10.0.0.0/8"),
    ],
)
def test_what_is_missing_or_wrong_is_said(change, sentence):
    code, said = load(**{**GOOD, **change})
    assert code != 0
    assert sentence in said
