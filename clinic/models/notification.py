from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from clinic.db.keys import uuid7
from clinic.db.records import Record
from clinic.models.clinic import Clinic
from clinic.models.mail import Mail
from clinic.models.membership import Membership
from clinic.models.user import User
from clinic.notices import NOTICES, roles_concerned


def known_choices(value):
    if not isinstance(value, dict) or not set(value.values()) <= set(NotificationChoices.Choice.values):
        raise ValidationError("Choose how you are told of each kind.")


class NotificationChoices(Record):
    """Of what one person is told in one clinic, and how. No row: as is usual for each kind."""

    class Choice(models.TextChoices):
        OFF = "off", "Not at all"
        BELL = "bell", "In the bell"
        DIGEST = "digest", "In the bell and in the daily e-mail"

    USUAL_HOUR = 7

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="notification_choices", editable=False)
    choices = models.JSONField(
        default=dict, blank=True, validators=[known_choices], help_text="{kind: choice}; others are as usual.")
    digest_hour = models.PositiveSmallIntegerField(
        "hour of the daily e-mail", default=USUAL_HOUR, validators=[MaxValueValidator(23)])

    class Meta:
        verbose_name_plural = "notification choices"
        constraints = [
            models.UniqueConstraint(fields=["clinic", "user"], name="clinic_notificationchoices_one_a_person"),
            models.CheckConstraint(condition=Q(digest_hour__lte=23), name="clinic_notificationchoices_hour_of_a_day"),
        ]

    def __str__(self):
        return f"What {self.user} is told"

    @classmethod
    def of(cls, actor):
        """The actor's own row, or one with what is usual that is not saved."""
        return cls.objects.filter(clinic=actor.clinic, user=actor.user).first() or cls(clinic=actor.clinic, user=actor.user)

    def choose(self, *, by, version, **values):
        """Set `choices` and `digest_hour`; the first time makes the row."""
        if not self._state.adding:
            return self.change(by=by, version=version, **values)
        for name, value in values.items():
            setattr(self, name, value)
        return self.record(by=by)

    def choice(self, notice):
        return self.choices.get(notice.name, notice.usual)


class NotificationQuerySet(models.QuerySet):
    def visible_to(self, actor):
        """One's own, in this clinic."""
        if actor is None or actor.hat != "staff" or actor.user is None:
            return self.none()
        return self.filter(clinic=actor.clinic_id, user=actor.user)

    def unread(self):
        return self.filter(read_at=None)

    def count_and_token(self):
        """(how many, a text that differs after any change to them); one query."""
        seen = self.aggregate(rows=Count("pk"), last=Max("created_at"))
        return seen["rows"], f"{seen['rows']}-{seen['last'].timestamp() if seen['last'] else 0:.6f}"

    def mark_read(self, now=None):
        return self.unread().update(read_at=now or timezone.now())


class Notification(models.Model):
    """That one person is told of something that waits or happened. It names no patient: the page it leads to does.

    Not a message between people, and not the work itself: what waits stands on its own list, read or unread.
    """

    KEEP = timedelta(days=180)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120, help_text="A person is told of the same key once.")
    url = models.CharField(max_length=200, help_text="Where it leads: an address of ours, without patient data.")
    in_digest = models.BooleanField(default=False)
    digest_at = models.DateTimeField(null=True, help_text="When the daily e-mail that counts it was written.")
    read_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["clinic", "user", "key"], name="clinic_notification_once")]
        indexes = [
            models.Index(fields=["clinic", "user", "-created_at"], name="clinic_notification_of_user"),
            models.Index(
                fields=["clinic", "user", "created_at"], condition=Q(read_at=None), name="clinic_notification_unread"),
        ]

    def __str__(self):
        return self.sentence

    @property
    def sentence(self):
        notice = NOTICES.get(self.kind)
        return notice.sentence if notice else self.kind

    @classmethod
    def tell(cls, clinic, kind, *, key, url, users=None, roles=None, by=None, now=None):
        """Tell people of something, in the caller's transaction; who was told of this key already is not told again.

        `users`, or the members who hold one of these `roles` (names); by default the members whom this kind concerns.
        Who brought it about (`by`) need not be told, and who wants to know nothing of this kind is not.
        """
        notice, now = NOTICES[kind], now or timezone.now()
        if users is None:
            users = members(clinic, roles or roles_concerned(notice))
        keys = {getattr(user, "pk", user) for user in users} - {by.user.pk if by is not None and by.user else None}
        chosen = dict.fromkeys(keys, notice.usual) | {
            row.user_id: row.choice(notice) for row in NotificationChoices.objects.filter(clinic=clinic, user__in=keys)}
        cls.objects.bulk_create(
            [cls(clinic=clinic, user_id=user, kind=kind, key=key, url=url, created_at=now,
                 in_digest=choice == NotificationChoices.Choice.DIGEST)
             for user, choice in chosen.items() if choice != NotificationChoices.Choice.OFF],
            ignore_conflicts=True)

    @classmethod
    def write_digests(cls, now=None):
        """Write the daily e-mail of those for whom something new waits and whose hour has come; returns how many.

        Once a day and person by its key, whoever else runs this and however the clock moves.
        """
        now = now or timezone.now()
        waiting = cls.objects.unread().filter(in_digest=True, digest_at=None)
        hours = {(row.clinic_id, row.user_id): row.digest_hour for row in NotificationChoices.objects.all()}
        pairs = list(waiting.order_by().values_list("clinic", "user").distinct())
        clinics = Clinic.objects.in_bulk({clinic for clinic, _ in pairs})
        users, written = User.objects.in_bulk({user for _, user in pairs}), 0
        for clinic, user in pairs:
            local = now.astimezone(clinics[clinic].zone)
            if local.hour < hours.get((clinic, user), NotificationChoices.USUAL_HOUR):
                continue
            with transaction.atomic():
                letter = Mail.write(
                    Mail.Kind.DIGEST, user=users[user], site=settings.SITE_URL, key=f"{user}:{local.date()}")
                if letter is not None:
                    waiting.filter(user=user).update(digest_at=now)
                    written += 1
        return written

    @classmethod
    def waiting_for(cls, user):
        """How many things the daily e-mail tells this person of."""
        return cls.objects.unread().filter(user=user, in_digest=True).count()

    @classmethod
    def forget_old(cls, now=None):
        """Drop what is past its time; returns how many."""
        return cls.objects.filter(created_at__lt=(now or timezone.now()) - cls.KEEP).delete()[0]


def members(clinic, roles):
    """The keys of the users who hold one of these roles in this clinic now."""
    return Membership.objects.filter(
        clinic=clinic, until=None, user__is_active=True, roles__is_held=True, roles__group__name__in=roles,
    ).values_list("user", flat=True).distinct()
