"""Two people, one record: the later one sees both texts field by field, loses nothing, and takes either or both."""

import pytest

from clinic.models import MedicalHistory, Patient
from tests.clinic.test_medical_history import posted
from tests.clinic.test_patients import edit_form

KEPT = {"wants_reminders": "on", "wants_recall": "on"}


@pytest.fixture
def lost(cast, desk_client):
    """The desk typed a street and a city; the manager saved a street and a preferred name first."""
    form = edit_form(cast.ada, line1="My street", city="My city", primary_provider=cast.drill.pk, **KEPT)
    cast.ada.change(by=cast.manager, preferred_name="Countess", line1="Their street")
    page = desk_client.post(f"/patients/{cast.ada.pk}/edit/", form)
    return page, form


def again(client, cast, page, form, **more):
    """Send what the page would send: the typed text, the newest version, a choice for each field, and one button."""
    fields = dict(page.context["echoed"])
    choices = {f"choice-{each.name}": each.suggested for each in page.context["differences"]}
    return client.post(
        f"/patients/{cast.ada.pk}/edit/",
        {**fields, **choices, "version": page.context["version"], "take": "marked", **more},
    )


def saved(cast):
    ada = Patient.objects.get(pk=cast.ada.pk)
    return ada.line1, ada.city, ada.preferred_name


def test_both_texts_stand_side_by_side_and_nothing_is_saved(cast, lost):
    page, _ = lost
    assert page.status_code == 409
    found = {each.name: each for each in page.context["differences"]}
    assert set(found) == {"line1", "city", "preferred_name"}
    assert (found["line1"].mine, found["line1"].theirs) == (["My street"], ["Their street"])
    assert found["line1"].contested
    assert (found["city"].suggested, found["preferred_name"].suggested) == ("mine", "theirs")
    assert not found["city"].contested
    for text in ("My street", "Their street", "Countess", "Manager Test saved this first"):
        assert text in page.content.decode()
    assert saved(cast) == ("Their street", "", "Countess")


def test_as_marked_takes_the_text_of_each_where_only_one_wrote(cast, desk_client, lost):
    assert again(desk_client, cast, *lost).status_code == 302
    assert saved(cast) == ("My street", "My city", "Countess")


def test_a_choice_takes_theirs(cast, desk_client, lost):
    assert again(desk_client, cast, *lost, **{"choice-line1": "theirs"}).status_code == 302
    assert saved(cast) == ("Their street", "My city", "Countess")


def test_one_click_takes_all_of_mine(cast, desk_client, lost):
    assert again(desk_client, cast, *lost, take="mine").status_code == 302
    assert saved(cast) == ("My street", "My city", "")


def test_one_click_keeps_all_of_theirs(cast, lost):
    page, _ = lost
    assert f'href="/patients/{cast.ada.pk}/"' in page.content.decode()


def test_a_third_person_meanwhile_brings_the_page_again(cast, desk_client, lost):
    Patient.objects.get(pk=cast.ada.pk).change(by=cast.dentist, city="Third city")
    page = again(desk_client, cast, *lost)
    assert page.status_code == 409
    assert {each.name for each in page.context["differences"]} == {"line1", "city", "preferred_name"}
    assert dict(page.context["echoed"])["line1"] == "My street"
    assert saved(cast) == ("Their street", "Third city", "Countess")


def test_when_both_typed_the_same_there_is_nothing_to_choose(cast, desk_client):
    form = edit_form(cast.ada, line1="One street", primary_provider=cast.drill.pk, **KEPT)
    cast.ada.change(by=cast.manager, line1="One street")
    assert desk_client.post(f"/patients/{cast.ada.pk}/edit/", form).status_code == 302


def test_an_unchecked_box_is_a_text_too(cast, desk_client):
    form = edit_form(cast.ada, wants_reminders="on", primary_provider=cast.drill.pk)
    cast.ada.change(by=cast.manager, wants_news=True)
    page = desk_client.post(f"/patients/{cast.ada.pk}/edit/", form)
    found = {each.name: (each.mine, each.theirs, each.suggested) for each in page.context["differences"]}
    assert found == {"wants_recall": (["no"], ["yes"], "mine"), "wants_news": (["no"], ["yes"], "theirs")}


def test_an_account_has_the_same_page(cast, desk_client):
    account = cast.ada.account
    version = account.version
    account.change(by=cast.manager, name="Theirs")
    page = desk_client.post(f"/accounts/{account.pk}/edit/", {"name": "Mine", "version": version})
    assert page.status_code == 409
    assert "Theirs" in page.content.decode()
    answer = desk_client.post(
        f"/accounts/{account.pk}/edit/",
        {"name": "Mine", "version": page.context["version"], "take": "marked", "choice-name": "mine"},
    )
    assert answer.status_code == 302
    account.refresh_from_db()
    assert account.name == "Mine"


def test_a_moved_visit_has_the_same_page_and_joins_the_notes(cast, desk_client, book):
    visit = book("2026-12-01 9:00", note="Old")
    form = {
        "appointment_type": cast.exam.pk,
        "provider": cast.drill.pk,
        "operatory": cast.operatories[0].pk,
        "day": "2026-12-02",
        "time": "9:00",
        "minutes": 30,
        "note": "Mine",
        "version": visit.version,
    }
    visit.reschedule(by=cast.manager, note="Theirs")
    path = f"/visits/{visit.pk}/move/"
    page = desk_client.post(path, form)
    assert page.status_code == 409
    assert {each.name: each.suggested for each in page.context["differences"]} == {
        "starts_at": "mine",
        "ends_at": "mine",
        "note": "mine",
    }
    answer = desk_client.post(
        path, {**form, "version": page.context["version"], "take": "marked", "choice-note": "both"}
    )
    assert answer.status_code == 302
    visit.refresh_from_db()
    assert visit.note == "Theirs\nMine"
    assert visit.starts_at.astimezone(cast.clinic.zone).day == 2


def test_a_medical_history_joins_the_lists(cast, sign_in):
    client, path = sign_in("hygienist"), f"/patients/{cast.ada.pk}/medical-history/edit/"
    form = posted({"note": "Mine"}, allergies=[{"substance": "Latex"}])
    MedicalHistory.write(
        patient=cast.ada,
        content={"allergies": [{"substance": "Penicillin", "reaction": "", "severity": "severe"}]},
        by=cast.dentist,
        seen_number=0,
    )
    page = client.post(path, form)
    assert page.status_code == 409
    assert "Penicillin" in page.content.decode()
    answer = client.post(path, {**form, "seen_number": 1, "take": "marked", "choice-allergies": "both"})
    assert answer.status_code == 302
    content = cast.ada.medical_history.content
    assert [row["substance"] for row in content["allergies"]] == ["Penicillin", "Latex"]
    assert content["note"] == "Mine"
