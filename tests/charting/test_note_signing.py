"""Notes: signed for good, added to, co-signed, marked wrong; nothing changes what is sealed."""

import re
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from charting.models import Addendum, ClinicalNote
from clinic.access.actor import Actor
from clinic.db.refusals import Refused, Stale, constraint_name


def test_a_signed_note_is_sealed_with_a_hash_that_fits(cast, write):
    note = write(signed=True)
    assert (note.status, note.needs_cosign, note.signed_for) == ("signed", False, cast.ada.pk)
    assert re.fullmatch(r"1:[0-9a-f]{64}", note.content_hash)
    assert ClinicalNote.objects.get().is_intact
    assert list(note.history.order_by("version").values_list("status", "history_change_reason")) == [
        ("draft", ""), ("signed", "Signed")]  # fmt: skip


def test_no_verb_changes_what_is_signed(cast, write):
    note = write(signed=True)
    for change in (
        lambda: note.edit(by=cast.dentist, body="Filled tooth 15."), lambda: note.sign(by=cast.dentist),
        lambda: note.change(by=cast.dentist, body="Filled tooth 15."), lambda: note.change(by=cast.dentist, kind="exam"),
        lambda: note.change(by=cast.dentist, author=cast.hygienist.user),
        lambda: note.change(by=cast.dentist, status="signed", body="x"),
    ):  # fmt: skip
        with pytest.raises(Refused, match="signed"), transaction.atomic():
            change()
    stored = ClinicalNote.objects.get()
    assert (stored.body, stored.version, stored.is_intact) == ("Filled tooth 14.", 2, True)
    assert stored.history.count() == 2


def test_what_the_shell_may_set_on_a_signed_row_the_database_refuses(cast, write):
    note = write(signed=True)
    note.status, note.body = "draft", "Filled tooth 15."
    note.signed_at, note.signed_for, note.content_hash = None, None, ""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        note.record(by=cast.dentist)
    assert constraint_name(caught.value) == "charting_clinicalnote_sealed"


@pytest.mark.parametrize("name", ClinicalNote.SEALED)
def test_every_sealed_column_is_refused_by_the_database(cast, write, book, name):
    visit = book()
    note = write(signed=True, appointment=visit)
    field = ClinicalNote._meta.get_field(name)
    other = {
        "body": "x", "kind": "exam", "author": cast.hygienist.user.pk, "appointment": book("2026-12-02 9:00").pk, "status": "draft",
        "signed_at": timezone.now(), "signed_for": cast.grace.pk, "content_hash": "1:0", "needs_cosign": True}[name]  # fmt: skip
    value = field.get_db_prep_value(getattr(other, "pk", other), connection)
    for spoilt in (value, None) if name == "appointment" else (value,):
        with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE charting_clinicalnote SET {field.column} = %s WHERE id = %s",
                [spoilt, ClinicalNote._meta.pk.get_db_prep_value(note.pk, connection)])
        assert constraint_name(caught.value) == "charting_clinicalnote_sealed"


def test_a_signed_note_changes_hands_only_within_one_person(cast, write):
    note = write(signed=True)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        note.change(by=cast.dentist, patient=cast.grace)
    assert constraint_name(caught.value) == "charting_clinicalnote_of_one_person"
    note.refresh_from_db()
    cast.grace.merge_into(cast.ada, by=cast.manager, because="One person")
    later = write("Later.", signed=True)
    cast.grace.refresh_from_db()
    cast.grace.unmerge(by=cast.manager, because="Two people", owners={later.pk: cast.grace})
    later.refresh_from_db()
    assert (later.patient, later.signed_for, later.is_intact) == (cast.grace, cast.ada.pk, True)


def test_only_the_author_signs_and_only_what_was_seen(cast, write):
    note = write()
    with pytest.raises(Refused, match="Only Dentist Test can sign"):
        note.sign(by=cast.hygienist)
    note.edit(by=cast.hygienist, body="Filled tooth 15.")
    with pytest.raises(Stale):
        note.sign(by=cast.dentist, version=1)
    assert note.sign(by=cast.dentist, version=2).is_signed


