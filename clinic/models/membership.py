from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from guardian.shortcuts import assign_perm, remove_perm

from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import Refused
from clinic.models.clinic import Clinic
from clinic.models.mail import Mail
from clinic.models.user import User

# One clinic must not gain power over somebody who works, coaches or is treated in another one by knowing an address.
ELSEWHERE = "This address signs in for another practice or a portal already. Whoever runs the installation can add them here."


class MembershipQuerySet(RecordQuerySet):
    def current(self, on=None):
        return self.filter(Q(until=None) | Q(until__gt=on)) if on else self.filter(until=None)


class Membership(Record):
    """That a user works in a clinic, from when to when. Rights hang on its roles, not on the user.

    Coaches and patients are no members; see Coaching and PortalAccess.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    since = models.DateField()
    until = models.DateField(null=True, blank=True, help_text="The day on which access ended.")

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "user"], condition=Q(until=None), name="clinic_membership_one_open",
                violation_error_message="This person is a member of this clinic already."),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")), name="clinic_membership_ends_after_start"),
        ]

    def __str__(self):
        return f"{self.user} at {self.clinic}"

    @classmethod
    @transaction.atomic
    def open(cls, *, user, clinic, roles, by, since=None, because=""):
        """Make the user a member with these roles (names of groups)."""
        membership = cls(user=user, clinic=clinic, since=since or clinic.today())
        membership.record(by=by, because=because)
        for role in roles:
            membership.grant(role, by=by, because=because)
        return membership

    @classmethod
    @transaction.atomic
    def invite(cls, *, email, name, clinic, roles, by, site="", since=None, because=""):
        """Make somebody a member by e-mail address: who has no sign-in yet gets one, and a letter how to set a password."""
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is not None and user.has_a_part_elsewhere(clinic):
            raise ValidationError({"email": ELSEWHERE})
        if user is None:
            user = User.objects.create_user(email, name=name)
            Mail.write(Mail.Kind.WELCOME, user=user, site=site, key=str(user.pk))
        elif user.is_superuser or not user.is_active:
            raise ValidationError({"email": "This address can't become a member."})
        return cls.open(user=user, clinic=clinic, roles=roles, by=by, since=since, because=because)

    @transaction.atomic
    def set_roles(self, roles, *, by, because=""):
        """Hold exactly these roles from now on."""
        held = set(self.roles.filter(is_held=True).values_list("group__name", flat=True))
        for role in sorted(set(roles) - held):
            self.grant(role, by=by, because=because)
        for role in sorted(held - set(roles)):
            self.revoke(role, by=by, because=because)

    def grant(self, role, *, by, because=""):
        """Add a role; the rights hold from the next request."""
        group = Group.objects.get(name=role)
        held = self.roles.filter(group=group, is_held=True).first()
        return held or MembershipRole(clinic_id=self.clinic_id, membership=self, group=group).record(by=by, because=because)

    def revoke(self, role, *, by, because):
        """Take a role away; the rights end with the next request. The last manager stays one."""
        if role == "manager":
            self._refuse_to_leave_nobody()
        for held in self.roles.filter(group__name=role, is_held=True):
            held.change(by=by, because=because, is_held=False)

    @transaction.atomic
    def end(self, *, by, because, on=None):
        """End the membership: the clinic is closed to the user from the next request on."""
        self.lock()
        self._refuse_to_leave_nobody()
        self.until = on or self.clinic.today()
        return self.record(by=by, because=because)

    def _refuse_to_leave_nobody(self):
        managers = Membership.objects.filter(
            clinic=self.clinic_id, until=None, roles__group__name="manager", roles__is_held=True)
        if managers.filter(pk=self.pk).exists() and not managers.exclude(pk=self.pk).exists():
            raise Refused("Somebody must manage the practice. Make somebody else a manager first.")


class MembershipRole(Record):
    """A role (a Django group) that a membership holds or held."""

    membership = models.ForeignKey(Membership, models.PROTECT, related_name="roles")
    group = models.ForeignKey(Group, models.PROTECT, related_name="+")
    is_held = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(
            fields=["clinic", "membership", "group"], condition=Q(is_held=True), name="clinic_membershiprole_once")]

    def __str__(self):
        return self.group.name


class Coaching(Record):
    """That a coach follows a clinic's growth. It opens nothing clinical and is no membership."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="coachings")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(
            fields=["clinic", "user"], condition=Q(until=None), name="clinic_coaching_one_open")]

    def __str__(self):
        return f"{self.user} coaches {self.clinic}"

    @classmethod
    @transaction.atomic
    def grant(cls, *, user, clinic, by, because="", since=None):
        """Begin, and give guardian's permission for this clinic in the same transaction."""
        row = cls(user=user, clinic=clinic, since=since or clinic.today()).record(by=by, because=because)
        assign_perm("clinic.coach_clinic", user, clinic)
        return row

    @transaction.atomic
    def revoke(self, *, by, because):
        """End it, and take guardian's permission away."""
        self.lock()
        if self.until is not None:
            raise Refused("This has ended already.")
        self.until = self.clinic.today()
        remove_perm("clinic.coach_clinic", self.user, Clinic.objects.get(pk=self.clinic_id))
        return self.record(by=by, because=because)
