"""Periodontal exams of a third of the demo's grown patients, two to four each, some better over time and some worse."""
from datetime import UTC, datetime, timedelta

from charting.conditions import STANDARD
from charting.models import PerioExam, PerioTooth
from charting.models.perio_exam import SUMS
from charting.mouth import Mouth
from charting.perio import ToothFigures, indices
from clinic.db.records import record_bulk
from config.demo.chance import Chance
from config.demo.opening import BECAUSE, acting

DEEP = {1: 10, 2: 45, 3: 33, 4: 9, 5: 3}


def probe_gums(house, charted, seed):
    """Write the exams. `charted`: {patient (Known): their findings}, as `chart_patients` gives."""
    chance, exams, teeth = Chance(f"{seed}:gums"), [], []
    for patient, findings in charted.items():
        if patient.age(house.today) < 18 or not chance.yes(0.42):
            continue
        for exam, rows in _course(house, chance, patient, findings):
            exams.append(exam)
            teeth += rows
    by = acting(house, "hygienist")
    record_bulk(teeth, by=by, because=BECAUSE)  # before their exams: to one that is closed the database adds none
    record_bulk(exams, by=by, because=BECAUSE)


def _course(house, chance, patient, findings):
    """The exams of one patient, the oldest first; how ill the gums are drifts from one to the next."""
    illness, drift = chance.betavariate(1.6, 4), chance.uniform(-0.12, 0.1)
    hygienist = house.providers[patient.hygienist if patient.hygienist is not None else house.of_kind("hygienist")[0]]
    day = house.today - timedelta(days=chance.randint(5, 90))
    days = [day]
    for _ in range(chance.randint(1, 3)):
        day -= timedelta(days=chance.randint(150, 420))
        days.append(day)
    days = [day for day in reversed(days) if day >= max(patient.since, patient.born + timedelta(days=18 * 366))]
    for number, day in enumerate(days if len(days) > 1 else ()):  # one alone shows no course
        held = [row for row in findings if row.noted_on <= day and (row.resolved_on is None or row.resolved_on > day)]
        mouth = Mouth(held, STANDARD, patient.born, day)
        skipped = mouth.skipped()
        probed = [place.tooth for place in mouth.places if place.tooth.key not in skipped]
        measured = {tooth.key: _tooth(chance, min(0.95, max(0.02, illness + drift * number)), tooth) for tooth in probed}
        found = indices(measured, skipped)
        at = datetime(day.year, day.month, day.day, 16, chance.randrange(60), tzinfo=UTC)
        exam = PerioExam(
            id=chance.key(at), clinic=house.clinic, patient_id=patient.id, provider=hygienist, exam_date=day, created_at=at,
            status=PerioExam.Status.CLOSED, closed_at=at, skipped=skipped, **{name: getattr(found, name) for name in SUMS})
        yield exam, [PerioTooth(id=chance.key(at), clinic=house.clinic, exam=exam, tooth=key, created_at=at).filled(figures)
                     for key, figures in measured.items()]


def _tooth(chance, illness, tooth):
    """Deeper between the teeth and at molars, recession with the years; what is deep bleeds."""
    figures = ToothFigures()
    for site in range(6):
        between = site in (0, 2, 3, 5)
        likely = illness * (0.75 if tooth.kind == "molar" else 0.45)
        depth = chance.pick(DEEP) + sum(chance.yes(likely) for _ in range(3 if between else 1))
        figures.pd[site] = min(depth, 12)
        figures.gm[site] = chance.pick({0: 70, 1: 18 + 20 * illness, 2: 4 + 20 * illness, -1: 6})
        figures.bleeding[site] = chance.yes(0.06 + (0.5 if depth > 4 else 0.15 if depth > 3 else 0) + illness / 8)
        figures.plaque[site] = chance.yes((0.3 if between else 0.1) + illness / 4)
    if tooth.furcations and illness > 0.5 and chance.yes(0.25):
        figures.furcation[tooth.furcations[0].lower()] = chance.randint(1, 2)
    if illness > 0.6 and chance.yes(0.15):
        figures.mobility = 1
    return figures
