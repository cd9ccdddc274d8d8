"""The three demo clinics and those who work there, as data."""
from dataclasses import dataclass

DOMAIN = "demo.example"


@dataclass(frozen=True)
class Person:
    """Somebody who works there. `sign_in`: the part before @demo.example; without it nobody signs in as them.

    `kind`: what they are as a provider, empty for the office. `days`: weekend days on which they work (5, 6).
    """

    name: str
    short: str = ""
    kind: str = ""
    roles: tuple = ()
    sign_in: str = ""
    early: bool = True
    days: tuple = ()


@dataclass(frozen=True)
class Practice:
    key: str
    clinic: dict
    people: tuple
    chairs: tuple  # (name, is hygiene)
    share: float  # of the patients that were asked for
    types: tuple = ()  # keys; empty: all


HARBOUR = Practice(
    "harbour",
    {"name": "Harbour Dental", "time_zone": "America/New_York", "country": "US", "region": "NY", "currency": "USD",
     "tooth_numbering": "universal", "phone": "+1 914 555 0100", "email": "hello@harbour.demo.example",
     "address": "12 Harbor Street\nPort Chester, NY 10573"},
    (
        Person("Dr. Elena Marsh", "Dr. Marsh", "dentist", ("dentist",), "dentist", days=(5, 6)),
        Person("Dr. Samuel Okafor", "Dr. Okafor", "dentist", early=False, days=(6,)),
        Person("Dr. Priya Raman", "Dr. Raman", "orthodontist", ("dentist",), "ortho", early=False, days=(5,)),
        Person("Grace Lindqvist", "Grace L.", "hygienist", ("hygienist",), "hygienist", days=(5, 6)),
        Person("Marcus Bell", "Marcus B.", "hygienist", early=False, days=(6,)),
        Person("Noemi Castillo", "Noemi C.", "therapist", ("dentist",), "therapist"),
        Person("Tom Adeyemi", "Tom A.", "assistant", ("assistant",), "assistant", days=(5, 6)),
        Person("Dana Whitfield", roles=("receptionist",), sign_in="desk"),
        Person("Ruth Abara", roles=("coordinator",), sign_in="coordinator"),
        Person("Hannah Stone", roles=("biller",), sign_in="biller"),
        Person("Carla Jimenez", roles=("manager",), sign_in="manager"),
    ),
    (("Operatory 1", True), ("Operatory 2", True), ("Operatory 3", False), ("Operatory 4", False),
     ("Ortho bay", False), ("Operatory 6", False)),
    1.0)

WEST = Practice(
    "west",
    {"name": "Harbour Dental West", "time_zone": "America/Los_Angeles", "country": "US", "region": "WA", "currency": "USD",
     "tooth_numbering": "universal", "phone": "+1 206 555 0140", "email": "hello@west.demo.example",
     "address": "4410 Ballard Avenue\nSeattle, WA 98107"},
    (
        Person("Dr. Walter Nakamura", "Dr. Nakamura", "dentist", ("dentist",), days=(5, 6)),
        Person("Joy Petersen", "Joy P.", "hygienist", ("hygienist",), days=(5, 6)),
        Person("Ben Archer", roles=("receptionist",)),
    ),
    (("Room 1", True), ("Room 2", False)),
    0.1, ("cleaning", "child", "gums", "new", "problem", "filling", "crown", "seating", "root", "extraction"))

HAMBURG = Practice(
    "hamburg",
    {"name": "Hafenpraxis Hamburg", "time_zone": "Europe/Berlin", "country": "DE", "region": "HH", "currency": "EUR",
     "tooth_numbering": "fdi", "phone": "+49 40 66969 100", "email": "hallo@hafenpraxis.demo.example",
     "address": "Hafenstraße 7\n22767 Hamburg"},
    (
        Person("Dr. Jörg Brüggemann", "Dr. Brüggemann", "dentist", ("dentist",), days=(5, 6)),
        Person("Svenja Petersen", "Svenja P.", "hygienist", ("hygienist",), days=(5, 6)),
        Person("Aylin Kaya", roles=("receptionist",)),
    ),
    (("Zimmer 1", True), ("Zimmer 2", False)),
    0.1, ("cleaning", "child", "gums", "new", "problem", "filling", "crown", "seating", "root", "extraction"))

PRACTICES = (HARBOUR, WEST, HAMBURG)
MANAGES_TOO = "west"  # the manager is a member there as well, so that the clinic switcher is real
COACH = Person("Peter Novak", sign_in="coach")


def enlarged(practice, patients):
    """The practice with as many chairs and people as so many patients need; unchanged up to a few thousand."""
    more = min(14, patients // 5000)
    kinds = ("hygienist", "dentist", "hygienist", "orthodontist", "hygienist", "dentist", "hygienist")
    people = tuple(
        Person(f"{'Dr. ' if kinds[index % 7][0] != 'h' else ''}Extra {index + 1}", f"Extra {index + 1}", kinds[index % 7],
               early=index % 2 == 0) for index in range(more))
    chairs = tuple((f"Operatory {index + 7}", kinds[index % 7] == "hygienist") for index in range(more))
    return Practice(
        practice.key, practice.clinic, practice.people + people, practice.chairs + chairs, practice.share, practice.types)
