"""The endpoints of the chart."""
from charting.api import findings, notes, perio

ROUTERS = [findings.router, perio.router, notes.router]
