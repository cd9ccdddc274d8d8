"""Who has not confirmed, and what was done about it: for the board and for the page of a visit."""
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from clinic.mail.to_patients import SMS, way_to
from scheduling import slots
from scheduling.models import Appointment, ContactAttempt, Reminder, TimeWish

DAYS = (1, 3, 7, 14)
USUAL_DAYS = 3
MOST = 100  # rows a page
State = Reminder.State
# What a message's state says to the desk: tone, words. What is for nobody any more says nothing.
WORDS = {
    State.DUE: ("blue", "On its way"), State.CLAIMED: ("blue", "On its way"), State.SENT: ("green", "Asked"),
    State.FAILED: ("red", "Refused"), State.MAYBE_SENT: ("amber", "Maybe asked"),
}


@dataclass
class Row:
    """A visit that is not confirmed yet."""

    visit: object
    wishes: list = field(default_factory=list)
    messages: list = field(default_factory=list)
    calls: list = field(default_factory=list)

    @property
    def day(self):
        """For the headings of the board."""
        return timezone.localtime(self.visit.starts_at).date()

    @property
    def can_be_asked(self):
        return bool(self.visit.patient.person.email or way_to(self.visit.patient.person))

    @property
    def message(self):
        """The newest one that says something: tone, words, channel, when."""
        return next((described(one) for one in self.messages if one.state in WORDS), None)

    @property
    def call(self):
        return self.calls[0] if self.calls else None

    @property
    def why_not_asked(self):
        """Why nothing was sent, where nothing is going to be."""
        patient = self.visit.patient.person
        if not patient.wants_reminders:
            return "Wants no reminders"
        if way_to(patient):
            return ""
        if patient.contact_by == patient.ContactBy.EMAIL:
            return "No e-mail address"
        if patient.contact_by == SMS:
            return "No text messages" if patient.phone else "No mobile number"
        return "Wants a call"

    @property
    def phone(self):
        patient = self.visit.patient.person
        return patient.phone or patient.phone_home or patient.phone_work


def described(message):
    tone, words = WORDS[message.state]
    return {
        "tone": tone, "words": f"{words}: {message.get_channel_display().lower()}", "at": message.done_at or message.due_at,
        "why": message.get_kind_display(), "answer": message.get_answer_display()}


def unconfirmed(actor, now=None):
    """All visits to come that are not confirmed, the next first."""
    now = now or timezone.now()
    return Appointment.objects.visible_to(actor).filter(
        status=Appointment.Status.SCHEDULED, starts_at__gte=now).order_by("starts_at", "pk")


def within(actor, days, now=None):
    """Those of today and of this many days after it."""
    clinic, now = actor.clinic, now or timezone.now()
    return unconfirmed(actor, now).filter(starts_at__lt=slots.midnight(clinic.today(now) + timedelta(days=days + 1), clinic.zone))


def wished(actor, now=None):
    """Those whose patients asked for another time."""
    now = now or timezone.now()
    return unconfirmed(actor, now).filter(
        pk__in=TimeWish.objects.visible_to(actor).open(now).values("appointment"))


def rows_of(visits):
    """A Row for each; three queries besides the visits' own, whatever their number."""
    rows = {visit.pk: Row(visit) for visit in visits.select_related("patient__merged_into", "appointment_type", "provider")}
    kinds = (
        ("messages", Reminder.objects.of_present_time().order_by("-created_at", "-id")),
        ("wishes", TimeWish.objects.order_by("-at", "-id")),
        ("calls", ContactAttempt.objects.filter(about=ContactAttempt.About.CONFIRM).select_related("by").order_by("-at", "-id")))
    for name, found in kinds:
        for one in found.filter(appointment__in=list(rows)):
            getattr(rows[one.appointment_id], name).append(one)
    return list(rows.values())


def of_visit(visit):
    """What was sent and said about one visit, the newest first: {"messages_sent", "wishes", "calls"}."""
    return {
        "messages_sent": [described(one) for one in visit.reminders.order_by("-created_at", "-id") if one.state in WORDS],
        "wishes": list(visit.time_wishes.order_by("-at")),
        "calls": list(visit.contact_attempts.filter(about=ContactAttempt.About.CONFIRM).select_related("by"))}
