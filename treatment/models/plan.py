from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from guardian.models import UserObjectPermissionBase

from clinic import icd10
from clinic.access.rules import may
from clinic.db.fields import EncryptedJSONField, EncryptedTextField
from clinic.db.guards import Trigger
from clinic.db.keys import uuid7
from clinic.db.locks import queue
from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import NotAllowed, Refused, constraint_name
from clinic.models import DiagnosisCode, Patient, Provider
from treatment.refusals import WrongStep
from treatment.signals import plan_activated

UPCOMING = timedelta(days=7)  # so long before a review it is announced
MOST_PROBLEMS, MOST_DIAGNOSES = 40, 24


class TreatmentPlanQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        """A patient sees their own plans once they were presented."""
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient).exclude(status=TreatmentPlan.Status.DRAFT)
        return super().visible_to(actor)

    def newest_first(self):
        """In the order in which a patient's plans are listed (index `treatment_plan_of_patient`)."""
        return self.order_by("-start_date", "-id")

    def open(self):
        """Plans that are not over."""
        return self.exclude(status__in=TreatmentPlan.OVER)

    def written_by(self, actor):
        """Those that this actor writes, by the care team's rows; the same that `may_write` says of one."""
        if not may(actor, "treatment.write_plan"):
            return self.none()
        return self.filter(care_team__user=actor.user, care_team__until=None, care_team__is_writer=True)

    def to_review(self, actor, today):
        """Whose review comes up within a week or is late: the actor's own; all of the clinic for who assigns them."""
        own = self if may(actor, "treatment.assign_plan") else self.written_by(actor)
        return own.filter(status__in=TreatmentPlan.REVIEWED, next_review_date__lte=today + UPCOMING)

    def with_review(self, review_status, today):
        """Those whose `review_status` is this one today."""
        soon, running, how = today + UPCOMING, Q(status__in=TreatmentPlan.REVIEWED), TreatmentPlan.ReviewStatus
        near = {how.OVERDUE: Q(next_review_date__lt=today), how.DUE: Q(next_review_date=today),
                how.UPCOMING: Q(next_review_date__gt=today, next_review_date__lte=soon)}
        if review_status in near:
            return self.filter(running, near[review_status])
        return self.exclude(running & Q(next_review_date__lte=soon))


