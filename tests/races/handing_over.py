"""A worker process that hands mail over until nothing is due.

`UNCLAIMED=1` takes the claim away, and waits for a line once it knows what is due, so that several know of the same letters.
"""

import os
import sys
import time

import django

django.setup()

from django.utils import timezone  # noqa: E402

from clinic.mail.post import hand_over  # noqa: E402
from clinic.models.outgoing import Outgoing  # noqa: E402
from scheduling.models import Reminder  # noqa: E402

if os.environ.get("UNCLAIMED"):
    waits = iter([True])

    def claim(self, now):
        if next(waits, False):
            print("ready", flush=True)
            sys.stdin.readline()
        type(self).objects.filter(pk=self.pk).update(state="claimed", claimed_at=now, done_at=None)
        self.refresh_from_db()
        return True

    Outgoing.claim = claim

while Reminder.objects.due(timezone.now()).exists():
    hand_over()
    time.sleep(0.05)
