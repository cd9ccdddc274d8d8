"""A country is one that exists, in two capitals; a new address without one is in the clinic's."""

import pytest
from django.core.exceptions import ValidationError

from clinic.models import Account, Patient

pytestmark = pytest.mark.wide

NEW = {"first_name": "Emmy", "last_name": "Noether", "date_of_birth": "1982-03-23"}


@pytest.mark.parametrize("code", ["XX", "U", "12", "UK"])
def test_what_is_no_country_is_refused_by_name(cast, code):
    for record in (cast.ada, cast.ada.account, cast.clinic):
        with pytest.raises(ValidationError) as refused:
            record.change(by=cast.manager, country=code)
        assert set(refused.value.message_dict) == {"country"}


def test_it_is_written_in_capitals(cast):
    cast.ada.change(by=cast.desk, country="de")
    assert Patient.objects.get(pk=cast.ada.pk).country == "DE"


def test_a_new_address_without_one_is_in_the_clinics(cast):
    names = {**NEW, "by": cast.desk}
    at_home = Patient.register(**names, city="Rye")
    assert (at_home.country, at_home.account.country) == ("US", "US")
    assert Patient.register(**names).country == ""
    assert Patient.register(**names, city="Bonn", country="DE").country == "DE"
    assert Account(name="The Noethers", city="Rye").record(by=cast.desk).country == "US"


def test_page_and_api_say_it_beside_the_field(cast, desk, desk_client):
    answer = desk.post("/patients", {**NEW, "address": {"country": "XX"}})
    assert [each["field"] for each in answer.data["errors"]] == ["address.country"]
    page = desk_client.post("/patients/new/", {**NEW, "sex": "female", "country": "XX"})
    assert page.status_code == 422
    assert "Write them like US or DE." in page.content.decode()
