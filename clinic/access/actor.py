"""Who acts: one frozen value for a request, a token, a job or a command."""
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Actor:
    """A user in one clinic, under one hat.

    hat: "staff" (a member), "coach" (follows a clinic's growth), "portal" (a patient or their proxy; then `patient` is
    set), "system" (a job or command; no user).
    via: the way in: page, api, admin, job, command, shell, link (a patient answers a mailed one).
    `permissions`: names like `clinic.view_patient`.
    """

    user: Any
    clinic: Any
    membership: Any = None
    patient: Any = None
    hat: str = "staff"
    roles: frozenset = frozenset()
    permissions: frozenset = field(default=frozenset(), repr=False)
    via: str = "page"
    request_id: str = ""

    @property
    def clinic_id(self):
        return self.clinic.pk

    @classmethod
    def system(cls, clinic, via="command", request_id=""):
        """A job or a command of the installation: no user, every permission of the clinic's staff."""
        return cls(
            user=None, clinic=clinic, hat="staff", via=via, request_id=request_id,
            permissions=frozenset().union(*settings.ROLE_PERMISSIONS.values()))

    @classmethod
    def member(cls, membership, roles, **more):
        """A member of a clinic with the rights of these roles (names)."""
        return cls(
            user=membership.user, clinic=membership.clinic, membership=membership, roles=frozenset(roles),
            permissions=permissions_of(roles), **more)

    @classmethod
    def of_link(cls, link, permissions=(), request_id=""):
        """A patient who answers by a mailed link: nobody who signed in, with these permissions alone."""
        return cls(
            user=None, clinic=link.clinic, patient=link.patient, hat="portal", via="link",
            permissions=frozenset(permissions), request_id=request_id)


def permissions_of(roles):
    """All that these roles may do together. A role without a line in the map may nothing."""
    return _together(frozenset(roles))


@lru_cache(maxsize=256)
def _together(roles):
    return frozenset().union(*(settings.ROLE_PERMISSIONS.get(role, ()) for role in roles))
