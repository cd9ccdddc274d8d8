import io

import pytest
from django.core.management import CommandError, call_command

from clinic.access.hats import hats_of
from clinic.models import Clinic, ProcedureCode, User

pytestmark = pytest.mark.django_db
GOOD = {
    "name": "Molar & Sons", "manager_email": "Maud@Molar.example", "manager_name": "Maud Manager",
    "time_zone": "Europe/Berlin", "country": "de"}


PHRASE = "a long enough phrase"


def create(monkeypatch, password=PHRASE, **values):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    out = io.StringIO()
    arguments = [part for name, value in {**GOOD, **values}.items() for part in (f"--{name.replace('_', '-')}", value)]
    call_command("create_practice", *arguments, "--password-stdin", stdout=out)
    return out.getvalue()


def test_the_manager_signs_in_and_manages_the_new_clinic(monkeypatch):
    said = create(monkeypatch)

    user = User.objects.get(email="maud@molar.example")
    (actor,) = hats_of(user)
    assert user.check_password("a long enough phrase")
    assert user.is_staff
    assert not user.is_demo
    assert actor.roles == {"manager"}
    assert actor.clinic.name == "Molar & Sons"
    assert actor.clinic.requires_second_factor
    assert ProcedureCode.objects.filter(clinic=actor.clinic).count() >= 100
    assert "Molar & Sons is ready" in said


def test_numbering_and_currency_follow_the_country_unless_said(monkeypatch):
    create(monkeypatch)
    create(monkeypatch, name="Other", manager_email="o@molar.example", country="US", numbering="palmer")
    german, american = (Clinic.objects.get(name=name) for name in ("Molar & Sons", "Other"))
    assert (german.tooth_numbering, german.currency) == ("fdi", "EUR")
    assert (american.tooth_numbering, american.currency) == ("palmer", "USD")


@pytest.mark.parametrize(("wrong", "sentence"), [
    ({"password": "short"}, "too short"),
    ({"password": "maud@molar.example"}, "too similar"),
    ({"time_zone": "Europe/Nowhere"}, "not a known time zone"),
    ({"country": "Germany"}, "is not a country"),
    ({"manager_email": "not an address"}, "valid email"),
])
def test_what_is_wrong_is_said_and_nothing_is_made(monkeypatch, wrong, sentence):
    before = Clinic.objects.count(), User.objects.count()
    with pytest.raises(CommandError, match=sentence):
        create(monkeypatch, **wrong)
    assert (Clinic.objects.count(), User.objects.count()) == before


def test_a_second_clinic_of_the_name_and_a_taken_address_are_refused(monkeypatch):
    create(monkeypatch)
    with pytest.raises(CommandError, match="already"):
        create(monkeypatch, manager_email="new@molar.example")
    with pytest.raises(CommandError, match="signs in somebody already"):
        create(monkeypatch, name="New")


def test_two_passwords_that_differ_make_nothing(monkeypatch):
    typed = iter(["a long enough phrase", "another long phrase"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    with pytest.raises(CommandError, match="differ"):
        call_command("create_practice", **GOOD)
    assert not User.objects.filter(email="maud@molar.example").exists()
