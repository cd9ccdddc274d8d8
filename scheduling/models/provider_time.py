from django.db import models
from django.db.models import F, Q

from clinic.db.guards import NoOverlap
from clinic.db.keys import uuid7
from clinic.models import Provider


class ProviderTime(models.Model):
    """Minutes of one provider that a visit takes: a dentist runs several chairs and looks in on a hygienist's patient.

    Not a record of its own: it follows from the appointment's `parts`, which stand in its history, and exists so that
    the database can refuse two visits for the same minutes of one provider.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinic = models.ForeignKey("clinic.Clinic", models.PROTECT, related_name="+")
    appointment = models.ForeignKey("scheduling.Appointment", models.PROTECT, related_name="provider_time")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="provider_time")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    is_shared = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["clinic", "starts_at"], name="scheduling_providertime_day"),
            models.Index(fields=["provider", "starts_at"], name="scheduling_providertime_of"),
        ]
        constraints = [
            NoOverlap(name="scheduling_providertime_taken", resource="provider", condition=Q(is_shared=False)),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="scheduling_providertime_in_order"),
        ]

    def __str__(self):
        return f"{self.provider} {self.starts_at:%H:%M}-{self.ends_at:%H:%M}"
