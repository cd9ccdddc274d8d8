"""Medical history: dated versions, red alerts, and nobody overwrites unseen."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from clinic.db.refusals import Stale
from clinic.models import MedicalHistory

CONTENT = {
    "allergies": [{"substance": "Penicillin", "reaction": "Rash", "severity": "severe"}],
    "conditions": [{"name": "Haemophilia", "severity": "severe"}, {"name": "Migraine", "severity": "mild"}],
    "premedication": "Amoxicillin 2 g",
    "pregnancy": "yes",
}


def posted(content=(), seen_number=0, **lists):
    """What the browser posts: three lists as formsets, the rest as fields."""
    data = {
        "seen_number": seen_number,
        "premedication": "",
        "tobacco": "",
        "pregnancy": "",
        "due_on": "",
        "note": "",
        **dict(content),
    }
    for name in ("allergies", "conditions", "medications"):
        rows = lists.get(name, [])
        data |= {f"{name}-TOTAL_FORMS": len(rows), f"{name}-INITIAL_FORMS": 0}
        for number, row in enumerate(rows):
            data |= {f"{name}-{number}-{key}": value for key, value in row.items()}
    return data


def test_each_write_makes_the_next_version_and_keeps_the_former(cast):
    MedicalHistory.write(patient=cast.ada, content=CONTENT, by=cast.hygienist, seen_number=0)
    MedicalHistory.write(patient=cast.ada, content={}, by=cast.dentist, seen_number=1)
    assert [(row.number, row.by) for row in cast.ada.medical_histories.all()] == [
        (2, cast.dentist.user),
        (1, cast.hygienist.user),
    ]
    assert cast.ada.medical_histories.get(number=1).content["premedication"] == "Amoxicillin 2 g"


def test_a_review_repeats_the_content_under_todays_date(cast):
    MedicalHistory.write(patient=cast.ada, content=CONTENT, by=cast.desk, seen_number=0, on=date(2020, 1, 1))
    review = MedicalHistory.review(patient=cast.ada, by=cast.hygienist, seen_number=1)
    assert (review.kind, review.reviewed_on) == ("reviewed", cast.clinic.today())
    assert review.content["allergies"] == CONTENT["allergies"]


def test_alerts_are_red_for_what_can_kill_and_amber_for_the_rest(cast):
    version = MedicalHistory.write(patient=cast.ada, content=CONTENT, by=cast.desk, seen_number=0)
    assert [(alert["tone"], alert["text"]) for alert in version.alerts] == [
        ("red", "Allergy: Penicillin"),
        ("red", "Premedication: Amoxicillin 2 g"),
        ("red", "Haemophilia"),
        ("amber", "Migraine"),
        ("amber", "Pregnant"),
    ]


def test_alerts_stand_on_every_page_of_the_patient(cast, sign_in, book):
    MedicalHistory.write(patient=cast.ada, content=CONTENT, by=cast.desk, seen_number=0)
    visit = book()
    client = sign_in("manager")
    for path in ("", "edit/", "medical-history/", "medical-history/edit/", "history/"):
        assert b"Allergy: Penicillin" in client.get(f"/patients/{cast.ada.pk}/{path}").content, path
    for path in ("", "check-in/"):
        assert b"Allergy: Penicillin" in client.get(f"/visits/{visit.pk}/{path}").content, path
    assert b"Allergy: Penicillin" in client.get("/schedule/?day=2026-12-01").content


@pytest.mark.parametrize(
    ("asked", "due"),
    [(date(2026, 6, 2), False), (date(2026, 6, 1), True), (date(2026, 5, 31), True), (date(2024, 2, 29), True)],
)
def test_it_is_due_after_the_clinics_months(cast, asked, due):
    version = MedicalHistory.write(patient=cast.ada, content={}, by=cast.desk, seen_number=0, on=asked)
    assert version.is_due(date(2026, 12, 1)) is due


def test_writing_on_an_old_version_is_refused(cast):
    MedicalHistory.write(patient=cast.ada, content=CONTENT, by=cast.desk, seen_number=0)
    with pytest.raises(Stale):
        MedicalHistory.write(patient=cast.ada, content={}, by=cast.dentist, seen_number=0)
    assert cast.ada.medical_histories.count() == 1


def test_unknown_parts_are_refused_by_name(cast):
    with pytest.raises(ValidationError, match="shoe_size"):
        MedicalHistory.write(patient=cast.ada, content={"shoe_size": 42}, by=cast.desk, seen_number=0)


def test_writing_it_down_by_the_form(cast, sign_in):
    client = sign_in("hygienist")
    answer = client.post(
        f"/patients/{cast.ada.pk}/medical-history/edit/",
        posted(
            {"tobacco": "never"},
            allergies=[{"substance": "Latex", "severity": "moderate"}, {}],
            medications=[{"name": "Aspirin", "dose": "100 mg", "reason": "Heart"}],
        ),
    )
    assert answer.status_code == 302
    content = cast.ada.medical_history.content
    assert content["allergies"] == [{"substance": "Latex", "reaction": "", "severity": "moderate"}]
    assert content["medications"][0]["name"] == "Aspirin"
    assert content["tobacco"] == "never"


def test_bad_rows_are_said_and_the_rest_is_kept(cast, desk_client):
    answer = desk_client.post(
        f"/patients/{cast.ada.pk}/medical-history/edit/", posted({"note": "Keep me"}, allergies=[{"reaction": "Rash"}])
    )
    assert answer.status_code == 422
    assert "Keep me" in answer.content.decode()
    assert not cast.ada.medical_histories.exists()


def test_a_review_of_an_old_version_is_a_409(cast, desk_client):
    MedicalHistory.write(patient=cast.ada, content=CONTENT, by=cast.desk, seen_number=0)
    MedicalHistory.write(patient=cast.ada, content={}, by=cast.desk, seen_number=1)
    assert desk_client.post(f"/patients/{cast.ada.pk}/medical-history/review/", {"seen_number": 1}).status_code == 409
    assert desk_client.post(f"/patients/{cast.ada.pk}/medical-history/review/", {"seen_number": "x"}).status_code in (
        404,
        409,
    )


def test_an_old_version_can_be_read_again(cast, desk_client):
    MedicalHistory.write(patient=cast.ada, content=CONTENT, by=cast.desk, seen_number=0)
    MedicalHistory.write(patient=cast.ada, content={}, by=cast.desk, seen_number=1)
    page = desk_client.get(f"/patients/{cast.ada.pk}/medical-history/?version=1").content.decode()
    assert "Haemophilia" in page
    assert "An older version" in page
