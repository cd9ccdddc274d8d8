"""Nothing of the demo may stand where DEMO=0: its password is public."""
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connections


@checks.register(checks.Tags.database)
def no_demo_where_it_is_off(databases=None, **kwargs):
    """An error while DEMO is off and a demo user could still sign in."""
    if settings.DEMO:
        return []
    return [
        checks.Error(
            f"{count} demo sign-ins with a public password are still active, though DEMO is off.",
            hint="Use a fresh database for the practice, or disable these users: User.objects.filter(is_demo=True).",
            id="config.E001")
        for count in map(_active_demo_users, databases or ()) if count]


def _active_demo_users(alias):
    from clinic.models import User

    if User._meta.db_table not in connections[alias].introspection.table_names():
        return 0
    try:
        return User.objects.using(alias).filter(is_demo=True, is_active=True).count()
    except DatabaseError:  # a column is not there before its migration
        return 0
