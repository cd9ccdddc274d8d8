from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from guardian.shortcuts import assign_perm, remove_perm

from clinic.access.groups import roles_that_may
from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import Refused
from clinic.models.notification import members
from treatment.models.plan import TreatmentPlan

WRITE = "treatment.write_plan"


class CareTeamQuerySet(RecordQuerySet):
    def current(self):
        return self.filter(until=None)


class CareTeamMember(Record):
    """That a user belongs to a plan's care team, from when to when, and whether they write it. Staff who are not in it read.

    The assigned provider's user is in it by the assignment. Every row that writes has guardian's permission beside it, given and
    taken in the same transaction.
    """

    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="care_team")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="care_teams")
    is_writer = models.BooleanField("writes", default=False)
    is_assigned = models.BooleanField(default=False, editable=False, help_text="As the plan's provider.")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    objects = CareTeamQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "plan", "user"], condition=Q(until=None), name="treatment_careteam_one_open",
                violation_error_message="This person is in the care team already."),
            models.UniqueConstraint(
                fields=["clinic", "plan"], condition=Q(until=None, is_assigned=True), name="treatment_careteam_one_assigned"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="treatment_careteam_ends_after_start"),
            models.CheckConstraint(
                condition=Q(is_assigned=False) | Q(is_writer=True), name="treatment_careteam_assigned_writes"),
        ]

    def __str__(self):
        return f"{self.user} for {self.plan}"

    @classmethod
    @transaction.atomic
    def add(cls, *, by, plan, user, is_writer=False, because=""):
        """Add somebody to the care team; as a writer they may write the plan from the next request on. A manager's act."""
        plan.lock()
        plan.refuse_over()
        if not user.memberships.filter(clinic=plan.clinic_id, until=None).exists():
            raise Refused("Only people who work here belong to a care team.")
        if is_writer and user.pk not in members(plan.clinic_id, roles_that_may(WRITE)):
            raise Refused(f"{user} can't write plans: their role reads them. Add them as a reader.")
        there = cls.objects.current().filter(plan=plan, user=user).first()
        if there is not None and (there.is_writer or not is_writer):
            return there
        if there is not None:
            return there._entitle(by, is_writer=True)
        return cls(plan=plan, clinic_id=plan.clinic_id, user=user, since=by.clinic.today())._entitle(by, is_writer, because)

    @transaction.atomic
    def end(self, *, by, because=""):
        """Take somebody out of the care team; from the next request on they read. Not the assigned provider."""
        self.lock()
        if self.until is not None:
            raise Refused("This has ended already.")
        if self.is_assigned:
            raise Refused("This is the plan's provider. Assign the plan to somebody else first.")
        return self._leave(by, because)

    @classmethod
    def entitle(cls, plan, *, by):
        """After an assignment: who had the plan reads it, who has it now writes it. The caller holds the plan's lock."""
        team = cls.objects.current().filter(plan=plan)
        for row in team.filter(is_assigned=True).exclude(user=plan.provider.user):
            row._leave(by, "The plan was assigned to somebody else")
        if plan.provider.user_id is None:
            return
        row = team.filter(user=plan.provider.user).first() or cls(
            plan=plan, clinic_id=plan.clinic_id, user=plan.provider.user, since=by.clinic.today())
        row.is_assigned = True
        row._entitle(by, is_writer=True)

    @classmethod
    @transaction.atomic
    def follow(cls, provider, *, by):
        """After somebody got this provider's sign-in: they write the provider's open plans, who had it reads them."""
        for plan in TreatmentPlan.objects.filter(clinic=provider.clinic_id, provider=provider).open().order_by("pk").lock():
            plan.provider = provider
            cls.entitle(plan, by=by)

    def _entitle(self, by, is_writer, because=""):
        self.is_writer = is_writer
        self.record(by=by, because=because)
        if is_writer:
            assign_perm(WRITE, self.user, self.plan)
        return self

    def _leave(self, by, because):
        self.until = max(by.clinic.today(), self.since)
        self.record(by=by, because=because)
        if self.is_writer:
            remove_perm(WRITE, self.user, self.plan)
        return self
