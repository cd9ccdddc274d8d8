"""Into the portal: invited, confirmed, by a mailed code; and out: ended, taken back, of age, idle."""
import re
from datetime import date, timedelta

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from clinic.access.actor import Actor
from clinic.db.refusals import Refused
from clinic.mail import post
from clinic.models import PortalAccess, PortalInvitation, SignInCode, User
from clinic.tasks import end_portal_accesses
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def child(cast):
    return PatientFactory(by=cast.desk, first_name="Ben", last_name="Young", date_of_birth=date(cast.clinic.today().year - 9, 1, 1))


@pytest.fixture
def invite(cast):
    """`invite(patient)`: an invitation; (it, the path of its link, as the letter says it)."""
    def make(patient=None, **said):
        patient = patient or cast.grace
        row = PortalInvitation.invite(**{
            "by": cast.desk, "patient": patient, "name": "Gil", "email": "gil@family.example", "relationship": "proxy", **said})
        post.hand_over()
        return row, re.search(r"/my/invitation/\S+/", mail.outbox[-1].body)[0]
    return make


def confirm(client, path, born):
    client.get(path)
    return client.post("/my/invitation/", {"born": str(born)})


# Invited


def test_who_confirms_with_the_birth_date_is_in_and_the_link_opens_nothing_more(cast, invite):
    row, path = invite()
    client = Client()
    assert client.get(path).url == "/my/invitation/"
    page = client.get("/my/invitation/")
    assert cast.grace.last_name not in page.content.decode()
    assert confirm(client, path, cast.grace.date_of_birth).status_code == 302
    row.refresh_from_db()
    assert (row.state(), row.access.user.email, row.access.patient) == ("accepted", "gil@family.example", cast.grace)
    assert client.get("/my/").status_code == 200
    again = confirm(Client(), path, cast.grace.date_of_birth)
    assert "has ended" in again.content.decode()
    assert PortalAccess.objects.filter(patient=cast.grace).count() == 1


def test_opening_the_link_does_nothing_so_that_scanners_of_mail_may(cast, invite):
    row, path = invite()
    for _ in range(3):
        Client().get(path, follow=True)
    row.refresh_from_db()
    assert row.state() == "waiting"


def test_five_wrong_birth_dates_end_the_invitation(cast, invite):
    row, path = invite()
    client = Client()
    for number in range(5):
        assert confirm(client, path, date(1950, 1, 1 + number)).status_code == 422
    assert "has ended" in confirm(client, path, cast.grace.date_of_birth).content.decode()
    row.refresh_from_db()
    assert (row.state(), row.access) == ("over", None)


def test_an_invitation_that_is_taken_back_or_a_week_old_opens_nothing(cast, invite):
    row, path = invite()
    row.withdraw(by=cast.desk, because="Wrong address")
    assert "has ended" in confirm(Client(), path, cast.grace.date_of_birth).content.decode()
    with pytest.raises(Refused, match="taken back already"):
        row.withdraw(by=cast.desk, because="Again")
    _, path = invite()
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        assert "has ended" in confirm(Client(), path, cast.grace.date_of_birth).content.decode()


def test_a_second_invitation_to_the_same_address_takes_the_first_back(cast, invite):
    first, _ = invite()
    second, _ = invite()
    first.refresh_from_db()
    assert (first.state(), second.state()) == ("withdrawn", "waiting")


def test_the_letter_says_nothing_of_the_patient(cast, invite):
    invite()
    letter = mail.outbox[-1]
    assert letter.to == ["gil@family.example"]
    for secret in (cast.grace.first_name, cast.grace.last_name, str(cast.grace.pk), str(cast.grace.date_of_birth)):
        assert secret not in letter.subject + letter.body


def test_who_works_in_a_practice_is_no_portal_user_under_the_same_address(cast, invite):
    _, path = invite(email="receptionist@other.example")
    answer = confirm(Client(), path, cast.grace.date_of_birth)
    assert answer.status_code == 422
    assert "Ask us for an invitation to another address" in answer.content.decode()


@pytest.mark.parametrize(("relationship", "ends_in", "field"), [
    ("guardian", None, "relationship"), ("proxy", 0, "ends_on"), ("self", 5, "ends_on")])
def test_what_can_t_be_is_refused_at_once(cast, relationship, ends_in, field):
    ends_on = None if ends_in is None else cast.clinic.today() + timedelta(days=ends_in)
    with pytest.raises(ValidationError) as refused:
        PortalInvitation.invite(
            by=cast.desk, patient=cast.grace, name="x", email="x@x.example", relationship=relationship, ends_on=ends_on)
    assert set(refused.value.error_dict) == {field}


