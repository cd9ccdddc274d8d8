"""Two records of one person: merged by a link, and taken apart again. What is to be asked before stands in `clinic.merges`."""
from django.db import models, transaction
from django.utils import timezone

from clinic import hooks
from clinic.db.records import Fact
from clinic.db.refusals import Refused
from clinic.models.medical_history import MedicalHistory


class CannotMerge(Refused):
    """Something must be settled first; `obstacles` say what, and where."""

    def __init__(self, obstacles):
        self.obstacles = obstacles
        super().__init__(" ".join(obstacle.sentence for obstacle in obstacles))


class HandedOver(Fact):
    """That an append-only row, written while two patients were one, belongs to the other one since they were taken apart.

    `row` is the key of a row of any append-only table of patients: keys are unique across tables. The newest one counts.
    """

    row = models.UUIDField()
    of_table = models.CharField(max_length=80)
    origin = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "rows handed over"
        indexes = [models.Index(fields=["row", "-at"], name="clinic_handedover_of_row")]

    def __str__(self):
        return f"{self.of_table} of {self.origin} to {self.patient}"


class Unmerge(Fact):
    """That two patients were one from `merged_at` until this row: whoever looked at the survivor then saw both."""

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="+")
    survivor = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="+", db_index=False)
    merged_at = models.DateTimeField()

    def __str__(self):
        return f"{self.patient} out of {self.survivor}"


class Mergeable(models.Model):
    """The part of Patient that is about two records of one person. One level only: who holds others is merged into nobody."""

    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, editable=False, related_name="merged")
    merged_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def person(self):
        """The patient under whom everything of this person is seen."""
        return self.merged_into if self.merged_into_id else self

    @property
    def holds(self):
        """The patients who are merged into this one; no query where the patient was loaded with `has_merged`."""
        return list(self.merged.order_by("merged_at")) if getattr(self, "has_merged", True) else []

    @transaction.atomic
    def merge_into(self, survivor, *, by, because, version=None, survivor_version=None, joined=None):
        """From now on the two are seen as one, under the survivor; no other row is written.

        `joined`: where their medical histories differ, (content that a person confirmed, number seen of this one's, number
        seen of the survivor's); it becomes the survivor's next version. CannotMerge while something is to be settled first.
        """
        self._lock_both(survivor, version, survivor_version)
        if not because.strip():
            raise Refused("Say why the two are one person: the reason stays on record.")
        if obstacles := self.obstacles_to(survivor):
            raise CannotMerge(obstacles)
        if joined is None and not same_history(self, survivor):
            raise Refused("Their medical histories differ. Confirm first what holds for both.")
        self.merged_into, self.merged_at = survivor, timezone.now()
        self.record(by=by, because=because.strip())
        if joined is not None:
            content, own_number, survivors_number = joined
            MedicalHistory.refuse_unseen(self, own_number)
            MedicalHistory.write(patient=survivor, content=content, by=by, seen_number=survivors_number)
        return survivor

    @transaction.atomic
    def unmerge(self, *, by, because, owners, version=None):
        """Two again: what was there before stands as it stood, and what came since goes to whom `owners` says, then the
        medical history that now holds for each is written down anew where it differs.

        `owners`: {key of a row: patient} for at least one row of each bundle that can be chosen (see `clinic.merges`).
        """
        from clinic.merges import LaterRows

        survivor = self.merged_into
        if survivor is None:
            raise Refused(f"{self.name} is not merged into anybody.")
        for patient in sorted((self, survivor), key=lambda each: each.pk):
            patient.lock(version if patient is self else None)
        if self.merged_into_id != survivor.pk:
            raise Refused(f"{self.name} was taken apart or merged anew in the meantime. Look again.")
        if not because.strip():
            raise Refused("Say why they are two people: the reason stays on record.")
        LaterRows(self, survivor).hand_over(owners, by=by, because=because.strip())
        Unmerge(clinic_id=self.clinic_id, patient=self, survivor=survivor, merged_at=self.merged_at, by=by.user).save()
        self.merged_into = self.merged_at = None
        self.record(by=by, because=because.strip())
        for patient in (self, survivor):
            MedicalHistory.settle(patient, by=by)
        return self

    def obstacles_to(self, survivor):
        """What must be settled before this patient can be merged into the survivor, of all apps."""
        return [obstacle for found in hooks.merge_conflicts(self, survivor) for obstacle in found]

    def _lock_both(self, survivor, version, survivor_version):
        """Both rows, in the order of their keys, and only two that may be merged."""
        if survivor.pk == self.pk:
            raise Refused("Choose two different patients.")
        versions = {self.pk: version, survivor.pk: survivor_version}
        for patient in sorted((self, survivor), key=lambda each: each.pk):
            patient.lock(versions[patient.pk])
        if self.clinic_id != survivor.clinic_id:
            raise Refused("Patients of two clinics are not merged.")
        for patient in (self, survivor):
            if patient.merged_into_id:
                raise Refused(f"{patient.name} (#{patient.chart_number}) is merged into another patient already.")
        if held := self.merged.first():
            raise Refused(
                f"{self.name} (#{self.chart_number}) holds {held.name} (#{held.chart_number}). Merge the other way round, "
                "or take the two apart first.")


def same_history(patient, survivor):
    """Whether the survivor's newest medical history says already all that the patient's says."""
    own, theirs = patient.medical_history, survivor.medical_history
    return own is None or (theirs is not None and {**own.EMPTY, **own.content} == {**theirs.EMPTY, **theirs.content})
