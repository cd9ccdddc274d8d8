from django.db import models, transaction
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from clinic.access.rules import may
from clinic.db.records import Record, RecordQuerySet, whose_row
from clinic.db.refusals import NotAllowed, Stale
from clinic.mail import sms
from clinic.mail.to_patients import way_to
from clinic.models import Patient
from scheduling.models.reminder import GONE


class News(models.TextChoices):
    """What there is to tell a patient of a milestone."""

    UPCOMING = "upcoming", "Coming up"
    ACHIEVED = "achieved", "Achieved"
    APPROVAL = "approval", "Waits for approval"
    OVERDUE = "overdue", "Overdue"


class Way(models.TextChoices):
    """By which way one is told."""

    USUAL = "usual", "As they are reached"
    EMAIL = "email", "By e-mail"
    SMS = "sms", "By text message"
    OFF = "off", "Not at all"


def channel_to(person, way):
    """By which of the two ways something leaves to this person now, by this choice; empty: by none."""
    if person.status in GONE:
        return ""
    if way == Way.USUAL:
        return way_to(person)
    possible = {Way.EMAIL: person.email, Way.SMS: person.phone and sms.is_possible()}
    return way if possible.get(way) else ""


class MilestoneNewsQuerySet(RecordQuerySet):
    def visible_to(self, actor):
        """A patient sees what they chose."""
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient)
        return super().visible_to(actor)

    @staticmethod
    def way_of(kind):
        """In a question about rows of patients: the choice that holds for the person of the outer row, as in `MilestoneNews.of`."""
        rows = MilestoneNews.objects.filter(clinic=OuterRef("clinic"))
        return Coalesce(
            Subquery(rows.filter(patient=whose_row()).values(kind)[:1]),
            Subquery(rows.filter(patient__merged_into=whose_row()).order_by("-updated_at").values(kind)[:1]),
            Value(str(MilestoneNews._meta.get_field(kind).default)))


class MilestoneNews(Record):
    """Of which milestone news a patient is told, and by which way. Not the telling: that is `NewsMessage`.

    No row: what is usual. What comes up, was achieved or waits for an answer helps a patient, and goes the way on which they are
    reached anyway (by e-mail unless they chose otherwise; who wants calls or letters is sent nothing). That a milestone is overdue
    is the practice's matter first: a message that something is late, without what, only worries, so nobody gets it unasked.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", editable=False, db_index=False)
    upcoming = models.CharField(News.UPCOMING.label, max_length=5, choices=Way, default=Way.USUAL)
    achieved = models.CharField(News.ACHIEVED.label, max_length=5, choices=Way, default=Way.USUAL)
    approval = models.CharField(News.APPROVAL.label, max_length=5, choices=Way, default=Way.USUAL)
    overdue = models.CharField(News.OVERDUE.label, max_length=5, choices=Way, default=Way.OFF)

    objects = MilestoneNewsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "milestone news"
        constraints = [
            models.UniqueConstraint(fields=["clinic", "patient"], name="milestones_milestonenews_one_a_patient"),
            models.CheckConstraint(
                condition=Q(upcoming__in=Way.values, achieved__in=Way.values, approval__in=Way.values, overdue__in=Way.values),
                name="milestones_milestonenews_known_ways"),
        ]

    def __str__(self):
        return f"Milestone news of {self.patient}"

    # Questions

    @classmethod
    def of(cls, patient):
        """What holds for this person: their own choice, else that of one who is merged into them, else what is usual, unsaved."""
        person = patient.person
        chosen = cls.objects.filter(clinic=person.clinic_id).of(person).select_related("patient__merged_into").order_by(
            F("patient__merged_into").asc(nulls_first=True), "-updated_at").first()
        return chosen or cls(clinic_id=person.clinic_id, patient=person)

    def channel(self, kind):
        """By which way news of this kind leaves to them now; empty: by none."""
        return channel_to(self.patient.person, getattr(self, kind))

    @property
    def sentence(self):
        """What they are told and how, as it stands now."""
        ways = {}
        for kind in News:
            ways.setdefault(self.channel(kind), []).append(kind.label.lower())
        told = [f"{Way(way).label}: {', '.join(ways[way])}." for way in (Way.EMAIL, Way.SMS) if way in ways]
        return " ".join([*told, *([f"Not told of: {', '.join(ways[''])}."] if "" in ways else [])])

    def may_choose(self, actor):
        """Whether this is this actor's to choose: the desk's, or that of the patient themselves or who acts for them."""
        if actor.hat == "portal":
            return actor.patient.person == self.patient.person
        return may(actor, "clinic.change_patient", self.patient)

    # Verbs

    @transaction.atomic
    def choose(self, *, by, version=None, because="", **ways):
        """Set the way for some kinds of news, {kind: way}; the first time makes the row."""
        if not self.may_choose(by):
            raise NotAllowed("Only the desk, or the patient, chooses what the patient is told.")
        if not self._state.adding:
            return self.change(by=by, version=version, because=because, **ways)
        self.patient.lock()
        there = MilestoneNews.of(self.patient)
        if not there._state.adding:  # since it was shown
            raise Stale(there)
        for kind, way in ways.items():
            setattr(self, kind, way)
        return self.record(by=by, because=because)