def test_a_child_s_portal_is_its_guardian_s(cast, child):
    with pytest.raises(ValidationError, match="a parent or guardian acts"):
        PortalInvitation.invite(by=cast.desk, patient=child, name="Ben", email="ben@family.example", relationship="self")


# By code


@pytest.fixture
def ask(db):
    """`ask(client, address)`: asks for a code; the code that was mailed, or None."""
    def asked(client, address="patient@test.example"):
        before = len(mail.outbox)
        assert client.post("/my/sign-in/", {"email": address}).url == "/my/sign-in/code/"
        post.hand_over()
        return re.search(r"\b\d{6}\b", mail.outbox[-1].body)[0] if len(mail.outbox) > before else None
    return asked


def test_a_patient_signs_in_by_a_code_that_counts_once(cast, ask):
    client = Client()
    code = ask(client)
    assert client.post("/my/sign-in/code/", {"code": f"{code[:3]} {code[3:]}"}).url == "/"
    assert client.get("/my/").status_code == 200
    other = Client()
    other.post("/my/sign-in/", {"email": "patient@test.example"})
    assert other.post("/my/sign-in/code/", {"code": code}).status_code == 422


@pytest.mark.parametrize("address", ["nobody@test.example", "receptionist@test.example", "root@test.example", "x@unknown.example"])
def test_nobody_else_gets_a_code_and_nobody_is_told_so(cast, ask, address):
    client = Client()
    assert ask(client, address) is None
    assert address in client.get("/my/sign-in/code/").content.decode()


def test_a_code_counts_in_the_browser_that_asked_for_it_alone(cast, ask):
    code = ask(Client())
    assert Client().post("/my/sign-in/code/", {"code": code}).url == "/my/sign-in/"


def test_after_five_wrong_codes_the_right_one_is_too_late(cast, ask):
    client = Client()
    code = ask(client)
    wrong = f"{(int(code) + 1) % 10 ** 6:06}"
    for _ in range(5):
        assert client.post("/my/sign-in/code/", {"code": wrong}).status_code == 422
    assert client.post("/my/sign-in/code/", {"code": code}).status_code == 422


def test_after_ten_wrong_codes_one_has_to_wait(cast, ask):
    client = Client()
    for _ in range(2):
        ask(client)
        for _ in range(5):
            client.post("/my/sign-in/code/", {"code": "x"})
    code = ask(client)
    assert client.post("/my/sign-in/code/", {"code": code}).status_code == 429


