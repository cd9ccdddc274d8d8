"""One plan as its page shows it: procedures by phase with their totals, goals, copies, consents, team; and what may be done now."""
from dataclasses import dataclass
from functools import cached_property

from clinic.access.rules import may
from treatment.goal_sheet import GoalSheet
from treatment.hooks import plan_panels
from treatment.listing import TONES
from treatment.models import Consent, Procedure, ProcedureNote, TreatmentPlan
from treatment.parts import facts_of

STATE_TONES = {"planned": "grey", "in_progress": "blue", "completed": "green", "cancelled": "grey", "condition": "amber",
               "existing": "grey", "existing_other": "grey", "referred": "grey"}
# What a step is called on its button, its icon and its key; the first that can be taken is the primary one.
STEPS = {
    "present": ("Present", "presentation", "p"), "accept": ("Accept", "thumbs-up", "y"), "activate": ("Activate", "play", "x"),
    "resume": ("Resume", "play", "x"), "complete": ("Complete", "check-check", ""), "hold": ("Put on hold", "pause", ""),
    "decline": ("Decline", "thumbs-down", ""), "discontinue": ("Discontinue", "ban", ""), "reopen": ("Open again", "undo-2", ""),
    "redraft": ("Take up again", "undo-2", "")}
ASK_WHY = ("decline", "discontinue", "hold", "reopen", "redraft")


@dataclass(frozen=True)
class Line:
    """A procedure as a row."""

    row: Procedure
    place: str
    tone: str
    may_complete: bool
    may_book: bool = False
    lacks_note: bool = False


@dataclass(frozen=True)
class Section:
    """A phase with its procedures, and the `facts` that later apps hang on it; the one without a name holds those in no phase."""

    phase: object
    lines: list
    facts: list

    @property
    def total(self):
        return sum(line.row.fee for line in self.lines)


class Sheet:
    """A plan with all that its page needs; each part is asked for once, by a constant number of queries."""

    def __init__(self, actor, plan):
        self.actor, self.plan = actor, plan
        self.tone, self.review = TONES[plan.status], plan.review_status(actor.clinic.today())
        self.may_write = plan.may_write(actor) and not plan.is_over
        self.may_book = may(actor, "scheduling.add_appointment") and not plan.is_over
        self.may_assign = may(actor, "treatment.assign_plan") and not plan.is_over

    @cached_property
    def rows(self):
        rows = list(self.plan.procedures.in_order().select_related("procedure_code", "phase", "provider", "appointment"))
        for row in rows:
            row.plan = self.plan
        return rows

    @cached_property
    def sections(self):
        numbering, writes = self.actor.clinic.tooth_numbering, self.plan.may_write(self.actor)
        found = {}
        for row in self.rows:
            if row.status != Procedure.Status.CANCELLED:
                found.setdefault(row.phase, []).append(Line(
                    row, row.place.said(numbering), STATE_TONES[row.status],
                    self.is_under_way and row.is_open and (writes or row.is_work_of(self.actor)),
                    self.may_book and row.is_open,
                    row.status == Procedure.Status.COMPLETED and self.noted is not None and row.pk not in self.noted))
        for phase in self.plan.phases.in_force():
            found.setdefault(phase, [])
        order = sorted(found, key=lambda phase: (phase is None, phase.sequence if phase else 0))
        return [Section(phase, found[phase], self.part_facts.get(phase.pk, []) if phase else []) for phase in order]

    @cached_property
    def noted(self):
        """The keys of the procedures that a note is about; None for who writes none."""
        if not may(self.actor, "charting.write_clinical_notes"):
            return None
        return set(ProcedureNote.objects.filter(procedure__plan=self.plan).values_list("procedure", flat=True))

    @cached_property
    def voided(self):
        numbering = self.actor.clinic.tooth_numbering
        gone = [row for row in self.rows if row.status == Procedure.Status.CANCELLED]
        return [Line(row, row.place.said(numbering), "grey", False) for row in gone]

    @property
    def is_reviewed(self):
        return self.plan.status in TreatmentPlan.REVIEWED

    @property
    def may_do(self):
        """Whether there is something that this actor can complete."""
        return any(line.may_complete for section in self.sections for line in section.lines)

    @property
    def is_under_way(self):
        return self.plan.status in TreatmentPlan.UNDER_WAY

    @cached_property
    def total(self):
        return sum(line.row.fee for section in self.sections for line in section.lines)

    @cached_property
    def done(self):
        return sum(line.row.fee for section in self.sections for line in section.lines if line.row.status == "completed")

    @property
    def left(self):
        return self.total - self.done

    @cached_property
    def steps(self):
        """[(verb, name, icon, key, asks why)] that can be taken now, the natural one first."""
        can = self.plan.steps_for(self.actor)
        early = self.plan.goals.open().exists() if "complete" in can else False
        return [(verb, *said, verb in ASK_WHY or (verb == "complete" and early)) for verb, said in STEPS.items() if verb in can]

    @cached_property
    def part_facts(self):
        """{key of a phase or goal: what later apps tell of it}"""
        return facts_of(self.plan)

    @property
    def panels(self):
        """What later apps show on the plan's page."""
        return plan_panels(self.actor, self.plan)

    @cached_property
    def alternatives(self):
        return list(self.plan.alternatives())

    @cached_property
    def versions(self):
        return list(self.plan.versions.select_related("by").defer("text"))

    @cached_property
    def consents(self):
        return list(self.plan.consents.select_related("withdrawal", "plan_version").prefetch_related("procedures"))

    @cached_property
    def team(self):
        return list(self.plan.care_team.current().select_related("user"))

    @property
    def may_take_consent(self):
        return may(self.actor, "treatment.take_consent") and self.plan.status in Consent.ASKED_OF

    @cached_property
    def goals(self):
        return GoalSheet(self.actor, self.plan)

    @property
    def goals_in_order(self):
        """[(depth, goal)] of the goals that count, each above its sub-goals."""
        course, found = self.goals.course, []

        def walk(goals, depth):
            for goal in goals:
                if goal.status != goal.Status.DISCONTINUED:
                    found.append((depth, goal))
                    walk(course.below(goal), depth + 1)

        walk(course.below(), 0)
        return found
