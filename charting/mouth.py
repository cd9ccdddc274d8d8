"""What a mouth is like on a day, from its findings: which tooth stands at each place, and in what state.

Dentition is per tooth, not per patient. Where nothing is charted, the age says which tooth is expected; what is charted always
wins. Not examined, sound, missing, hidden (the space is closed) and unerupted are five different things.
"""
from collections import defaultdict
from datetime import date
from functools import cached_property
from typing import NamedTuple

from django.db.models import BooleanField, CharField, ExpressionWrapper, Q
from django.db.models.functions import Cast

from charting.conditions import STANDARD, Effect
from charting.models.finding import Finding
from charting.models.finding_kind import FindingKind
from charting.teeth import TEETH
from scheduling.slots import midnight

# At this age, in years, a permanent tooth is expected to have come: by the distance from the midline, upper and lower.
ERUPTION = {1: (7, 6), 2: (8, 7), 3: (11, 10), 4: (10, 10), 5: (11, 11), 6: (6, 6), 7: (12, 12), 8: (17, 17)}
PRIMARY_AT = {tooth.position: tooth.key for tooth in TEETH.values() if tooth.is_primary and not tooth.is_supernumerary}
NOT_EXAMINED = "not_examined"
STATES = {
    NOT_EXAMINED: "not examined", "sound": "sound", "present": "present", "missing": "missing", "hidden": "missing, space closed",
    "unerupted": "unerupted", "implant": "implant", "pontic": "bridge pontic"}
# The first effect that one of a tooth's findings has decides.
DECIDES = (Effect.IMPLANT, Effect.PONTIC, Effect.HIDDEN, Effect.MISSING, Effect.UNERUPTED)
GONE = {"missing", "hidden", "unerupted", "pontic"}  # nothing to probe there


class Place(NamedTuple):
    """One of the 32 places: the tooth that stands there, its state, and what was found; `beside`: other teeth charted there."""

    tooth: object
    state: str
    findings: list
    beside: list  # [(Tooth, state, findings)]


class Mouth:
    """All 32 places, in the order of the positions. Of rows that are loaded: it asks the database nothing."""

    def __init__(self, findings, kinds, born, on):
        self.on, self._kinds = on, kinds
        self._years = on.year - born.year - ((on.month, on.day) < (born.month, born.day)) if born else None
        self.by_tooth = defaultdict(list)
        for finding in findings:
            self.by_tooth[finding.tooth].append(finding)

    def state(self, key):
        """The state of one tooth."""
        findings = [finding for finding in self.by_tooth.get(key, ()) if finding.status != Finding.Status.PLANNED]
        if not findings:
            return NOT_EXAMINED
        effects = {self._kind(finding).effect for finding in findings}
        for effect in DECIDES:
            if effect in effects:
                return str(effect)
        return "sound" if effects == {Effect.SOUND} else "present"

    @cached_property
    def places(self):
        return [self._place(position) for position in range(1, 33)]

    @cached_property
    def dentition(self):
        """permanent, primary or mixed, of the teeth that stand or are expected."""
        rows = {place.tooth.is_primary for place in self.places if place.state not in ("missing", "hidden", "unerupted")}
        return "mixed" if len(rows) > 1 else "primary" if rows == {True} else "permanent"

    def skipped(self, probes_implants=True):
        """Keys of the teeth shown that a periodontal exam skips, in the order of the positions: those that are not there to probe,
        and implants where the practice does not probe them."""
        skipped = GONE if probes_implants else {*GONE, "implant"}
        return [place.tooth.key for place in self.places if place.state in skipped]

    @cached_property
    def unexamined(self):
        """Keys of the teeth shown of which nothing is known."""
        return tuple(place.tooth.key for place in self.places if place.state == NOT_EXAMINED)

    def _place(self, position):
        permanent, primary = str(position), PRIMARY_AT.get(position)
        shown = primary if primary and self._shows_primary(permanent, primary, position) else permanent
        state = self.state(shown)
        if state == NOT_EXAMINED and not self._is_expected(shown):
            state = "unerupted"
        others = [key for key in (permanent, primary, f"{primary}S" if primary else None, str(position + 50))
                  if key and key != shown and self.by_tooth.get(key) and not (key == primary and self.state(key) in GONE)]
        return Place(TEETH[shown], state, self.by_tooth.get(shown, []), [
            (TEETH[key], self.state(key), self.by_tooth[key]) for key in others])

    def _shows_primary(self, permanent, primary, position):
        first, second = self.state(primary), self.state(permanent)
        if first in ("missing", "hidden"):
            return False
        if first != NOT_EXAMINED:
            return second in (NOT_EXAMINED, *GONE)
        return second in (NOT_EXAMINED, "unerupted") and not self._has_come(position) and self._years is not None and (
            self._years < 13)

    def _has_come(self, position):
        if self._years is None:
            return True
        tooth = TEETH[str(position)]
        return self._years >= ERUPTION[tooth.from_midline][0 if tooth.is_upper else 1]

    def _is_expected(self, key):
        """Whether a tooth of which nothing is charted should be there at this age; a third molar may be, so it is."""
        tooth = TEETH[key]
        if tooth.is_primary:
            return self._years is None or self._years >= 1
        return self._has_come(tooth.position)

    def _kind(self, finding):
        return self._kinds.get(finding.condition) or STANDARD["watch"]


class Found(NamedTuple):
    """What the chart needs of a finding: no model object, since a mouth may have hundreds."""

    pk: str
    tooth: str
    surfaces: str
    condition: str
    material: str
    status: str
    noted_on: date
    resolved_on: date | None
    span: str | None
    note: str
    seen_by: str | None
    is_new: bool  # charted by hand today

    def holds_on(self, day):
        return self.noted_on <= day and (self.resolved_on is None or self.resolved_on > day)


COLUMNS = (
    "key", "tooth", "surfaces", "condition", "material", "status", "noted_on", "resolved_on", "whole", "note", "provider__name",
    "new")


def lean(rows, clinic):
    """These findings as Found, in the order in which they were noted; one query. Keys stay the database's texts: making UUIDs of
    hundreds takes longer than asking for them."""
    text, today = CharField(max_length=36), midnight(clinic.today(), clinic.zone)
    rows = rows.order_by("noted_on", "created_at", "id").annotate(
        key=Cast("id", text), whole=Cast("span", text), new=ExpressionWrapper(
            Q(created_at__gte=today, of_treatment=False), BooleanField()))
    return [Found._make(row) for row in rows.values_list(*COLUMNS)]


def findings_of(actor, patient, on=None):
    """The findings that hold on that day (today); one query."""
    return lean(Finding.objects.visible_to(actor).of(patient).on(on or actor.clinic.today()), actor.clinic)


def mouth_of(actor, patient, on=None):
    """The patient's Mouth on that day (today): two queries."""
    on = on or actor.clinic.today()
    return Mouth(findings_of(actor, patient, on), FindingKind.known_to(actor.clinic, active=False), patient.date_of_birth, on)
