from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from clinic.db.records import Record, RecordQuerySet
from clinic.db.refusals import Refused
from clinic.models.outgoing import Outgoing, nudge
from clinic.models.patient import Patient
from clinic.models.patient_link import PatientLink
from clinic.models.portal_access import PortalAccess, refuse_unfit
from clinic.models.user import User

LASTS = timedelta(days=7)
MOST_TRIES = 5
NOT_BORN_THEN = "This is not the birth date that we have."
STAFF_ADDRESS = "This address signs in for a practice already. Ask us for an invitation to another address of yours."


class PortalInvitationQuerySet(RecordQuerySet):
    def waiting(self, now=None):
        """Those that can still be accepted."""
        now = now or timezone.now()
        return self.filter(access=None, withdrawn_because="", tries__lt=MOST_TRIES, expires_at__gt=now)

    def newest_first(self):
        return self.order_by("-created_at", "-id")


class PortalInvitation(Record):
    """That somebody was asked to use the portal of a patient. The link in its letter is good once, for a week, until it is taken
    back; who opens it confirms with the patient's birth date. Five wrong dates use it up.
    """

    PURPOSE = "portal"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ACCEPTED = "accepted", "Accepted"
        WITHDRAWN = "withdrawn", "Taken back"
        OVER = "over", "Over"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="portal_invitations")
    name = models.CharField("who is invited", max_length=160)
    email = models.EmailField("e-mail")
    relationship = models.CharField(max_length=10, choices=PortalAccess.Relationship, default=PortalAccess.Relationship.SELF)
    ends_on = models.DateField("ends on", null=True, blank=True, help_text="From this day on it opens nothing.")
    expires_at = models.DateTimeField(editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Wrong birth dates.")
    access = models.OneToOneField(PortalAccess, models.PROTECT, null=True, editable=False, related_name="invitation")
    withdrawn_because = models.CharField(max_length=200, blank=True, default="", editable=False)

    objects = PortalInvitationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["clinic", "patient", "-created_at"], name="clinic_portalinvite_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=Q(relationship__in=["self", "guardian", "proxy"]), name="clinic_portalinvite_known_relationship"),
            models.CheckConstraint(
                condition=Q(access=None) | Q(withdrawn_because=""), name="clinic_portalinvite_accepted_or_withdrawn"),
            models.CheckConstraint(condition=Q(tries__lte=MOST_TRIES), name="clinic_portalinvite_five_tries"),
        ]

    def __str__(self):
        return f"Invitation of {self.name}"

    def state(self, now=None):
        """What became of it."""
        if self.access_id:
            return self.State.ACCEPTED
        if self.withdrawn_because:
            return self.State.WITHDRAWN
        good = self.tries < MOST_TRIES and self.expires_at > (now or timezone.now())
        return self.State.WAITING if good else self.State.OVER

    # Verbs

    @classmethod
    @transaction.atomic
    def invite(cls, *, by, patient, name, email, relationship, ends_on=None):
        """Ask somebody into the portal; the letter leaves after the transaction. An earlier one to the same address is taken
        back."""
        refuse_unfit(patient, relationship, ends_on, patient.clinic.today())
        email = email.strip().lower()
        if PortalAccess.objects.current().of(patient).filter(user__email=email).exists():
            raise ValidationError({"email": "Who has this address uses this portal already."})
        for earlier in cls.objects.waiting().of(patient).filter(email=email):
            earlier.withdraw(by=by, because="Invited again")
        row = cls(
            clinic_id=patient.clinic_id, patient=patient, name=name.strip(), email=email, relationship=relationship,
            ends_on=ends_on, expires_at=timezone.now() + LASTS).record(by=by)
        PortalLetter(clinic_id=row.clinic_id, invitation=row, key=f"portal_invitation:{row.pk}").write_once()
        transaction.on_commit(nudge)
        return row

    @transaction.atomic
    def withdraw(self, *, by, because):
        """Take it back: its link opens nothing from the next request on."""
        self.lock()
        if self.state() != self.State.WAITING:
            raise Refused(f"This invitation is {self.state().label.lower()} already.")
        if not because.strip():
            raise ValidationError({"because": "Write why it is taken back: that stays with it."})
        self.letter.close()
        self.withdrawn_because = because.strip()[:200]
        return self.record(by=by, because=because)

    def accept(self, *, by, born):
        """Confirm with the patient's birth date and get the user who signs in from now on. Another date counts as a try;
        Refused when the invitation is no longer good, ValidationError for a date that does not fit."""
        if not self._counted(by, born):
            raise ValidationError({"born": NOT_BORN_THEN})
        return self._accept(by)

    @transaction.atomic
    def _counted(self, by, born):
        """Whether the date fits. A wrong one is on record before anybody is told, and the last one ends the link."""
        self._open()
        if born == self.patient.person.date_of_birth:
            return True
        self.tries += 1
        if self.tries >= MOST_TRIES:
            self.letter.close()
        self.record(by=by, because="Another birth date was typed")
        return False

    @transaction.atomic
    def _accept(self, by):
        self._open()
        user = User.objects.select_for_update().filter(email=self.email).first()
        if user is not None and (not user.is_active or user.is_superuser or user.memberships.filter(until=None).exists()
                                 or user.coachings.filter(until=None).exists()):
            raise Refused(STAFF_ADDRESS)
        if user is None:
            user = User.objects.create_user(self.email, name=self.name)
        if not self.letter.link.use():
            raise Refused("This link was used already.")
        self.access = PortalAccess.grant(
            user=user, patient=self.patient, relationship=self.relationship, ends_on=self.ends_on, by=by,
            because="Accepted an invitation")
        self.record(by=by, because="Accepted")
        return user

    def _open(self):
        """Take it for an answer; Refused when it can't be answered any more."""
        self.lock()
        if self.state() != self.State.WAITING:
            raise Refused("This invitation is no longer good.")


class PortalLetter(Outgoing):
    """The letter of an invitation. It names the practice and nothing of the patient."""

    clinic = models.ForeignKey("clinic.Clinic", models.PROTECT, related_name="+", editable=False, db_index=False)
    invitation = models.OneToOneField(PortalInvitation, models.PROTECT, related_name="letter")
    link = models.OneToOneField(PatientLink, models.PROTECT, null=True, related_name="portal_letter")

    def compose(self, now):
        """With a new link each time it is composed: only the digest of its secret is kept."""
        from clinic.mail.to_patients import letter_to

        row = self.invitation
        if row.state(now) != PortalInvitation.State.WAITING:
            return None
        with transaction.atomic():
            self.close(now)
            self.link, secret = PatientLink.issue(row.patient, row.PURPOSE, expires_at=row.expires_at)
            self.save(update_fields=["link"])
        address = f"{settings.SITE_URL}{reverse('clinic:portal_invitation', args=[secret])}"
        return letter_to(row.patient, row.email, "clinic/mail/portal_invitation", link=address, until=row.expires_at)

    def close(self, now=None):
        """Its link opens nothing from now on."""
        if self.link is not None:
            self.link.revoke(now)
