"""Who may what: rights hang on memberships, a stranger gets 404, and access ends at once."""

import pytest
from django.urls import reverse

from clinic.access.actor import Actor
from clinic.access.hats import hats_of, name_of
from clinic.access.rules import may
from clinic.db.refusals import Refused
from clinic.models import Clinic, Coaching, Membership, Patient, PortalAccess, Provider, User
from config.roles import ROLES


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"coach", "patient"}))
def test_a_member_may_exactly_what_the_role_says(cast, role):
    if role == "coordinator":
        assert ROLES[role] >= ROLES["receptionist"]
    actor = cast.actor(role)
    assert actor.permissions == ROLES[role]
    for verb in set().union(*ROLES.values()):
        assert may(actor, verb) is (verb in ROLES[role])


def test_an_object_of_another_clinic_is_never_allowed(cast):
    assert may(cast.desk, "clinic.change_patient", cast.ada)
    assert not may(cast.desk, "clinic.change_patient", cast.outsider.ada)


def test_nobody_may_nothing():
    assert not may(None, "clinic.view_patient")


def test_visible_rows_are_those_of_the_actors_clinic(cast):
    assert set(Patient.objects.visible_to(cast.desk)) == {cast.ada, cast.grace}
    assert set(Patient.objects.visible_to(cast.portal)) == {cast.ada}
    assert not Patient.objects.visible_to(cast.coach).exists()
    assert not Patient.objects.visible_to(None).exists()
    assert list(Clinic.objects.visible_to(cast.desk)) == [cast.clinic]


def test_only_who_treats_and_is_signed_in_is_a_provider(cast):
    assert Provider.objects.that_is(cast.dentist) == cast.drill
    assert Provider.objects.that_is(cast.desk) is None
    assert Provider.objects.that_is(cast.system) is None  # though there is one without a sign-in
    assert Provider.objects.that_is(cast.portal) is None
    cast.drill.change(by=cast.manager, is_active=False)
    assert Provider.objects.that_is(cast.dentist) is None


@pytest.mark.parametrize(
    "domain_url", ["/patients/{}/", "/patients/{}/edit/", "/patients/{}/medical-history/", "/patients/{}/history/"]
)
def test_a_patient_of_another_clinic_is_not_found(cast, desk_client, domain_url):
    assert desk_client.get(domain_url.format(cast.ada.pk)).status_code == 200
    assert desk_client.get(domain_url.format(cast.outsider.ada.pk)).status_code == 404


def test_a_role_that_may_not_is_told_so(sign_in):
    assert sign_in("dentist").get("/patients/new/").status_code == 403


def test_a_disabled_user_is_out_at_the_next_request(cast, desk_client):
    assert desk_client.get("/today/").status_code == 200
    cast.user("receptionist").disable(by=cast.manager, because="Left the practice")
    assert desk_client.get("/today/").status_code == 302
    assert not User.objects.get(email="receptionist@test.example").is_active


def test_an_ended_membership_closes_the_clinic_at_once(cast, desk_client):
    cast.desk.membership.end(by=cast.manager, because="Contract ended")
    assert desk_client.get("/today/").status_code == 403


def test_a_revoked_role_ends_with_the_next_request(cast, desk_client):
    Membership.objects.get(pk=cast.desk.membership.pk).revoke("receptionist", by=cast.manager, because="New task")
    assert desk_client.get("/patients/").status_code == 403


def test_signing_out_everywhere_ends_every_session(cast, sign_in):
    here, there = sign_in("receptionist"), sign_in("receptionist")
    assert here.post("/sign-out-everywhere/").status_code == 302
    assert there.get("/today/").status_code == 302
    assert here.get("/today/").url.startswith(reverse("clinic:sign_in"))


def test_a_member_of_two_clinics_sees_one_at_a_time(cast, desk_client):
    other = cast.outsider.clinic
    Membership.open(user=cast.user("receptionist"), clinic=other, roles=["receptionist"], by=cast.system)
    assert desk_client.get(f"/patients/{cast.outsider.ada.pk}/").status_code == 404
    hat = next(hat for hat in hats_of(cast.user("receptionist")) if hat.clinic == other)
    desk_client.post("/switch-clinic/", {"clinic": name_of(hat)})
    assert desk_client.get(f"/patients/{cast.outsider.ada.pk}/").status_code == 200
    assert desk_client.get(f"/patients/{cast.ada.pk}/").status_code == 404


def test_one_cannot_switch_to_a_clinic_one_does_not_belong_to(cast, desk_client):
    assert desk_client.post("/switch-clinic/", {"clinic": f"staff:{cast.outsider.clinic.pk}"}).status_code == 404


def test_a_coach_follows_growth_and_nothing_clinical(cast, sign_in):
    coach = sign_in("coach")
    assert coach.get("/practice/").status_code == 200
    for path in ("/patients/", "/today/", "/schedule/", f"/patients/{cast.ada.pk}/"):
        assert coach.get(path).status_code == 403


def test_the_coachs_row_and_guardians_permission_agree(cast):
    coach = cast.user("coach")
    assert may(cast.coach, "clinic.view_growth", cast.clinic)
    Coaching.objects.get(user=coach).revoke(by=cast.manager, because="Programme ended")
    coach = User.objects.get(pk=coach.pk)
    assert not coach.has_perm("clinic.coach_clinic", cast.clinic)
    assert list(hats_of(coach)) == []


def test_the_portals_row_and_guardians_permission_agree(cast):
    user = cast.user("patient")
    assert may(cast.portal, "clinic.use_portal", cast.ada)
    assert not may(cast.portal, "clinic.use_portal", cast.grace)
    PortalAccess.objects.get(user=user).revoke(by=cast.manager, because="Asked for it")
    assert list(hats_of(User.objects.get(pk=user.pk))) == []


def test_a_patient_sees_only_the_portal(cast, sign_in):
    client = sign_in("patient")
    assert client.get("/my/").status_code == 200
    for path in ("/patients/", "/today/", "/practice/", f"/patients/{cast.ada.pk}/"):
        assert client.get(path).status_code == 403


def test_users_groups_stay_empty_and_the_roles_are_groups(cast):
    assert not User.groups.through.objects.exists()
    assert {row.group.name for row in cast.desk.membership.roles.all()} == {"receptionist"}


def test_the_system_actor_has_no_user(cast):
    assert Actor.system(cast.clinic).user is None


def test_an_old_copy_of_a_user_does_not_bring_a_disabled_one_back(cast):
    old = cast.user("receptionist")
    cast.user("receptionist").disable(by=cast.manager, because="Left")
    old.sign_out_everywhere(by=cast.desk)
    assert not User.objects.get(pk=old.pk).is_active


def test_what_has_ended_is_not_ended_again(cast):
    access = PortalAccess.objects.get(user=cast.user("patient"))
    access.revoke(by=cast.manager, because="Asked for it")
    PortalAccess.grant(user=cast.user("patient"), patient=cast.ada, relationship="self", by=cast.manager)
    with pytest.raises(Refused):
        access.revoke(by=cast.manager, because="Again")
    assert User.objects.get(pk=access.user_id).has_perm("clinic.act_for_patient", cast.ada)
