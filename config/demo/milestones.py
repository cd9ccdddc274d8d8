"""Orthodontic cases of the demo practice: finished ones, from which the forecast learns, and running ones at every stage."""
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from clinic.access.actor import permissions_of
from clinic.db.records import record_bulk
from clinic.models import Patient, PortalAccess
from config.demo.opening import BECAUSE, acting, user_of
from config.demo.practices import Person
from milestones.models import Adjustment, Approval, Comment, Evidence, Milestone, MilestoneSet, TaskUpdate, TimeEntry
from milestones.targets import due_on
from scheduling.models import Appointment
from treatment.models import TreatmentPlan

Type = TreatmentPlan.Type


class Kind(NamedTuple):
    """Cases of one kind. `months`: as long as the plan says. `pace`, `spread`: what they take of it here, and how that varies."""

    type: str
    title: str
    months: int
    pace: float
    spread: float
    finished: int
    running: int
    youngest: int  # years of age at the start
    oldest: int


KINDS = [
    Kind(Type.COMPREHENSIVE, "Comprehensive orthodontics", 35, 1.08, 0.12, 100, 26, 11, 60),
    Kind(Type.ALIGNER, "Aligners", 18, 1.15, 0.2, 50, 16, 16, 70),
    Kind(Type.PHASE_I, "Early treatment", 12, 1.1, 0.15, 50, 8, 6, 10),
    Kind(Type.LIMITED, "Lower front teeth", 12, 1.0, 0.15, 0, 10, 18, 75)]
MONTH = 30.44
WIRES = ["0.014 NiTi", "0.016 NiTi", "16x22 NiTi", "19x25 NiTi", "16x22 SS", "19x25 SS"]
YEAR = 365.25
REACHED = 0.85
OF_AGE = 18
SIGNERS = 6  # running cases whose patients have a portal, and sign there
TAKEN_OVER = "Taken over from the former software"
SAID = ["Elastics are worn every night.", "One bracket was loose, put back.", "Brushing is better than last time."]


def reach_milestones(house, now):
    """Of the plans that run already most of what was due is reached, some of it late; a little is overdue."""
    today, luck = min(house.clinic.today(now), house.clinic.today()), Random(11)
    for row in Milestone.objects.overdue(today).filter(clinic=house.clinic, requires_approval=False, requires_evidence=False):
        day = row.target_date + timedelta(days=luck.choice([0, 0, 0, 2, 5, 9, 20]))
        if day <= today and luck.random() < REACHED:
            row.achieve(by=house.by, on=day)


def plan_orthodontics(house, now, chance, password):
    """Cases under the orthodontist, or under the dentist where there is none; in a small practice fewer of each kind."""
    cases = Cases(house, now, chance, password)
    if cases.provider is not None:
        for kind in KINDS:
            cases.run(kind)
        for kind in KINDS:
            cases.finish(kind)


