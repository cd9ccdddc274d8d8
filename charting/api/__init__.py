"""The endpoints of the chart."""
from charting.api import findings

ROUTERS = [findings.router]
