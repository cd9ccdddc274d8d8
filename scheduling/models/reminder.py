from datetime import timedelta

from django.db import models, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from clinic.db.refusals import Refused
from clinic.mail.to_patients import way_to
from clinic.models import Clinic, Notification, Patient
from clinic.models.outgoing import OutgoingQuerySet, nudge
from clinic.models.patient_message import PatientMessage
from scheduling import reminders
from scheduling.models.appointment import Appointment
from scheduling.models.front_desk import FrontDesk
from scheduling.models.time_wish import TimeWish
from scheduling.refusals import OutOfOrder

GONE = (Patient.Status.ARCHIVED, Patient.Status.DECEASED)
ASKED_LATELY = timedelta(hours=1)
USED = "This page was answered already."


class ReminderQuerySet(OutgoingQuerySet):
    def visible_to(self, actor):
        if actor is None or actor.hat != "staff":
            return self.none()
        return self.filter(clinic=actor.clinic_id)

    def of_present_time(self):
        """Those about the time at which the visit stands now."""
        return self.filter(visit_at=F("appointment__starts_at"))


class Reminder(PatientMessage):
    """A message that a visit comes up, with a link to confirm it or to ask for another time; and what was answered.

    `scheduling.reminders` says when. Each is written once a visit, kind and booked time, so that a visit that was moved is
    reminded of anew and none twice. Whether it still should go is asked when it leaves. Who wants phone calls, or has no
    address, gets none and stands on the board alone.
    """

    class Kind(models.TextChoices):
        WEEK = reminders.WEEK, "A week before"
        DAY = reminders.DAY, "The day before"
        ASKED = "asked", "Asked by the desk"

    class Answer(models.TextChoices):
        COMING = "coming", "Comes"
        ANOTHER_TIME = "another", "Needs another time"

    PURPOSE, TEMPLATE, ROUTE = "visit", "scheduling/mail/reminder", "scheduling:answer_link"
    TRIES = 8  # over four hours

    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="reminders")
    kind = models.CharField(max_length=8, choices=Kind)
    visit_at = models.DateTimeField(help_text="The visit's time when this was written.")
    answer = models.CharField(max_length=8, choices=Answer, blank=True, default="")

    objects = ReminderQuerySet.as_manager()

    class Meta(PatientMessage.Meta):
        indexes = [
            *PatientMessage.Meta.indexes, models.Index(fields=["clinic", "visit_at"], name="scheduling_reminder_ahead")]

    def __str__(self):
        return f"{self.get_kind_display()} ({self.get_state_display()})"

    # Questions

    @property
    def patient(self):
        return self.appointment.patient.person

    @property
    def good_until(self):
        return self.visit_at

    @property
    def is_about_present_time(self):
        return self.visit_at == self.appointment.starts_at and self.appointment.status in Appointment.EXPECTED

    def is_wanted(self, now):
        visit, patient = self.appointment, self.patient
        return (
            visit.status == Appointment.Status.SCHEDULED and visit.starts_at == self.visit_at and now < self.visit_at
            and patient.status not in GONE and (patient.wants_reminders or self.kind == self.Kind.ASKED))

    def waits_until(self, now):
        """Never at night, also when it was tried in vain all day; but what the desk asks leaves at once."""
        if self.kind == self.Kind.ASKED:
            return None
        later = reminders.decent(now, self.clinic.zone)
        return later if later > now else None

    def words(self):
        return {"visit_at": self.visit_at, "says_when": FrontDesk.of(self.clinic).reminders_say_when}

    def page(self):
        return reverse("scheduling:visit", args=[self.appointment_id])

    # Verbs: writing

    @classmethod
    def write_due(cls, now=None):
        """Write what is due in every clinic; returns how many. Safe to repeat, and to run twice at once."""
        now = now or timezone.now()
        return sum(cls._write_due_in(clinic, now) for clinic in Clinic.objects.all())

    @classmethod
    def _write_due_in(cls, clinic, now):
        desk = FrontDesk.of(clinic)
        if not desk.reminds_by_itself or reminders.decent(now, clinic.zone) != now:
            return 0
        told = set(cls.objects.filter(
            clinic=clinic, visit_at__gt=now, visit_at__lt=now + reminders.AHEAD,
        ).values_list("appointment", "visit_at", "kind"))
        written = 0
        for visit in visits_to_remind_of(clinic, now):
            kind = reminders.kind_due(visit.starts_at, visit.since, now, clinic.zone, desk.reminder_hour)
            patient = visit.patient.person
            channel = way_to(patient) if patient.wants_reminders and patient.status not in GONE else ""
            if kind and channel and (visit.pk, visit.starts_at, kind) not in told:
                key = f"{visit.pk}:{kind}:{visit.starts_at.timestamp():.0f}"
                written += cls.about(visit, kind=kind, channel=channel, key=key).write_once()
        return written

    @classmethod
    def about(cls, visit, **values):
        return cls(clinic_id=visit.clinic_id, appointment=visit, visit_at=visit.starts_at, **values)

    @classmethod
    @transaction.atomic
    def ask(cls, visit, *, now=None):
        """The desk asks for confirmation now. Refused when nothing is to be confirmed, or it was asked within the hour."""
        now = now or timezone.now()
        visit.lock()
        if visit.status != Appointment.Status.SCHEDULED or visit.starts_at <= now:
            raise OutOfOrder("This visit is not waiting to be confirmed.")
        patient = visit.patient.person
        channel = way_to(patient) or (cls.Channel.EMAIL if patient.email else "")
        if not channel:
            raise Refused(f"{patient.name} has no e-mail address, so a call is the way to ask.")
        lately = cls.objects.of_present_time().filter(appointment=visit, created_at__gt=now - ASKED_LATELY)
        if lately.exclude(state__in=[cls.State.FAILED, cls.State.NOBODY]).exists():
            raise Refused(f"{patient.name} was asked within the last hour. Nothing is sent twice.")
        reminder = cls.about(visit, kind=cls.Kind.ASKED, channel=channel, created_at=now, due_at=now)
        reminder.key = f"{visit.pk}:asked:{reminder.pk}"
        reminder.write_once()
        transaction.on_commit(nudge)
        return reminder

    # Verbs: what the patient answers

    @transaction.atomic
    def confirm(self, *, by, now=None):
        """The patient says that they come: the visit is confirmed, the link used up, and who wants to know is told."""
        visit = self._answered(self.Answer.COMING, now)
        if visit.status == Appointment.Status.SCHEDULED:
            visit.confirm(by=by, now=now)
        Notification.tell(self.clinic, "visit_confirmed", key=f"confirmed:{self.pk}", url=self.page())

    @transaction.atomic
    def ask_for_another_time(self, *, by, wish="", now=None):
        """The patient needs another time: a wish for the desk, which is told; a confirmed visit is open again."""
        visit = self._answered(self.Answer.ANOTHER_TIME, now)
        if visit.status == Appointment.Status.CONFIRMED:
            visit.step_back(by=by, because="The patient needs another time", now=now)
        TimeWish(
            clinic_id=self.clinic_id, appointment=visit, visit_at=self.visit_at, wish=wish.strip()[:TimeWish.LONGEST],
            by=by.user).save()
        Notification.tell(self.clinic, "another_time", key=f"another-time:{self.pk}", url=self.page())

    def _answered(self, answer, now):
        """Lock the visit, and use the link up: of two who answer at once one is heard."""
        visit = self.appointment.lock()
        if not self.is_about_present_time:
            raise OutOfOrder("This visit is not booked at that time any more.")
        if not self.link.use(now):
            raise OutOfOrder(USED)
        self.answer = answer
        self.save(update_fields=["answer"])
        return visit


def visits_to_remind_of(clinic, now):
    """Visits that begin within the days of the first reminder, with `since`: when they were booked for this time.

    A few days' visits, by the index of the day.
    """
    past = Appointment.history.filter(id=OuterRef("pk"), starts_at=OuterRef("starts_at")).order_by("history_date")
    return Appointment.objects.filter(
        clinic=clinic, starts_at__gt=now, starts_at__lt=now + reminders.AHEAD, status=Appointment.Status.SCHEDULED,
    ).select_related("patient__merged_into", "clinic").annotate(
        since=Coalesce(Subquery(past.values("history_date")[:1]), "created_at")).order_by("starts_at")