def test_after_ten_minutes_a_code_is_too_old_and_a_day_later_forgotten(cast, ask):
    client = Client()
    code = ask(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert client.post("/my/sign-in/code/", {"code": code}).status_code == 422
    SignInCode.forget_old(timezone.now() + timedelta(days=2))
    assert not SignInCode.objects.exists()


def test_a_disabled_user_and_one_whose_access_ended_meanwhile_are_not_let_in(cast, ask):
    client = Client()
    code = ask(client)
    PortalAccess.objects.get(user=cast.user("patient")).revoke(by=cast.desk, because="Moved away")
    assert client.post("/my/sign-in/code/", {"code": code}).status_code == 422
    assert ask(Client()) is None


# Until when


def sign_in_as(user):
    client = Client()
    client.force_login(user)
    return client


def test_a_guardian_s_access_ends_on_the_day_the_child_comes_of_age(cast, child):
    user = User.objects.create_user("parent@family.example", name="Pat Young")
    access = PortalAccess.grant(user=user, patient=child, relationship="guardian", by=cast.desk)
    born = child.date_of_birth
    assert access.last_day == date(born.year + 18, 1, 1)
    zone = cast.clinic.zone
    eve = timezone.datetime(born.year + 17, 12, 31, 23, 50, tzinfo=zone)
    with time_machine.travel(eve, tick=False):
        assert sign_in_as(user).get("/my/").status_code == 200
        assert end_portal_accesses() == 0
    with time_machine.travel(eve + timedelta(minutes=11), tick=False):
        assert sign_in_as(user).get("/my/").status_code in (302, 403, 404)
        assert end_portal_accesses() == 1
    access.refresh_from_db()
    assert (access.until, access.history.first().history_change_reason) == (date(born.year + 18, 1, 1), "The patient is of age")
    assert not user.has_perm("clinic.act_for_patient", child)


def test_who_was_born_on_29_february_comes_of_age_on_1_march(cast):
    child = PatientFactory(by=cast.desk, date_of_birth=date(2012, 2, 29))
    user = User.objects.create_user("parent@family.example", name="Pat Young")
    assert PortalAccess.grant(user=user, patient=child, relationship="guardian", by=cast.desk).last_day == date(2030, 3, 1)


def test_when_a_birth_date_is_corrected_the_end_moves_with_it(cast, child):
    user = User.objects.create_user("parent@family.example", name="Pat Young")
    access = PortalAccess.grant(user=user, patient=child, relationship="guardian", by=cast.desk)
    child.change(by=cast.desk, date_of_birth=date(1990, 1, 1))
    access.refresh_from_db()
    assert not access.holds(cast.clinic.today())


def test_ended_access_and_disabled_users_are_refused_at_the_very_next_request(cast, sign_in):
    client = sign_in("patient")
    assert client.get("/my/").status_code == 200
    access = PortalAccess.objects.get(user=cast.user("patient"))
    with pytest.raises(ValidationError):
        access.revoke(by=cast.desk, because=" ")
    access.revoke(by=cast.desk, because="Asked for it")
    assert client.get("/my/").status_code != 200
    other = User.objects.create_user("gil@family.example", name="Gil")
    PortalAccess.grant(user=other, patient=cast.grace, relationship="proxy", by=cast.desk)
    client = sign_in_as(other)
    assert client.get("/my/").status_code == 200
    other.disable(by=cast.manager, because="Lost phone")
    assert client.get("/my/").url.startswith("/my/sign-in/")


def test_who_is_away_too_long_is_signed_out(cast, sign_in):
    client = sign_in("patient")
    assert client.get("/my/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.IDLE_SECONDS + 1)):
        answer = client.get("/my/")
        assert answer.url.startswith("/my/sign-in/")
        assert client.get("/my/").url.startswith("/my/sign-in/")


# The practice's page


def test_the_desk_invites_sees_ends_and_takes_back(cast, desk_client, sign_in):
    path = f"/patients/{cast.grace.pk}/portal/"
    assert desk_client.post(path, {"relationship": "self", "name": "Grace", "email": "no address"}).status_code == 422
    assert desk_client.post(path, {"relationship": "self", "name": "Grace", "email": "Grace@Home.example"}).url == path
    row = PortalInvitation.objects.get()
    assert row.email == "grace@home.example"
    assert "Waiting" in desk_client.get(path).content.decode()
    desk_client.post(f"/portal-invitations/{row.pk}/withdraw/", {"because": "Wrong address"})
    assert "Taken back: Wrong address" in " ".join(desk_client.get(path).content.decode().replace("\n", " ").split())
    access = PortalAccess.objects.get(patient=cast.ada)
    desk_client.post(f"/portal-accesses/{access.pk}/end/", {"because": ""})
    access.refresh_from_db()
    assert access.until is None
    desk_client.post(f"/portal-accesses/{access.pk}/end/", {"because": "Asked for it"})
    access.refresh_from_db()
    assert access.until == cast.clinic.today()
    assert sign_in("dentist").get(path).status_code == 403
    assert sign_in("receptionist", "other").get(path).status_code == 404


def test_the_actor_of_a_link_may_nothing_but_accept(cast, invite):
    row, _ = invite()
    by = Actor.of_link(PortalInvitation.objects.get(pk=row.pk).letter.link)
    assert by.permissions == frozenset()


def test_an_invitation_goes_past_nobodys_second_step(cast, invite):
    user = cast.user("patient")
    _, path = invite(email=user.email)
    client = Client()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(User, "has_second_factor", True)
        assert confirm(client, path, cast.grace.date_of_birth).url == "/sign-in/second-step/"
        assert client.get("/my/").status_code == 302


def test_who_was_let_in_to_a_record_that_is_merged_meanwhile_is_seen_and_ended_on_the_other(cast, sign_in, desk_client):
    twin = PatientFactory(by=cast.desk, first_name="Gracie", last_name="Hopper", date_of_birth=date(1990, 12, 9))
    user = User.objects.create_user("gil@family.example", name="Gil Hopper")
    access = PortalAccess.grant(user=user, patient=twin, relationship="proxy", by=cast.desk)
    twin.merge_into(cast.grace, by=cast.manager, because="Registered twice")
    path = f"/patients/{cast.grace.pk}/portal/"
    assert "Gil Hopper" in desk_client.get(path).content.decode()
    with pytest.raises(ValidationError, match="uses this portal already"):
        PortalInvitation.invite(
            by=cast.desk, patient=cast.grace, name="Gil", email="gil@family.example", relationship="proxy")
    assert desk_client.post(f"/portal-accesses/{access.pk}/end/", {"because": "Asked for it"}).status_code == 302
    access.refresh_from_db()
    assert access.until is not None
