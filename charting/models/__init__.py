from charting.models.chart_settings import ChartSettings
from charting.models.draft import Draft

__all__ = ["ChartSettings", "Draft"]
