"""The roles as Django groups, made after every `migrate`."""
from django.conf import settings


def make_groups(using="default", **kwargs):
    from django.contrib.auth.models import Group

    for name in sorted(set(settings.ROLE_PERMISSIONS) - {"coach", "patient"}):
        Group.objects.using(using).get_or_create(name=name)


def roles_that_may(permission):
    """The names of the roles that hold this permission."""
    return [role for role, permissions in settings.ROLE_PERMISSIONS.items() if permission in permissions]
