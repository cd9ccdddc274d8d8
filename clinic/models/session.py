from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone


class SessionQuerySet(models.QuerySet):
    def open(self, now=None):
        """Those that still open something, the one used last first."""
        return self.filter(expire_date__gt=now or timezone.now()).order_by("-seen_at")


class Session(AbstractBaseSession):
    """One browser that is signed in, or is about to be. Not a sign-in's record: that is an AccessEvent.

    The primary key is the SHA-256 of the cookie's key, so that nobody who reads this table can take a session over.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey("clinic.User", models.PROTECT, null=True, related_name="sessions", editable=False)
    signed_in_at = models.DateTimeField(default=timezone.now, help_text="From here the absolute limit counts.")
    seen_at = models.DateTimeField(default=timezone.now, help_text="The last act of a person, to the minute.")
    locked_at = models.DateTimeField(null=True, help_text="Since when it waits for the password.")
    machine = models.CharField(max_length=60, blank=True, help_text="In plain words, such as Firefox on Windows.")
    source = models.GenericIPAddressField(null=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        db_table = "clinic_session"

    def __str__(self):
        return self.machine or "Unknown machine"

    @classmethod
    def get_session_store_class(cls):
        from clinic.access.sessions import SessionStore

        return SessionStore
