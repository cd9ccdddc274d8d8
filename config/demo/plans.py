"""Coded plans of demo patients: what is charted as decayed, broken or lost, and how far its treatment has come."""
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from charting.models import Finding
from charting.teeth import TEETH
from clinic.models import Patient, ProcedureCode
from milestones.models import MilestoneSet
from scheduling.models import Appointment
from treatment.models import CodeRule, Consent, Phase, Procedure, TreatmentPlan
from treatment.starter import load_rules

Type = TreatmentPlan.Type
TREATED = ("caries", "fracture")
EXPLAINED = ("Why each tooth is treated, what happens if it is not, numbness and tenderness for some days, the other ways "
             "there are, and what it costs.")
WAITING, MOVED = "Wants to wait until the new year", "Moves to another town"
CHOICES = (("Crown", "D2740"), ("Onlay", "D2644"), ("Extraction", "D7140"))  # side by side, for a tooth with a large defect
# How far the plans of one patient after the other have come: the verbs after it was drawn up, and how much of the work is done.
FATES = [
    (["present", "consent", "accept", "book"], 0), (["present", "consent", "accept"], 1), (["present"], 0),
    (["present", "consent", "accept"], 9), ([], 0), (["present", "consent", "accept", "activate", "book"], 1),
    (["present", "decline"], 0), (["present", "consent"], 0), (["present", "consent", "accept"], 9),
    (["present", "consent", "accept", "activate", "hold"], 1), (["present", "consent", "accept", "activate", "discontinue"], 0)]
SAID = {"decline": WAITING, "discontinue": MOVED}


def plan_work(house, now, most):
    """Rules for the clinic's codes, standard milestones, and plans for as many patients with something to treat."""
    load_rules(by=house.by)
    MilestoneSet.load_starter(by=house.by)
    rules, codes = CodeRule.known_to(house.clinic), {
        row.code: row for row in ProcedureCode.objects.filter(clinic=house.clinic).select_related("rule")}
    dentist = next(row for row in house.providers if row.kind == "dentist")
    for number, (patient, findings) in enumerate(_to_treat(house, most)):
        Work(house, patient, patient.primary_provider or dentist, rules, codes, now, number).plan(findings)


def _to_treat(house, most):
    """[(patient, open findings to treat, the newest of each tooth)], those with most of them first."""
    found = defaultdict(dict)
    for row in Finding.objects.filter(
            clinic=house.clinic, condition__in=TREATED, resolved_on=None, error_because="").order_by("noted_on", "id"):
        if not TEETH[row.tooth].is_primary:
            found[row.patient_id][row.tooth] = row
    chosen = sorted(found, key=lambda key: (-len(found[key]), key))[:most]
    patients = Patient.objects.select_related("primary_provider").in_bulk(chosen)
    return [(patients[key], list(found[key].values())) for key in chosen]


