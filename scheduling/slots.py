"""Free time as pure calculation: a day is a row of 5-minute ticks, kept as the bits of one integer.

Bit n stands for the n-th tick after the clinic's midnight. A day has 288 ticks, 276 or 300 where the clock changes:
ticks count real minutes from midnight, so that they never repeat or skip.
"""
from datetime import UTC, datetime

TICK = 5
GRID = 10  # visits are offered on full ten minutes


def midnight(day, zone):
    """The instant at which this day begins on the clinic's wall."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def wall(day, at, zone):
    """The instant of a wall time. In the gap of spring 2:30 is 3:30; in the doubled hour of autumn it is the first."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def span_bits(starts_at, ends_at, origin, outward=True):
    """The ticks of [starts_at, ends_at) after `origin`: for busy time every tick touched, for free time every whole one."""
    first, last = minutes_after(starts_at, origin), minutes_after(ends_at, origin)
    start = first // TICK if outward else -(-first // TICK)
    end = -(-last // TICK) if outward else last // TICK
    start, end = max(0, int(start)), max(0, int(end))
    return ((1 << (end - start)) - 1) << start if end > start else 0


def minutes_after(at, origin):
    return (at - origin).total_seconds() / 60


def starts_of_runs(free, count):
    """The ticks from which on `count` ticks in a row are free."""
    have = 1
    while have < count and free:
        step = min(have, count - have)
        free &= free >> step
        have += step
    return free


EVERY_TICK = (1 << 310) - 1  # the longest day has 300
GRID_BITS = sum(1 << tick for tick in range(0, 301, GRID // TICK))


def ticks_of(bits):
    """The set bits, lowest first."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def whole_ticks(minutes):
    return -(-minutes // TICK)
