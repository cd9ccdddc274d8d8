"""A worker process that hands mail over until nothing is due. `UNCLAIMED=1` takes the claim away, and waits for a line."""

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

    def claim(self, now):
        type(self).objects.filter(pk=self.pk).update(state="claimed", claimed_at=now)
        self.refresh_from_db()
        return True

    Outgoing.claim = claim
    print("ready", flush=True)
    sys.stdin.readline()

while Reminder.objects.due(timezone.now()).exists():
    hand_over()
    time.sleep(0.05)
