"""Encryption of single values: AES-256-GCM under data keys that a key ring outside the database wraps.

A stored value is `e1:<data key id>:<base64 of nonce + ciphertext + tag>`; the tag also covers the value's context
("table.column"), so that a value copied to another column does not open. Rotating the ring wraps the data keys anew
and touches no row: history cannot be rewritten. A value that does not open raises; nothing is ever guessed.
"""
import base64
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE = 12


class CannotDecrypt(Exception):
    """The value, its data key or the key ring does not fit; the message names keys, never values."""


@lru_cache(maxsize=4)
def parse_keyring(text):
    """{name: 32 bytes} from `name:base64,older:base64`; the first is the one that wraps new data keys."""
    ring = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, key = item.partition(":")
        try:
            ring[name] = base64.b64decode(key, validate=True)
        except ValueError:
            ring[name] = b""
        if not name or len(ring[name]) != 32:
            raise ImproperlyConfigured(
                "KEYRING is not usable. Write name:key, the key being the base64 of 32 random bytes, with commas between keys.")
    if not ring:
        raise ImproperlyConfigured("KEYRING holds no key.")
    return ring


def seal(key, data, context):
    nonce = os.urandom(NONCE)
    return nonce + _lock(key).encrypt(nonce, data, context.encode())


def open_sealed(key, data, context):
    return _lock(key).decrypt(data[:NONCE], data[NONCE:], context.encode())


@lru_cache(maxsize=256)
def _lock(key):
    return AESGCM(key)  # a day's schedule opens a hundred and fifty values with one key


def encrypt(text, context):
    from clinic.models import DataKey

    key_id, key = DataKey.current()
    sealed = base64.b64encode(seal(key, text.encode(), context)).decode()
    return f"e1:{key_id}:{sealed}"


def decrypt(value, context):
    from clinic.models import DataKey

    try:
        form, key_id, sealed = value.split(":", 2)
        if form != "e1":
            raise ValueError
        return open_sealed(DataKey.open(key_id), base64.b64decode(sealed), context).decode()
    except (ValueError, InvalidTag) as error:
        raise CannotDecrypt(f"A value of {context} does not open: it was changed outside, or its key is another one.") from error


def ring():
    return parse_keyring(settings.KEYRING)
