"""The endpoints of the chart."""
from charting.api import findings, perio

ROUTERS = [findings.router, perio.router]
