"""Jobs of the practice; each calls one verb."""
from django.core.management import call_command

from clinic.models import OnceKey


def forget_once_keys():
    return OnceKey.forget_old()


def forget_sessions():
    call_command("clearsessions")