class TreatmentPlan(Record):
    """What is planned for a patient: coded procedures in phases, or goals with interventions, or both; under one provider.

    Not the work itself, which Procedures and GoalProgress tell. `version` counts changes, as in every record; `number` is that
    of the newest frozen copy (`PlanVersion`). How the status moves, every step by its verb and by no other way:

    | verb        | from                                           | to           | effects, in order                              |
    | ----------- | ---------------------------------------------- | ------------ | ---------------------------------------------- |
    | present     | draft, proposed                                | proposed     | freezes a numbered copy                        |
    | accept      | proposed                                       | accepted     | declines the open alternatives                 |
    | decline     | draft, proposed, accepted                      | declined     | keeps the reason                               |
    | activate    | accepted; draft without procedures             | active       | sends plan_activated, freezes a copy           |
    | hold        | active                                         | on_hold      |                                                |
    | resume      | on_hold                                        | active       |                                                |
    | complete    | active                                         | completed    | sets actual_end_date                           |
    | discontinue | active, on_hold                                | discontinued | sets actual_end_date, keeps the reason         |
    | reopen      | completed, discontinued                        | active       | clears actual_end_date, freezes; needs reason  |
    | redraft     | declined                                       | draft        | needs a reason                                 |
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PROPOSED = "proposed", "Presented"
        ACCEPTED = "accepted", "Accepted"
        ACTIVE = "active", "Active"
        ON_HOLD = "on_hold", "On hold"
        COMPLETED = "completed", "Completed"
        DISCONTINUED = "discontinued", "Discontinued"
        DECLINED = "declined", "Declined"

    class Type(models.TextChoices):
        COMPREHENSIVE = "COMPREHENSIVE", "Comprehensive orthodontics"
        PHASE_I = "PHASE_I", "Orthodontics, phase I"
        PHASE_II = "PHASE_II", "Orthodontics, phase II"
        LIMITED = "LIMITED", "Limited orthodontics"
        SURGICAL = "SURGICAL", "Orthodontics with surgery"
        ALIGNER = "ALIGNER", "Aligners"
        RETENTION = "RETENTION", "Retention"
        RESTORATIVE = "RESTORATIVE", "Restorative"
        PERIODONTAL = "PERIODONTAL", "Periodontal"
        IMPLANT = "IMPLANT", "Implant"
        BEHAVIORAL = "BEHAVIORAL", "Behavioural"
        GENERAL = "GENERAL", "General"

    class ReviewStatus(models.TextChoices):
        """How near the next review is; never stored."""

        NONE = "none", "None within a week"
        UPCOMING = "upcoming", "Within a week"
        DUE = "due", "Today"
        OVERDUE = "overdue", "Overdue"

    PROVIDERS = (Provider.Kind.DENTIST, Provider.Kind.ORTHODONTIST, Provider.Kind.THERAPIST, Provider.Kind.HYGIENIST)
    OVER = (Status.COMPLETED, Status.DISCONTINUED, Status.DECLINED)
    ENDED = (Status.COMPLETED, Status.DISCONTINUED)
    # Of these a change freezes a copy: somebody was shown it, or works by it.
    LIVE = (Status.PROPOSED, Status.ACCEPTED, Status.ACTIVE, Status.ON_HOLD)
    UNDER_WAY = (Status.ACCEPTED, Status.ACTIVE)
    REVIEWED = (Status.ACTIVE, Status.ON_HOLD)
    STEPS = {
        "present": ((Status.DRAFT, Status.PROPOSED), Status.PROPOSED),
        "accept": ((Status.PROPOSED,), Status.ACCEPTED),
        "decline": ((Status.DRAFT, Status.PROPOSED, Status.ACCEPTED), Status.DECLINED),
        "activate": ((Status.DRAFT, Status.ACCEPTED), Status.ACTIVE),
        "hold": ((Status.ACTIVE,), Status.ON_HOLD),
        "resume": ((Status.ON_HOLD,), Status.ACTIVE),
        "complete": ((Status.ACTIVE,), Status.COMPLETED),
        "discontinue": ((Status.ACTIVE, Status.ON_HOLD), Status.DISCONTINUED),
        "reopen": ((Status.COMPLETED, Status.DISCONTINUED), Status.ACTIVE),
        "redraft": ((Status.DECLINED,), Status.DRAFT),
    }
    NEED_A_REASON = {"reopen", "redraft"}
    # What only those do who write the plan; the others are said for the patient.
    BY_WRITERS = {"activate", "hold", "resume", "complete", "discontinue", "reopen", "redraft"}

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="treatment_plans", db_index=False)
    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="+", db_index=False, verbose_name="responsible provider")
    title = models.CharField(max_length=200)
    treatment_type = models.CharField("type", max_length=15, choices=Type, default=Type.GENERAL)
    diagnosis_codes = models.JSONField(default=list, blank=True, help_text='[{"code", "description"}], ICD-10-CM.')
    presenting_problems = EncryptedJSONField(context="treatment_treatmentplan.presenting_problems", default=list, blank=True)
    notes = EncryptedTextField(context="treatment_treatmentplan.notes", blank=True, default="", max_length=8000)
    start_date = models.DateField()
    target_end_date = models.DateField(null=True, blank=True)
    actual_end_date = models.DateField(null=True, blank=True, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT, editable=False)
    status_because = models.CharField("because", max_length=200, blank=True, default="", editable=False)
    review_frequency_days = models.PositiveSmallIntegerField(
        default=90, validators=[MinValueValidator(1), MaxValueValidator(1100)])
    next_review_date = models.DateField(null=True, blank=True)
    alternative_group = models.UUIDField(
        null=True, blank=True, help_text="Shared by a patient's alternatives, of which at most one is accepted or active.")
    number = models.PositiveIntegerField(default=0, editable=False, help_text="Of the newest frozen copy.")

    objects = TreatmentPlanQuerySet.as_manager()

    class Meta:
        ordering = ["-start_date", "-id"]
        permissions = [("write_plan", "May write this plan")]
        indexes = [
            models.Index(fields=["clinic", "patient", "-start_date", "-id"], name="treatment_plan_of_patient"),
            models.Index(fields=["clinic", "status", "next_review_date"], name="treatment_plan_review"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "alternative_group"], condition=Q(status__in=["accepted", "active"]),
                name="treatment_plan_one_alternative", violation_error_message="Another alternative is accepted already."),
            models.CheckConstraint(
                condition=Q(status__in=[
                    "draft", "proposed", "accepted", "active", "on_hold", "completed", "discontinued", "declined"]),
                name="treatment_plan_known_status"),
            models.CheckConstraint(
                condition=Q(status__in=["completed", "discontinued"], actual_end_date__isnull=False)
                | ~Q(status__in=["completed", "discontinued"]) & Q(actual_end_date=None),
                name="treatment_plan_ended_has_a_date"),
            models.CheckConstraint(
                condition=Q(target_end_date=None) | Q(target_end_date__gte=models.F("start_date")),
                name="treatment_plan_target_after_start", violation_error_message="The plan would end before it starts."),
        ]

    @classmethod
    def own_guards(cls):
        """Alternatives are of one person: a group is not shared with another one's plan."""
        table = cls._meta.db_table
        person = "(SELECT COALESCE(merged_into_id, id) FROM clinic_patient WHERE id = {})".format
        return [Trigger(
            "treatment_plan_alternatives_same_patient", table, ("INSERT", "UPDATE"),
            f"(NEW.alternative_group IS NOT NULL AND EXISTS (SELECT 1 FROM {table} o WHERE o.clinic_id = NEW.clinic_id "
            f"AND o.alternative_group = NEW.alternative_group AND o.id <> NEW.id "
            f"AND {person('o.patient_id')} <> {person('NEW.patient_id')}))", ("alternative_group", "patient_id"))]

    def __str__(self):
        return self.title

    # Questions

    @property
    def is_over(self):
        return self.status in self.OVER

    @property
    def person(self):
        """The patient under whom it is seen."""
        return self.patient.person

    def may_write(self, actor):
        """Whether this actor writes the plan: the assigned provider, or somebody whom a manager added to the care team."""
        return may(actor, "treatment.write_plan", self)

    def steps_for(self, actor):
        """The verbs that this actor can take now, in the order of the table."""
        return [verb for verb, (before, _) in self.STEPS.items()
                if self.status in before and self._may_step(actor, verb) and not self._in_the_way(verb)]

    @property
    def reviewed_on(self):
        """The day of the last review; None before the first."""
        return self.reviews.order_by("-review_date", "-id").values_list("review_date", flat=True).first()

    def review_status(self, today):
        """Which ReviewStatus the plan has today: none too when it does not run."""
        how = self.ReviewStatus
        if self.status not in self.REVIEWED or self.next_review_date is None or self.next_review_date > today + UPCOMING:
            return how.NONE
        return how.UPCOMING if self.next_review_date > today else how.DUE if self.next_review_date == today else how.OVERDUE

    def review_after(self, day):
        """When it is to be reviewed next, counted from that day."""
        return day + timedelta(days=self.review_frequency_days)

    def alternatives(self):
        """The person's other plans of its group."""
        if self.alternative_group is None:
            return type(self).objects.none()
        return type(self).objects.of(self.person).filter(
            clinic=self.clinic_id, alternative_group=self.alternative_group).exclude(pk=self.pk)

    def clean(self):
        if self.target_end_date and self.start_date and self.target_end_date < self.start_date:
            raise ValidationError({"target_end_date": "The plan would end before it starts."})
        if len(self.presenting_problems) > MOST_PROBLEMS or len(self.diagnosis_codes) > MOST_DIAGNOSES:
            raise ValidationError(f"A plan has at most {MOST_PROBLEMS} problems and {MOST_DIAGNOSES} diagnoses.")

    # Verbs: writing

    @classmethod
    @transaction.atomic
    def draw_up(cls, *, by, patient, title, provider, start_date, id: UUID | None = None, **values):
        """Begin a plan, as a draft; its provider may write it from now on. `values`: any of the plan's fields.

        ValidationError when a diagnosis is no code of its day, a date is before another, or the group is another patient's.
        """
        patient = patient.person
        plan = cls(clinic_id=by.clinic_id, patient=patient, provider=provider, title=title, start_date=start_date, **values)
        if id is not None:
            plan.id = id
        plan._refuse_provider(provider)
        plan._check(by)
        plan.next_review_date = plan.next_review_date or plan.review_after(start_date)
        plan._save(by)
        plan.care_team.model.entitle(plan, by=by)
        return plan

    @transaction.atomic
    def revise(self, *, by, version=None, because="", **values):
        """Change what the plan says; of one that was presented or runs, the change freezes a copy. Stale as in every record."""
        self.lock(version)
        self.refuse_reader(by)
        self.refuse_over()
        moved = any(
            values.get(name, getattr(self, name)) != getattr(self, name) for name in ("review_frequency_days", "start_date"))
        known = {row["code"] for row in self.diagnosis_codes}
        for name, value in values.items():
            setattr(self, name, value)
        self._check(by, known)
        if moved and "next_review_date" not in values:
            self.next_review_date = self.review_after(self.reviewed_on or self.start_date)
        self._save(by, because)
        self.freeze_change(by=by, because=because)
        return self

    @transaction.atomic
    def set_beside(self, other, *, by):
        """Make it an alternative to another plan of the same patient, and to that one's alternatives."""
        queue(self.pk, other.pk)
        other.lock()
        other.refuse_over()
        other.refuse_reader(by)
        if other.alternative_group is None:
            other.alternative_group = uuid7()
            other._save(by, f"Alternative: {self.title}")
            other.freeze_change(by=by)
        return self.revise(by=by, alternative_group=other.alternative_group)

    @transaction.atomic
    def assign(self, *, by, provider, because="", version=None):
        """Give the plan to another provider, who writes it from now on; who had it reads it. A manager's act."""
        self.lock(version)
        self.refuse_over()
        if provider.pk == self.provider_id:
            return self
        self._refuse_provider(provider)
        self.provider = provider
        self.record(by=by, because=because)
        self.care_team.model.entitle(self, by=by)
        self.freeze_change(by=by, because=because)
        return self

    # Verbs: the steps

    def present(self, *, by, because=""):
        """Show it to the patient: a numbered copy is frozen, with every section that other apps add and the fees of the day."""
        return self._step("present", by, because)

    def accept(self, *, by, because=""):
        """The patient says yes, or staff for them. Of its alternatives the open ones are declined."""
        return self._step("accept", by, because)

    def decline(self, *, by, because=""):
        """The patient says no; the reason stays with the plan."""
        return self._step("decline", by, because)

    def activate(self, *, by, because=""):
        """Work begins. A draft only when it has goals alone: procedures are presented and accepted first."""
        return self._step("activate", by, because)

    def hold(self, *, by, because=""):
        """Work rests."""
        return self._step("hold", by, because)

    def resume(self, *, by, because=""):
        """Work goes on."""
        return self._step("resume", by, because)

    def complete(self, *, by, because=""):
        """Everything is done."""
        return self._step("complete", by, because)

    def discontinue(self, *, by, because=""):
        """It ends before it is done; the reason stays with the plan."""
        return self._step("discontinue", by, because)

    def reopen(self, *, by, because):
        """It was not over: it is active again."""
        return self._step("reopen", by, because)

    def redraft(self, *, by, because):
        """The patient thinks again about what they declined."""
        return self._step("redraft", by, because)

    @transaction.atomic
    def _step(self, verb, by, because=""):
        """The one gate: lock, look whether the step is in the table and this actor's, take it."""
        if self.alternative_group is not None:  # two who accept alternatives wait here, not for each other's plan
            queue(self.alternative_group)
        self.lock()
        if self.status not in self.STEPS[verb][0]:
            raise WrongStep(self, verb)
        if not self._may_step(by, verb):
            raise NotAllowed("This step of the plan is not yours to take.")
        if verb in self.NEED_A_REASON and not because.strip():
            raise ValidationError({"reason": "Write why: it stays with the plan."})
        if said := self._in_the_way(verb):
            raise Refused(said)
        return self._take(verb, by, because)

    def _in_the_way(self, verb):
        """What of the plan's procedures forbids this step, in a sentence; empty when nothing does."""
        if verb == "activate" and self.status == self.Status.DRAFT and self.procedures.in_force().exists():
            return "A plan with procedures is presented and accepted before it is activated."
        if verb == "complete" and (left := self.procedures.open().count()):
            return (f"{left} procedure{'s are' if left > 1 else ' is'} still to be done: complete or void "
                    f"{'them' if left > 1 else 'it'} first, or discontinue the plan.")
        return ""

    def _take(self, verb, by, because=""):
        """Take the step, draw anew what the chart shows of the plan when it ends or opens, tell, freeze."""
        was_over, was_shown = self.is_over, self.status == self.Status.PROPOSED
        self.status, self.status_because = self.STEPS[verb][1], because.strip()[:200]
        self.actual_end_date = by.clinic.today() if self.status in self.ENDED else None
        self._save(by, because)
        if verb == "accept":
            self._decline_alternatives(by)
        if was_over != self.is_over:
            self._redraw(by)
        if verb == "activate":  # first of all, so that the frozen copy holds what this brings along
            plan_activated.send(type(self), plan=self, by=by, on=by.clinic.today())
        if verb == "activate" or (verb == "present" and not (was_shown and self.versions.model.is_newest(self))):
            self.freeze(by=by, kind="presented" if verb == "present" else "activated")
        elif was_over:
            self.freeze_change(by=by, because=because)  # work may have been voided meanwhile
        return self

    def _redraw(self, by):
        for procedure in self.procedures.open().select_related("finding", "procedure_code__rule", "patient").lock():
            procedure.plan = self
            procedure.draw(by)
            procedure.record(by=by, because=self.status_because)

    def _may_step(self, actor, verb):
        if verb in self.BY_WRITERS:
            return self.may_write(actor)
        return may(actor, "treatment.present_plan" if verb == "present" else "treatment.answer_plan")

    def _decline_alternatives(self, by):
        for plan in self.alternatives().exclude(status__in=self.OVER).order_by("pk").lock():
            if plan.status != self.Status.ON_HOLD:
                plan._take("decline", by, f"Another one was chosen: {self.title}")

    @transaction.atomic
    def begin_work(self, *, by):
        """Before a procedure is started or completed: an accepted plan becomes active; one that is not agreed is refused."""
        if self.status == self.Status.ACCEPTED:
            self._take("activate", by)
        elif self.status != self.Status.ACTIVE:
            raise Refused(f"This plan is {self.get_status_display().lower()}: work begins when it is accepted or active.")

    def close_when_done(self, *, by):
        """After work: an active plan with procedures, of which none is left, and no goal either, is completed."""
        if self.status != self.Status.ACTIVE or self.procedures.open().exists() or self.goals.open().exists():
            return
        if self.procedures.filter(status="completed").exists():
            self._take("complete", by, "Everything in it is done")

    def move_to(self, status, *, by):
        """Take the step that leads to this status, by whichever verb the table has for it; nothing when it stands there already."""
        self.lock()
        if status == self.status:
            return self
        verb = next((verb for verb, (before, after) in self.STEPS.items()
                     if after == status and self.status in before and verb not in self.NEED_A_REASON), None)
        if verb is None:
            said = dict(self.Status.choices)[status].lower()
            raise Refused(f"This plan is {self.get_status_display().lower()}; from there no step leads to {said}.")
        return self._step(verb, by)

    # Verbs: frozen copies

    def freeze(self, *, by, kind, because=""):
        """Add a numbered copy of the plan as it stands. The caller holds the plan's lock."""
        return self.versions.model.freeze(self, by=by, kind=kind, because=because)

    def freeze_change(self, *, by, because=""):
        """After a change: a copy, when the plan was presented or runs, and the change is one of what was agreed."""
        if self.status in self.LIVE:
            return self.versions.model.freeze_change(self, by=by, because=because)
        return None

    # What writers of the plan and of its parts ask first

    def refuse_reader(self, by):
        if not self.may_write(by):
            raise NotAllowed("Only the assigned provider, and whom a manager adds to the care team, write this plan.")

    def refuse_over(self):
        if self.is_over:
            raise Refused(f"This plan is {self.get_status_display().lower()}. Open it again to change it.")

    def _refuse_provider(self, provider):
        if provider.kind not in self.PROVIDERS:
            kinds = ", ".join(kind.label.lower() for kind in self.PROVIDERS)
            raise ValidationError({"provider": f"Who answers for a plan is one of these: {kinds}."})

    def _check(self, by, known=()):
        """Refuse what the fields alone can't tell. `known`: diagnoses that stood there before; in force when they came."""
        codes = [icd10.spelled(row["code"]) for row in self.diagnosis_codes]
        new = [code for code in codes if code not in known]
        if new and (wrong := DiagnosisCode.objects.unknown_among(new, by.clinic.today())):
            raise ValidationError({"diagnosis_codes": f"“{wrong[0]}” is no diagnosis code in force. Search for it by its words."})
        if self.patient.date_of_birth and self.start_date < self.patient.date_of_birth:
            raise ValidationError({"start_date": "That was before the patient was born."})
        if len(set(codes)) < len(codes):
            raise ValidationError({"diagnosis_codes": "A code stands there twice."})
        if any(not row.get("description") for row in self.diagnosis_codes):
            words = dict(DiagnosisCode.objects.filter(code__in=codes).values_list("code", "description"))
        self.diagnosis_codes = [{"code": code, "description": row.get("description") or words.get(code, "")}
                                for code, row in zip(codes, self.diagnosis_codes, strict=True)]

    def _save(self, by, because=""):
        try:
            with transaction.atomic():
                self.record(by=by, because=because)
        except IntegrityError as error:
            name = constraint_name(error)
            if name == "treatment_plan_alternatives_same_patient":
                raise ValidationError({"alternative_group": "These alternatives are another patient's."}) from error
            if "alternative" in name:  # SQLite names the index, PostgreSQL the constraint
                raise Refused("Another one of these alternatives is accepted or active. End that one first.") from error
            raise


class PlanUserObjectPermission(UserObjectPermissionBase):
    """guardian's row for one user and one plan; written only by CareTeamMember's verbs."""

    content_object = models.ForeignKey(TreatmentPlan, models.PROTECT)
