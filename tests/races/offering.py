"""A worker of the waitlist's job, without pause, by a clock that runs ahead: `python -m tests.races.offering START SECOND`.

START: the instant (seconds) at which the clock was `BASE`; SECOND: how many seconds of the clock pass in a real one.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta

BASE = datetime(2026, 11, 30, 14, tzinfo=UTC)


def main(start, second):
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from scheduling.models import FreedSlot

    while True:
        FreedSlot.go_on(BASE + timedelta(seconds=(time.time() - start) * second))


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
