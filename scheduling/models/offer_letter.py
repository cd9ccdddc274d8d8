from django.db import models, transaction
from django.urls import reverse

from clinic.models.outgoing import nudge
from clinic.models.patient_message import PatientMessage
from scheduling.models.front_desk import FrontDesk


class OfferLetter(PatientMessage):
    """The message that a time is free for one who waits, with a link to take it; written together with the offer."""

    PURPOSE, TEMPLATE, ROUTE = "offer", "scheduling/mail/offer", "scheduling:offer_link"

    offer = models.OneToOneField("scheduling.Offer", models.PROTECT, related_name="letter")

    class Meta(PatientMessage.Meta):
        pass

    def __str__(self):
        return f"offer ({self.get_state_display()})"

    @property
    def patient(self):
        return self.offer.entry.patient.person

    @property
    def good_until(self):
        return self.offer.holds_until

    def is_wanted(self, now):
        return self.offer.status == self.offer.Status.ASKED and now < self.offer.holds_until

    def words(self):
        return {
            "starts_at": self.offer.slot.starts_at, "until": self.offer.holds_until,
            "says_when": FrontDesk.of(self.clinic).reminders_say_when}

    def page(self):
        return reverse("clinic:patient", args=[self.patient.pk])

    @transaction.atomic
    def take(self, *, by, now=None):
        """The patient takes the time. Returns the visit."""
        self.link.use(now)
        return self.offer.accept(by=by, now=now)

    @transaction.atomic
    def leave(self, *, by, now=None):
        """The patient does not want it; the next one is asked."""
        self.link.use(now)
        return self.offer.decline(by=by, now=now, because="The patient answered by the link")

    @classmethod
    def write(cls, offer):
        """Write it, in the transaction of the offer."""
        cls(clinic_id=offer.clinic_id, offer=offer, channel=cls.Channel.EMAIL, key=f"offer:{offer.pk}").write_once()
        transaction.on_commit(nudge)
