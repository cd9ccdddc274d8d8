from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import Refused
from clinic.models.patient import Patient

MAJORITY = 18  # years of age from which one acts for oneself; a guardian's access ends with that birthday


def comes_of_age(patient):
    """The day from which this patient acts for themselves; born on 29 February: 1 March of a year without that day."""
    born = patient.date_of_birth
    try:
        return born.replace(year=born.year + MAJORITY)
    except ValueError:
        return date(born.year + MAJORITY, 3, 1)


class PortalAccessQuerySet(RecordQuerySet):
    def current(self):
        """Those that nobody has ended. Whether one still holds by its dates, `holds` tells."""
        return self.filter(until=None)

    def over(self, now):
        """Of those that nobody has ended, the ones whose last day is over by their clinic's date."""
        rows = self.current().filter(Q(ends_on__isnull=False) | Q(relationship="guardian"))
        rows = rows.select_related("clinic", "patient__merged_into")
        return [row for row in rows.order_by("pk") if not row.holds(row.clinic.today(now))]


class PortalAccess(Record):
    """That a user may use the portal of a patient: as the patient, or on their behalf (a parent or guardian, a proxy).

    A guardian's ends by itself when the patient comes of age, another one's on the day that was said; from that day on it opens
    nothing, whether or not the nightly job has written the end down yet.
    """

    class Relationship(models.TextChoices):
        SELF = "self", "The patient"
        GUARDIAN = "guardian", "Parent or guardian"
        PROXY = "proxy", "Proxy"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="portal_accesses")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="portal_accesses")
    relationship = models.CharField(max_length=10, choices=Relationship)
    since = models.DateField()
    ends_on = models.DateField("ends on", null=True, blank=True, help_text="From this day on it opens nothing.")
    until = models.DateField(null=True, blank=True, editable=False, help_text="The day on which it was ended.")

    objects = PortalAccessQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "portal accesses"
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "user", "patient"], condition=Q(until=None), name="clinic_portalaccess_one_open"),
            models.CheckConstraint(
                condition=Q(relationship__in=["self", "guardian", "proxy"]), name="clinic_portalaccess_known_relationship"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | ~Q(relationship="self") & Q(ends_on__gt=F("since")),
                name="clinic_portalaccess_ends_after_it_began"),
        ]

    def __str__(self):
        return f"{self.user} for {self.patient}"

    @property
    def last_day(self):
        """The day from which it opens nothing, by what was said and by age; None when no day is known."""
        days = [self.ends_on, comes_of_age(self.patient.person) if self.relationship == self.Relationship.GUARDIAN else None]
        return min(filter(None, days), default=None)

    def holds(self, today):
        """Whether it opens the portal on this day."""
        return self.until is None and (self.last_day is None or today < self.last_day)

    @classmethod
    @transaction.atomic
    def grant(cls, *, user, patient, relationship, by, because="", since=None, ends_on=None):
        """Open the portal of this patient to the user, and give guardian's permission in the same transaction."""
        since = since or patient.clinic.today()
        refuse_unfit(patient, relationship, ends_on, since)
        row = cls(
            clinic_id=patient.clinic_id, user=user, patient=patient, relationship=relationship, since=since,
            ends_on=ends_on).record(by=by, because=because)
        assign_perm("clinic.act_for_patient", user, patient)
        return row

    @transaction.atomic
    def revoke(self, *, by, because):
        """Close it, and take guardian's permission away."""
        self.lock()
        if self.until is not None:
            raise Refused("This has ended already.")
        if not because.strip():
            raise ValidationError({"because": "Write why it ends: that stays with it."})
        self.until = self.clinic.today()
        remove_perm("clinic.act_for_patient", self.user, self.patient)
        return self.record(by=by, because=because)

    @classmethod
    def end_over(cls, system, now=None):
        """Write down the end of those whose last day is over; returns how many. `system`: the actor of a clinic."""
        ended = 0
        for row in cls.objects.over(now or timezone.now()):
            by = system(row.clinic)
            grown = row.relationship == cls.Relationship.GUARDIAN and row.clinic.today(now) >= comes_of_age(row.patient.person)
            row.revoke(by=by, because="The patient is of age" if grown else "Its last day is over")
            ended += 1
        return ended


def refuse_unfit(patient, relationship, ends_on, today):
    """ValidationError for an access, or an invitation to one, that can't be: of a child alone, of a guardian of an adult, over."""
    of_age = comes_of_age(patient) <= today
    if relationship == PortalAccess.Relationship.SELF and not of_age:
        raise ValidationError({"relationship": "The patient is not of age: a parent or guardian acts for them."})
    if relationship == PortalAccess.Relationship.GUARDIAN and of_age:
        raise ValidationError({"relationship": "The patient is of age and has no guardian here. Choose proxy."})
    if ends_on is not None and (relationship == PortalAccess.Relationship.SELF or ends_on <= today):
        said = "A patient's own access has no last day." if ends_on > today else "This day is over. Write a later one, or none."
        raise ValidationError({"ends_on": said})
