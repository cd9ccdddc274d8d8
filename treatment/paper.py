"""Plan and estimate on paper: plain words for the patient, codes for the record, and a place to sign."""
from django.utils.formats import date_format

from clinic.paper.typeset import typeset


def estimate(sheet):
    """The plan as a PDF, tagged."""
    plan, patient, clinic = sheet.plan, sheet.plan.person, sheet.plan.clinic
    return typeset("treatment/plan.typ", {
        "patient": f"{patient.name}, born {date_format(patient.date_of_birth, 'j F Y')}, #{patient.chart_number}",
        "provider": plan.provider.name, "status": plan.get_status_display(), "is_over": plan.is_over, "currency": clinic.currency,
        "facts": [
            {"label": "Starts", "text": date_format(plan.start_date, "j F Y")},
            *([{"label": "To end by", "text": date_format(plan.target_end_date, "j F Y")}] if plan.target_end_date else []),
            *([{"label": "Version", "text": str(plan.number)}] if plan.number else [])],
        "diagnoses": [f"{row['code']} {row['description']}".strip() for row in plan.diagnosis_codes],
        "sections": [
            {"title": section.phase.name if section.phase else "", "total": f"{section.total:,.2f}", "rows": [
                {"where": line.place, "what": line.row.description, "code": line.row.procedure_code.code,
                 "visits": line.row.estimated_visits, "fee": f"{line.row.fee:,.2f}", "state": line.row.get_status_display()}
                for line in section.lines]}
            for section in sheet.sections if section.lines],
        "total": f"{sheet.total:,.2f}",
        "goals": [
            {"level": depth, "what": goal.description, "target": goal.target_value,
             "by": date_format(goal.target_date, "j M Y") if goal.target_date else ""}
            for depth, goal in sheet.goals_in_order],
    }, clinic=clinic, title=f"Treatment plan: {plan.title}", on=sheet.actor.clinic.today())
