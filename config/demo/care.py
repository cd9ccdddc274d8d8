"""Goal plans of a few demo patients: the therapist's, and periodontal ones whose goals follow the exams."""
from dataclasses import replace
from datetime import timedelta

from charting.models import PerioExam
from clinic.models import Patient
from scheduling.models import Appointment
from treatment.models import Goal, GoalIntervention, Intervention, PlanReview, TreatmentPlan

EVERY, DAILY, NEEDED = "every session", "daily", "as needed"
# level, what, reached when, (from, to), days to the target, {intervention: how often}, [(rating, value, note)], what is below
FEAR = [
    ("long_term", "Have a filling done without sedation", "Sits through a whole visit and asks for no sedation",
     ("Sedation each time", "None"), 330, {}, [], [
         ("short_term", "Sit in the chair for 20 minutes, calmly", "Three visits in a row without a break",
          ("3", "20"), 280, {"Exposure therapy": EVERY, "Deep breathing": EVERY}, [
              (3, "3", "Chair upright, mirror only. Hands clenched, stayed to the end."),
              (5, "8", "Chair halfway back. Breathing helped as soon as it was begun early."),
              (6, "10", "Polished two teeth. Asked for one break."),
              (7, "12", "No break. Says that the sound is no longer the worst.")], []),
         ("short_term", "Use slow breathing without being told", "Begins alone in two visits in a row",
          ("Told each time", "Alone"), 210, {"Deep breathing": DAILY, "Guided imagery": NEEDED}, [
              (4, "Told each time", "Practised at home on most evenings."),
              (8, "Alone, once", "Began alone before the probe came near.")], [
                  ("objective", "Practise five minutes each evening", "Seven evenings a week, in the diary",
                   ("2", "7"), 240, {"Activity scheduling": "weekly"}, [(8, "6", "Diary shows six of seven.")], [])])]),
    ("long_term", "Come to every visit that is booked", "", ("50", "100"), 300, {}, [], [])]
TONGUE = [
    ("long_term", "Swallow without pressing the tongue against the front teeth", "Ten of ten swallows, watched in the mirror",
     ("0 of 10", "10 of 10"), 300, {"Appliance wear": DAILY}, [
         (2, "1 of 10", "Tongue spot shown and found. Presses when swallowing water."),
         (4, "4 of 10", "With the mirror four, without it one."),
         (6, "6 of 10", "Also with crackers now. Reminded at meals.")], [
             ("short_term", "Keep the lips closed at rest", "A whole film of one hour",
              ("5 minutes", "60 minutes"), 80, {"Oral hygiene instruction": NEEDED}, [
                  (5, "20 minutes", "Button exercise twice a day."), (7, "40 minutes", "Whole film but for the end.")], [])])]
GUMS = [
    ("long_term", "Healthy gums that stay so", "Hardly any bleeding, no deep pocket", ("", ""), 360, {}, [], [
        ("short_term", "Gums that bleed at no more than one site in ten", "", ("", "10"), 300, {"Interdental cleaning": DAILY}, [],
         []),
        ("short_term", "No pocket of 5 mm and more", "", ("", "0"), 340, {"Tobacco cessation": EVERY}, [], []),
        ("short_term", "Clean between all teeth once a day", "Seven days a week, as told at each visit", ("1", "7"), 90,
         {"Interdental cleaning": DAILY, "Oral hygiene instruction": EVERY}, [
             (3, "2", "Brushes of two sizes chosen, shown at the lower front."),
             (6, "4", "Uses them before bed, forgets on weekends."), (8, "5", "Gums in front no longer swollen.")], [])])]
MEASURED = {
    "Come to every visit that is booked": "kept_percent", "No pocket of 5 mm and more": "sites_ge_5",
    "Gums that bleed at no more than one site in ten": "bleeding_percent"}
# Of each plan of a kind: (days since its start, days since its only review or None); every one comes up differently.
COURSES = [(184, 88), (95, None), (90, None), (45, None)]
SUMMARIES = "Goes well where it is practised at home. The goals stay, the steps become smaller."
PER_KIND = 4


