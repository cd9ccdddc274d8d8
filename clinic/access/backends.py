"""Who signs in, and `user.has_perm` from the request's actor, so that the admin follows the same rule as the pages."""
from axes.backends import AxesStandaloneBackend
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied


class LockOut(AxesStandaloneBackend):
    """Asked first: a locked account or source is refused before its password is compared."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        try:
            return super().authenticate(request, username=username, password=password, **kwargs)
        except PermissionDenied:
            make_password(password)  # the same work as a comparison, so that the time does not tell
            raise


class ActorBackend(ModelBackend):
    """E-mail and password; permissions only from the actor, never from user rows."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        username = username or kwargs.get("email")
        return super().authenticate(request, username=username, password=password)

    def get_all_permissions(self, user, obj=None):
        actor = getattr(user, "actor", None)
        if not user.is_active or obj is not None or actor is None:
            return set()
        return set(actor.permissions)

    get_user_permissions = get_group_permissions = get_all_permissions

    def has_perm(self, user, perm, obj=None):
        return perm in self.get_all_permissions(user, obj)
