"""What the record itself offers as evidence for a milestone; staff confirm it by `Evidence.add`. A constant number of queries."""
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q

from charting.models import PerioExam
from clinic.models import Document, ProcedureCode
from milestones.models import Evidence, MilestoneType
from milestones.records import SHOWN
from treatment.models import Consent, Procedure, TreatmentPlan

MOST = 12  # of each source, the newest
WORK, CODES = Procedure.Status.COMPLETED, ProcedureCode.Category
ORTHODONTIC, SURGICAL = {"procedure_code__category": CODES.ORTHODONTICS}, {"procedure_code__category": CODES.SURGERY}


class Proposal(NamedTuple):
    """Evidence that could be added: its title, and the row of the record that it would point to."""

    title: str
    kind: str  # one of RECORDS
    row: Any

    def confirm(self, *, by, milestone):
        """Add it."""
        return Evidence.add(
            by=by, milestone=milestone, evidence_type=Evidence.Type.DOCUMENT, title=self.title[:200], record=(self.kind, self.row))


def completed(milestone, **which):
    """Completed procedures of the milestone's phase, or else of its plan."""
    rows = Procedure.objects.filter(plan=milestone.plan, status=WORK, **which)
    if milestone.phase_id:
        rows = rows.filter(phase=milestone.phase_id)
    return "procedure", rows


def papers(milestone, *kinds):
    """The patient's documents of these kinds since the plan began, and the scans of what was consented to in it."""
    signed = Consent.objects.filter(
        plan=milestone.plan, paper=OuterRef("pk"), decision=Consent.Decision.GIVEN, withdrawal=None)
    rows = Document.objects.of(milestone.person).current().filter(
        Q(kind__in=kinds, received_on__gte=milestone.plan.start_date) | Exists(signed))
    return "document", rows


def exams(milestone):
    """The patient's closed periodontal exams since the plan began."""
    rows = PerioExam.objects.of(milestone.person).finished().filter(
        clinic=milestone.clinic_id, exam_date__gte=milestone.plan.start_date)
    return "perio_exam", rows


KIND = MilestoneType
PAPERS = (Document.Kind.CONSENT, Document.Kind.REFERRAL, Document.Kind.LETTER)
# {milestone type: what is looked at, in this order}; of a type that is not here the orthodontic work.
SOURCES = {
    KIND.TREATMENT_START: [lambda one: papers(one, Document.Kind.CONSENT)],
    KIND.SURGICAL_READY: [lambda one: papers(one, *PAPERS), lambda one: completed(one, **ORTHODONTIC)],
    KIND.SURGERY_COMPLETE: [lambda one: completed(one, **SURGICAL), lambda one: papers(one, *PAPERS)],
    KIND.TREATMENT_COMPLETE: [completed, lambda one: papers(one, Document.Kind.LETTER)],
    KIND.CUSTOM: [completed],
}


def proposals(milestone):
    """[Proposal]: what the record offers for this milestone and nobody has taken yet."""
    sources = [*SOURCES.get(milestone.milestone_type, [lambda one: completed(one, **ORTHODONTIC)])]
    if milestone.plan.treatment_type == TreatmentPlan.Type.PERIODONTAL:
        sources.insert(0, exams)
    taken = milestone.evidence.in_force().values_list("procedure", "document", "perio_exam")
    keys, found = {key for row in taken for key in row if key}, []
    for source in sources:
        kind, rows = source(milestone)
        shown = SHOWN[kind]
        rows = rows.exclude(pk__in=keys).order_by(*shown.order).select_related("patient__merged_into", *shown.needs)
        found += [Proposal(shown.title(row), kind, row) for row in rows[:MOST]]
    return found