class Cases:
    """Writes cases, of which nobody has two at the same time."""

    def __init__(self, house, now, chance, password):
        self.house, self.chance, self.password = house, chance, password
        self.today, self.luck = min(house.clinic.today(now), house.clinic.today()), Random(7)
        self.now = min(now, datetime.combine(self.today, time(9), tzinfo=house.clinic.zone))
        self.provider = next(
            (row for kind in ("orthodontist", "dentist") for row in house.providers if row.kind == kind and row.user), None)
        self.people = list(Patient.objects.filter(
            clinic=house.clinic, status=Patient.Status.ACTIVE, date_of_birth__isnull=False).order_by("pk"))
        self.share = min(len(self.people) / 250, 1)
        came = Appointment.objects.filter(clinic=house.clinic, status__in=Appointment.DONE).exclude(
            patient__in=TreatmentPlan.objects.filter(clinic=house.clinic).values("patient"))
        visits = came.order_by("starts_at").values_list("patient", "provider")
        self.regulars = list(dict.fromkeys(key for key, _ in sorted(
            visits, key=lambda each: self.provider is None or each[1] != self.provider.pk)))
        self.taken = set()  # keys of patients who have a case that another would run beside
        self.sets = {row.treatment_type: row for row in MilestoneSet.objects.filter(clinic=house.clinic)}
        self.signed = 0

    # Finished

    def finish(self, kind):
        """Cases that ended, as they come from another software: all at once, without the tasks and talk of then."""
        standard, plans, milestones = self.sets[kind.type], [], []
        rows = list(standard.rows.in_use())
        for patient in self._fitting(kind, round(kind.finished * self.share)):
            pace = max(self.luck.gauss(kind.pace, kind.spread), 0.75)
            plan, days = self._over(kind, patient, rows, standard, pace)
            plans.append(plan)
            milestones += [Milestone(
                clinic=plan.clinic, plan=plan, patient=patient, sequence=number, template=row, template_version=row.version,
                target_date=target, status=Milestone.Status.ACHIEVED, achieved_date=day, **row.content())
                for number, (row, target, day) in enumerate(days, 1)]
        record_bulk(plans, by=self.house.by, because=TAKEN_OVER)
        record_bulk(milestones, by=self.house.by, because=TAKEN_OVER)

    def _fitting(self, kind, count):
        """Who had the age for it, and no other case in these years."""
        def age(patient):
            return (self.today - patient.date_of_birth).days / YEAR - 3 - kind.months / 12
        found = [row for row in self.people if kind.youngest <= age(row) and row.pk not in self.taken]
        if kind.type == Type.PHASE_I:  # years ago, before whatever else they have
            found = [row for row in self.people if age(row) >= 12]
        return found[:count]

    def _over(self, kind, patient, rows, standard, pace):
        """(the plan, [(row of the set, due, achieved)]) of a case that ended between two months and two and a half years ago."""
        length = round(kind.months * MONTH)
        ago = self.luck.randrange(60, 900) if kind.type != Type.PHASE_I else 3000 + self.luck.randrange(900)
        start = self.today - timedelta(days=round(length * max(pace, 1)) + 60 + ago)
        end, days, last = start + timedelta(days=length), [], start
        for row in rows:
            target = due_on(row, start, end, standard.usual_months)
            last = max(start + timedelta(days=round((target - start).days * pace + self.luck.gauss(0, 12))), last)
            days.append((row, target, last))
        plan = TreatmentPlan(
            clinic=self.house.clinic, patient=patient, provider=self.provider, title=kind.title, treatment_type=kind.type,
            start_date=start, target_end_date=end, actual_end_date=last, status=TreatmentPlan.Status.COMPLETED,
            status_because="Everything in it is done")
        plan.clean_fields()
        if kind.type != Type.PHASE_I:
            self.taken.add(patient.pk)
        return plan, days

    # Running

    def run(self, kind):
        """Cases from their first weeks to their last ones."""
        patients = self._regular(kind, round(kind.running * self.share))
        for number, patient in enumerate(patients):
            pace = max(self.luck.gauss(kind.pace, kind.spread), 0.75)
            length = round(kind.months * pace * MONTH)
            start = self.today - timedelta(days=round(length * (number + 0.5) / len(patients)))
            self._case(kind, patient, start, pace)

    def _regular(self, kind, count):
        """Who comes to the practice, has the age and no other treatment; those of the
        orthodontist first, then those who came longest."""
        by_key = {row.pk: row for row in self.people}
        found = []
        for key in self.regulars:
            patient = by_key.get(key)
            if patient is not None and key not in self.taken and len(found) < count:
                if kind.youngest <= (self.today - patient.date_of_birth).days / YEAR - kind.months / 12 <= kind.oldest:
                    found.append(patient)
                    self.taken.add(key)
        return found

    def _case(self, kind, patient, start, pace):
        """One case from its first day to today, at its own pace; what is late stays open for a while."""
        by, luck = self.house.by, self.luck
        plan = TreatmentPlan.draw_up(
            by=by, patient=patient, title=kind.title, provider=self.provider, treatment_type=kind.type, start_date=start,
            target_end_date=start + timedelta(days=round(kind.months * MONTH)), next_review_date=self.today + timedelta(days=40))
        plan.activate(by=by)
        _cards(self.house, plan, self.today, luck)
        for row in plan.milestones.in_order():
            day = max(start + timedelta(days=round((row.target_date - start).days * pace + luck.gauss(0, 12))), start)
            if day > self.today - timedelta(days=4):
                self._begin(row)
                return
            self._reach(row, day)

    def _reach(self, row, day):
        """Its tasks are done, what it needs is there, and it is achieved."""
        by = self.house.by
        for task in row.tasks.all():
            TaskUpdate.tell(by=by, task=task, note="Done", percent=100).review(by=by, decision="approved")
        if row.requires_evidence:
            overjet = f"{self.luck.uniform(1.5, 3):.1f}"
            Evidence.add(by=by, milestone=row, evidence_type="metric", title="Overjet, mm", value=overjet)
        if row.requires_approval and not self._approve(row):  # it was given on paper, before there was a portal
            row.revise(by=by, because="Agreed on paper", requires_approval=False)
        row.achieve(by=by, on=day)

    def _approve(self, row):
        """Whether the patient has signed it in the portal: some of those who are of age do."""
        if self.signed >= SIGNERS or row.patient.age(self.today) < OF_AGE:
            return False
        self.signed += 1
        person = Person(row.patient.name, sign_in=f"patient{self.signed + 1}")
        user = user_of(self.chance, person, self.password, self.house.began, self.house.by)
        PortalAccess.grant(
            user=user, patient=row.patient, relationship=PortalAccess.Relationship.SELF,
            by=acting(self.house, "receptionist"), because=BECAUSE)
        signer = replace(self.house.by, user=user, hat="portal", patient=row.patient, permissions=permissions_of({"patient"}))
        Approval.give(by=signer, milestone=row, decision=Approval.Decision.APPROVED, signature_name=row.patient.name)
        return True

    def _begin(self, row):
        """What is being worked on: begun, with something told, some time and a word to the patient."""
        if row.target_date >= self.today + timedelta(days=45):
            return
        by, luck = replace(self.house.by, user=self.provider.user), self.luck
        row.start(by=by)
        Comment.write(by=by, milestone=row, body=luck.choice(SAID), internal=luck.random() < 0.5)
        for task in row.tasks.all():
            if luck.random() < 0.6:
                TaskUpdate.tell(by=by, task=task, note="Begun", percent=40)
            began = self.now.astimezone(UTC) - timedelta(days=luck.randrange(1, 9))
            TimeEntry.log(by=by, task=task, started_at=began, minutes=luck.choice([10, 15, 20, 30]))


def _cards(house, plan, today, luck):
    """A card for each of the last visits since the plan began."""
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
