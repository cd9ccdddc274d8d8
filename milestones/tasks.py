"""Jobs of milestones; each calls one verb."""
from milestones.models import MilestoneAlert


def write_alerts():
    return MilestoneAlert.write_due()
