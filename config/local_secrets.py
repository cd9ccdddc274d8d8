"""Secrets that a developer's machine makes for itself, so that the first run needs no set-up.

Only development reads this; staging and production must be given theirs.
"""
import base64
import secrets
from pathlib import Path


def read_or_make(path: Path, make) -> str:
    """The text of `path`; written once, readable by its owner only, when there is none yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x") as file:
                path.chmod(0o600)
                file.write(make())
        except FileExistsError:  # another process was first
            pass
    return path.read_text().strip()


def signing_key() -> str:
    return secrets.token_urlsafe(50)


def keyring() -> str:
    """A key ring of one key, in the form that KEYRING takes: `name:base64 of 32 bytes`."""
    return "local:" + base64.b64encode(secrets.token_bytes(32)).decode()
