"""What treatment does when an earlier app tells something."""
from django.dispatch import receiver

from clinic.signals import provider_user_changed
from treatment.models import CareTeamMember


@receiver(provider_user_changed, dispatch_uid="treatment.who_signs_in_writes")
def who_signs_in_writes(sender, provider, by, **kwargs):
    CareTeamMember.follow(provider, by=by)
