from charting.models.chart_settings import ChartSettings
from charting.models.draft import Draft
from charting.models.finding import Finding
from charting.models.finding_kind import FindingKind

__all__ = ["ChartSettings", "Draft", "Finding", "FindingKind"]
