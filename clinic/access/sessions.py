"""Where sessions are kept, how they begin, lock and end.

The database holds only a hash of each session's key. What a session knows besides its data (last act, locked) stands in
columns of its own, which saving the data never touches: a page that saves late can't wake a locked session.
"""
import hashlib
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import transaction
from django.utils import timezone

from clinic.access import guessing
from clinic.access.hats import SESSION_KEY as HAT
from clinic.access.hats import hats_of, name_of
from clinic.access.machines import machine_in_words
from clinic.db.prepared import Prepared

RIGHTS = "rights"
SECOND = "second_factor"
CONFIRMED = "confirmed"
CONFIRMED_FOR = timedelta(minutes=10)
WHILE_ANONYMOUS = timedelta(hours=1)


def _with_user(blank):
    from clinic.models import Session

    return Session.objects.filter(
        session_key=blank("key", Session, "session_key"), expire_date__gt=blank("now", Session, "expire_date"),
    ).select_related("user")


OPEN_SESSION = Prepared(_with_user)


def digest(key):
    """How the database knows a session's key; a plain hash will do, for the key is random."""
    return hashlib.sha256(key.encode()).hexdigest()


class SessionStore(db.SessionStore):
    """Django's database sessions under a hashed key, with an end that no activity moves."""

    row = None  # with its user, who is asked for on every page

    @classmethod
    def get_model_class(cls):
        from clinic.models import Session

        return Session

    def _get_session_from_db(self):
        self.row = next(iter(OPEN_SESSION(key=digest(self.session_key), now=timezone.now())), None)
        if self.row is None:
            self._session_key = None
        return self.row

    def load(self):
        row = self._get_session_from_db() if self.session_key else None
        return self.decode(row.session_data) if row else {}

    def exists(self, session_key):
        return self.model.objects.filter(session_key=digest(session_key)).exists()

    def save(self, must_create=False):
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)
        values = {"session_data": self.encode(data), "user_id": data.get(USER_KEY), "expire_date": self.get_expiry_date()}
        key = digest(self.session_key)
        if must_create:
            self.row = self.model.objects.create(session_key=key, **values)
        elif not self.model.objects.filter(session_key=key).update(**values):
            raise UpdateError

    def delete(self, session_key=None):
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(session_key=digest(key)).delete()

    def cycle_key(self):
        """A new key for the same session. Of two requests at once one renews it; the other leaves it as it is."""
        old = self.session_key
        if old is None:
            super().cycle_key()
            return
        self._get_session()
        new = self._get_new_session_key()
        if self.model.objects.filter(session_key=digest(old)).update(session_key=digest(new)):
            self._session_key = new
            self.modified = True

    def get_expiry_date(self, **kwargs):
        """12 hours from sign-in, whatever happens meanwhile; an hour for somebody who has not signed in."""
        began = self.row.signed_in_at if self.row else timezone.now()
        signed_in = self._get_session().get(USER_KEY)
        return began + (timedelta(seconds=settings.SESSION_COOKIE_AGE) if signed_in else WHILE_ANONYMOUS)

    def get_expiry_age(self, **kwargs):
        return max(0, int((self.get_expiry_date() - timezone.now()).total_seconds()))


def begin(request, user, second=""):
    """A new session for this user: nothing of who sat here before is left in it.

    `second`: the kind of second factor that was shown, if any. Returns the hats that the user may wear.
    """
    request.session.flush()
    login(request, user, backend="clinic.access.backends.ActorBackend")
    if second:
        request.session[SECOND] = second
    hats = list(hats_of(user))
    if hats:
        request.session[HAT] = name_of(hats[0])
    request.session[RIGHTS] = rights_of(user, hats)
    confirm(request)
    request.session.save()
    own_row(request).update(
        machine=machine_in_words(request.headers.get("User-Agent", "")), source=request.META.get("REMOTE_ADDR") or None)
    guessing.forget(guessing.account_of(user.email), guessing.account_of(user.email, guessing.SECOND))
    request.held, request.holder = "", user
    return hats


def go_on(request, user):
    """After one's own password or second factor changed: this session goes on, under a new key."""
    update_session_auth_hash(request, user)
    request.session[RIGHTS] = rights_of(user, request.hats)
    request.session.save()


def confirm(request):
    """Note that the person just showed who they are."""
    request.session[CONFIRMED] = timezone.now().timestamp()


def is_confirmed(request):
    """Whether that was a moment ago: what changes the way in asks for it."""
    return timezone.now().timestamp() - request.session.get(CONFIRMED, 0) < CONFIRMED_FOR.total_seconds()


def own_row(request):
    """This session's row, as a queryset of one."""
    return request.session.model.objects.filter(session_key=digest(request.session.session_key))


def is_idle(row, now):
    return row.locked_at is not None or now - row.seen_at > timedelta(seconds=settings.IDLE_SECONDS)


def seen(request, row, now):
    """Note that a person acted here; written once a minute at most, because every page would write otherwise."""
    if now - row.seen_at > timedelta(seconds=min(60, settings.IDLE_SECONDS / 15)):
        own_row(request).update(seen_at=now)


def lock(request):
    """Wait for the password from now on."""
    own_row(request).update(locked_at=timezone.now())


@transaction.atomic
def unlock(request):
    """Go on after the password: a new key, the same end."""
    own_row(request).update(locked_at=None, seen_at=timezone.now())
    confirm(request)
    request.session.cycle_key()


def rights_of(user, hats):
    """What a session was opened with: when it is another text, the session gets a new key."""
    held = sorted(f"{hat.hat}:{hat.clinic_id}:{hat.patient and hat.patient.pk}:{','.join(sorted(hat.roles))}" for hat in hats)
    text = f"{user.password}|{user.rights_epoch}|{user.is_staff}|{user.is_superuser}|{'|'.join(held)}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
