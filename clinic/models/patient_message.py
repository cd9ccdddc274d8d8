from django.conf import settings
from django.db import models, transaction
from django.urls import reverse

from clinic.models.outgoing import Outgoing
from clinic.models.patient_link import PatientLink


class PatientMessage(Outgoing):
    """A message to a patient, by e-mail or as a text, with a one-use link where there is a page for it. What it is about, its kinds
    say: `Reminder`, …

    It says no more than that something waits; the rest stands on the page that the link opens, or is asked of the practice.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        SMS = "sms", "Text message"

    PURPOSE = TEMPLATE = ROUTE = ""  # of the link; what it says; the name of the page that opens the link

    clinic = models.ForeignKey("clinic.Clinic", models.PROTECT, related_name="+", editable=False, db_index=False)
    channel = models.CharField(max_length=8, choices=Channel)
    link = models.OneToOneField(PatientLink, models.PROTECT, null=True, related_name="%(class)s")

    class Meta(Outgoing.Meta):
        abstract = True

    # What each kind says of itself.

    @property
    def patient(self):
        raise NotImplementedError

    @property
    def good_until(self):
        """Until when the link can be used."""
        raise NotImplementedError

    def is_wanted(self, now):
        """Asked when it leaves: whether it should still go."""
        raise NotImplementedError

    def words(self):
        """What its template needs besides the clinic and the link."""
        return {}

    def compose(self, now):
        to = self.patient.email if self.channel == self.Channel.EMAIL else self.patient.phone
        if not to or not self.is_wanted(now):
            return None
        from clinic.mail.to_patients import message_to

        return message_to(self.patient, self.channel, self.TEMPLATE, link=self.address(now), **self.words())

    def address(self, now):
        """Where it leads, with a new link each time: only its digest is kept, and the one of a try before surely never left. Empty
        where no page opens it (no ROUTE)."""
        if not self.ROUTE:
            return ""
        with transaction.atomic():
            if self.link is not None:
                self.link.revoke(now)
            self.link, secret = PatientLink.issue(self.patient, self.PURPOSE, expires_at=self.good_until)
            self.save(update_fields=["link"])
        return f"{settings.SITE_URL}{reverse(self.ROUTE, args=[secret])}"

    def tell_of_end(self):
        """A message that did not surely arrive is told to the desk."""
        from clinic.models.notification import Notification

        if self.state in (self.State.FAILED, self.State.MAYBE_SENT):
            Notification.tell(self.clinic, "message_failed", key=f"message:{self.pk}", url=self.page())

    def page(self):
        """The staff's page about what it tells of."""
        raise NotImplementedError
