"""The sets that milestones come with, one for each kind of treatment: the practice's to change from the first day.

{kind: (usual length in months, rows)}; a row is what a `MilestoneTemplate` says. Months are calendar months after the start,
percents are of the plan's length.
"""


def _row(milestone_type, name, criteria, *, months=None, percent=None, description="", evidence=False, approval=False, tasks=()):
    return {
        "milestone_type": milestone_type, "name": name, "completion_criteria": criteria, "months": months, "percent": percent,
        "description": description, "requires_evidence": evidence, "requires_approval": approval,
        "tasks": [{"title": title, "days_before": days} for title, days in tasks]}


def _start(**when):
    return _row("TREATMENT_START", "Treatment start", "Records are complete, consent is signed, the first visit was held.",
                tasks=[("Check that records and consent are there", 7)], **when)


def _complete(criteria, **when):
    return _row("TREATMENT_COMPLETE", "Treatment complete", criteria, tasks=[("Write the closing letter", 0)], **when)


def _bonding(months):
    return _row("BONDING_COMPLETE", "Bonding complete", "Brackets and bands are on every tooth of the plan, first wires are in.",
                months=months, tasks=[("Show brushing around the brackets", 0)])


def _alignment(months):
    return _row("INITIAL_ALIGNMENT", "Initial alignment", "Rotations are corrected, brackets level, a stiff wire is passive.",
                months=months, tasks=[("Take progress photos", 0)])


def _space_start(months):
    return _row("SPACE_CLOSURE_START", "Space closure start", "A working wire is in and closing forces are on.", months=months)


def _space_complete(months):
    return _row("SPACE_CLOSURE_COMPLETE", "Space closure complete", "All spaces are closed, canines and molars stand as planned.",
                months=months, tasks=[("Take progress photos", 0)])


def _finishing(months):
    return _row("FINISHING_START", "Finishing start", "Bite and spaces are as planned; what is left is detail.", months=months,
                tasks=[("Take a panoramic image to check the roots", 14)])


def _debonding(ready, done):
    return [
        _row("DEBOND_READY", "Ready for debonding", "Teeth, bite and midlines are as planned, and the patient agrees to the end.",
             months=ready, approval=True, tasks=[("Take impressions or a scan for retainers", 14)]),
        _row("DEBOND_COMPLETE", "Debonding complete", "All appliances are off, teeth are cleaned, final records are taken.",
             months=done, evidence=True, tasks=[("Take final photos", 0)]),
        _row("RETENTION_START", "Retention start", "Retainers are fitted, and wear and care are explained.", months=done)]


def _retention_check(months, name="Retention check"):
    return _row("RETENTION_CHECK", name, "Retainers fit, teeth have not moved, wear was talked about.", months=months,
                tasks=[("Book the visit", 30)])


