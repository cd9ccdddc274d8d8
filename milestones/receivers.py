"""What milestones do when something is told, in the same transaction."""
from django.dispatch import receiver

from milestones.models import Milestone, NewsMessage
from milestones.signals import milestone_achieved
from treatment.signals import plan_activated


@receiver(plan_activated, dispatch_uid="milestones.standard_set")
def standard_milestones(plan, by, **kwargs):
    Milestone.lay_out(plan, by=by)


@receiver(milestone_achieved, dispatch_uid="milestones.achieved_news")
def tell_that_it_is_achieved(milestone, on, **kwargs):
    NewsMessage.write_achieved(milestone, on=on)
