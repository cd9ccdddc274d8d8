from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Max, Q

from charting.conditions import Surfaces
from charting.models import Finding, FindingKind
from charting.teeth import TEETH
from clinic.access.rules import may
from clinic.db.fields import EncryptedTextField, MoneyField
from clinic.db.records import RecordQuerySet
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import DiagnosisCode, Patient, ProcedureCode, Provider
from scheduling.models import Appointment
from treatment.areas import Place, placed
from treatment.models.ground import PlanPart, same_plan, stays_in_plan
from treatment.models.phase import Phase
from treatment.models.plan import TreatmentPlan
from treatment.refusals import WrongStep
from treatment.signals import procedure_completed, procedure_voided

LONG_BEFORE = timedelta(days=366)  # work of a plan may have begun before the plan was written down, but not years before


class ProcedureQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient).exclude(plan__status=TreatmentPlan.Status.DRAFT)
        return super().visible_to(actor)

    def in_force(self):
        """All but the cancelled ones."""
        return self.exclude(status=Procedure.Status.CANCELLED)

    def open(self):
        """What is still to be done."""
        return self.filter(status__in=Procedure.OPEN)

    def in_order(self):
        """As a plan lists them: its phases, then what stands in none; within each by their sequence."""
        return self.order_by(models.F("phase__sequence").asc(nulls_last=True), "sequence", "id")

    def unscheduled(self):
        """Open work of accepted and active plans that no coming visit carries (index `treatment_procedure_open`); not of patients
        who come no more."""
        return self.open().filter(plan__status__in=TreatmentPlan.UNDER_WAY).exclude(
            patient__status__in=[Patient.Status.ARCHIVED, Patient.Status.DECEASED]).exclude(
            appointment__status__in=[*Appointment.EXPECTED, Appointment.Status.CHECKED_IN, Appointment.Status.SEATED])


