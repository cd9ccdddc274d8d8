"""One-time codes: what an authenticator app shows (RFC 6238), and recovery codes. Pure calculation."""
import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

STEP = 30  # seconds that a code of the app stands
DIGITS = 6
SLACK = 1  # so many steps a clock may be off
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike


def new_secret():
    """160 random bits as an app takes them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret, step):
    """The code that the app shows in this step of 30 seconds."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset:offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10 ** DIGITS:0{DIGITS}d}"


def step_of(secret, code, now, after=-1):
    """The step whose code this is, none but those later than `after`; None when it fits none."""
    here = int(now.timestamp()) // STEP
    fits = [step for step in range(here - SLACK, here + SLACK + 1)
            if hmac.compare_digest(code_at(secret, step), code) and step > after]
    return fits[-1] if fits else None


def address_of(secret, who, issuer="Chairside"):
    """What the QR code says to the app."""
    return f"otpauth://totp/{quote(f'{issuer}:{who}')}?{urlencode({'secret': secret, 'issuer': issuer})}"


def new_recovery_code():
    """Twelve letters in threes of four: 60 random bits."""
    text = "".join(secrets.choice(LETTERS) for _ in range(12))
    return "-".join(text[start:start + 4] for start in (0, 4, 8))


def as_typed(code):
    """A code as it counts: without spaces, dashes and small letters."""
    return "".join(code.upper().replace("-", "").split())
