"""Tokens: shown once, stored as a digest, tied to what one user may do under one hat, ended at once."""

import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clinic.access.actor import Actor
from clinic.access.hats import hats_of
from clinic.db.refusals import Refused
from clinic.models import ApiToken, MailedLink, Membership
from tests.cast import PASSWORD


def made_by_command(*args):
    out = io.StringIO()
    call_command("api_token", *args, stdout=out)
    return out.getvalue().strip().splitlines()[-1]


def test_the_command_prints_a_token_alone_on_its_last_line(cast, program):
    secret = made_by_command("dentist@test.example")
    assert program(secret=secret).get("/me").data["email"] == "dentist@test.example"


@pytest.mark.parametrize("role", ["receptionist", "manager", "coach", "patient"])
def test_a_token_opens_what_its_user_may(cast, program, role):
    me = program(secret=made_by_command(f"{role}@test.example")).get("/me").data
    assert me["clinic_id"] == str(cast.clinic.pk)
    assert me["roles"] == [role]
    assert me["patient_id"] == (str(cast.ada.pk) if role == "patient" else None)
    assert ("treatment:read" in me["permissions"]) is (role != "coach")


def test_the_command_says_why_it_makes_none(cast):
    for email in ("nobody@test.example", "unknown@test.example"):
        with pytest.raises(CommandError):
            made_by_command(email)
    Membership.open(user=cast.user("dentist"), clinic=cast.outsider.clinic, roles=["dentist"], by=cast.outsider.system)
    with pytest.raises(CommandError, match="--clinic"):
        made_by_command("dentist@test.example")
    assert made_by_command("dentist@test.example", "--clinic", "Next Door Dental")
    with pytest.raises(CommandError, match="one day to 366"):
        made_by_command("manager@test.example", "--days", "9999")


def test_only_a_digest_is_stored(cast):
    token, secret = ApiToken.issue(by=cast.desk, name="kiosk")
    with connection.cursor() as cursor:
        for table in ("clinic_apitoken", "clinic_historicalapitoken"):
            cursor.execute(f"SELECT * FROM {table}")
            assert secret not in str(cursor.fetchall())
    assert token.digest != secret


def test_a_revoked_an_expired_and_a_wrong_token_are_refused_alike(cast, program):
    token, secret = ApiToken.issue(by=cast.desk, name="kiosk")
    assert program(secret=secret).get("/me").status_code == 200
    token.revoke(by=cast.desk)
    with pytest.raises(Refused):
        token.revoke(by=cast.desk)
    assert not ApiToken.objects.good(timezone.now() + timedelta(days=91)).exists()
    assert program(secret=secret).get("/me").content == program(secret="chairside_wrong").get("/me").content


def test_an_expired_token_opens_nothing(cast):
    _, secret = ApiToken.issue(by=cast.desk, name="kiosk", days=2)
    assert ApiToken.objects.opened_by(secret, timezone.now() + timedelta(days=1, hours=23)) is not None
    assert ApiToken.objects.opened_by(secret, timezone.now() + timedelta(days=2, minutes=1)) is None


