"""Notes: who reads, writes and moves which, and that every look is on record."""

import pytest

from charting.models import Addendum, ClinicalNote
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import AccessEvent
from tests.charting.test_note_pages import posted


def test_the_desk_reads_and_writes_administrative_notes_only(cast, write, sign_in):
    clinical, call = write(), write("Called about the bill.", kind="phone")
    for role, seen in (("receptionist", {call}), ("coordinator", {call}), ("assistant", {clinical, call}), ("biller", set()),
                       ("manager", {clinical, call})):  # fmt: skip
        assert set(ClinicalNote.objects.visible_to(cast.actor(role))) == seen, role
    assert not ClinicalNote.objects.visible_to(cast.coach).exists()
    assert not ClinicalNote.objects.visible_to(cast.portal).exists()
    desk = sign_in("receptionist")
    assert desk.get(f"/notes/{clinical.pk}/").status_code == 404
    assert desk.get(f"/notes/{call.pk}/").status_code == 200
    page = desk.get(f"/patients/{cast.ada.pk}/notes/").content.decode()
    assert "Called about the bill" in page
    assert "Filled" not in page
    assert "Filled" not in desk.post(f"/patients/{cast.ada.pk}/notes/", {"q": "filled"}).content.decode().replace("“filled”", "")
    assert "Filled" not in desk.get(f"/patients/{cast.ada.pk}/notes/panel/").content.decode()
    assert desk.post(f"/patients/{cast.ada.pk}/notes/new/", posted()).status_code == 422
    assert desk.post(f"/patients/{cast.ada.pk}/notes/new/", posted(kind="administrative")).status_code == 302
    with pytest.raises(NotAllowed, match="writes no exam notes"):
        write(by=cast.desk, kind="exam")
    with pytest.raises(NotAllowed, match="writes no progress notes"):
        call.edit(by=cast.desk, kind="progress")


def test_a_note_goes_to_the_front_desk_s_kinds_and_back_by_its_author_only(cast, write, sign_in):
    note, call = write(by=cast.hygienist), write("Called.", by=cast.desk, kind="phone")
    with pytest.raises(Refused, match="Only Hygienist Test can move this note"):
        note.edit(by=cast.dentist, kind="phone")
    with pytest.raises(Refused, match="between the care team and the front desk"):
        call.edit(by=cast.dentist, kind="exam")
    client = sign_in("dentist")
    assert '"phone"' not in client.get(f"/notes/{note.pk}/edit/").content.decode().split("</select>")[0].split('name="kind"')[1]
    assert client.post(f"/notes/{note.pk}/edit/", posted(note, kind="phone")).status_code == 422
    assert not ClinicalNote.objects.visible_to(cast.desk).filter(pk=note.pk).exists()
    note.refresh_from_db()
    note.edit(by=cast.dentist, kind="exam")
    note.edit(by=cast.hygienist, kind="phone")
    assert ClinicalNote.objects.visible_to(cast.desk).filter(pk=note.pk).exists()


def test_who_changed_a_note_last_is_named_when_that_is_not_its_author(cast, write, sign_in):
    note, client = write("Scaled.", by=cast.hygienist), sign_in("hygienist")
    address = f"/notes/{note.pk}/"
    note.edit(by=cast.dentist, body="Scaled and looked at.")
    assert "last changed by Dentist Test" in client.get(address).content.decode()
    assert "Dentist Test changed it last" in client.get(f"{address}edit/").content.decode()
    note.sign(by=cast.hygienist)
    assert "last changed by Dentist Test" in client.get(address).content.decode()
    own = write("Scaled.", by=cast.hygienist)
    own.edit(by=cast.dentist, body="x")
    own.edit(by=cast.hygienist, body="Scaled.")
    assert "last changed" not in client.get(f"/notes/{own.pk}/").content.decode()


def test_addenda_are_seen_by_whom_their_note_is_seen(cast, write):
    Addendum.write(by=cast.dentist, note=write(signed=True), body="x")
    Addendum.write(by=cast.dentist, note=write(kind="phone", signed=True), body="y")
    assert [row.body for row in Addendum.objects.visible_to(cast.desk)] == ["y"]
    assert Addendum.objects.visible_to(cast.dentist).count() == 2


def test_every_look_at_a_note_is_on_record_and_keeping_a_text_is_none(cast, write, sign_in):
    note, client = write(), sign_in("dentist")
    client.get(f"/notes/{note.pk}/")
    seen = AccessEvent.objects.order_by("-pk").first()
    assert (seen.patient, seen.route) == (cast.ada, "charting:note")
    before = AccessEvent.objects.count()
    answer = client.post(f"/patients/{cast.ada.pk}/notes/draft/", {"body": "Half", "window": "w", "number": 1})
    assert answer.json() == {"token": "w:1"}
    assert AccessEvent.objects.count() == before
