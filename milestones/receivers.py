"""What milestones do when treatment tells something, in the same transaction."""
from django.dispatch import receiver

from milestones.models import Milestone
from treatment.signals import plan_activated


@receiver(plan_activated, dispatch_uid="milestones.standard_set")
def standard_milestones(plan, by, **kwargs):
    Milestone.lay_out(plan, by=by)
