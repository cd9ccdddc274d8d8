import json

from django.db import models

from clinic.db.fields import EncryptedTextField
from clinic.db.records import Fact, FactQuerySet
from treatment.canonical import canonical, digest
from treatment.models.plan import TreatmentPlan
from treatment.snapshot import content_of


class PlanVersionQuerySet(FactQuerySet):
    def newest(self):
        return self.order_by("-number").first()


class PlanVersion(Fact):
    """A numbered, frozen copy of a plan: what was presented, activated, or agreed after a change. Its `digest` is what a
    signature is over. Not the plan as it stands."""

    class Kind(models.TextChoices):
        PRESENTED = "presented", "Presented"
        ACTIVATED = "activated", "Activated"
        CHANGED = "changed", "Changed"

    told_by_its_record = True

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="+", db_index=False)
    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    because = models.CharField(max_length=200, blank=True, default="")
    text = EncryptedTextField(context="treatment_planversion.text", help_text="Canonical JSON.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the text.")

    objects = PlanVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["clinic", "plan", "number"], name="treatment_planversion_number_once")]

    def __str__(self):
        return f"Version {self.number} of {self.plan}"

    @property
    def content(self):
        return json.loads(self.text)

    @property
    def is_intact(self):
        """Whether the text is still the one that was hashed."""
        return digest(self.text) == self.digest

    @classmethod
    def freeze(cls, plan, *, by, kind, because=""):
        """Write the next copy and note its number at the plan. The caller holds the plan's lock."""
        return cls._write(plan, canonical(content_of(plan)), by, kind, because)

    @classmethod
    def is_newest(cls, plan):
        """Whether the newest copy says what the plan says now."""
        newest = cls.objects.filter(plan=plan).newest()
        return newest is not None and newest.digest == digest(canonical(content_of(plan)))

    @classmethod
    def freeze_change(cls, plan, *, by, because=""):
        """The next copy, when what was agreed is no longer what the newest one says; else None."""
        text, newest = canonical(content_of(plan)), cls.objects.filter(plan=plan).newest()
        if newest is not None and newest.digest == digest(text):
            return None
        return cls._write(plan, text, by, cls.Kind.CHANGED, because)

    @classmethod
    def _write(cls, plan, text, by, kind, because):
        plan.number += 1
        plan.record(by=by, because=because or f"Version {plan.number}: {cls.Kind(kind).label.lower()}")
        return cls.objects.create(
            clinic_id=plan.clinic_id, patient=plan.patient, plan=plan, number=plan.number, kind=kind, because=because[:200],
            text=text, digest=digest(text), by=by.user)