def test_a_note_with_a_place_left_open_is_not_signed(cast, write):
    note = write("Plaque {plaque: light / none}, tooth ___.")
    with pytest.raises(Refused, match="2 places are still to be filled in"):
        note.sign(by=cast.dentist)
    note.edit(by=cast.dentist, body="Plaque light, tooth ___.")
    with pytest.raises(Refused, match="1 place is still"):
        note.sign(by=cast.dentist)


INVISIBLE = "\u200b \ufeff\u00ad\n\u00a0\u2060\t"


def test_a_text_of_which_nothing_can_be_seen_is_empty(cast, write):
    with pytest.raises(ValidationError, match="nothing in this that can be seen"):
        write(INVISIBLE)
    note = write()
    with pytest.raises(ValidationError, match="nothing in this that can be seen"):
        note.edit(by=cast.dentist, body=INVISIBLE)
    note.refresh_from_db()
    note.sign(by=cast.dentist)
    with pytest.raises(ValidationError, match="nothing in this that can be seen"):
        Addendum.write(by=cast.dentist, note=note, body=INVISIBLE)
    assert not Addendum.objects.exists()


def test_an_invisible_text_that_is_on_record_is_not_signed_and_can_be_marked_wrong(cast, write, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr("charting.models.note.refuse_unseen", lambda text: None)
        before.setattr("clinic.db.texts.is_unseen", lambda text: False)  # as it was taken once
        note = write(INVISIBLE)
    with pytest.raises(Refused, match="Write something first"):
        note.sign(by=cast.dentist)
    assert not ClinicalNote.objects.get().is_signed
    note.mark_error(by=cast.dentist, because="Nothing in it")


def test_an_assistant_s_clinical_note_waits_for_a_second_signature(cast, write, assistant):
    note = write(by=assistant, signed=True)
    assert note.waits_for_cosign
    assert list(ClinicalNote.objects.to_cosign_by(cast.dentist)) == [note]
    assert not ClinicalNote.objects.to_cosign_by(cast.hygienist).exists()
    note.cosign(by=cast.dentist)
    assert (note.cosigned_by, note.is_intact, note.waits_for_cosign) == (cast.dentist.user, True, False)
    with pytest.raises(Refused, match="does not wait"):
        note.cosign(by=cast.dentist)
    assert not ClinicalNote.objects.to_cosign_by(cast.dentist).exists()


def test_an_assistant_s_addendum_puts_a_note_back_among_those_to_co_sign(cast, write, assistant, sign_in):
    own, of_dentist = write(by=assistant, signed=True).cosign(by=cast.dentist), write(signed=True)
    for note in (own, of_dentist):
        answer = sign_in("assistant").post(
            f"/notes/{note.pk}/addendum/", {"body": "Allergic to latex.", "once": str(uuid4())}, follow=True)
        assert "It waits for a co-signature" in answer.content.decode()
    seen = own.version + 1
    Addendum.write(by=assistant, note=ClinicalNote.objects.get(pk=own.pk), body="And to nickel.")
    assert list(ClinicalNote.objects.to_cosign_by(cast.dentist)) == [own, of_dentist]
    own.refresh_from_db()
    with pytest.raises(Stale):  # the second addendum was not seen
        own.cosign(by=cast.dentist, version=seen)
    client = sign_in("dentist")
    for note in (own, of_dentist):
        note.refresh_from_db()
        assert "What was added waits for a co-signature" in client.get(f"/notes/{note.pk}/").content.decode()
        answer = client.post(f"/notes/{note.pk}/cosign/", {"version": note.version, "once": str(uuid4())}, follow=True)
        assert "was co-signed by Dentist Test" in answer.content.decode()
        note.refresh_from_db()
        assert (note.is_intact, note.waits_for_cosign) == (True, False)
    assert not ClinicalNote.objects.to_cosign_by(cast.dentist).exists()
    Addendum.write(by=cast.hygienist, note=own, body="By who may sign alone.")
    call = Addendum.write(by=assistant, note=write(kind="phone", signed=True), body="Of the desk's.").note
    assert not own.addenda_wait
    assert not call.addenda_wait


def test_one_co_signature_is_for_the_text_and_what_was_added_to_it(cast, write, assistant):
    note = write(by=assistant, signed=True)
    Addendum.write(by=assistant, note=note, body="More.")
    note.cosign(by=cast.dentist)
    assert (note.cosigned_by, note.addenda_wait) == (cast.dentist.user, False)
    Addendum.write(by=assistant, note=note, body="More still.")
    with pytest.raises(Refused, match="enough alone"):
        note.cosign(by=assistant)


def test_what_is_co_signed_its_author_alone_does_not_mark_wrong(cast, write, assistant, sign_in):
    note = write(by=assistant, signed=True).cosign(by=cast.dentist)
    with pytest.raises(Refused, match="It is co-signed, so only a dentist"):
        note.mark_error(by=assistant, because="Oh")
    assert "Entered in error" not in sign_in("assistant").get(f"/notes/{note.pk}/").content.decode()
    note.mark_error(by=cast.dentist, because="Other patient")
    write(by=assistant, signed=True).mark_error(by=assistant, because="Twice")


def test_a_second_signature_is_somebody_else_s_and_no_matter_for_the_desk_s_notes(cast, write, assistant):
    note = write(by=assistant, signed=True)
    with pytest.raises(Refused, match="somebody else's"):
        note.cosign(by=assistant)
    assert not write(by=assistant, kind="phone", signed=True).needs_cosign
    assert not write(by=cast.hygienist, signed=True).needs_cosign


def test_a_signed_note_is_added_to_and_each_addendum_is_sealed(cast, write):
    note = write()
    with pytest.raises(Refused, match="not signed yet"):
        Addendum.write(by=cast.dentist, note=note, body="Shade A2.")
    note.sign(by=cast.dentist)
    added = Addendum.write(by=cast.hygienist, note=note, body="Shade A2.")
    assert Addendum.objects.get().is_intact
    assert added.by == cast.hygienist.user
    with pytest.raises(ValidationError, match="Write something first"):
        Addendum.write(by=cast.dentist, note=note, body="")
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE charting_addendum SET body = 'x'")


def test_entered_in_error_stays_readable_and_closes_the_note(cast, write, sign_in):
    note = write("Wrong patient.", signed=True)
    with pytest.raises(Refused, match="Only its author or a dentist"):
        note.mark_error(by=cast.hygienist, because="x")
    with pytest.raises(Refused, match="Say what was wrong"):
        note.mark_error(by=cast.dentist, because=" ")
    note.mark_error(by=cast.dentist, because="Other patient")
    page = sign_in("hygienist").get(f"/notes/{note.pk}/").content.decode()
    assert "Other patient" in page
    assert "Wrong patient." in page
    with pytest.raises(Refused, match="nothing is added"):
        Addendum.write(by=cast.dentist, note=note, body="x")
    with pytest.raises(Refused, match="already"):
        note.mark_error(by=cast.dentist, because="x")


def test_a_note_that_is_marked_wrong_is_not_signed_any_more(cast, write):
    note = write()
    note.mark_error(by=cast.dentist, because="Twice")
    with pytest.raises(Refused, match="stays as it is"):
        note.sign(by=cast.dentist)
    assert not ClinicalNote.objects.unsigned_by(cast.dentist).exists()


def test_the_text_is_stored_as_ciphertext(cast, write):
    write("Extraction of 18", signed=True)
    with connection.cursor() as cursor:
        for table in ("charting_clinicalnote", "charting_historicalclinicalnote"):
            cursor.execute(f"SELECT body FROM {table}")
            assert not any("Extraction" in str(row) for row in cursor.fetchall())


def test_nobody_without_a_name_writes_notes(cast):
    with pytest.raises(Refused, match="sign in"):
        ClinicalNote.write(by=Actor.system(cast.clinic), patient=cast.ada, kind="phone", body="x")


def test_a_note_is_about_a_visit_of_the_same_patient(cast, write, book):
    with pytest.raises(ValidationError, match="another patient"):
        write(appointment=book(patient=cast.grace))