def plan_care(house, now):
    """Plans under the therapist for who comes to therapy, and under the dentist for whose gums bleed most."""
    therapist = next((row for row in house.providers if row.kind == "therapist" and row.user), None)
    dentist = next((row for row in house.providers if row.kind == "dentist" and row.user), None)
    library = {row.name: row for row in Intervention.objects.filter(clinic=None)}
    if therapist:
        for number, patient in enumerate(_in_therapy(house)):
            Writer(house, therapist, library, now).write(
                patient, "Calm at the dentist" if number % 2 == 0 else "Tongue and lips at rest", TreatmentPlan.Type.BEHAVIORAL,
                FEAR if number % 2 == 0 else TONGUE, COURSES[number])
    for number, (patient, bleeding, deep) in enumerate(_with_ill_gums(house) if dentist else ()):
        Writer(house, dentist, library, now, {"bleeding_percent": bleeding, "sites_ge_5": deep}).write(
            patient, "Gums without bleeding", TreatmentPlan.Type.PERIODONTAL, GUMS, COURSES[number])


def _in_therapy(house):
    """Patients who come to therapy, the oldest of their visits first."""
    if "therapy" not in house.types:
        return []
    keys = Appointment.objects.filter(
        clinic=house.clinic, appointment_type=house.types["therapy"], status__in=Appointment.DONE).order_by("starts_at")
    keys = list(dict.fromkeys(keys.values_list("patient", flat=True)))[:PER_KIND]
    found = Patient.objects.in_bulk(keys)
    return [found[key] for key in keys]


def _with_ill_gums(house):
    """[(patient, bleeding at the first exam, sites of 5 mm then)] of those with two exams whose gums bled most at first."""
    exams, finished = {}, PerioExam.objects.filter(clinic=house.clinic).finished()
    for exam in finished.select_related("patient").defer("note").order_by("exam_date"):
        exams.setdefault(exam.patient_id, []).append(exam)
    bled = {rows[0]: rows[0].indices.bleeding_percent or 0 for rows in exams.values() if len(rows) > 1}
    return [(exam.patient, bled[exam], exam.sites_ge_5) for exam in sorted(bled, key=bled.get, reverse=True)[:PER_KIND]]


class Writer:
    """Writes one plan by the verbs, under its provider's name."""

    def __init__(self, house, provider, library, now, baselines=()):
        self.house, self.provider, self.library, self.now, self.baselines = house, provider, library, now, dict(baselines)
        self.by = replace(house.by, user=provider.user)

    def write(self, patient, title, kind, goals, course):
        started, reviewed = course
        self.start, self.patient = self.house.today - timedelta(days=started), patient
        self.plan = TreatmentPlan.draw_up(
            by=self.by, patient=patient, title=title, provider=self.provider, treatment_type=kind, start_date=self.start,
            target_end_date=self.start + timedelta(days=360))
        self.visits = list(Appointment.objects.filter(
            patient=patient, status__in=Appointment.DONE, starts_at__date__gte=self.start).order_by("starts_at"))
        for goal in goals:
            self._goal(goal, None, started)
        self.plan.activate(by=self.by)
        if reviewed is not None:
            PlanReview.hold(
                by=self.by, plan=self.plan, review_date=self.house.today - timedelta(days=reviewed), summary=SUMMARIES)

    def _moments(self, count, started):
        """[(when, visit)] of so many entries: the last of them at the patient's visits, those before evenly since the start."""
        visits = self.visits[-count:] if count else []
        began, alone = self.now - timedelta(days=started), count - len(visits)
        until = visits[0].starts_at if visits else self.now
        return [(began + (until - began) * (number + 1) / (alone + 1), None) for number in range(alone)] + [
            (visit.ends_at, visit) for visit in visits]

    def _goal(self, told, parent, started):
        level, what, when, (baseline, target), days, serving, entries, below = told
        measure = MEASURED.get(what, "")
        goal = Goal.set_out(
            by=self.by, plan=self.plan, goal_type=level, parent=parent, description=what, measurable_criteria=when, measure=measure,
            baseline_value=f"{self.baselines[measure]:g}" if measure in self.baselines else baseline, target_value=target,
            target_date=self.start + timedelta(days=days),
            specific={"what": what, "who": self.patient.first_name, "where": "At home, and here at each visit"},
            interventions=[(self.library[name], often) for name, often in serving.items()])
        rows = list(GoalIntervention.objects.filter(goal=goal))
        for (rating, value, note), (at, visit) in zip(entries, self._moments(len(entries), started), strict=True):
            goal.record_progress(
                by=self.by, progress_note=note, progress_value=value, rating=rating, appointment=visit,
                used=rows if visit else (), now=at)
        for number, row in enumerate(rows):
            if entries:
                row.revise(by=self.by, effectiveness_rating=3 + number % 3)
        for each in below:
            self._goal(each, goal, started)
