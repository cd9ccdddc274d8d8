"""The moment between the right password and the second factor: a session that belongs to nobody yet."""
from datetime import timedelta

from django.utils import timezone

from clinic.models import User

KEY = "pending"
LASTS = timedelta(minutes=10)


def wait_for_second(request, user, next_url):
    """Remember who gave the right password; it opens nothing but the page that asks for the second factor."""
    request.session.flush()
    request.session[KEY] = {
        "user": str(user.pk), "hash": user.get_session_auth_hash(), "at": timezone.now().timestamp(), "next": next_url}


def pending_user(request):
    """Who gave the right password a moment ago; None when nobody did, or something about the user changed since."""
    found = request.session.get(KEY)
    if not found or timezone.now().timestamp() - found["at"] > LASTS.total_seconds():
        return None
    user = User.objects.filter(pk=found["user"], is_active=True).first()
    return user if user and user.get_session_auth_hash() == found["hash"] else None
