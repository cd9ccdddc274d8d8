"""Orthodontic cases of the demo practice: finished ones, from which the forecast learns, and running ones at different points."""
from datetime import timedelta
from random import Random

from clinic.models import Patient
from milestones.models import Adjustment, Evidence, Milestone, TaskUpdate
from scheduling.models import Appointment
from treatment.models import TreatmentPlan

FINISHED, RUNNING = 24, 6  # cases of each kind
# (kind, title, months that it usually takes here against the plan's own, spread of that)
KINDS = [
    (TreatmentPlan.Type.COMPREHENSIVE, "Comprehensive orthodontics", 24, 1.08, 0.16),
    (TreatmentPlan.Type.ALIGNER, "Aligners", 14, 1.15, 0.22)]
MONTH = 30.44
WIRES = ["0.014 NiTi", "0.016 NiTi", "16x22 NiTi", "19x25 NiTi", "16x22 SS", "19x25 SS"]
OLD_ENOUGH = timedelta(days=17 * 366)
MOST_ASKED = 300
REACHED = 0.85


def reach_milestones(house, now):
    """Of the plans that run already most of what was due is reached, some of it late; a little is overdue."""
    today, luck = min(house.clinic.today(now), house.clinic.today()), Random(11)
    for row in Milestone.objects.overdue(today).filter(clinic=house.clinic, requires_approval=False, requires_evidence=False):
        day = row.target_date + timedelta(days=luck.choice([0, 0, 0, 2, 5, 9, 20]))
        if day <= today and luck.random() < REACHED:
            row.achieve(by=house.by, on=day)


def plan_orthodontics(house, now):
    """Cases under the orthodontist, or under the dentist where there is none; the patients are those who came longest."""
    today, luck = min(house.clinic.today(now), house.clinic.today()), Random(7)
    provider = next((row for kind in ("orthodontist", "dentist") for row in house.providers if row.kind == kind and row.user), None)
    patients = _patients(house, today)
    if provider is None or len(patients) < 2 * RUNNING:
        return
    taken = iter(patients)
    for kind, title, months, usual, spread in KINDS:
        for number in range(FINISHED + RUNNING):
            patient = next(taken, None)
            if patient is None:
                return
            pace = max(luck.gauss(usual, spread), 0.7)
            length = round(months * pace * MONTH)
            ago = length + luck.randrange(60, 900) if number < FINISHED else round(length * (0.15 + 0.13 * (number - FINISHED)))
            _case(house, provider, patient, (kind, title, months), today - timedelta(days=ago), pace, today, luck)


def _case(house, provider, patient, what, start, pace, today, luck):
    """One case from its first day to today, at its own pace; what is late stays open for a while."""
    kind, title, months = what
    plan = TreatmentPlan.draw_up(
        by=house.by, patient=patient, title=title, provider=provider, treatment_type=kind, start_date=start,
        target_end_date=start + timedelta(days=round(months * MONTH)), next_review_date=today + timedelta(days=40))
    plan.activate(by=house.by)
    if plan.status == TreatmentPlan.Status.ACTIVE and start > today - timedelta(days=900):
        _cards(house, plan, today, luck)
    for row in plan.milestones.in_order():
        day = start + timedelta(days=round((row.target_date - start).days * pace + luck.gauss(0, 12)))
        day = max(day, start)
        if day > today - timedelta(days=4):
            if row.target_date < today + timedelta(days=45):
                row.start(by=house.by)
            return
        for task in row.tasks.all():
            TaskUpdate.tell(by=house.by, task=task, note="Done", percent=100).review(by=house.by, decision="approved")
        if row.requires_evidence:
            overjet = f"{luck.uniform(1.5, 3):.1f}"
            Evidence.add(by=house.by, milestone=row, evidence_type="metric", title="Overjet, mm", value=overjet)
        if row.requires_approval:  # it was given on paper, before there was a portal
            row.revise(by=house.by, because="Agreed on paper", requires_approval=False)
        row.achieve(by=house.by, on=day)
    plan.complete(by=house.by, because="Everything in it is done")


def _cards(house, plan, today, luck):
    """A card for each visit since the plan began."""
    visits = Appointment.objects.filter(
        clinic=house.clinic, patient=plan.patient, status__in=Appointment.DONE, adjustment=None,
        starts_at__date__gte=plan.start_date).order_by("starts_at")[:len(WIRES)]
    for number, visit in enumerate(visits):
        said = {"aligner": 1 + 4 * number} if plan.treatment_type == TreatmentPlan.Type.ALIGNER else {
            "upper_wire": WIRES[number], "lower_wire": WIRES[max(number - 1, 0)]}
        Adjustment.write(
            by=house.by, plan=plan, appointment=visit, hygiene=luck.choice(["good", "good", "fair", "poor"]),
            elastics="Class II, at night" if number > 2 else "", broken_brackets=luck.choice([[], [], [], ["25"]]),
            next_in_weeks=luck.choice([4, 6, 8]), **said)


def _patients(house, today):
    """Who has no other plan and was ten when even the oldest case began, by how long they have come."""
    busy = TreatmentPlan.objects.filter(clinic=house.clinic).values("patient")
    came = Appointment.objects.filter(clinic=house.clinic, status__in=Appointment.DONE).exclude(patient__in=busy)
    keys = list(dict.fromkeys(came.order_by("starts_at").values_list("patient", flat=True)))[:MOST_ASKED]
    found = Patient.objects.filter(status=Patient.Status.ACTIVE, date_of_birth__lt=today - OLD_ENOUGH).in_bulk(keys)
    return [found[key] for key in keys if key in found]


