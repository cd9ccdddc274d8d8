"""What milestones tell the apps above, in the same transaction. Receivers are one line, and do nothing twice."""
from django.dispatch import Signal

milestone_achieved = Signal()  # milestone, by, on (the day of it): once for each time that it is achieved
