from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from clinic.access.actor import Actor
from clinic.db.fields import EncryptedTextField
from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import Refused, constraint_name
from clinic.models import Clinic, Operatory, Patient, Provider
from scheduling import conflicts, slots
from scheduling.models.appointment import Appointment
from scheduling.models.appointment_type import AppointmentType
from scheduling.models.block import Block
from scheduling.models.front_desk import FrontDesk
from scheduling.parts_of_day import PARTS_OF_DAY
from scheduling.refusals import OutOfOrder

SOONEST = timedelta(minutes=30)  # what is nearer is not offered
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def known_weekdays(value):
    if not isinstance(value, list) or not set(value) <= set(range(7)):
        raise ValidationError("Choose days of the week.")


class WaitlistQuerySet(RecordQuerySet):
    def waiting(self):
        """Who waits, in the order in which they are asked: urgent first, then who has waited longest."""
        return self.filter(status=WaitlistEntry.Status.WAITING).order_by("-is_urgent", "created_at", "pk")


class WaitlistEntry(Record):
    """That a patient wants to come, or to come sooner: with what, with whom and when they can. Not a visit."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        BOOKED = "booked", "Booked"
        WITHDRAWN = "withdrawn", "Taken off"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="waitlist_entries")
    appointment_type = models.ForeignKey(
        AppointmentType, models.PROTECT, related_name="waitlist_entries", verbose_name="type")
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="waitlist_entries")
    appointment = models.ForeignKey(
        Appointment, models.PROTECT, null=True, blank=True, related_name="waitlist_entries",
        help_text="The visit that would come sooner; none: a new one is booked.")
    weekdays = models.JSONField("days", default=list, blank=True, validators=[known_weekdays])
    part_of_day = models.CharField(max_length=10, blank=True, choices=[(key, key.capitalize()) for key in PARTS_OF_DAY if key])
    from_day = models.DateField("from", null=True, blank=True)
    until_day = models.DateField("until", null=True, blank=True)
    notice_hours = models.PositiveSmallIntegerField(
        "hours of notice", default=2, validators=[MaxValueValidator(336)], help_text="How long before a visit they must know.")
    is_urgent = models.BooleanField("urgent", default=False)
    note = EncryptedTextField(context="scheduling_waitlistentry.note", blank=True, default="")
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING, editable=False)
    ended_because = models.CharField(max_length=200, blank=True, editable=False)

    objects = WaitlistQuerySet.as_manager()

    class Meta:
        verbose_name = "waitlist entry"
        verbose_name_plural = "waitlist entries"
        indexes = [models.Index(fields=["clinic", "status", "created_at"], name="scheduling_waitlist_waiting")]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "patient", "appointment_type"], condition=Q(status="waiting"),
                name="scheduling_waitlist_once_a_type",
                violation_error_message="This patient waits for this type of visit already."),
            models.CheckConstraint(
                condition=Q(from_day=None) | Q(until_day=None) | Q(until_day__gte=F("from_day")),
                name="scheduling_waitlist_days_in_order"),
            models.CheckConstraint(
                condition=Q(status="waiting", ended_because="") | Q(status__in=["booked", "withdrawn"]),
                name="scheduling_waitlist_ends_with_status"),
        ]

    def __str__(self):
        return f"{self.patient} for {self.appointment_type}"

    def clean(self):
        if self.from_day and self.until_day and self.until_day < self.from_day:
            raise ValidationError({"until_day": "This lies before the first day."})
        if self.provider_id and not self.appointment_type.allows(self.provider):
            raise ValidationError({"provider": f"{self.provider} does not do this type of visit."})

    @property
    def minutes(self):
        return self.appointment.minutes if self.appointment else self.appointment_type.minutes

    @property
    def when(self):
        """When they can, in words."""
        days = ", ".join(WEEKDAYS[day][:3] for day in sorted(self.weekdays)) or "any day"
        return f"{days}{f', {self.part_of_day}' if self.part_of_day else ''}"

    def fits(self, slot, now):
        """Whether this time is what they asked for; whether everything is free then is asked of the schedule."""
        zone = slot.clinic.zone
        local = slot.starts_at.astimezone(zone)
        ends_at = slot.starts_at + timedelta(minutes=self.minutes)
        first, last = PARTS_OF_DAY[self.part_of_day]
        return (
            ends_at <= slot.ends_at
            and (self.provider_id in (None, slot.provider_id) and self.appointment_type.allows(slot.provider))
            and (not self.weekdays or local.weekday() in self.weekdays)
            and slots.wall(local.date(), first, zone) <= slot.starts_at
            and ends_at <= slots.wall(local.date(), last, zone)
            and (self.from_day is None or local.date() >= self.from_day)
            and (self.until_day is None or local.date() <= self.until_day)
            and slot.starts_at - now >= timedelta(hours=self.notice_hours)
            and (self.appointment is None or slot.starts_at < self.appointment.starts_at))

    def drafted(self, slot):
        """The visit as it would stand in this time."""
        same = {"id": self.appointment_id} if self.appointment_id else {}
        return Appointment.drafted(
            clinic=slot.clinic, patient=self.patient, operatory=slot.operatory, provider=slot.provider,
            appointment_type=self.appointment_type, starts_at=slot.starts_at,
            ends_at=slot.starts_at + timedelta(minutes=self.minutes), **same)

    @classmethod
    @transaction.atomic
    def add(cls, *, by, because="", **values):
        """Put a patient on the list."""
        entry = cls(clinic=by.clinic, **values)
        if entry.patient.status in (Patient.Status.ARCHIVED, Patient.Status.DECEASED):
            raise ValidationError({"patient": f"{entry.patient.name} is {entry.patient.get_status_display().lower()}."})
        if entry.appointment is not None and entry.appointment.person != entry.patient.person:
            raise ValidationError({"appointment": "This is another patient's visit."})
        try:
            with transaction.atomic():
                return entry.record(by=by, because=because)
        except IntegrityError as error:
            if constraint_name(error) not in ONCE_A_TYPE:
                raise
            raise Refused(f"{entry.patient.name} waits for this type of visit already.") from error

    @transaction.atomic
    def withdraw(self, *, by, because):
        """Take the patient off the list. An offer that they hold ends, and the next one is asked."""
        if not (because or "").strip():
            raise ValidationError({"because": "Write why."})
        held = self.offers.filter(status=Offer.Status.ASKED).select_related("slot").first()
        if held is not None:
            held.slot.lock()
        self.lock()
        if self.status != self.Status.WAITING:
            raise OutOfOrder("This patient waits no longer.")
        if held is not None:
            held.refresh_from_db()
            held.end(Offer.Status.WITHDRAWN, by=by, because=because)
        self.status, self.ended_because = self.Status.WITHDRAWN, because.strip()[:200]
        self.record(by=by, because=self.ended_because)
        if held is not None:
            held.slot.advance(by=by)
        return self

    def book_into(self, slot, *, by):
        """Book the visit into this time, or bring the booked one forward; the entry ends."""
        self.lock()
        if self.status != self.Status.WAITING:
            raise OutOfOrder("This patient waits no longer.")
        because = "From the waitlist"
        if self.appointment is not None and self.appointment.status in Appointment.EXPECTED:
            visit = self.appointment.reschedule(
                by=by, starts_at=slot.starts_at, operatory=slot.operatory, provider=slot.provider, because=because)
        else:
            visit = Appointment.book(
                by=by, patient=self.patient, operatory=slot.operatory, provider=slot.provider,
                appointment_type=self.appointment_type, starts_at=slot.starts_at, because=because)
        self.status = self.Status.BOOKED
        self.record(by=by, because=because)
        return visit


ONCE_A_TYPE = {
    "scheduling_waitlist_once_a_type",
    "scheduling_waitlistentry.clinic_id, scheduling_waitlistentry.patient_id, scheduling_waitlistentry.appointment_type_id"}


class FreedSlotQuerySet(RecordQuerySet):
    def open(self):
        return self.filter(status=FreedSlot.Status.OPEN).order_by("starts_at", "pk")


class FreedSlot(Record):
    """A time that a visit left, offered to those who wait, one after the other. Not a block: what holds it is the offer's."""

    class Status(models.TextChoices):
        OPEN = "open", "Being offered"
        FILLED = "filled", "Filled"
        CLOSED = "closed", "Nobody took it"

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="freed_slots", help_text="The visit that stood here.")
    operatory = models.ForeignKey(Operatory, models.PROTECT, related_name="freed_slots")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="freed_slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN, editable=False)
    closed_because = models.CharField(max_length=200, blank=True, editable=False)

    objects = FreedSlotQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["clinic", "status", "starts_at"], name="scheduling_freedslot_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "appointment", "starts_at"], condition=Q(status="open"),
                name="scheduling_freedslot_once_a_visit"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="scheduling_freedslot_end_after_start"),
        ]

    def __str__(self):
        return f"{self.starts_at.astimezone(self.clinic.zone):%a %-d %b %-H:%M}, {self.provider.short_name}"

    @property
    def minutes(self):
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    @classmethod
    def note(cls, visit, *, by, starts_at, ends_at, operatory_id, provider_id, now=None):
        """A visit left this time: keep it for those who wait. Nothing when nobody waits, or the time is nearly there.

        Called by the verb that frees the time, in its transaction; asking begins afterwards, by the job or by the desk.
        """
        now = now or timezone.now()
        if starts_at - now < SOONEST or not WaitlistEntry.objects.filter(clinic=visit.clinic_id).waiting().exists():
            return None
        if cls.objects.open().filter(clinic=visit.clinic_id, appointment=visit, starts_at=starts_at).exists():
            return None
        return cls(
            clinic_id=visit.clinic_id, appointment=visit, operatory_id=operatory_id, provider_id=provider_id,
            starts_at=starts_at, ends_at=ends_at).record(by=by, because="A visit left this time")

    @classmethod
    def go_on(cls, now=None):
        """What a job does every minute: in every clinic, ask the next one wherever nobody is asked any more."""
        for clinic in Clinic.objects.all():
            by, alone = Actor.system(clinic, via="job"), FrontDesk.of(clinic).asks_by_itself
            for slot in cls.objects.open().filter(clinic=clinic):
                slot.advance(by=by, now=now) if alone else slot.rest(by=by, now=now)

    def current_offer(self):
        """The offer that holds this time now, or None."""
        return self.offers.filter(status=Offer.Status.ASKED).select_related("entry").first()

    def candidates(self, now):
        """Those who fit and were not asked yet, in order; who holds another offer is asked about one time only.

        Four queries for the schedule and one for the list, whatever their number.
        """
        asked = Offer.objects.filter(entry=OuterRef("pk")).filter(Q(slot=self.pk) | Q(status=Offer.Status.ASKED))
        entries = WaitlistEntry.objects.filter(clinic=self.clinic_id).waiting().exclude(Exists(asked)).exclude(
            patient__status__in=[Patient.Status.ARCHIVED, Patient.Status.DECEASED]).select_related(
            "patient__primary_provider", "appointment_type", "appointment", "provider")
        fitting = {entry: entry.drafted(self) for entry in entries if entry.fits(self, now)}
        found = conflicts.of_all(list(fitting.values())) if fitting else {}
        return [entry for entry, draft in fitting.items() if not found[draft.pk]]

    @transaction.atomic
    def advance(self, *, by, now=None):
        """Ask the next one when nobody is asked, or the time to answer is over. The offer that now stands, or None.

        Safe to repeat and to interrupt: whoever dies in the middle leaves nothing behind, and the next one goes on.
        """
        now = now or timezone.now()
        standing = self.rest(by=by, now=now)
        if standing is not None or self.status != self.Status.OPEN:
            return standing
        entry = next(iter(self.candidates(now)), None)
        if entry is None:
            return self.close(by=by, because="Booked otherwise, or nobody else who waits can come then.")
        return Offer.ask(self, entry, by=by, now=now)

    @transaction.atomic
    def rest(self, *, by, now=None):
        """End an offer whose time to answer is over, and the slot when its time has come; ask nobody. The offer that stands."""
        now = now or timezone.now()
        self.lock()
        if self.status != self.Status.OPEN:
            return None
        current = self.current_offer()
        if current is not None and now < current.holds_until:
            return current
        if current is not None:
            current.end(Offer.Status.LAPSED, by=by)
        if self.starts_at <= now:
            self.close(by=by, because="The time has come.")
        return None

    @transaction.atomic
    def ask_next(self, *, by, instead_of, now=None):
        """The desk goes on without waiting for the answer of the one who was asked.

        `instead_of`: the key of the offer that the desk saw standing, None where it saw none. OutOfOrder when it is another one
        by now: nobody is passed over by a page that is a minute old.
        """
        self.lock()
        current = self.current_offer()
        if (current and current.pk) != instead_of:
            now_asked = f"{current.entry.patient.name} is being asked" if current else "nobody is being asked any more"
            raise OutOfOrder(f"This page was out of date: {now_asked}. Nothing was changed.")
        if current is not None:
            current.end(Offer.Status.LAPSED, by=by, because="No answer")
        return self.advance(by=by, now=now)

    @transaction.atomic
    def stop(self, *, by, because):
        """The desk wants the time for something else: whoever is asked is told that it is gone."""
        self.lock()
        if self.status != self.Status.OPEN:
            raise OutOfOrder("This time is not being offered any more.")
        current = self.current_offer()
        if current is not None:
            current.end(Offer.Status.WITHDRAWN, by=by, because=because)
        self.close(by=by, because=because or "Stopped by the desk")

    def close(self, *, by, because, status=Status.CLOSED):
        """The end of this slot; the caller holds it. Returns nothing: no offer stands."""
        self.status, self.closed_because = status, because
        self.record(by=by, because=because)