class Work:
    """One patient's plan, written by the verbs under its provider's name."""

    def __init__(self, house, patient, provider, rules, codes, now, number):
        self.house, self.patient, self.provider, self.rules, self.codes, self.now = house, patient, provider, rules, codes, now
        self.by, self.number = replace(house.by, user=provider.user), number
        self.steps, self.share = FATES[number % len(FATES)]
        self.start = house.today - timedelta(days=20 + 9 * (number % 9))

    def plan(self, findings):
        large = next((row for row in findings if len(row.surfaces) > 2 and not TEETH[row.tooth].is_anterior), None)
        if large is not None and self.number % 3 == 0:
            return self._alternatives(large)
        plan = self._draw_up("Fillings" if len(findings) > 1 else f"Treatment of {self._tooth(findings[0])}", Type.RESTORATIVE)
        urgent = Phase.add(by=self.by, plan=plan, name="Urgent") if len(findings) > 1 else None
        for at, finding in enumerate(findings):
            self._add(plan, self._code_of(finding), finding, urgent if at == 0 else None)
        lost = self._lost() if self.number % 4 == 1 else None
        if lost is not None:
            self._implant(plan, lost)
        return self._go(plan, findings)

    def _alternatives(self, finding):
        """Three ways to treat one tooth, side by side; where one is accepted, the others are declined by that."""
        plans = []
        for title, code in CHOICES:
            plan = self._draw_up(f"{title}, {self._tooth(finding)}", Type.RESTORATIVE)
            self._add(plan, self.codes[code], finding)
            if plans:
                plan.set_beside(plans[0], by=self.by)
            plans.append(plan)
        for plan in plans[1:]:
            if "present" in self.steps:
                plan.present(by=self.by)
        return self._go(plans[0], [finding])

    def _implant(self, plan, tooth):
        later = Phase.add(by=self.by, plan=plan, name="When healed")
        for code, visits in (("D6010", 2), ("D6058", 3)):
            Procedure.add(
                by=self.by, plan=plan, procedure_code=self.codes[code], tooth=tooth, phase=later, estimated_visits=visits)

    # Its parts

    def _draw_up(self, title, kind):
        return TreatmentPlan.draw_up(
            by=self.by, patient=self.patient, title=title, provider=self.provider, treatment_type=kind, start_date=self.start)

    def _add(self, plan, code, finding, phase=None):
        area = ProcedureCode.Area
        place = {"tooth": finding.tooth, "surfaces": finding.surfaces if code.treatment_area == area.SURFACE else ""}
        return Procedure.add(by=self.by, plan=plan, procedure_code=code, phase=phase, **place)

    def _code_of(self, finding):
        """A crown for what broke, else the filling that its surfaces ask for."""
        if finding.condition == "fracture" or not finding.surfaces:
            return self.codes["D2740"]
        return CodeRule.offered(
            self.rules, tooth=finding.tooth, surfaces=finding.surfaces, condition="restoration", material="composite")[0]

    def _lost(self):
        """A tooth that is gone and was not replaced."""
        rows = Finding.objects.filter(patient=self.patient, resolved_on=None, error_because="")
        there = {row.tooth for row in rows if row.condition in ("implant", "pontic")}
        return next((row.tooth for row in rows if row.condition == "missing" and row.tooth not in there
                     and TEETH[row.tooth].position not in (1, 16, 17, 32)), None)

    def _tooth(self, finding):
        return TEETH[finding.tooth].label(self.house.clinic.tooth_numbering)

    # Its course

    def _go(self, plan, findings):
        for step in self.steps:
            if step == "consent":
                self._consent(plan)
            elif step == "book":
                self._book(plan)
            else:
                getattr(plan, step)(by=self.by, because=SAID.get(step, ""))
        begun = plan.status in TreatmentPlan.UNDER_WAY
        for at, row in enumerate(plan.procedures.open().in_order()[:self.share] if begun else ()):
            self._do(row, self.house.today - timedelta(days=max(10, 18 - at)), findings)

    def _do(self, row, day, findings):
        """It was done that day, and what it treated has passed. A demo may be planted for a day to come: nothing is done then."""
        day = min(day, self.house.clinic.today())
        row.complete(by=self.by, on=day)
        for finding in findings:
            if finding.tooth == row.tooth and finding.noted_on <= day:
                finding.resolve(by=self.by, because="Treated", on=day)

    def _consent(self, plan):
        Consent.take(
            by=self.by, plan=plan, procedures=list(plan.procedures.open()), signed_by=Consent.SignedBy.PATIENT,
            signature_name=self.patient.name, explained=EXPLAINED, now=self.now)

    def _book(self, plan):
        """What is left is carried by the patient's next visit at a dentist."""
        visit = Appointment.objects.upcoming(self.now).filter(
            patient=self.patient, provider__kind="dentist").order_by("starts_at").first()
        for row in plan.procedures.open() if visit else ():
            row.book_into(by=self.by, appointment=visit)
