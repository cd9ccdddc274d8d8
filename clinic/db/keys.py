"""Time-ordered keys: UUID version 7 (RFC 9562, section 5.7)."""
import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A new key whose first 48 bits are the milliseconds since 1970, so that rows made together lie together."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=value)