class Offer(Record):
    """That a freed time was offered to one who waits, until when it is held for them, and what they said."""

    class Status(models.TextChoices):
        ASKED = "asked", "Asked"
        ACCEPTED = "accepted", "Took it"
        DECLINED = "declined", "Does not want it"
        LAPSED = "lapsed", "Did not answer in time"
        WITHDRAWN = "withdrawn", "Taken back"

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        CALL = "call", "Phone call"

    slot = models.ForeignKey(FreedSlot, models.PROTECT, related_name="offers")
    entry = models.ForeignKey(WaitlistEntry, models.PROTECT, related_name="offers")
    channel = models.CharField(max_length=8, choices=Channel)
    status = models.CharField(max_length=10, choices=Status, default=Status.ASKED, editable=False)
    asked_at = models.DateTimeField(editable=False)
    holds_until = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "slot"], condition=Q(status="asked"), name="scheduling_offer_one_at_a_time"),
            models.UniqueConstraint(fields=["clinic", "slot", "entry"], name="scheduling_offer_once_a_slot"),
            models.UniqueConstraint(
                fields=["clinic", "entry"], condition=Q(status="asked"), name="scheduling_offer_one_a_patient"),
            models.CheckConstraint(condition=Q(holds_until__gt=F("asked_at")), name="scheduling_offer_holds_a_while"),
        ]

    def __str__(self):
        return f"{self.slot} to {self.entry.patient}"

    @classmethod
    def ask(cls, slot, entry, *, by, now):
        """Offer the time; the hold ends after the clinic's minutes, at the latest when the visit would begin."""
        patient = entry.patient
        by_mail = patient.email and patient.contact_by == Patient.ContactBy.EMAIL
        until = min(now + timedelta(minutes=FrontDesk.of(slot.clinic).hold_minutes), slot.starts_at)
        offer = cls(
            clinic_id=slot.clinic_id, slot=slot, entry=entry, channel=cls.Channel.EMAIL if by_mail else cls.Channel.CALL,
            asked_at=now, holds_until=until).record(by=by, because="Next in order")
        offer._hold(by)
        if by_mail:
            cls._meta.get_field("letter").related_model.write(offer)
        return offer

    @transaction.atomic
    def accept(self, *, by, now=None):
        """The patient takes it: the visit is booked, the entry ends, the slot is filled. Returns the visit.

        Refused when the hold is over: somebody else may have been asked.
        """
        now = now or timezone.now()
        self._lock(now)
        self.end(self.Status.ACCEPTED, by=by)
        visit = self.entry.book_into(self.slot, by=by)
        self.slot.close(by=by, because="Taken from the waitlist", status=FreedSlot.Status.FILLED)
        return visit

    @transaction.atomic
    def decline(self, *, by, now=None, because=""):
        """The patient does not want it: the next one is asked. They stay on the list."""
        now = now or timezone.now()
        self._lock(now)
        self.end(self.Status.DECLINED, by=by, because=because)
        return self.slot.advance(by=by, now=now)

    def end(self, status, *, by, because=""):
        """What became of it: the time that it held is free again. The caller holds the slot."""
        for block in self.blocks.filter(is_active=True):
            block.withdraw(by=by, because="No longer held")
        self.status = status
        return self.record(by=by, because=because)

    def _hold(self, by):
        """Blocks in the chair and in the minutes of everybody whom the visit takes: nobody books what was promised."""
        draft, held = self.entry.drafted(self.slot), {"title": "Offered to the waitlist", "offer": self}
        Block.place(by=by, operatory=draft.operatory, starts_at=draft.starts_at, ends_at=draft.ends_at, **held)
        for provider_id, starts_at, ends_at in draft.provider_spans():
            Block.place(by=by, provider_id=provider_id, starts_at=starts_at, ends_at=ends_at, **held)

    def _lock(self, now):
        self.slot.lock()
        self.lock()
        if self.status != self.Status.ASKED or now >= self.holds_until:
            raise OutOfOrder("This offer has ended, and the time may be somebody else's now.")
