from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from clinic.db.locks import queue, turn
from clinic.db.records import Fact, FactQuerySet, Record, RecordQuerySet
from clinic.models import Clinic, Notification, Patient
from clinic.models.notification import members
from clinic.notices import NOTICES, roles_concerned
from milestones.models.milestone import Milestone

AHEAD = timedelta(days=14)  # so long before its day a milestone is announced
AGAIN = timedelta(days=7)  # so long after an alert the next one, while it stays overdue
ESCALATES = 30  # days overdue from which the managers are told too
BATCH = 1000
LONGEST_SNOOZE = timedelta(days=60)


class Due(NamedTuple):
    """A milestone of which to tell, and who keeps its plan."""

    key: object
    patient: object
    day: object
    user: object


class MilestoneSnoozeQuerySet(RecordQuerySet):
    def asleep(self, today):
        """Those that hold on this day."""
        return self.filter(until__gt=today)


class MilestoneSnooze(Record):
    """That one person wants to hear nothing of a milestone until a day."""

    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="snoozes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    until = models.DateField()

    objects = MilestoneSnoozeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "milestone", "user"], name="milestones_milestonesnooze_once")]

    def __str__(self):
        return f"{self.user} hears nothing of {self.milestone} until {self.until:%Y-%m-%d}"

    @classmethod
    @transaction.atomic
    def sleep(cls, *, by, milestone, until):
        """Be told nothing of it until that day, which is to come and at most 60 days away. A second time moves the day."""
        today = by.clinic.today()
        if not today < until <= today + LONGEST_SNOOZE:
            raise ValidationError({"until": f"Choose a day to come, at most {LONGEST_SNOOZE.days} days from now."})
        queue(f"snooze {milestone.pk} {by.user.pk}")
        row = cls.objects.filter(clinic=milestone.clinic_id, milestone=milestone, user=by.user).first() or cls(
            clinic_id=milestone.clinic_id, milestone=milestone, user=by.user)
        row.until = until
        return row.record(by=by)


class MilestoneAlertQuerySet(FactQuerySet):
    def of_period(self, stage, since):
        """Those of this stage that were told since that day; for the milestone and the day of the outer query."""
        return self.filter(
            clinic=OuterRef("clinic"), milestone=OuterRef("pk"), due_on=OuterRef("target_date"), stage=stage, told_on__gt=since)


class MilestoneAlert(Fact):
    """That people were told of a milestone: once that it comes up within two weeks; that it is overdue, and again each week.

    Not the telling itself, which stands in the bell. Another day begins everything anew.
    """

    class Stage(models.TextChoices):
        UPCOMING = "upcoming", "Comes up"
        OVERDUE = "overdue", "Overdue"

    told_by_its_record = True

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="alerts", db_index=False)
    due_on = models.DateField(help_text="The day of which was told.")
    stage = models.CharField(max_length=8, choices=Stage)
    period = models.PositiveIntegerField(help_text="Of an overdue one: how many whole weeks it was.")
    told_on = models.DateField(help_text="By the clinic's date.")

    objects = MilestoneAlertQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(
            fields=["milestone", "stage", "due_on", "told_on"], name="milestones_alert_of_milestone")]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "milestone", "due_on", "stage", "period"], name="milestones_milestonealert_once"),
            models.CheckConstraint(condition=Q(stage__in=["upcoming", "overdue"]), name="milestones_milestonealert_known_stage"),
        ]

    def __str__(self):
        return f"{self.get_stage_display()}: {self.milestone} of {self.due_on:%Y-%m-%d}"

    @classmethod
    def write_due(cls, now=None):
        """Tell people in every clinic of what is overdue or comes up; returns of how many. Safe to repeat, to run twice at once,
        and to be killed: a batch is told whole or not at all.

        After days without a run a milestone is told of as it stands now, and not once for each week that went by.
        """
        now = now or timezone.now()
        return sum(Sweep(clinic, stage, now).tell_all() for clinic in Clinic.objects.all() for stage in cls.Stage)


class Sweep:
    """One run over a clinic's milestones of one stage. They come a thousand at a time, read by one question and written by one
    statement; what hangs on people is asked once, and each of them has one line in the bell for all that the run tells."""

    def __init__(self, clinic, stage, now):
        self.clinic, self.stage, self.now, self.today = clinic, stage, now, clinic.today(now)
        self.kind = f"milestone_{stage.value}"
        self.key, self.told = "", set()  # of the lines in the bell; who has theirs

    def tell_all(self):
        count, last = 0, None
        with turn(f"{self.kind} {self.clinic.pk}"):  # one worker after the other: each sees what the one before has told
            while True:
                with transaction.atomic(savepoint=False):
                    found = self._due(last)
                    users = self._tell(found) if found else set()
                self.told |= users
                count += len(found)
                if len(found) < BATCH:
                    return count
                last = found[-1].key

    def _due(self, last):
        """The next batch that nobody was told of in this period."""
        if self.stage == MilestoneAlert.Stage.UPCOMING:
            rows, since = Milestone.objects.upcoming(self.today, self.today + AHEAD), self.today - timedelta(days=36500)
        else:
            rows, since = Milestone.objects.overdue(self.today), self.today - AGAIN
        rows = rows.filter(clinic=self.clinic).exclude(
            Exists(MilestoneAlert.objects.of_period(self.stage, since))).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        return [Due(*row) for row in rows.values_list("pk", "patient", "target_date", "plan__provider__user")[:BATCH]]

    def _tell(self, found):
        """Write the alerts of a batch, and a line in the bell of whom they concern and who has none yet. Returns these."""
        made = MilestoneAlert.objects.bulk_create([MilestoneAlert(
            clinic=self.clinic, patient_id=due.patient, milestone_id=due.key, due_on=due.day, stage=self.stage, at=self.now,
            told_on=self.today, period=max((self.today - due.day).days // AGAIN.days, 0)) for due in found])
        self.key = self.key or f"{self.kind}:{made[0].pk}"
        users = self._concerned(found) - self.told
        if users:
            Notification.tell(
                self.clinic, self.kind, key=self.key, users=users, url=reverse("milestones:due"), now=self.now)
        return users

    def _concerned(self, found):
        """The provider of each and the coordinators; of what is overdue for 30 days the managers too. Who sleeps over all that
        concerns them is left in peace, and who no longer works here."""
        coordinators, managers, working, asleep = self._people
        wanted = set()
        for due in found:
            late = self.stage == MilestoneAlert.Stage.OVERDUE and (self.today - due.day).days >= ESCALATES
            told = {due.user, *coordinators, *(managers if late else ())}
            wanted |= {user for user in told if due.key not in asleep.get(user, ())}
        return wanted & working

    @cached_property
    def _people(self):
        """The keys of coordinators, of managers and of all whom it may concern; {who snoozes: the milestones}."""
        asleep = defaultdict(set)
        snoozed = MilestoneSnooze.objects.asleep(self.today).filter(clinic=self.clinic)
        for user, milestone in snoozed.values_list("user", "milestone"):
            asleep[user].add(milestone)
        return (*(set(members(self.clinic, roles)) for roles in (
            ["coordinator"], ["manager"], roles_concerned(NOTICES[self.kind]))), asleep)