class Procedure(PlanPart):
    """One coded piece of work of a plan: planned, done, or known from elsewhere. What the chart draws of it is `finding`.

    Not a charge: billing listens to `procedure_completed`. Rows are never deleted; what was wrong is voided, with a reason.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        IN_PROGRESS = "in_progress", "Begun"
        COMPLETED = "completed", "Completed"
        EXISTING = "existing", "Existing, done here"
        EXISTING_OTHER = "existing_other", "Existing, done elsewhere"
        REFERRED = "referred", "Referred"
        CONDITION = "condition", "Condition"
        CANCELLED = "cancelled", "Cancelled"

    OPEN = (Status.PLANNED, Status.IN_PROGRESS)
    # Told, not done: no fee, and no step leads on from there but voiding.
    TOLD = (Status.EXISTING, Status.EXISTING_OTHER, Status.REFERRED, Status.CONDITION)
    STEPS = {
        "start": ((Status.PLANNED,), Status.IN_PROGRESS),
        "complete": (OPEN, Status.COMPLETED),
        "void": ((*OPEN, Status.COMPLETED, *TOLD), Status.CANCELLED),
    }
    # How the chart draws it; what is not here it does not draw.
    DRAWN = {
        Status.PLANNED: Finding.Status.PLANNED, Status.IN_PROGRESS: Finding.Status.PLANNED,
        Status.COMPLETED: Finding.Status.COMPLETED, Status.EXISTING: Finding.Status.EXISTING,
        Status.EXISTING_OTHER: Finding.Status.EXISTING_OTHER, Status.CONDITION: Finding.Status.CONDITION}

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="procedures", db_index=False)
    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="procedures")
    phase = models.ForeignKey(Phase, models.PROTECT, null=True, blank=True, related_name="procedures", db_index=False)
    procedure_code = models.ForeignKey(ProcedureCode, models.PROTECT, related_name="+", verbose_name="code")
    description = models.CharField(max_length=200, editable=False, help_text="The code's words on the day it was planned.")
    tooth = models.CharField(max_length=3, blank=True, default="")
    last_tooth = models.CharField(max_length=3, blank=True, default="")
    surfaces = models.CharField(max_length=7, blank=True, default="")
    quadrant = models.CharField(max_length=2, blank=True, default="")
    sextant = models.PositiveSmallIntegerField(null=True, blank=True)
    arch = models.CharField(max_length=5, blank=True, default="")
    diagnosis = models.CharField(max_length=10, blank=True, default="", help_text="An ICD-10-CM code.")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    fee = MoneyField()
    sequence = models.PositiveSmallIntegerField(default=1, editable=False)
    estimated_visits = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(60)])
    status = models.CharField(max_length=15, choices=Status, default=Status.PLANNED, editable=False)
    status_because = models.CharField("because", max_length=200, blank=True, default="", editable=False)
    started_on = models.DateField(null=True, blank=True, editable=False)
    completed_on = models.DateField(null=True, blank=True, editable=False)
    appointment = models.ForeignKey(
        Appointment, models.PROTECT, null=True, blank=True, related_name="procedures", help_text="The visit that it is booked for.")
    finding = models.ForeignKey(Finding, models.PROTECT, null=True, blank=True, editable=False, related_name="+")
    note = EncryptedTextField(context="treatment_procedure.note", blank=True, default="", max_length=2000)

    objects = ProcedureQuerySet.as_manager()

    class Meta:
        ordering = ["sequence", "id"]
        indexes = [
            models.Index(fields=["clinic", "patient", "status"], name="treatment_procedure_of_patient"),
            models.Index(fields=["clinic", "status", "id"], name="treatment_procedure_open"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[
                    "planned", "in_progress", "completed", "existing", "existing_other", "referred", "condition", "cancelled"]),
                name="treatment_procedure_known_status"),
            models.CheckConstraint(
                condition=~Q(status="completed") | Q(completed_on__isnull=False), name="treatment_procedure_completed_has_a_date"),
            models.CheckConstraint(
                condition=Q(completed_on=None) | Q(status__in=["completed", "existing", "cancelled"]),
                name="treatment_procedure_date_is_of_done_work"),
            models.CheckConstraint(condition=Q(fee__gte=0), name="treatment_procedure_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(fee=0) | ~Q(status__in=["existing", "existing_other", "referred", "condition"]),
                name="treatment_procedure_told_has_no_fee"),
            models.CheckConstraint(
                condition=Q(tooth__in=["", *sorted(TEETH)], last_tooth__in=["", *sorted(TEETH)]),
                name="treatment_procedure_known_tooth"),
            models.CheckConstraint(
                condition=(Q(surfaces="") | ~Q(tooth="")) & (Q(last_tooth="") | ~Q(tooth="")),
                name="treatment_procedure_surfaces_have_a_tooth"),
        ]

    @classmethod
    def own_guards(cls):
        return [stays_in_plan(cls), *same_plan(cls, "phase")]

    def __str__(self):
        return f"{self.procedure_code.code} {self.description}"

    # Questions

    @property
    def place(self):
        return Place.of(self)

    @property
    def is_open(self):
        return self.status in self.OPEN

    @property
    def said(self):
        """In words, as the practice reads it: "14 Crown, all ceramic"."""
        return f"{self.place.said(self.clinic.tooth_numbering)} {self.description}".strip()

    def is_work_of(self, actor):
        """Whether it is this actor's own, as its provider."""
        return may(actor, "treatment.complete_procedure", self) and actor.user is not None and (
            self.provider.user_id == actor.user.pk)

    def may_complete(self, actor):
        """Whether this actor does the work: a writer of the plan, or the procedure's own provider."""
        return self.plan.may_write(actor) or self.is_work_of(actor)

    # Verbs: planning

    @classmethod
    @transaction.atomic
    def add(cls, *, by, plan, **said):
        """Put a procedure at the end of the plan, drawn on the chart at once.

        `said`: procedure_code, and what else `_put_in` takes.
        Of the place (tooth, last_tooth, surfaces, quadrant, sextant, arch) what the code's area asks, ValidationError otherwise.
        The fee is the office's of the day unless another is said; what is only told (existing, referred, condition) has none.
        """
        return cls.add_all(by=by, plan=plan, items=[said])[0]

    @classmethod
    @transaction.atomic
    def add_all(cls, *, by, plan, items):
        """Put several at the end of the plan, all or none, with one new copy of it. `items`: what `add` takes of each."""
        plan.lock()
        plan.refuse_reader(by)
        plan.refuse_over()
        rows = [cls._put_in(plan, by, **item) for item in items]
        plan.freeze_change(by=by)
        return rows

    @transaction.atomic
    def revise(self, *, by, version=None, **values):
        """Change what is planned: place, fee, diagnosis, provider, phase, visits, note. Only of what is still open."""
        self.lock(version)
        self.plan.refuse_reader(by)
        if not self.is_open:
            raise Refused(f"This procedure is {self.get_status_display().lower()}: it stands as it is. Void it to correct it.")
        self.plan.refuse_over()
        self._refuse_visit(values.get("appointment"))
        place = self.place._asdict() | {name: values.pop(name) for name in Place._fields if name in values}
        if (code := values.get("procedure_code", self.procedure_code)) != self.procedure_code:
            refuse_out_of_use(code)
            values = {"description": code.description, "fee": code.fee, **values}
        known = self.diagnosis
        for name, value in values.items():
            setattr(self, name, value)
        self._check(by, place, self.fee, known)
        self._save(by)
        self.plan.freeze_change(by=by)
        return self

    @classmethod
    @transaction.atomic
    def reorder(cls, *, by, plan, keys):
        """Give the plan's procedures this order; `keys`: all or some of them. Those left out come after, as they stood."""
        plan.lock()
        plan.refuse_reader(by)
        plan.refuse_over()
        rows = {row.pk: row for row in plan.procedures.in_order()}
        if unknown := [key for key in keys if key not in rows]:
            raise ValidationError({"procedure_ids": f"{len(unknown)} of these are not in this plan."})
        wanted = [*dict.fromkeys(keys), *(key for key in rows if key not in set(keys))]
        for number, key in enumerate(wanted, 1):
            if rows[key].sequence != number:
                rows[key].sequence = number
                rows[key].record(by=by)
        plan.freeze_change(by=by)

    def move_to(self, place, *, by):
        """Let it stand at this place of the plan, 1 for the first; beyond the last one, at the end."""
        keys = [key for key in self.plan.procedures.in_order().values_list("pk", flat=True) if key != self.pk]
        keys.insert(max(place, 1) - 1, self.pk)
        self.reorder(by=by, plan=self.plan, keys=keys)

    # Verbs: doing

    @transaction.atomic
    def start(self, *, by, on=None):
        """Work on it has begun; an accepted plan becomes active by it. A second time answers the same record."""
        self.lock()
        if self.status == self.Status.IN_PROGRESS:
            return self
        self._refuse_step("start", by)
        self.status, self.started_on = self.Status.IN_PROGRESS, self._day(by, on)
        self._save(by)
        return self

    @transaction.atomic
    def work_on(self, *, by, on=None, provider=None, appointment=None):
        """One of its visits was held; the last one by the estimate completes it."""
        self.lock()
        self._refuse_step("complete", by)
        if self.sessions.count() + 1 >= self.estimated_visits:
            return self.complete(by=by, on=on, provider=provider, appointment=appointment)
        day = self._day(by, on)
        if self.status == self.Status.PLANNED:
            self.status, self.started_on = self.Status.IN_PROGRESS, day
            self._save(by)
        self._add_session(by, day, provider, appointment)
        return self

    @transaction.atomic
    def complete(self, *, by, on=None, provider=None, note=None, appointment=None):
        """It is done, today or on an earlier day that is not closed: date and provider are stamped, the fee stands, the chart
        shows it, `procedure_completed` is sent once, and a plan in which nothing is left closes itself.

        A second time answers the same record and does nothing.
        """
        self.lock()
        if self.status == self.Status.COMPLETED:
            return self
        self._refuse_step("complete", by)
        day = self._day(by, on)
        self.status, self.completed_on, self.provider = self.Status.COMPLETED, day, provider or self.provider
        self.started_on = min(self.started_on or day, day)
        self.appointment = appointment or self.appointment
        self.note = self.note if note is None else note
        self._save(by)
        if self.estimated_visits > 1:
            self._add_session(by, day, provider, appointment)
        self.plan.freeze_change(by=by)  # who did it may be somebody else than was agreed
        procedure_completed.send(type(self), procedure=self, by=by)
        self.plan.close_when_done(by=by)
        return self

    @transaction.atomic
    def void(self, *, by, because):
        """It will not be, or was never so; the reason stays. Of completed work `procedure_voided` is sent, and the chart marks it
        as entered in error."""
        self.lock()
        if not (because or "").strip():
            raise ValidationError({"reason": "Write why it is voided: the reason stays on record."})
        before = self.status
        if before not in self.STEPS["void"][0]:
            raise WrongStep(self, "void")
        self.plan.refuse_reader(by)
        if self.completed_on:
            by.clinic.refuse_closed(self.completed_on)
        self.status, self.status_because = self.Status.CANCELLED, because.strip()[:200]
        self._save(by, because)
        if before == self.Status.COMPLETED:
            procedure_voided.send(type(self), procedure=self, by=by)
        elif before in self.OPEN:
            self.plan.close_when_done(by=by)
        self.plan.freeze_change(by=by, because=because)
        return self

    @classmethod
    @transaction.atomic
    def complete_all(cls, *, by, procedures, on=None, appointment=None):
        """Complete several of one plan at once, all or none, in the order of the plan. Returns them."""
        return [row.complete(by=by, on=on, appointment=appointment) for row in sorted(
            procedures, key=lambda row: (row.plan_id, row.sequence, row.pk))]

    @transaction.atomic
    def book_into(self, *, by, appointment):
        """Carry it into a visit of the same patient, or out of one (None)."""
        self.lock()
        self.plan.refuse_over()
        if not self.is_open:
            raise Refused(f"This procedure is {self.get_status_display().lower()}: there is nothing left to book.")
        self._refuse_visit(appointment)
        self.appointment = appointment
        return self.record(by=by)

    # The chart

    def draw(self, by):
        """Make the chart show what this procedure says; `finding` points to what shows it. The caller saves."""
        wanted = None if self.status in self.OPEN and self.plan.is_over else self.DRAWN.get(self.status)
        old = self.finding
        sign = self._sign() if wanted else None
        if old is not None and old.is_open:
            if sign and wanted == old.status and all(getattr(old, name) == value for name, value in sign.items()):
                return
            old.take_off(
                by=by, because=self.status_because or self.get_status_display(), on=self.completed_on or by.clinic.today())
        self.finding = None
        if sign:
            day = self.completed_on if wanted == Finding.Status.COMPLETED else None
            self.finding = Finding.by_treatment(
                by=by, patient=self.patient, status=wanted, noted_on=day, provider=self.provider, **sign)

    def _sign(self):
        """What the chart draws for this code: condition, material, tooth, surfaces; None when it draws nothing."""
        rule = getattr(self.procedure_code, "rule", None)
        if rule is None or not rule.condition or not self.tooth or self.last_tooth:
            return None
        kind = FindingKind.known_to(self.clinic, active=False).get(rule.condition)
        surfaces = "" if kind.surfaces == Surfaces.NONE else self.surfaces or kind.usual_of(TEETH[self.tooth])
        if kind.surfaces == Surfaces.REQUIRED and not surfaces:
            return None
        return {"tooth": self.tooth, "surfaces": surfaces, "condition": rule.condition, "material": rule.material}

    # Private

    @classmethod
    def _put_in(cls, plan, by, *, procedure_code, fee=None, phase=None, provider=None, status=Status.PLANNED, diagnosis="",
                estimated_visits=1, note="", completed_on=None, id=None, **place):
        """The row, without a copy of the plan. The caller holds the plan's lock and has asked who writes it."""
        refuse_out_of_use(procedure_code)
        row = cls(
            clinic_id=plan.clinic_id, plan=plan, patient=plan.patient, phase=phase, procedure_code=procedure_code,
            description=procedure_code.description, provider=provider or plan.provider, status=status, diagnosis=diagnosis,
            estimated_visits=estimated_visits, note=note, sequence=cls._next_in(plan), completed_on=completed_on,
            fee=0 if status in cls.TOLD else procedure_code.fee if fee is None else fee)
        if id is not None:
            row.id = id
        row._check(by, place, fee)
        row._save(by)
        return row

    @classmethod
    def _next_in(cls, plan):
        return (plan.procedures.aggregate(last=Max("sequence"))["last"] or 0) + 1

    def _refuse_step(self, verb, by):
        if self.status not in self.STEPS[verb][0]:
            raise WrongStep(self, verb)
        if not self.may_complete(by):
            raise NotAllowed("This procedure is another provider's, in a plan that is not yours to write.")
        self.plan.begin_work(by=by)

    def _day(self, by, on):
        """The day of the work; ValidationError for one to come, Refused for one in a closed period."""
        today = by.clinic.today()
        if on is not None and on > today:
            raise ValidationError({"completed_on": "Work can't have been done on a day to come."})
        if on is not None and self.patient.date_of_birth and on < self.patient.date_of_birth:
            raise ValidationError({"completed_on": "That was before the patient was born."})
        if on is not None and on < self.plan.start_date - LONG_BEFORE:
            raise ValidationError({"completed_on": "That is more than a year before the plan starts. Plan it as existing instead."})
        by.clinic.refuse_closed(on or today)
        return on or today

    def _refuse_visit(self, appointment):
        """What carries it is a visit of the same person, and one that is not cancelled."""
        if appointment is not None and appointment.patient.person != self.patient.person:
            raise ValidationError({"appointment": "This visit is another patient's."})
        if appointment is not None and not appointment.holds_time:
            raise Refused("This visit is cancelled. Choose another one.")

    def _add_session(self, by, day, provider, appointment):
        self.sessions.model.hold(
            self, by=by, on=day, provider=provider or self.provider, appointment=appointment or self.appointment)

    def _check(self, by, place, fee, known=""):
        """Lay the place down in its written form, and refuse what the fields alone can't tell."""
        for name, value in placed(self.procedure_code.treatment_area, **place)._asdict().items():
            setattr(self, name, value)
        if self.diagnosis not in ("", known) and DiagnosisCode.objects.unknown_among([self.diagnosis], by.clinic.today()):
            raise ValidationError({"diagnosis": f"“{self.diagnosis}” is no diagnosis code in force. Search for it by its words."})
        if self.status in self.TOLD and fee:
            raise ValidationError({"fee": "What exists already, was referred, or is a condition has no fee."})
        if self.phase is not None and (self.phase.plan_id != self.plan_id or self.phase.is_withdrawn):
            raise ValidationError({"phase": "This phase is not of this plan."})
        if self.status not in (*self.OPEN, *self.TOLD):
            raise ValidationError({"status": "Plan it first, then complete it."})
        if self.completed_on is not None and (
                self.status != self.Status.EXISTING or self.completed_on > by.clinic.today()):
            raise ValidationError({"completed_on": "Only work that exists already has a date, and not one to come."})

    def _save(self, by, because=""):
        self.draw(by)
        self.record(by=by, because=because)


def refuse_out_of_use(code):
    if not code.is_active:
        raise ValidationError({"code": f"{code.code} is out of use. Choose the code that replaced it."})
