"""The card of an orthodontic visit: what it begins with, who writes it, and the months in treatment."""
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.db.refusals import NotAllowed, Refused, Stale
from milestones.models import Adjustment
from milestones.models.adjustment import months_between


@pytest.fixture
def braces(cast, draw_up):
    return draw_up("Braces", treatment_type="COMPREHENSIVE").activate(by=cast.dentist)


@pytest.fixture
def card(cast, braces, book):
    """`card("2026-12-01 9:00", upper_wire="0.014 NiTi")`: of a visit then."""
    def make(when="2026-12-01 9:00", **values):
        return Adjustment.write(by=cast.hygienist, plan=braces, appointment=book(when), **values)
    return make


@pytest.mark.parametrize(("banded", "debonded", "day", "months"), [
    (None, None, date(2026, 6, 1), None), (date(2026, 7, 1), None, date(2026, 6, 1), None),
    (date(2026, 1, 1), None, date(2026, 1, 1), 0.0), (date(2025, 1, 1), None, date(2026, 1, 1), 12.0),
    (date(2024, 1, 1), date(2025, 7, 1), date(2026, 1, 1), 18.0), (date(2025, 1, 1), date(2027, 1, 1), date(2026, 1, 1), 12.0)])
def test_months_in_treatment_run_from_banding_to_debonding(banded, debonded, day, months):
    assert months_between(banded, debonded, day) == months


def test_a_visit_has_one_card_of_the_same_patient_in_an_orthodontic_plan(cast, braces, card, book, draw_up):
    first = card(upper_wire="0.014 NiTi", broken_brackets=["8", "25"])
    with pytest.raises(Refused, match="card already"):
        Adjustment.write(by=cast.hygienist, plan=braces, appointment=first.appointment)
    with pytest.raises(ValidationError, match="another patient"):
        Adjustment.write(by=cast.hygienist, plan=braces, appointment=book("2026-12-02 9:00", patient=cast.grace))
    with pytest.raises(Refused, match="orthodontic"):
        Adjustment.write(by=cast.dentist, plan=draw_up("Filling").activate(by=cast.dentist), appointment=book("2026-12-03 9:00"))
    with pytest.raises(ValidationError, match="no tooth"):
        first.revise(by=cast.hygienist, broken_brackets=["99"])
    gone = book("2026-12-04 9:00")
    gone.cancel(by=cast.desk, because="Ill")
    with pytest.raises(Refused, match="nothing was adjusted"):
        Adjustment.write(by=cast.hygienist, plan=braces, appointment=gone)


def test_clinicians_write_it_and_the_front_desk_does_not(cast, braces, book, sign_in):
    visit = book()
    with pytest.raises(NotAllowed):
        Adjustment.write(by=cast.desk, plan=braces, appointment=visit)
    assert sign_in("receptionist").get(f"/visits/{visit.pk}/adjustment/").status_code == 403
    assert sign_in("assistant").get(f"/visits/{visit.pk}/adjustment/").status_code == 200


def test_the_new_card_begins_with_what_stays_in_the_mouth_and_shows_the_last_one(cast, card, book, sign_in, braces):
    card(upper_wire="0.014 NiTi", lower_wire="none", elastics="Class II, nights", aligner=7, hygiene="poor", broken_brackets=["8"],
         next_in_weeks=4, note="Brush longer")
    visit, client = book("2026-12-29 9:00"), sign_in("hygienist")
    assert "Adjustment card" in client.get(f"/visits/{visit.pk}/").content.decode()
    page = client.get(f"/visits/{visit.pk}/adjustment/")
    form = page.context["form"]
    assert {name: form[name].value() for name in ("upper_wire", "elastics", "aligner", "next_in_weeks", "hygiene")} == {
        "upper_wire": "0.014 NiTi", "elastics": "Class II, nights", "aligner": 8, "next_in_weeks": 4, "hygiene": ""}
    text = page.content.decode()
    for said in ("Last time", "Poor", "Brush longer", "in 4 weeks"):
        assert said in text
    bad = client.post(f"/visits/{visit.pk}/adjustment/", {"upper_wire": "0.016 NiTi", "broken_brackets": "8 99"})
    assert (bad.status_code, 'value="8 99"' in bad.content.decode()) == (422, True)
    said = {"upper_wire": "0.016 NiTi", "broken_brackets": "8, 25", "hygiene": "good", "aligner": "8", "next_in_weeks": "6"}
    assert client.post(f"/visits/{visit.pk}/adjustment/", said).status_code == 302
    made = Adjustment.objects.get(appointment=visit)
    assert (made.upper_wire, made.broken_brackets, made.hygiene, made.next_in_weeks) == ("0.016 NiTi", ["8", "25"], "good", 6)
    assert "0.016 NiTi" in client.get(f"/plans/{braces.pk}/milestones/").content.decode()


def test_of_two_who_change_a_card_the_second_is_told(cast, card, sign_in):
    row = card(upper_wire="0.014 NiTi")
    version = row.version
    row.revise(by=cast.dentist, upper_wire="19x25 SS")
    with pytest.raises(Stale):
        row.revise(by=cast.hygienist, version=version, upper_wire="0.016 NiTi")
    answer = sign_in("hygienist").post(
        f"/visits/{row.appointment_id}/adjustment/", {"upper_wire": "0.016 NiTi", "version": version})
    assert answer.status_code == 409
    assert "19x25 SS" in answer.content.decode()


def test_a_patient_without_an_orthodontic_plan_has_no_cards(cast, book, sign_in):
    visit, client = book(), sign_in("hygienist")
    assert "Adjustment card" not in client.get(f"/visits/{visit.pk}/").content.decode()
    assert "No orthodontic plan runs" in client.get(f"/visits/{visit.pk}/adjustment/").content.decode()


def test_the_list_of_cards_costs_the_same_with_one_and_with_twenty(cast, card, braces, sign_in):
    card()
    client, counts = sign_in("dentist"), []
    for number in range(2):
        client.get(f"/plans/{braces.pk}/milestones/")
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/plans/{braces.pk}/milestones/")
        counts.append(len(asked))
        if not number:
            for day in range(2, 22):
                card(f"{date(2027, 1, 1) + timedelta(days=7 * day)} 9:00")
    assert counts[0] == counts[1]
