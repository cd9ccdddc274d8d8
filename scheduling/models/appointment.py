from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from clinic.access.rules import may
from clinic.db import locks
from clinic.db.fields import EncryptedTextField
from clinic.db.guards import NoOverlap
from clinic.db.records import Record, RecordQuerySet, person_has
from clinic.db.refusals import NotAllowed, constraint_name
from clinic.models import Operatory, Patient, Provider
from scheduling import conflicts
from scheduling.models.all_or_none import all_or_none, queue
from scheduling.models.appointment_type import DOCTOR_KINDS, AppointmentType
from scheduling.models.provider_time import ProviderTime
from scheduling.models.reach import FARTHEST, refuse_out_of_reach
from scheduling.refusals import OutOfOrder, TimeTaken

LONGEST = timedelta(hours=12)
MISSED_FOR = timedelta(days=92)  # so long, who cancelled or missed a visit is called about it


class AppointmentQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient)
        return super().visible_to(actor)

    def holding(self):
        """Visits that take up their time: all but the cancelled and the missed."""
        return self.exclude(status__in=Appointment.FREE)

    def in_order(self, newest_first=False):
        """A patient's visits by time. Of an expression, so that they are found first and sorted then: for an order that an
        index has, SQLite walks through all visits of the clinic (index `scheduling_appointment_of_pat`)."""
        at = Coalesce("starts_at", "ends_at")
        return self.order_by(at.desc() if newest_first else at.asc())

    def between(self, starts_at, ends_at):
        """Visits that start in this time (index `scheduling_appointment_day`)."""
        return self.filter(starts_at__gte=starts_at, starts_at__lt=ends_at)

    def of_family(self, patients, now):
        """Visits of these patients (keys) and of those merged into them that were kept, or are ahead; `whose` is each one's."""
        people = Patient.objects.filter(Q(pk__in=patients) | Q(merged_into__in=patients)).order_by().values("pk")
        kept = Q(starts_at__lt=now, status__in=Appointment.DONE) | Q(starts_at__gte=now, status__in=Appointment.EXPECTED)
        return self.filter(kept, patient__in=people).annotate(whose=Coalesce("patient__merged_into", "patient"))

    def meeting(self, patient, other, now):
        """Visits of the one that overlap, from now on, with a visit of the other."""
        held = self.model.objects.of(other).holding().filter(starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at"))
        return self.of(patient).holding().filter(Exists(held), ends_at__gt=now).order_by("starts_at")

    def upcoming(self, now):
        return self.filter(starts_at__gte=now, status__in=Appointment.EXPECTED).order_by("starts_at")

    def to_rebook(self, now):
        """Cancelled and missed visits of the last three months whose patient has nothing booked and did not decline since,
        the latest one of each patient, newest first (index `scheduling_appointment_day`)."""
        own = self.model.objects.all()
        declined = self.model._meta.get_field("contact_attempts").related_model.objects.declined().filter(
            at__gte=OuterRef("status_at"))
        return self.filter(
            status__in=Appointment.FREE, starts_at__gte=now - MISSED_FOR, starts_at__lt=now + FARTHEST).exclude(
            person_has(own.filter(starts_at__gte=now).holding())).exclude(
            person_has(own.filter(starts_at__gt=OuterRef("starts_at"), status__in=[*Appointment.FREE, *Appointment.DONE]))).exclude(
            person_has(declined)).exclude(patient__status__in=[Patient.Status.ARCHIVED, Patient.Status.DECEASED]).order_by(
            "-starts_at")

    def last_seen(self, now):
        """The last visit of each patient who was here half a year to two years ago and has nothing booked since, newest
        first (index `scheduling_appointment_day`). Not who cancelled or missed one in the last three months: if they are to
        be called, then about that one (`to_rebook`)."""
        own = self.model.objects.filter(starts_at__gt=OuterRef("starts_at"))
        declined = self.model._meta.get_field("contact_attempts").related_model.objects.declined().filter(
            at__gte=OuterRef("starts_at"))
        return self.filter(
            status__in=Appointment.DONE, starts_at__gte=now - timedelta(days=731), starts_at__lt=now - timedelta(days=182),
            patient__status=Patient.Status.ACTIVE).exclude(
            person_has(own.filter(~Q(status__in=Appointment.FREE) | Q(starts_at__gte=now - MISSED_FOR)))).exclude(
            person_has(declined)).order_by("-starts_at")


class Appointment(Record):
    """A patient's time in an operatory; once checked in, the visit itself. What was done there is the chart's.

    The database refuses overlaps three times: of the operatory (with the type's buffers), of the patient, and of each
    provider's own minutes (ProviderTime). `shared_chair` and `shared_provider` mark a knowing double booking.
    """

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", "Scheduled"
        CONFIRMED = "confirmed", "Confirmed"
        CHECKED_IN = "checked_in", "Waiting"
        SEATED = "seated", "In the chair"
        COMPLETED = "completed", "Ready to leave"
        CHECKED_OUT = "checked_out", "Gone"
        CANCELLED = "cancelled", "Cancelled"
        NO_SHOW = "no_show", "No-show"

    FREE = (Status.CANCELLED, Status.NO_SHOW)
    EXPECTED = (Status.SCHEDULED, Status.CONFIRMED)
    DONE = (Status.COMPLETED, Status.CHECKED_OUT)
    # verb: (the steps from which it leads, the step to which). No step but confirm may be skipped.
    STEPS = {
        "confirm": ((Status.SCHEDULED,), Status.CONFIRMED),
        "check_in": ((Status.SCHEDULED, Status.CONFIRMED), Status.CHECKED_IN),
        "seat": ((Status.CHECKED_IN,), Status.SEATED),
        "complete": ((Status.SEATED,), Status.COMPLETED),
        "check_out": ((Status.COMPLETED,), Status.CHECKED_OUT),
        "cancel": ((Status.SCHEDULED, Status.CONFIRMED, Status.CHECKED_IN), Status.CANCELLED),
        "no_show": ((Status.SCHEDULED, Status.CONFIRMED), Status.NO_SHOW),
        "reactivate": ((Status.CANCELLED, Status.NO_SHOW), Status.SCHEDULED),
    }
    BACK = {
        Status.CONFIRMED: Status.SCHEDULED, Status.CHECKED_IN: Status.SCHEDULED, Status.SEATED: Status.CHECKED_IN,
        Status.COMPLETED: Status.SEATED, Status.CHECKED_OUT: Status.COMPLETED,
    }

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="appointments")
    operatory = models.ForeignKey(Operatory, models.PROTECT, related_name="appointments")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="appointments")
    appointment_type = models.ForeignKey(AppointmentType, models.PROTECT, related_name="appointments", verbose_name="type")
    series = models.ForeignKey(
        "scheduling.Series", models.PROTECT, null=True, blank=True, editable=False, related_name="visits")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    chair_starts_at = models.DateTimeField(editable=False)
    chair_ends_at = models.DateTimeField(editable=False, help_text="With the buffer; earlier once the visit ended early.")
    status = models.CharField(max_length=12, choices=Status, default=Status.SCHEDULED, editable=False)
    status_at = models.DateTimeField(editable=False, help_text="Since when the visit is at this step.")
    note = EncryptedTextField(context="scheduling_appointment.note", blank=True, default="")
    cancel_reason = models.CharField(max_length=200, blank=True, editable=False)
    parts = models.JSONField(
        default=list, editable=False, help_text="Whose minutes it takes: [provider id, from minute, minutes].")
    shared_chair = models.BooleanField(default=False, editable=False)
    shared_provider = models.BooleanField(default=False, editable=False)
    is_walk_in = models.BooleanField(default=False, editable=False)
    external_id = models.CharField(
        "number elsewhere", max_length=60, blank=True, default="", editable=False,
        help_text="In the system that the visit was taken over from.")

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        indexes = [
            models.Index(fields=["clinic", "starts_at"], name="scheduling_appointment_day"),
            models.Index(fields=["clinic", "patient", "starts_at"], name="scheduling_appointment_of_pat"),
            models.Index(fields=["operatory", "chair_starts_at"], name="scheduling_appointment_of_op"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "external_id"], condition=Q(external_id__gt=""), name="scheduling_appointment_external_once"),
            NoOverlap(
                name="scheduling_appointment_chair_taken", resource="operatory", start="chair_starts_at", end="chair_ends_at",
                condition=~Q(status__in=["cancelled", "no_show"]) & Q(shared_chair=False)),
            NoOverlap(
                name="scheduling_appointment_patient_elsewhere", resource="patient",
                condition=~Q(status__in=["cancelled", "no_show", "completed", "checked_out"])),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="scheduling_appointment_end_after_start",
                violation_error_message="The visit ends before it starts."),
            models.CheckConstraint(
                condition=Q(chair_ends_at__gte=F("chair_starts_at")), name="scheduling_appointment_chair_in_order"),
            models.CheckConstraint(
                condition=~Q(status="cancelled") | ~Q(cancel_reason=""), name="scheduling_appointment_cancel_says_why"),
            models.CheckConstraint(
                condition=Q(status__in=[
                    "scheduled", "confirmed", "checked_in", "seated", "completed", "checked_out", "cancelled", "no_show"]),
                name="scheduling_appointment_known_status"),
        ]

    def __str__(self):
        return f"{self.appointment_type} {timezone.localtime(self.starts_at):%Y-%m-%d %H:%M}"

    @property
    def minutes(self):
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    @property
    def person(self):
        """The patient under whom it is seen."""
        return self.patient.person

    @property
    def holds_time(self):
        return self.status not in self.FREE

    @property
    def is_ahead(self):
        return self.starts_at > timezone.now()

    def clean(self):
        if not (self.starts_at and self.ends_at):
            return
        if self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "The visit ends before it starts."})
        if self.ends_at - self.starts_at > LONGEST:
            raise ValidationError({"ends_at": "A visit takes at most 12 hours."})
        refuse_out_of_reach(self.starts_at, "Visits", "booked")

    # Verbs: booking

    @classmethod
    def drafted(cls, *, clinic, patient, operatory, provider, appointment_type, starts_at, ends_at=None, note="", doctor=None,
                provider_time=None, id=None, double_booking="", is_walk_in=False, series=None, external_id=""):
        """The visit as `book` would make it, with the time that it would hold; nothing is saved or checked."""
        visit = cls(
            clinic=clinic, patient=patient, operatory=operatory, provider=provider, appointment_type=appointment_type,
            starts_at=whole_minute(starts_at), note=note, is_walk_in=is_walk_in, series=series, status_at=timezone.now(),
            external_id=external_id,
            shared_chair=bool(double_booking), shared_provider=bool(double_booking))
        if id is not None:
            visit.id = id
        visit.ends_at = whole_minute(ends_at) if ends_at else visit.starts_at + timedelta(minutes=appointment_type.minutes)
        visit.parts = visit._parts_from(provider_time, doctor)
        visit._set_chair_time()
        return visit

    @classmethod
    @transaction.atomic
    def book(cls, *, by, patient, operatory, provider, appointment_type, starts_at, double_booking="", because="", **more):
        """Book a visit: the appointment, the minutes of those who treat, and its first step, all or none.

        `more` is what `drafted` takes besides: `ends_at` (default: the type's length), `note`, `id`, `is_walk_in`, `series`,
        `external_id`;
        `doctor`, who looks in, when the type asks for one (default: the patient's dentist, else the first);
        `provider_time`, [(provider, starts_at, ends_at)] instead of the type's pattern.
        `double_booking`: the reason of a knowing double booking of chair or provider (never of the patient).
        TimeTaken when the chair, the patient or a provider is taken or blocked; ValidationError for what makes no sense.
        """
        patient = patient.person
        if patient.status in (Patient.Status.ARCHIVED, Patient.Status.DECEASED):
            raise ValidationError({"patient": f"{patient.name} is marked as {patient.get_status_display().lower()}."})
        refuse_what_cannot_be(operatory, provider, appointment_type, provider, appointment_type)
        visit = cls.drafted(
            clinic=by.clinic, patient=patient, operatory=operatory, provider=provider, appointment_type=appointment_type,
            starts_at=starts_at, double_booking=double_booking, **more)
        visit._take_time(by=by, because=double_booking or because)
        visit._step(by)
        return visit

    @classmethod
    @transaction.atomic
    def book_together(cls, *, by, visits, now=None, because=""):
        """Book visits of several patients in one act, all or none; each is what `book` takes besides the actor. Returns them.

        Who comes is looked at as they stand now: ValidationError for one who is not treated here, or was merged into another.
        SomeTaken with every visit that can't be, by its place; a time that has passed is as good as taken.
        """
        now = now or timezone.now()
        keys = [visit["patient"].pk for visit in visits]
        queue(keys, visits)
        patients = {row.pk: row for row in Patient.objects.visible_to(by).filter(pk__in=keys).order_by("pk").lock()}
        for key in keys:
            refuse_who_cannot_come(patients.get(key))
        steps = [partial(cls._book_ahead, now, by=by, because=because, **visit | {"patient": patients[key]})
                 for key, visit in zip(keys, visits, strict=True)]
        return all_or_none(list(enumerate(steps)), by.clinic.zone)

    @classmethod
    def _book_ahead(cls, now, *, starts_at, **more):
        if starts_at < now:
            raise TimeTaken([], because="This time has passed.")
        return cls.book(starts_at=starts_at, **more)

    @classmethod
    @transaction.atomic
    def take_over(cls, *, by, status, because, patient, cancel_reason="", double_booking="", **more):
        """Write down a visit that is over, as an earlier system tells it: gone, cancelled or missed. `more` as in `book`.

        It has this one step, dated by the visit itself, because nobody knows the others here. Nothing follows from it: no
        time was freed just now, so none is offered, and nobody is told. TimeTaken as in `book` when it was kept.
        """
        visit = cls.drafted(clinic=by.clinic, patient=patient.person, double_booking=double_booking, **more)
        if status not in (cls.Status.CHECKED_OUT, *cls.FREE):
            raise ValidationError({"status": "A visit that is over was kept, cancelled or missed."})
        visit.status, visit.cancel_reason = status, cancel_reason
        visit.status_at = min(visit.ends_at if status in cls.DONE else visit.starts_at, timezone.now())
        visit._take_time(by=by, because=double_booking or because)
        visit._step(by)
        return visit

    @transaction.atomic
    def reschedule(self, *, by, starts_at=None, ends_at=None, operatory=None, provider=None, appointment_type=None,
                   doctor=None, provider_time=None, note=None, version=None, double_booking="", because=""):
        """Move, resize or give to another chair or provider; the length stays unless `ends_at` is given.

        A confirmed visit that moves to another time must be confirmed again. TimeTaken as in `book`.
        """
        self.lock(version)
        moves = any(value is not None for value in (
            starts_at, ends_at, operatory, provider, appointment_type, doctor, provider_time))
        if moves and (not self.holds_time or self.status in self.DONE):
            raise OutOfOrder(
                f"This visit is {self.get_status_display().lower()} and can't be moved. Book a new one, or reactivate it.")
        left = self._place_in_schedule()
        length = self.ends_at - self.starts_at
        same_pattern = provider is None and appointment_type is None and provider_time is None and doctor is None
        if starts_at is not None:
            moved = whole_minute(starts_at)
            if moved != self.starts_at and self.status == self.Status.CONFIRMED:
                self.status, self.status_at = self.Status.SCHEDULED, timezone.now()
                self._step(by)
            self.starts_at, self.ends_at = moved, moved + length
        if ends_at is not None:
            self.ends_at = whole_minute(ends_at)
        resized = self.ends_at - self.starts_at != length
        replaced = dict(self._doctor_of_parts())
        refuse_what_cannot_be(
            operatory, provider, appointment_type, provider or self.provider, appointment_type or self.appointment_type)
        self.operatory = operatory or self.operatory
        self.provider = provider or self.provider
        self.appointment_type = appointment_type or self.appointment_type
        if note is not None:
            self.note = note
        if moves:  # what was allowed at one place and time is not allowed at another
            self.shared_chair = self.shared_provider = bool(double_booking)
        if moves and (resized or not same_pattern):
            self.parts = self._parts_from(provider_time, doctor or replaced.get("doctor"))
        if not moves:
            return self.record(by=by, because=because)
        self._take_time(by=by, because=double_booking or because)
        stays = self.operatory_id == left["operatory_id"] and self.starts_at < left["ends_at"] and self.ends_at > left["starts_at"]
        if not stays:
            self.freed_slots.model.note(self, by=by, **left)
        return self

    # Verbs: the visit

    def confirm(self, *, by, now=None):
        """The patient said that they come."""
        return self._move("confirm", by=by, now=now)

    def check_in(self, *, by, now=None):
        """The patient is here."""
        return self._move("check_in", by=by, now=now)

    def seat(self, *, by, now=None):
        """The patient is in the chair."""
        return self._move("seat", by=by, now=now)

    def complete(self, *, by, now=None):
        """Treatment is over. What is left of the time is given back to chair, patient and providers."""
        return self._move("complete", by=by, now=now)

    def check_out(self, *, by, now=None):
        """The patient leaves."""
        return self._move("check_out", by=by, now=now)

    def cancel(self, *, by, because, now=None):
        """The visit will not be; its time is free again. Needs a reason."""
        if not (because or "").strip():
            raise ValidationError({"reason": "Write why the visit is cancelled."})
        return self._move("cancel", by=by, now=now, because=because.strip()[:200])

    def no_show(self, *, by, now=None):
        """The patient did not come."""
        return self._move("no_show", by=by, now=now)

    def reactivate(self, *, by, now=None):
        """The cancelled or missed visit stands again, if its time is still free."""
        return self._move("reactivate", by=by, now=now)

    @transaction.atomic
    def step_back(self, *, by, because="", now=None, version=None):
        """Take the last step back, for a wrong click; both steps stand in the history."""
        self.lock(version)
        if self.status not in self.BACK:
            raise OutOfOrder(f"This visit is {self.get_status_display().lower()}; there is no step to take back.")
        if not may_step_back(by, self.status):
            raise NotAllowed("This step was not yours to take, so it is not yours to undo. Ask those who took it.")
        before = self.BACK[self.status]
        if self.status == self.Status.CHECKED_IN:
            booked = self.steps.filter(status__in=self.EXPECTED).order_by("id").values_list("status", flat=True)
            before = booked.last() or before  # what was taken over has no step before its last
        self.status, self.status_at = before, now or timezone.now()
        because = because or "Step taken back"
        if before in self.DONE:  # the time that was given back stays given back
            self.record(by=by, because=because)
        else:
            self._take_time(by=by, because=because)
        self._step(by)
        return self

    @transaction.atomic
    def _move(self, verb, *, by, now=None, because=""):
        """The one gate: lock, check the step, hold or give back the time, save, note the step."""
        self.lock()
        allowed, to = self.STEPS[verb]
        if self.status not in allowed:
            raise OutOfOrder(f"This visit is {self.get_status_display().lower()}, so it can't be set to {to.label.lower()}.")
        self.status, self.status_at = to, now or timezone.now()
        if verb == "reactivate":
            self.shared_chair = self.shared_provider = False
        self.cancel_reason = because if to == self.Status.CANCELLED else ""
        if verb in ("reactivate", "cancel", "no_show", "complete"):
            self._take_time(by=by, because=because)
        else:
            self.record(by=by, because=because)
        self._step(by)
        if verb == "cancel":
            self.freed_slots.model.note(self, by=by, **self._place_in_schedule())
        return self

    # How a visit holds its time

    def _take_time(self, *, by, because=""):
        """Save the visit together with the time it holds; the database refuses what is taken already."""
        self._set_chair_time()
        locks.queue(self.operatory_id, self.patient_id, *(part[0] for part in self.parts))
        try:
            with transaction.atomic():
                self.record(by=by, because=because)
                self._write_provider_time()
        except IntegrityError as error:
            if constraint_name(error) not in OVERLAPS:
                raise
            raise TimeTaken(conflicts.of(self), self.clinic.zone) from error
        must_be_free = self.holds_time and self.status not in self.DONE and not self.shared_chair
        if must_be_free and conflicts.anything_else(self) and (found := conflicts.of(self)):
            raise TimeTaken(found, self.clinic.zone)
        return self

    def _set_chair_time(self):
        self.chair_starts_at = self.starts_at - timedelta(minutes=self.appointment_type.buffer_before)
        self.chair_ends_at = self.ends_at + timedelta(minutes=self.appointment_type.buffer_after)
        if self.status in self.DONE:
            over = max(self.status_at, self.chair_starts_at)
            self.chair_ends_at = min(self.chair_ends_at, over)

    def provider_spans(self):
        """[(provider id, starts_at, ends_at)] that the visit takes now; less once it is over."""
        for provider_id, start, length in self.parts:
            starts_at = self.starts_at + timedelta(minutes=start)
            ends_at = starts_at + timedelta(minutes=length)
            if self.status in self.DONE:
                ends_at = min(ends_at, self.status_at)
            if starts_at < ends_at:
                yield provider_id, starts_at, ends_at

    def _write_provider_time(self):
        if not self._state.adding and self.version > 1:
            ProviderTime.objects.filter(appointment=self).delete()
        if self.holds_time:
            ProviderTime.objects.bulk_create(
                ProviderTime(
                    clinic_id=self.clinic_id, appointment=self, provider_id=provider_id, starts_at=starts_at,
                    ends_at=ends_at, is_shared=self.shared_provider)
                for provider_id, starts_at, ends_at in sorted(self.provider_spans(), key=lambda span: (str(span[0]), span[1])))

    def _parts_from(self, provider_time, doctor):
        if provider_time is not None:
            parts = [
                [str(provider.pk), int((starts - self.starts_at).total_seconds() // 60),
                 int((ends - starts).total_seconds() // 60)] for provider, starts, ends in provider_time]
            if any(start < 0 or length <= 0 or start + length > self.minutes for _, start, length in parts):
                raise ValidationError({"provider_time": "The providers' time lies within the visit, and ends after it starts."})
            return parts
        parts = []
        for who, start, length in self.appointment_type.parts(self.minutes):
            if who == "doctor" and self.provider.kind in DOCTOR_KINDS:
                continue  # who treats need not look in
            treats = self.provider if who == "provider" else doctor or self._usual_doctor()
            if who == "doctor" and str(getattr(treats, "pk", treats)) == str(self.provider_id):
                raise ValidationError({"doctor": f"{self.provider} treats here, so somebody else has to look in."})
            if treats is not None:
                parts.append([str(getattr(treats, "pk", treats)), start, length])
        return parts

    def _doctor_of_parts(self):
        """The doctor who looks in, as the visit now stands."""
        for provider_id, _, _ in self.parts:
            if provider_id != str(self.provider_id):
                yield "doctor", provider_id

    def _usual_doctor(self):
        """The patient's dentist, else the first of the practice; nobody when the provider is a dentist already."""
        if self.provider.kind in DOCTOR_KINDS:
            return None
        usual = self.patient.primary_provider
        if usual is not None and usual.is_active and usual.kind in DOCTOR_KINDS:
            return usual
        return Provider.objects.current().filter(clinic=self.clinic_id, kind__in=DOCTOR_KINDS).first()

    def _place_in_schedule(self):
        return {"starts_at": self.starts_at, "ends_at": self.ends_at, "operatory_id": self.operatory_id,
                "provider_id": self.provider_id}

    def _step(self, by):
        self.steps.model(
            clinic_id=self.clinic_id, appointment=self, status=self.status, at=self.status_at, by=by.user, via=by.via).save()


def refuse_what_cannot_be(operatory, new_provider, new_type, provider, appointment_type):
    """ValidationError for what is newly chosen and no longer in use, and for a provider who does not do this type."""
    for name, thing in (("operatory", operatory), ("provider", new_provider), ("appointment_type", new_type)):
        if thing is not None and not thing.is_active:
            raise ValidationError({name: f"{thing} is no longer in use."})
    if (new_provider or new_type) and not appointment_type.allows(provider):
        kinds = ", ".join(Provider.Kind(kind).label.lower() for kind in appointment_type.kinds)
        raise ValidationError({"provider": f"{appointment_type} is done by: {kinds}."})


def refuse_who_cannot_come(patient):
    """ValidationError for a patient who is not found here, was merged into another one, or is not treated here any more."""
    if patient is None:
        raise ValidationError({"patient": "One of these patients is not found here."})
    if patient.merged_into_id:
        raise ValidationError({"patient": f"{patient.name} (#{patient.chart_number}) was merged into another patient."})
    if patient.status != Patient.Status.ACTIVE:
        raise ValidationError({"patient": f"{patient.name} is marked as {patient.get_status_display().lower()}."})


def may_step_back(actor, status):
    """Whether this actor may undo the step that led to this status: only who may take it."""
    verb = next((verb for verb, (_, to) in Appointment.STEPS.items() if to == status), "step_back")
    return may(actor, "scheduling.step_back") and may(actor, f"scheduling.{verb}")


OVERLAPS = {
    "scheduling_appointment_chair_taken", "scheduling_appointment_patient_elsewhere", "scheduling_providertime_taken",
}


def whole_minute(at):
    return at.replace(second=0, microsecond=0)
