"""Chance with a seed: the same seed draws the same people, visits and keys."""
import random
from uuid import UUID


class Chance(random.Random):
    """Draws for the demo. Two of the same seed give the same row of draws."""

    def yes(self, share):
        """True in this share of cases."""
        return self.random() < share

    def pick(self, weighted):
        """One of {thing: weight}."""
        return self.choices(list(weighted), list(weighted.values()))[0]

    def key(self, at):
        """A time-ordered key (UUID version 7) as if made at that instant, its random part drawn from the seed."""
        milliseconds = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
        high, low = self.getrandbits(12), self.getrandbits(62)
        return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
