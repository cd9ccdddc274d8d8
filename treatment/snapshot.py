"""What a frozen copy of a plan holds: what was agreed, not how far it has come. Its own parts, and what later apps add."""
from treatment.hooks import plan_sections


def content_of(plan):
    """The plan as plain data; a constant number of queries, however much is in it."""
    numbering = plan.clinic.tooth_numbering
    procedures = list(plan.procedures.in_force().in_order().select_related("procedure_code", "phase", "provider"))
    return {
        "plan": {
            "id": plan.pk, "patient_id": plan.patient_id, "title": plan.title, "treatment_type": plan.treatment_type,
            "provider": plan.provider.name, "start_date": plan.start_date, "target_end_date": plan.target_end_date,
            "diagnosis_codes": plan.diagnosis_codes, "presenting_problems": plan.presenting_problems, "notes": plan.notes,
            "review_frequency_days": plan.review_frequency_days, "alternative_group": plan.alternative_group},
        "phases": [{"id": row.pk, "name": row.name} for row in plan.phases.in_force()],
        "procedures": [{
            "id": row.pk, "code": row.procedure_code.code, "description": row.description, "place": row.place.said(numbering),
            "phase": row.phase.name if row.phase else "", "provider": row.provider.name, "diagnosis": row.diagnosis,
            "fee": f"{row.fee:.2f}", "estimated_visits": row.estimated_visits} for row in procedures],
        "total": f"{sum(row.fee for row in procedures):.2f}",
        "goals": [goal.agreed() for goal in plan.goals.in_force().prefetch_related("interventions__intervention")],
        "sections": [section for sections in plan_sections(plan) for section in sections],
    }
