from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import OuterRef, Subquery

from clinic.db.fields import EncryptedJSONField
from clinic.db.records import Fact, FactQuerySet
from clinic.db.refusals import Stale, constraint_name

SEVERE = "severe"
SEVERITIES = {"mild": "Mild", "moderate": "Moderate", SEVERE: "Severe"}
TOBACCO = {"": "Not asked", "never": "Never", "former": "Former", "current": "Current"}
PREGNANCY = {"": "Not asked", "no": "No", "yes": "Yes"}


def review_is_due(reviewed_on, clinic, on):
    """Whether a medical history asked on that day (None: never) is older than the clinic allows."""
    if reviewed_on is None:
        return True
    year, month = divmod(reviewed_on.year * 12 + reviewed_on.month - 1 + clinic.medical_review_months, 12)
    return (on.year, on.month, on.day) >= (year, month + 1, reviewed_on.day)


class MedicalHistoryQuerySet(FactQuerySet):
    def visible_to(self, actor):
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient)
        return super().visible_to(actor)

    def alerts_of(self, patients):
        """{patient's key: texts of the alerts, worst first} of these patients; one query."""
        newest = self.model.objects.filter(patient=OuterRef("patient")).order_by("-number").values("number")[:1]
        rows = self.filter(patient__in=[patient.pk for patient in patients], number=Subquery(newest))
        return {row.patient_id: [alert["text"] for alert in row.alerts] for row in rows}


class MedicalHistory(Fact):
    """One dated version of what a patient told us of their health. An update or a review makes the next one.

    `content` is encrypted: {"medications": [{"name", "dose", "reason"}], "allergies": [{"substance", "reaction",
    "severity"}], "conditions": [{"name", "severity", "onset", "note"}], "tobacco", "pregnancy", "due_on",
    "premedication", "note"}. An empty list in a version says that none were told.
    """

    class Kind(models.TextChoices):
        UPDATED = "updated", "Updated"
        REVIEWED = "reviewed", "Reviewed, nothing changed"

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="medical_histories")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    reviewed_on = models.DateField(help_text="The clinic's date on which the patient was asked.")
    content = EncryptedJSONField(context="clinic_medicalhistory.content")

    objects = MedicalHistoryQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        verbose_name_plural = "medical histories"
        constraints = [models.UniqueConstraint(fields=["clinic", "patient", "number"], name="clinic_medicalhistory_version_once")]
        indexes = [
            models.Index(fields=["patient", "-number"], name="clinic_medicalhistory_newest"),
            models.Index(fields=["clinic", "-at"], name="clinic_medicalhistory_by_time"),
        ]

    EMPTY = {
        "medications": [], "allergies": [], "conditions": [], "tobacco": "", "pregnancy": "", "due_on": "",
        "premedication": "", "note": "",
    }

    def __str__(self):
        return f"medical history {self.number}"

    @property
    def alerts(self):
        return alerts_of(self.content)

    def is_due(self, on):
        """Whether check-in should ask again: the last review is older than the clinic's interval."""
        return review_is_due(self.reviewed_on, self.clinic, on)

    @classmethod
    @transaction.atomic
    def write(cls, *, patient, content, by, seen_number, kind=Kind.UPDATED, on=None, id=None):
        """Add the next version. `seen_number`: the version the writer saw (0: none); another newest one raises Stale."""
        unknown = set(content) - set(cls.EMPTY)
        if unknown:
            raise ValidationError(f"Not part of a medical history: {', '.join(sorted(unknown))}.")
        cls.refuse_unseen(patient, seen_number)
        version = cls(
            clinic_id=patient.clinic_id, patient=patient, number=seen_number + 1, kind=kind,
            reviewed_on=on or patient.clinic.today(), content={**cls.EMPTY, **content}, by=by.user)
        if id is not None:
            version.id = id
        version.clean_fields(exclude=["clinic", "patient", "by", "content"])
        try:
            with transaction.atomic():
                version.save()
        except IntegrityError as error:
            if "number" in constraint_name(error) or "version_once" in constraint_name(error):
                raise Stale(patient.medical_history) from error
            raise
        return version

    @classmethod
    def refuse_unseen(cls, patient, seen_number):
        """Stale when the patient's newest version is another one than this."""
        newest = patient.medical_history
        if (newest.number if newest else 0) != seen_number:
            raise Stale(newest)

    @classmethod
    def settle(cls, patient, *, by):
        """After rows changed hands: when another version than the newest of the patient's own ones now holds, say it anew."""
        own, holds = patient.medical_history, cls.objects.of(patient).order_by("-at", "-id").first()
        if own != holds:
            cls.write(
                patient=patient, content=holds.content if holds else {}, by=by, seen_number=own.number if own else 0,
                on=holds.reviewed_on if holds else None)

    @classmethod
    def review(cls, *, patient, by, seen_number, on=None):
        """The patient was asked and nothing has changed: the same content under today's date."""
        newest = patient.medical_history
        return cls.write(
            patient=patient, content=newest.content if newest else {}, by=by, seen_number=seen_number,
            kind=cls.Kind.REVIEWED, on=on)


def alerts_of(content):
    """What must be seen on every page of a patient, worst first: [{"tone": "red" or "amber", "text"}].

    Of the content alone, because a day's schedule asks it a hundred and fifty times.
    """
    content = {**MedicalHistory.EMPTY, **content}
    red = [f"Allergy: {row['substance']}" for row in content["allergies"]]
    if content["premedication"]:
        red.append(f"Premedication: {content['premedication']}")
    red += [row["name"] for row in content["conditions"] if row.get("severity") == SEVERE]
    amber = [row["name"] for row in content["conditions"] if row.get("severity") != SEVERE]
    if content["pregnancy"] == "yes":
        amber.append("Pregnant")
    return [{"tone": "red", "text": text} for text in red] + [{"tone": "amber", "text": text} for text in amber]