def test_a_bad_token_does_not_fall_back_to_the_session(cast, client):
    client.force_login(cast.user("receptionist"))
    assert client.get("/api/me", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_token_opens_the_api_and_no_page(cast, client):
    _, secret = ApiToken.issue(by=cast.desk, name="kiosk")
    assert client.get("/today/", headers={"Authorization": f"Bearer {secret}"}).status_code == 302


def test_disabled_users_and_ended_memberships_close_their_tokens(cast, program):
    desk, dentist = program("receptionist"), program("dentist")
    cast.user("receptionist").disable(by=cast.manager, because="left")
    Membership.objects.get(user=cast.user("dentist")).end(by=cast.manager, because="left")
    assert [each.get("/me").status_code for each in (desk, dentist)] == [401, 401]


def test_a_token_loses_what_its_user_loses(cast, program):
    desk = program("receptionist")
    Membership.objects.get(user=cast.user("receptionist")).revoke("receptionist", by=cast.manager, because="moved")
    assert desk.get("/patients").status_code == 401  # no role, no part in the clinic


def test_the_database_refuses_a_token_of_two_hats_or_without_an_end(cast):
    token, _ = ApiToken.issue(by=cast.desk, name="kiosk")
    for change in ({"patient": cast.ada}, {"expires_at": token.created_at}):
        with pytest.raises(IntegrityError), transaction.atomic():
            token.change(by=cast.desk, **change)
        token.refresh_from_db()
    with pytest.raises(ValidationError):
        ApiToken.issue(by=cast.desk, name="kiosk", days=0)


def test_nobody_sees_the_tokens_of_somebody_else(cast):
    ApiToken.issue(by=cast.desk, name="kiosk")
    assert ApiToken.objects.visible_to(cast.desk).count() == 1
    assert not ApiToken.objects.visible_to(cast.manager).exists()
    assert not ApiToken.objects.visible_to(Actor.system(cast.clinic)).exists()


def test_the_way_in_stands_in_the_history_and_the_access_log(cast, program):
    from clinic.models import AccessEvent

    program("receptionist").get(f"/patients/{cast.ada.pk}")
    event = AccessEvent.objects.get(patient=cast.ada)
    assert (event.via, event.kind, event.route, event.by.email) == (
        "api",
        "view",
        "api:patient",
        "receptionist@test.example",
    )


def test_one_makes_a_token_on_the_account_page_sees_it_once_and_revokes_it(cast, sign_in, program):
    client, key = sign_in("receptionist"), str(uuid4())
    client.post("/account/confirm/", {"password": PASSWORD})
    for _ in range(2):  # a double click makes one
        assert (
            client.post("/account/tokens/new/", {"name": "Kiosk", "days": 30, "once": key})["Location"]
            == "/account/tokens/made/"
        )
    secret = client.get("/account/tokens/made/").context["secret"]
    assert client.get("/account/tokens/made/").status_code == 302
    assert program(secret=secret).get("/me").data["email"] == "receptionist@test.example"
    token = ApiToken.objects.get(name="Kiosk")
    assert "Kiosk" in client.get("/account/").content.decode()
    for table in ("clinic_oncekey", "clinic_session"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            assert secret not in str(cursor.fetchall())
    assert client.post("/account/tokens/revoke/", {"token": token.pk}).status_code == 302
    assert program(secret=secret).get("/me").status_code == 401


def test_a_token_is_made_and_revoked_by_its_owner_alone(cast, sign_in):
    fresh = sign_in("dentist").post("/account/tokens/new/", {"name": "Kiosk", "days": 30})
    assert fresh.url.startswith("/account/confirm/")  # the password again, first
    token, _ = ApiToken.issue(by=cast.desk, name="kiosk")
    assert sign_in("manager").post("/account/tokens/revoke/", {"token": token.pk}).status_code == 404


def test_a_token_does_not_come_back_to_life(cast, program):
    biller, assistant = program("biller"), program("assistant")
    cast.user("biller").disable(by=cast.manager, because="left")
    cast.user("biller").enable(by=cast.manager, because="back")
    Membership.objects.get(user=cast.user("assistant")).end(by=cast.manager, because="left")
    Membership.open(user=cast.user("assistant"), clinic=cast.clinic, roles=["manager"], by=cast.manager)
    assert [each.get("/me").status_code for each in (biller, assistant)] == [401, 401]


def test_a_password_set_by_mail_ends_the_tokens_that_somebody_else_may_have_made(cast, program):
    biller, user = program("biller"), cast.user("biller")
    secret = MailedLink.issue(user, MailedLink.Kind.RESET)
    user.reset_password(
        MailedLink.objects.opened_by(secret, MailedLink.Kind.RESET), "another-password-1", by=cast.manager
    )
    assert biller.get("/me").status_code == 401


def test_tokens_of_every_clinic_stand_on_the_account_page(cast, sign_in):
    Membership.open(user=cast.user("manager"), clinic=cast.outsider.clinic, roles=["manager"], by=cast.outsider.system)
    ApiToken.issue(
        by=next(hat for hat in hats_of(cast.user("manager")) if hat.clinic == cast.outsider.clinic), name="Next door"
    )
    assert "Next door" in sign_in("manager").get("/account/").content.decode()
