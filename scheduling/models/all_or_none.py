"""Several visits in one act: wait at once for all that they take, then take every step; where one can't be, none stands."""
from clinic.db import locks
from scheduling.refusals import SomeTaken, TimeTaken


def queue(patients, visits):
    """Wait for everything that these visits (what the verbs take, as dicts) will hold, in one order: so that two of
    them never wait for each other."""
    things = [row[name] for row in visits for name in ("operatory", "provider", "doctor") if row.get(name) is not None]
    locks.queue(*patients, *(thing.pk for thing in things))


def all_or_none(steps, zone):
    """Take every step, [(place, function)], and give what they give. What is taken already is collected into one SomeTaken; the
    caller's transaction undoes the others."""
    given, taken = [], {}
    for place, step in steps:
        try:
            given.append(step())
        except TimeTaken as refusal:
            taken[place] = refusal
    if taken:
        raise SomeTaken(taken, zone)
    return given
