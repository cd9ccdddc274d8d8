from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from charting.models.chart_settings import ChartSettings
from charting.models.perio_tooth import PerioTooth
from charting.mouth import mouth_of
from charting.perio import FIVE_YEARS, Indices, fault, indices, suggested, worst_loss
from charting.teeth import TEETH
from clinic.db.fields import EncryptedTextField
from clinic.db.guards import Trigger
from clinic.db.records import Record, RecordQuerySet, record_bulk
from clinic.db.refusals import Refused
from clinic.models import Patient, Provider

SUMS = (
    "sites_possible", "sites_measured", "bleeding_sites", "plaque_sites", "sites_ge_4", "sites_ge_5", "pd_sum", "cal_sum",
    "cal_sites")


class PerioExamQuerySet(RecordQuerySet):
    def of(self, patient):
        """All of a patient, newest first (index `charting_perioexam_of_patient`)."""
        return super().of(patient).order_by("-exam_date", "-created_at", "-id")

    def finished(self):
        return self.exclude(status=PerioExam.Status.DRAFT)


class PerioExam(Record):
    """One dated examination of the gums, with its indices; the figures of each tooth are rows of their own (`PerioTooth`).

    Not the typing of it: that is a Draft until somebody saves. A closed exam changes only by an amendment with a reason; what
    stood there before is in the history of its rows. Closing one never bills.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Not closed"
        CLOSED = "closed", "Closed"
        AMENDED = "amended", "Amended"

    class Stage(models.TextChoices):
        I = "I", "I"  # noqa: E741 (the classification's own name)
        II = "II", "II"
        III = "III", "III"
        IV = "IV", "IV"

    class Grade(models.TextChoices):
        A = "A", "A"
        B = "B", "B"
        C = "C", "C"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="perio_exams", db_index=False)
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    exam_date = models.DateField()
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    skipped = models.JSONField(
        default=list, blank=True, editable=False, help_text="Teeth that were not there to probe, by their keys.")
    note = EncryptedTextField(context="charting_perioexam.note", blank=True, default="", max_length=4000)
    sites_possible = models.PositiveSmallIntegerField(default=0, editable=False)
    sites_measured = models.PositiveSmallIntegerField(default=0, editable=False)
    bleeding_sites = models.PositiveSmallIntegerField(default=0, editable=False)
    plaque_sites = models.PositiveSmallIntegerField(default=0, editable=False)
    sites_ge_4 = models.PositiveSmallIntegerField(default=0, editable=False)
    sites_ge_5 = models.PositiveSmallIntegerField(default=0, editable=False)
    pd_sum = models.PositiveSmallIntegerField(default=0, editable=False)
    cal_sum = models.SmallIntegerField(default=0, editable=False)
    cal_sites = models.PositiveSmallIntegerField(default=0, editable=False)
    stage = models.CharField(
        max_length=3, choices=Stage, blank=True, default="", editable=False, help_text="As a dentist confirmed it.")
    grade = models.CharField(max_length=1, choices=Grade, blank=True, default="", editable=False)

    objects = PerioExamQuerySet.as_manager()

    class Meta:
        ordering = ["-exam_date", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft", closed_at=None) | (Q(status__in=["closed", "amended"]) & ~Q(closed_at=None)),
                name="charting_perioexam_closed_has_a_time"),
            models.CheckConstraint(
                condition=Q(stage="", grade="") | Q(stage__in=["I", "II", "III", "IV"], grade__in=["A", "B", "C"]),
                name="charting_perioexam_known_stage_and_grade"),
            models.CheckConstraint(
                condition=Q(sites_measured__lte=models.F("sites_possible")), name="charting_perioexam_measured_of_possible"),
        ]
        indexes = [models.Index(fields=["clinic", "patient", "-exam_date"], name="charting_perioexam_of_patient")]

    @classmethod
    def own_guards(cls):
        """A closed exam stays closed and keeps its patient."""
        table = cls._meta.db_table
        return [Trigger(
            f"{table}_closed_stays", table, ("UPDATE",),
            "(OLD.status <> 'draft' AND (NEW.status = 'draft' OR NEW.patient_id <> OLD.patient_id))")]

    def __str__(self):
        return f"periodontal exam of {self.exam_date:%Y-%m-%d}"

    @property
    def is_draft(self):
        return self.status == self.Status.DRAFT

    @property
    def indices(self):
        """The Indices of perio.py, of the stored sums."""
        return Indices(**{name: getattr(self, name) for name in SUMS})

    @property
    def figures(self):
        """{canonical key: ToothFigures}; one query, none when `teeth` was prefetched."""
        return {row.tooth: row.figures for row in self.teeth.all()}

    def suggestion(self, earlier):
        """The Suggestion that its figures make, with what is known of smoking and diabetes; `earlier`: exams before it, of which
        one of about five years ago tells how fast it goes."""
        figures, history = self.figures, self.patient.person.medical_history
        then = next((exam for exam in earlier if FIVE_YEARS[0] <= (self.exam_date - exam.exam_date).days <= FIVE_YEARS[1]), None)
        tobacco = history.content.get("tobacco") if history else None
        return suggested(
            figures, len(self.skipped), smokes=tobacco == "current" if tobacco else None,
            has_diabetes=any("diabet" in row["name"].lower() for row in history.content["conditions"]) if history else None,
            worst_loss_in_five_years=worst_loss(then.figures, figures) if then else None)

    @classmethod
    @transaction.atomic
    def start(cls, *, by, patient, teeth, exam_date=None, provider=None, note="", id: UUID | None = None):
        """Save an exam that may still change. `teeth`: {canonical key: ToothFigures}.

        Which teeth could be probed is taken from the chart of that day; one that was measured all the same counts as there.
        """
        exam = cls(
            clinic_id=by.clinic_id, patient=patient, exam_date=exam_date or by.clinic.today(), note=note,
            provider=provider or Provider.objects.that_is(by))
        if id is not None:
            exam.id = id
        exam._refuse_date(by.clinic.today())
        refuse_what_cannot_be(teeth)
        exam._set_skipped(by, teeth)
        exam._count(teeth)
        exam.record(by=by)
        exam._write(teeth, {}, by)
        return exam

    @transaction.atomic
    def measure(self, *, by, teeth, version=None, **values):
        """Other figures for these teeth of an exam that is not closed; teeth that are left out stay. `values`: exam_date, note."""
        self.lock(version)
        if not self.is_draft:
            raise Refused("This exam is closed. Amend it, with a reason.")
        return self._change(by, teeth, values)

    @transaction.atomic
    def close(self, *, by, now, version=None):
        """From now on it changes only by an amendment. Closing one that is closed does nothing."""
        self.lock(version)
        if not self.is_draft:
            return self
        if not self.sites_measured:
            raise Refused("Nothing is measured yet: an exam is closed with at least one probing depth.")
        self.status, self.closed_at = self.Status.CLOSED, now
        return self.record(by=by)

    @transaction.atomic
    def amend(self, *, by, because, teeth, version=None, **values):
        """Correct a closed exam; the reason and what stood there before stay in the history."""
        self.lock(version)
        if self.is_draft:
            raise Refused("This exam is not closed yet: change it as it is.")
        if not because.strip():
            raise Refused("Say why the exam is amended: the reason stays on record.")
        self.status, self.stage, self.grade = self.Status.AMENDED, "", ""  # what was confirmed was of other figures
        return self._change(by, teeth, values, because.strip())

    @transaction.atomic
    def confirm(self, *, by, stage, grade, version=None):
        """A dentist confirms stage and grade, as suggested or otherwise; both empty: no periodontitis, or taken back."""
        self.lock(version)
        if self.is_draft:
            raise Refused("Close the exam first: a diagnosis is of figures that stand.")
        if stage not in ("", *self.Stage.values) or grade not in ("", *self.Grade.values):
            raise ValidationError({"stage": "A stage is I to IV, a grade A to C."})
        if bool(stage) != bool(grade):
            raise ValidationError({"grade": "A stage has a grade, and a grade a stage."})
        self.stage, self.grade = stage, grade
        return self.record(by=by)

    def _change(self, by, teeth, values, because=""):
        for name, value in values.items():
            setattr(self, name, value)
        self._refuse_date(by.clinic.today())
        refuse_what_cannot_be(teeth)
        before = {row.tooth: row for row in self.teeth.all()}
        merged = {key: row.figures for key, row in before.items()} | teeth
        self._set_skipped(by, merged)
        self._count(merged)
        self.record(by=by, because=because)
        self._write(teeth, before, by, because)
        return self

    def _refuse_date(self, today):
        if self.exam_date > today:
            raise ValidationError({"exam_date": "An exam can't be of a day to come."})
        if self.patient.date_of_birth and self.exam_date < self.patient.date_of_birth:
            raise ValidationError({"exam_date": "That was before the patient was born."})

    def _set_skipped(self, by, teeth):
        """Teeth that the chart says are gone, less those that were measured; a primary tooth and its successor are one place."""
        gone = mouth_of(by, self.patient, self.exam_date).skipped(ChartSettings.of(by.clinic).probes_implants)
        measured = {TEETH[key].position for key, figures in teeth.items()
                    if figures.is_probed and not TEETH[key].is_supernumerary}
        self.skipped = [key for key in gone if TEETH[key].position not in measured]

    def _count(self, teeth):
        found = indices(teeth, self.skipped)
        for name in SUMS:
            setattr(self, name, getattr(found, name))

    def _write(self, teeth, before, by, because=""):
        """The rows of these teeth: those that are new at once, those that changed one by one, each with its history."""
        new = []
        for key, figures in teeth.items():
            row = before.get(key)
            if row is None:
                if not figures.is_empty:
                    new.append(PerioTooth(clinic_id=self.clinic_id, exam=self, tooth=key).filled(figures))
            elif row.figures != figures:
                row.filled(figures).record(by=by, because=because)
        for row in new:
            row.full_clean(validate_unique=False, validate_constraints=False, exclude=["exam", "clinic"])
        record_bulk(new, by=by, because=because)


def refuse_what_cannot_be(teeth):
    """ValidationError for the first tooth with a figure that can't be, by its key and field."""
    for key, figures in teeth.items():
        if key not in TEETH:
            raise ValidationError({"teeth": f"“{key}” is no tooth."})
        if found := fault(key, figures):
            raise ValidationError({f"teeth.{key}.{found[0]}": found[1]})
