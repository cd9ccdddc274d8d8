from datetime import UTC, datetime, timedelta

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from clinic.db.records import person
from clinic.models import Clinic
from clinic.models.outgoing import OutgoingQuerySet
from clinic.models.patient_message import PatientMessage
from milestones.models.alert import AHEAD, BATCH
from milestones.models.milestone import Milestone
from milestones.models.news import MilestoneNews, News, Way, channel_to
from scheduling import reminders

AGAIN = timedelta(days=7)  # so long after a word that an approval is waited for the next one
REMINDERS = 4  # at most, after the first word
LATELY = timedelta(hours=20)  # the same words are not said twice within a day
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
WHO = [f"{path}__{name}" for path in ("patient", "patient__merged_into")
       for name in ("status", "contact_by", "email", "phone", "merged_into")]  # decides whether and how they are told


class NewsMessageQuerySet(OutgoingQuerySet):
    def visible_to(self, actor):
        if actor is None or actor.hat != "staff":
            return self.none()
        return self.filter(clinic=actor.clinic_id)

    def of(self, patient):
        """Those to this person."""
        return self.filter(milestone__patient__in=person(Milestone, patient))


class NewsMessage(PatientMessage):
    """A message to a patient that there is news of their treatment, or that something waits for their answer; no word of what.

    Each is written once: of what comes up or is overdue for each day on which it is due, of what was achieved for each time, of
    an approval when nothing else is missing and then weekly, four times at most, until it is answered. Whether it still should
    go, and by which way, is asked when it leaves. No page of the patient's stands yet to which it could lead, so it has no link
    and says to ask the practice: with PURPOSE, ROUTE and `good_until` here it has one.
    """

    TEMPLATE = "milestones/mail/news"
    TRIES = 8  # over four hours

    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="messages", db_index=False)
    kind = models.CharField(max_length=8, choices=News)
    due_on = models.DateField(null=True, help_text="The day of which it tells that it comes up or went by.")

    objects = NewsMessageQuerySet.as_manager()

    class Meta(PatientMessage.Meta):
        indexes = [
            *PatientMessage.Meta.indexes,
            models.Index(fields=["milestone", "kind", "due_on", "created_at"], name="milestones_message_of_mile")]
        constraints = [
            *PatientMessage.Meta.constraints,
            models.CheckConstraint(condition=Q(kind__in=News.values), name="milestones_newsmessage_known_kind")]

    def __str__(self):
        return f"{self.get_kind_display()} ({self.get_state_display()})"

    # Questions

    @property
    def patient(self):
        return self.milestone.person

    def is_wanted(self, now):
        return self._holds(self.clinic.today(now)) and not self._is_said(now)

    def waits_until(self, now):
        """Never at night."""
        later = reminders.decent(now, self.clinic.zone)
        return later if later > now else None

    def compose(self, now):
        """By the way that the patient wants now, if by any."""
        channel = MilestoneNews.of(self.patient).channel(self.kind)
        if channel and channel != self.channel:
            self.channel = channel
            self.save(update_fields=["channel"])
        return super().compose(now) if channel else None

    def words(self):
        return {"waits": self.kind == News.APPROVAL}

    def page(self):
        return reverse("milestones:milestone", args=[self.milestone_id])

    def _holds(self, today):
        """Whether what it tells is still so."""
        row = Milestone.objects.in_force().shown_to_patients().filter(pk=self.milestone_id)
        if self.kind == News.ACHIEVED:
            return row.filter(status=Milestone.Status.ACHIEVED).exists()
        if self.kind == News.APPROVAL:
            return row.awaiting_approval().exists()
        rows = row.overdue(today) if self.kind == News.OVERDUE else row.upcoming(today, self.due_on)
        return rows.filter(target_date=self.due_on).exists()

    def _is_said(self, now):
        """Whether the same words left to this person today: a second message with them would tell nothing new."""
        kinds = [kind for kind in News if (kind == News.APPROVAL) == (self.kind == News.APPROVAL)]
        left = Q(state__in=[self.State.SENT, self.State.MAYBE_SENT], done_at__gt=now - LATELY)
        leaves = Q(state=self.State.CLAIMED, pk__lt=self.pk)  # of two that leave at once the older one goes
        return NewsMessage.objects.filter(clinic=self.clinic_id, kind__in=kinds).of(self.patient).filter(
            left | leaves).exclude(pk=self.pk).exists()

    # Verbs

    @classmethod
    def write_achieved(cls, milestone, *, on, now=None):
        """Tell that it was achieved, in the transaction in which it was. Not of what was entered long after; and a milestone that
        was opened again in between is told of once."""
        told = cls.objects.filter(milestone=milestone, kind=News.ACHIEVED).exclude(
            state__in=[cls.State.NOBODY, cls.State.FAILED])
        if on < milestone.clinic.today(now) - AHEAD or milestone.plan.status == milestone.plan.Status.DRAFT or told.exists():
            return
        if channel := MilestoneNews.of(milestone.patient).channel(News.ACHIEVED):
            cls._of(milestone, News.ACHIEVED, channel, now or timezone.now(), milestone.version).write_once()

    @classmethod
    def write_due(cls, now=None):
        """Write what is due in every clinic; returns how many were looked at. Safe to repeat, to run twice at once, and to be
        killed: each has a key, and a batch is read by one question and written by one statement."""
        now = now or timezone.now()
        return sum(cls._write_kind(clinic, kind, now) for clinic in Clinic.objects.all() for kind in News
                   if kind != News.ACHIEVED)

    @classmethod
    def _write_kind(cls, clinic, kind, now):
        count, last = 0, None
        while found := cls._due(clinic, kind, now, last):
            cls._write(found, kind, now)
            count, last = count + len(found), found[-1].pk
            if len(found) < BATCH:
                break
        return count

    @classmethod
    def _due(cls, clinic, kind, now, last):
        """The next batch of milestones of which a patient who wants to know has not been told."""
        today = clinic.today(now)
        rows = cls._waiting(now) if kind == News.APPROVAL else cls._dated(kind, today)
        rows = rows.shown_to_patients().filter(clinic=clinic).annotate(way=MilestoneNews.objects.way_of(kind)).exclude(way=Way.OFF)
        if last is not None:
            rows = rows.filter(pk__gt=last)
        return list(rows.select_related("patient__merged_into").only("clinic", "target_date", *WHO).order_by("pk")[:BATCH])

    @classmethod
    def _dated(cls, kind, today):
        """Milestones whose day comes up, or went by, that were not told of for that day."""
        rows = Milestone.objects
        rows = rows.overdue(today) if kind == News.OVERDUE else rows.upcoming(today, today + AHEAD)
        return rows.exclude(Exists(cls.objects.filter(milestone=OuterRef("pk"), kind=kind, due_on=OuterRef("target_date"))))

    @classmethod
    def _waiting(cls, now):
        """Milestones that wait for an approval and whose next word about it is due; `said`: how many were since it last waited."""
        said = cls.objects.filter(
            milestone=OuterRef("pk"), kind=News.APPROVAL, created_at__gt=Coalesce(OuterRef("decided_at"), Value(LONG_AGO)))
        count = said.order_by().values("milestone").annotate(count=Count("pk")).values("count")
        return Milestone.objects.awaiting_approval().annotate(said=Coalesce(Subquery(count), 0)).filter(
            said__lte=REMINDERS).exclude(Exists(said.filter(created_at__gt=now - AGAIN)))

    @classmethod
    def _write(cls, found, kind, now):
        made = []
        for row in found:
            turn = row.target_date
            if kind == News.APPROVAL:
                turn = f"{row.decided_at.timestamp() if row.decided_at else 0:.0f}:{row.said}"
            if channel := channel_to(row.person, row.way):
                made.append(cls._of(row, kind, channel, now, turn))
        cls.objects.bulk_create(made, ignore_conflicts=True)

    @classmethod
    def _of(cls, milestone, kind, channel, now, turn):
        """The message about this turn of it: the day, the time, the number."""
        dated = {"due_on": milestone.target_date} if kind in (News.UPCOMING, News.OVERDUE) else {}
        return cls(
            clinic_id=milestone.clinic_id, milestone=milestone, kind=kind, channel=channel, created_at=now, due_at=now,
            key=f"{milestone.pk}:{kind}:{turn}", **dated)
