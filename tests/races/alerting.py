"""A worker that tells of milestones until it has nothing more to tell, or is killed: `python -m tests.races.alerting [unguarded]`.

It says "ready", waits for a line so that several begin together, and says of how many it told. `unguarded`: workers do not take
turns; each says "read" when it knows its first batch, and waits for a line before it writes, so that all know the same one.
"""

import os
import sys
from contextlib import nullcontext


def main(unguarded):
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from milestones.models import MilestoneAlert, alert

    alert.BATCH = int(os.environ.get("BATCH", "1000"))
    if unguarded:
        alert.turn = lambda key: nullcontext()
        tell, waited = alert.Sweep._tell, []

        def tell_when_all_have_read(sweep, found):
            if not waited:
                waited.append(True)
                print("read", flush=True)
                sys.stdin.readline()
            return tell(sweep, found)

        alert.Sweep._tell = tell_when_all_have_read
    print("ready", flush=True)
    sys.stdin.readline()
    print(MilestoneAlert.write_due())


if __name__ == "__main__":
    main(sys.argv[1:] == ["unguarded"])
