"""Jobs of milestones; each calls one verb."""
from milestones.models import MilestoneAlert, NewsMessage


def write_alerts():
    return MilestoneAlert.write_due()


def write_news():
    return NewsMessage.write_due()
