"""What is charted of the demo's patients: a first examination, and what came and passed since; more of it with the years."""
from datetime import UTC, datetime, timedelta

from charting.conditions import STANDARD
from charting.models import Finding
from charting.mouth import Mouth
from charting.teeth import TEETH
from clinic.db.records import record_bulk
from config.demo.chance import Chance
from config.demo.opening import BECAUSE, acting

FILLINGS = {"O": 40, "MO": 18, "DO": 18, "MOD": 14, "B": 6, "M": 4}
MATERIALS = {"composite": 68, "amalgam": 26, "gold": 2, "glass_ionomer": 4}
CROWNS = {"pfm": 40, "zirconia": 35, "gold": 8, "lithium_disilicate": 17}
BACK = [key for key in map(str, range(1, 33)) if TEETH[key].kind in ("molar", "premolar")]
WISDOM = ["1", "16", "17", "32"]


def chart_patients(house, patients, seed, whole):
    """Write the findings of these patients (`families.Known`), in bulk; returns {patient: findings} of those who were examined.

    `whole`: sound teeth are charted too, thirty rows a patient; of the thousands of a large demo only what was found.
    """
    chance, charted = Chance(f"{seed}:charts"), {}
    for patient in patients:
        charted[patient] = _mouth(house, chance, patient, whole)
    record_bulk([row for rows in charted.values() for row in rows], by=acting(house, "dentist"), because=BECAUSE)
    return charted


def _mouth(house, chance, patient, whole):
    """The findings of one patient, in the order in which they were made."""
    first = max(patient.since, patient.born + timedelta(days=700))
    if first >= house.today:
        return []
    dentist = house.providers[patient.dentist if patient.dentist is not None else house.doctors[0]]
    age = patient.age(first)
    chart = Charting(house, chance, patient, dentist, chance.key(datetime(first.year, first.month, first.day, 15, tzinfo=UTC)))
    if age >= 15:
        _grown(chart, chance, age, first)
    else:
        _child(chart, chance, first)
    if whole:
        mouth = Mouth(chart.rows, STANDARD, patient.born, first)
        for key in mouth.unexamined:
            if TEETH[key].position not in (1, 16, 17, 32):
                chart.found(key, "sound", first)
    _since(chart, chance, age, first, house.today)
    return chart.rows


class Charting:
    """The findings of one patient while they are made up; a tooth that is missing gets no more of them."""

    def __init__(self, house, chance, patient, dentist, entry):
        self.house, self.chance, self.patient, self.dentist, self.entry = house, chance, patient, dentist, entry
        self.rows, self.gone = [], set()

    def found(self, tooth, condition, day, surfaces="", material="", status="", span=None):
        at = datetime(day.year, day.month, day.day, 15, self.chance.randrange(60), tzinfo=UTC)
        kind = STANDARD[condition]
        row = Finding(
            id=self.chance.key(at), clinic=self.house.clinic, patient_id=self.patient.id, tooth=tooth, condition=condition,
            surfaces=surfaces or kind.usual_of(TEETH[tooth]), material=material, status=status or kind.status, noted_on=day,
            provider=self.dentist, entry=self.entry, span=span, created_at=at)
        self.rows.append(row)
        if kind.effect in ("missing", "unerupted", "pontic", "implant"):
            self.gone.add(tooth)
        return row

    def stands(self, teeth):
        return [key for key in teeth if key not in self.gone]


def _grown(chart, chance, age, day):
    """Third molars, lost teeth and what replaced them, fillings, crowns: the older, the more."""
    for tooth in WISDOM:
        state = chance.pick({"missing": 55 + age / 2, "unerupted": 16, "impacted": 12, "sound": 30})
        chart.found(tooth, state, day)
    for _ in range(min(9, int(chance.expovariate(1 / max(0.2, (age - 25) / 11))))):
        left = chart.stands(BACK)
        if left:
            _lost(chart, chance, chance.choice(left), day)
    for _ in range(min(14, int(chance.expovariate(1 / max(0.6, (age - 10) / 9))))):
        left = chart.stands(BACK)
        if left:
            elsewhere = "existing_other" if chance.yes(0.6) else "existing"
            tooth = chance.choice(left)
            if chance.yes(0.16):
                chart.found(tooth, "crown", day, material=chance.pick(CROWNS), status=elsewhere)
                if chance.yes(0.5):
                    chart.found(tooth, "root_canal", day, status=elsewhere)
            else:
                chart.found(tooth, "restoration", day, chance.pick(FILLINGS), chance.pick(MATERIALS), elsewhere)
    if age > 45 and chance.yes(0.3):
        for tooth in ("24", "25"):
            chart.found(tooth, "wear", day, "I")


def _lost(chart, chance, tooth, day):
    position = int(tooth)
    neighbours = [str(position - 1), str(position + 1)]
    if chance.yes(0.25) and TEETH[tooth].from_midline in range(4, 7) and not set(neighbours) & chart.gone:
        span, material = chance.key(datetime(day.year, day.month, day.day, 15, tzinfo=UTC)), chance.pick(CROWNS)
        for key, part in ((neighbours[0], "bridge"), (tooth, "pontic"), (neighbours[1], "bridge")):
            chart.found(key, part, day, material=material, status="existing_other", span=span)
        return
    chart.found(tooth, "missing", day)
    if chance.yes(0.3):
        chart.found(tooth, "implant", day, status="existing_other")


def _child(chart, chance, day):
    for tooth in chance.sample("ABIJKLST", chance.pick({0: 55, 1: 20, 2: 15, 4: 10})):
        if chance.yes(0.7):
            chart.found(tooth, "restoration", day, chance.pick({"O": 60, "DO": 40}), "composite", "existing_other")
        else:
            chart.found(tooth, "crown", day, material="steel", status="existing_other")


def _since(chart, chance, age, first, today):
    """What came after the first examination: decay, of which most was treated, sealants, chipped edges, what is watched."""
    for _ in range(chance.pick({0: 40, 1: 30, 2: 18, 3: 12})):
        day = first + timedelta(days=chance.randrange(max(1, (today - first).days)))
        left = chart.stands(BACK if age >= 15 else ["3", "14", "19", "30"])
        if not left or day >= today:
            continue
        tooth, surfaces = chance.choice(left), chance.pick(FILLINGS)
        what = chance.pick({"caries": 60, "watch": 25, "fracture": 8, "sealant": 12 if age < 20 else 0})
        finding = chart.found(tooth, what, day, "" if what == "sealant" else surfaces)
        treated = day + timedelta(days=chance.randint(7, 60))
        if what == "caries" and treated < today and chance.yes(0.75):
            finding.resolved_on, finding.resolved_because = treated, "Filled"
            chart.found(tooth, "restoration", treated, surfaces, "composite")
