"""Which hats a user may wear, and the actor under one of them."""
from django.db.models import F

from clinic.access.actor import Actor, permissions_of
from clinic.db.prepared import Prepared
from clinic.models import Coaching, Membership, PortalAccess

SESSION_KEY = "hat"
HELD = Prepared(lambda blank: Membership.objects.filter(
    user=blank("user", Membership, "user"), until=None, roles__is_held=True,
).select_related("clinic").annotate(role=F("roles__group__name")))


def hats_of(user):
    """The actors that this user can be: of a member the clinics, of somebody who is none what they coach and whose portal
    they may use. A member who is a patient too has a sign-in of their own for the portal.

    One query for a member; coaches and patients take one or two more, and one a row to ask guardian.
    """
    memberships, roles = {}, {}
    for row in sorted(HELD(user=user.pk), key=lambda row: (row.clinic.name, row.role)):
        memberships.setdefault(row.pk, row)
        roles.setdefault(row.pk, []).append(row.role)
    if memberships:
        for key, membership in memberships.items():
            membership.user = user
            yield Actor.member(membership, roles[key])
        return
    for row in Coaching.objects.filter(user=user).current().select_related("clinic").order_by("clinic__name"):
        if user.has_perm("clinic.coach_clinic", row.clinic):
            yield Actor(user=user, clinic=row.clinic, hat="coach", permissions=permissions_of(["coach"]))
    for row in PortalAccess.objects.filter(user=user).current().select_related("clinic", "patient__merged_into"):
        if row.holds(row.clinic.today()) and user.has_perm("clinic.act_for_patient", row.patient):
            yield Actor(
                user=user, clinic=row.clinic, patient=row.patient.person, hat="portal", permissions=permissions_of(["patient"]))


def name_of(actor):
    """How the session remembers a hat."""
    return f"{actor.hat}:{actor.patient.pk if actor.patient else actor.clinic_id}"
