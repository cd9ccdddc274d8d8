from django.db import models

from clinic.db.records import Record
from clinic.models.provider import ProviderQuerySet


class Operatory(Record):
    """A room with a chair: what a visit takes up."""

    name = models.CharField(max_length=60)
    sequence = models.PositiveSmallIntegerField(default=0)
    is_hygiene = models.BooleanField(default=False, help_text="Hygiene visits are offered here first.")
    is_active = models.BooleanField("in use", default=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["sequence", "name"]
        verbose_name_plural = "operatories"
        indexes = [models.Index(fields=["clinic", "is_active", "sequence"], name="clinic_operatory_of_clinic")]
        constraints = [models.UniqueConstraint(fields=["clinic", "name"], name="clinic_operatory_name_once")]

    def __str__(self):
        return self.name