SETS = {
    "COMPREHENSIVE": (35, [
        _start(months=0), _bonding(1), _alignment(6), _space_start(8), _space_complete(14), _finishing(18), *_debonding(22, 23),
        _retention_check(26), _complete("Retention is stable for a year after debonding.", months=35)]),
    "PHASE_I": (12, [
        _start(months=0), _bonding(1), _alignment(4), _finishing(8), *_debonding(10, 11),
        _complete("The aim of the early phase is reached, and watching until phase II is planned.", months=12)]),
    "PHASE_II": (30, [
        _start(months=0), _bonding(1), _alignment(5), _space_start(6), _space_complete(11), _finishing(13), *_debonding(17, 18),
        _retention_check(21), _complete("Retention is stable for a year after debonding.", months=30)]),
    "LIMITED": (12, [
        _start(months=0), _bonding(1), _alignment(3), _finishing(5), *_debonding(7, 8), _retention_check(11),
        _complete("The limited aim is reached and held by retainers.", months=12)]),
    "SURGICAL": (39, [
        _start(months=0), _bonding(1), _alignment(6), _space_start(8), _space_complete(14),
        _row("SURGICAL_READY", "Ready for surgery",
             "Arches are decompensated and fit each other, surgical wires are in, consent and records are with the surgeon.",
             months=16, evidence=True, tasks=[("Send records to the surgeon", 30), ("Fit surgical hooks", 7)]),
        _row("SURGERY_COMPLETE", "Surgery complete", "The operation is done, and the surgeon releases to orthodontics.", months=18,
             evidence=True, tasks=[("Book the first visit after surgery", 14)]),
        _finishing(20), *_debonding(26, 27), _retention_check(30),
        _complete("Retention is stable for a year after debonding.", months=39)]),
    "ALIGNER": (18, [
        _start(percent=0),
        _row("BONDING_COMPLETE", "Attachments bonded", "All attachments of the plan are on, the first aligner fits.", percent=5),
        _row("INITIAL_ALIGNMENT", "Initial alignment", "The aligners of the first third were worn and still fit.", percent=30),
        _row("CUSTOM", "Half-way scan", "A new scan is compared with the planned stage.", percent=50,
             tasks=[("Take a scan", 0)]),
        _row("FINISHING_START", "Refinement decided", "The last planned aligner is worn; refinement is ordered or not needed.",
             percent=70),
        _row("DEBOND_COMPLETE", "Attachments removed", "All attachments are off, teeth are cleaned, final records are taken.",
             percent=85, evidence=True, tasks=[("Take final photos", 0)]),
        _row("RETENTION_START", "Retention start", "Retainers are fitted, and wear and care are explained.", percent=85),
        _row("RETENTION_CHECK", "Retention check", "Retainers fit, teeth have not moved, wear was talked about.", percent=95),
        _complete("Teeth are held as planned.", percent=100)]),
    "RETENTION": (24, [
        _row("RETENTION_START", "Retention start", "Retainers are fitted, and wear and care are explained.", months=0),
        *(_retention_check(months, f"Retention check, month {months}") for months in (1, 3, 6, 12, 24)),
        _complete("Teeth are stable; who looks after the retainers from now on is agreed.", months=24)]),
    "RESTORATIVE": (3, [
        _start(percent=0),
        _row("CUSTOM", "Active disease under control", "Pain and infection are gone, open decay is sealed.", percent=30),
        _row("CUSTOM", "Restorations placed", "Every planned filling and crown is in, contacts and bite are checked.", percent=80),
        _row("CUSTOM", "Bite and cleaning checked", "The patient chews well and can clean every restoration.", percent=95),
        _complete("Nothing planned is left, and the next recall is set.", percent=100)]),
    "IMPLANT": (12, [
        _start(months=0),
        _row("CUSTOM", "Site ready", "The site is healed, bone and gum are enough for the planned implant.", months=3,
             tasks=[("Take a volume image for planning", 14)]),
        _row("CUSTOM", "Implant placed", "The implant is in as planned, and is stable.", months=4,
             tasks=[("Call the patient the day after", 0)]),
        _row("CUSTOM", "Healing confirmed", "The implant is firm, without pain or inflammation, and bone is steady on the image.",
             months=8),
        _row("CUSTOM", "Crown delivered", "The crown is in; contact, bite and cleaning are checked.", months=9),
        _complete("The first check shows healthy gum and steady bone.", months=12)]),
    "PERIODONTAL": (12, [
        _start(months=0),
        _row("CUSTOM", "Scaling and root planing complete", "All planned quadrants are treated, home care is practised.", months=1),
        _row("CUSTOM", "Re-evaluation", "A full exam is compared with the first one.", months=3,
             tasks=[("Book an hour for the full exam", 30)]),
        _row("CUSTOM", "Further treatment decided", "Remaining deep sites are treated again, referred or watched.", months=4),
        _row("CUSTOM", "Maintenance begun", "The first maintenance visit was held, and the interval is agreed.", months=6),
        _complete("Bleeding and depths are steady over two maintenance visits.", months=12)]),
    "BEHAVIORAL": (6, [
        _row("TREATMENT_START", "Treatment start", "The first session was held, and consent is given.", percent=0),
        _row("CUSTOM", "Goals agreed", "What is to change is written as goals that can be measured.", percent=10),
        _row("CUSTOM", "Skills practised", "The patient uses at least two of the practised skills between sessions.", percent=40),
        _row("CUSTOM", "Half-way review", "Patient and therapist looked at the goals and changed what did not help.", percent=50),
        _row("CUSTOM", "Skills used where it matters", "A situation that was avoided before is managed.", percent=80),
        _row("CUSTOM", "Plan for setbacks", "Early signs, and what helps then, are written down.", percent=95),
        _complete("Goals are reached or handed on, and a follow-up is offered.", percent=100)]),
    "GENERAL": (12, [
        _start(percent=0),
        _row("CUSTOM", "Half-way review", "Patient and provider looked at what is done and what is left.", percent=50),
        _complete("Nothing planned is left.", percent=100)]),
}
