"""What the chart shows on pages of other apps."""
from django.urls import reverse

from charting.models import Finding
from clinic import hooks
from clinic.access.rules import may
from clinic.audit.changes import changes_of
from clinic.db.records import person
from clinic.panels import HeaderTab, Panel


@hooks.header_facts.add
def chart_tab(actor, patient):
    if not may(actor, "charting.view_chart"):
        return []
    return [HeaderTab("Chart", "chart", reverse("charting:chart", args=[patient.pk]), "g c")]


@hooks.patient_panels.add
def chart_panel(actor, patient):
    """The chart small; it loads itself, so that the overview waits for nothing."""
    if not may(actor, "charting.view_chart"):
        return None
    return Panel("Chart", "charting/_chart_panel_link.html", {"patient": patient})


@hooks.record_sections.add
def finding_changes(actor, patient):
    """Every change of the patient's findings, for the history page."""
    if not may(actor, "charting.view_chart"):
        return []
    rows = Finding.history.filter(patient__in=person(Finding, patient), clinic=actor.clinic_id).select_related("clinic")
    return changes_of(Finding, list(rows), lambda row: f"Finding {row.condition} {row.tooth}")
