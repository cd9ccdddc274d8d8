"""When a patient would like to come, and for what: check-ups by the half-year, and what follows from them."""
from datetime import timedelta

CHILD, TEEN = 14, 18


def wishes(house, patient, start, end):
    """[(day, key of the visit type)] of one patient between these days, in order; at most one a day."""
    chance = house.chance
    last = end if patient.is_active else min(end, house.today - timedelta(days=120))
    first = max(start, patient.since + timedelta(days=3))
    found = {}
    for day, key in _all(chance, patient, first, last, is_new=patient.since >= start):
        if first <= day <= last and key in house.types:
            found.setdefault(day, key)
    return sorted(found.items())


def _all(chance, patient, first, last, is_new):
    yield from _check_ups(chance, patient, first, last, is_new)
    age = patient.age(first)
    for day in _chances(chance, first, last, yearly=0.15):
        yield day, "problem"
    if (10 <= age < TEEN and chance.yes(0.3)) or (TEEN <= age < 50 and chance.yes(0.06)):
        yield from _orthodontics(chance, first, last)
    if age < 40 and chance.yes(0.04):
        day = _between(chance, first, last)
        for week in range(8):
            yield day + timedelta(weeks=week), "therapy"
    if 6 <= age < CHILD and chance.yes(0.35):
        yield _between(chance, first, last), "sealants"
    if age > 55 and chance.yes(0.08):
        yield _between(chance, first, last), "denture"


def _check_ups(chance, patient, first, last, is_new):
    """One every half-year, or every three months after gum treatment; a third of them find something to do."""
    if patient.age(last) < 3:
        return
    gums = patient.age(first) > 35 and chance.yes(0.18)
    every = 95 if gums else 182
    day = first if is_new else first + timedelta(days=chance.randrange(every))
    key = "new"
    while day <= last:
        if not is_new:
            key = "child" if patient.age(day) < CHILD else "gums" if gums else "cleaning"
        yield day, key
        if key != "gums" and chance.yes(0.3):
            yield from _treatment(chance, patient, day)
        is_new = False
        day += timedelta(days=every + chance.randint(-12, 30))


def _treatment(chance, patient, found_on):
    """What a check-up leads to, a few weeks later."""
    day = found_on + timedelta(days=chance.randint(6, 45))
    if patient.age(day) < CHILD:
        yield day, "filling"
        return
    key = chance.pick({"filling": 58, "crown": 18, "root": 9, "extraction": 9, "deep": 6})
    yield day, key
    if key in ("crown", "root"):
        yield day + timedelta(days=chance.randint(14, 24)), "seating" if key == "crown" else "crown"
    if key == "deep":
        yield day + timedelta(days=7), "deep"


def _orthodontics(chance, first, last):
    """A look, braces three weeks later, then an adjustment every five weeks and retainer checks."""
    day = first + timedelta(days=chance.randint(-500, max(0, (last - first).days - 60)))
    yield day, "ortho_look"
    day += timedelta(days=21)
    yield day, "braces"
    for _ in range(20):
        day += timedelta(days=35 + chance.randint(-4, 6))
        yield day, "adjustment"
    for _ in range(4):
        day += timedelta(days=100 + chance.randint(-10, 20))
        yield day, "retainer"


def _chances(chance, first, last, yearly):
    day = first
    while day <= last:
        day += timedelta(days=1 + int(chance.expovariate(yearly / 365)))
        if day <= last:
            yield day


def _between(chance, first, last):
    return first + timedelta(days=chance.randrange(max(1, (last - first).days)))
