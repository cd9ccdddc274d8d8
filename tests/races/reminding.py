"""A worker that reminds of plan reviews at a given moment: `python -m tests.races.reminding 2026-12-01T12:00:00-05:00`.

It says "ready", waits for a line so that several begin together, and says of how many reviews it told.
"""

import os
import sys
from datetime import datetime


def main(now):
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from treatment.models import ReviewReminder

    print("ready", flush=True)
    sys.stdin.readline()
    print(ReviewReminder.write_due(datetime.fromisoformat(now)))


if __name__ == "__main__":
    main(sys.argv[1])
