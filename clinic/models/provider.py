from django.conf import settings
from django.db import models, transaction

from clinic.db.records import Record, RecordQuerySet
from clinic.signals import provider_user_changed


class ProviderQuerySet(RecordQuerySet):
    def current(self):
        return self.filter(is_active=True)

    def that_is(self, actor):
        """Who this actor is among those who treat; None for everybody else."""
        return self.visible_to(actor).current().filter(user=actor.user).first() if actor.user else None


class Provider(Record):
    """A person who treats, as the schedule and the chart know them. Their sign-in, when they have one, is `user`."""

    class Kind(models.TextChoices):
        DENTIST = "dentist", "Dentist"
        ORTHODONTIST = "orthodontist", "Orthodontist"
        HYGIENIST = "hygienist", "Hygienist"
        THERAPIST = "therapist", "Therapist"
        ASSISTANT = "assistant", "Assistant"

    name = models.CharField(max_length=120)
    short_name = models.CharField(max_length=24, help_text="As it stands at the head of a column.")
    kind = models.CharField(max_length=20, choices=Kind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="providers")
    colour = models.PositiveSmallIntegerField(default=1, help_text="One of the palette's twelve.")
    sequence = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["sequence", "name"]
        indexes = [models.Index(fields=["clinic", "is_active", "sequence"], name="clinic_provider_of_clinic")]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "name"], name="clinic_provider_name_once"),
            models.UniqueConstraint(
                fields=["clinic", "user"], condition=models.Q(user__isnull=False), name="clinic_provider_user_once"),
            models.CheckConstraint(condition=models.Q(colour__range=(1, 12)), name="clinic_provider_colour_of_palette"),
        ]

    def __str__(self):
        return self.name

    @transaction.atomic
    def record(self, *, by, because=""):
        """As of every record; `provider_user_changed` is sent when somebody else signs in as this provider from now on."""
        before = type(self)._base_manager.filter(pk=self.pk).values_list("user", flat=True).first()
        super().record(by=by, because=because)
        if before != self.user_id:
            provider_user_changed.send(type(self), provider=self, by=by)
        return self
