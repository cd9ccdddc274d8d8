"""Notes: who reads and writes which, signed for good, added to, co-signed, found again, and nothing typed is lost."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from charting.models import Addendum, ClinicalNote, Draft, NoteTemplate
from charting.starter import TEMPLATES, load_templates
from clinic.access.actor import Actor
from clinic.db.refusals import NotAllowed, Refused, Stale, constraint_name
from clinic.models import AccessEvent
from tests.factories import PatientFactory


@pytest.fixture
def write(cast):
    """`write("Filled 14")`: a progress note of Ada's by the dentist; anything can be said otherwise."""

    def make(body="Filled tooth 14.", by=None, signed=False, **values):
        by = by or cast.dentist
        note = ClinicalNote.write(by=by, body=body, **{"patient": cast.ada, "kind": "progress", **values})
        return note.sign(by=by) if signed else note

    return make


@pytest.fixture
def assistant(cast):
    return cast.actor("assistant")


def posted(note=None, **values):
    given = {"kind": "progress", "body": "Filled tooth 14.", "appointment": "", "once": str(uuid4())}
    return {**given, **({"version": note.version} if note else {}), **values}


# Signed


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


# Who


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


# Pages


def test_a_note_is_written_and_signed_in_one_go(cast, sign_in, book):
    client, visit = sign_in("hygienist"), book()
    page = client.get(f"/patients/{cast.ada.pk}/notes/new/", {"visit": visit.pk}).content.decode()
    assert f'value="{visit.pk}" selected' in page
    answer = client.post(
        f"/patients/{cast.ada.pk}/notes/new/", posted(appointment=visit.pk, kind="hygiene", then="sign"), follow=True)
    assert "Signed." in answer.content.decode()
    note = ClinicalNote.objects.get()
    assert (note.status, note.appointment, note.author) == ("signed", visit, cast.hygienist.user)
    assert client.get(f"/notes/{note.pk}/edit/").status_code == 409
    answer = client.post(f"/notes/{note.pk}/edit/", posted(note, body="Not lost"))
    assert answer.status_code == 409
    assert "Not lost</textarea>" in answer.content.decode()
    assert "signed this note meanwhile" in answer.content.decode()


def test_what_can_not_be_signed_yet_is_saved_all_the_same(cast, sign_in):
    answer = sign_in("dentist").post(
        f"/patients/{cast.ada.pk}/notes/new/", posted(body="Tooth ___", then="sign"), follow=True)
    assert "1 place is still to be filled in" in answer.content.decode()
    assert ClinicalNote.objects.get().status == "draft"


def test_signing_a_note_with_open_places_leads_to_the_first_of_them_with_the_reason(cast, write, sign_in):
    note, client = write("Plaque {plaque: light / none}, tooth ___."), sign_in("dentist")
    answer = client.post(f"/notes/{note.pk}/sign/", {"version": note.version, "once": str(uuid4())}, follow=True)
    assert answer.redirect_chain == [(f"/notes/{note.pk}/edit/", 302)]
    assert "2 places are still to be filled in. Nothing was signed." in answer.content.decode()
    note.edit(by=cast.dentist, body="Plaque light.")
    answer = client.post(f"/notes/{note.pk}/sign/", {"version": 1, "once": str(uuid4())}, follow=True)
    assert answer.redirect_chain == [(f"/notes/{note.pk}/", 302)]
    assert "changed by somebody else" in answer.content.decode()
    assert not ClinicalNote.objects.get().is_signed


def test_a_new_note_is_about_the_visit_in_the_chair(cast, sign_in, book):
    client, address = sign_in("hygienist"), f"/patients/{cast.ada.pk}/notes/new/"

    def chosen(**asked):
        page = client.get(address, asked).content.decode()
        return re.findall(r'value="([0-9a-f-]{36})" selected', page.split('name="appointment"')[1].split("</select>")[0])

    assert chosen() == []
    today = cast.clinic.today()
    book(f"{today + timedelta(days=1)} 9:00")
    early, late = book(f"{today} 9:00"), book(f"{today} 15:00")
    book(f"{today} 8:00").cancel(by=cast.desk, because="Ill")
    assert chosen() == [str(early.pk)]
    late.check_in(by=cast.desk)
    assert chosen() == [str(late.pk)]
    early.check_in(by=cast.desk)
    early.seat(by=cast.desk)
    assert chosen() == [str(early.pk)]
    proph = NoteTemplate(name="Prophylaxis", kind="hygiene", short_code="px", body="{visit}.").record(by=cast.manager)
    assert f"Exam, {today:%-d %B %Y}." in client.get(address, {"template": proph.pk}).content.decode()
    call = NoteTemplate(name="Call", kind="phone", short_code="ca", body="Called.").record(by=cast.manager)
    assert chosen(template=call.pk) == []
    assert "selected" not in sign_in("receptionist").get(address).content.decode().split('name="appointment"')[1].split(
        "</select>")[0].replace('value="" selected', "")


def test_saving_in_one_window_leaves_what_another_one_holds(cast, write, sign_in):
    client, new = sign_in("dentist"), f"/patients/{cast.ada.pk}/notes/new/"
    Draft.keep(by=cast.dentist, patient=cast.ada, kind="note", content={"body": "There"}, window="b", number=3)
    client.post(new, posted(body="Here", window="a", began=""))
    client.post(new, posted(body="Here", window="a", began="b:2"))
    client.post(new, posted(body="Here, without a script"))
    assert Draft.find(cast.dentist, cast.ada, "note").content == {"body": "There"}
    client.post(new, posted(body="There", window="", began="b:3"))  # without a script, from what was restored
    assert Draft.find(cast.dentist, cast.ada, "note") is None
    note = write()
    Draft.keep(by=cast.dentist, patient=cast.ada, kind="note", about=note.pk, content={"body": "x"}, window="b", number=1)
    client.post(f"/notes/{note.pk}/edit/", posted(note, body="Here", window="a"))
    assert Draft.find(cast.dentist, cast.ada, "note", note.pk)


def test_a_form_that_is_shown_again_goes_on_keeping_its_text(cast, sign_in):
    client = sign_in("dentist")
    Draft.keep(by=cast.dentist, patient=cast.ada, kind="note", content={"body": " "}, window="a", number=2)
    answer = client.post(f"/patients/{cast.ada.pk}/notes/new/", posted(body=" ", window="a"))
    assert answer.status_code == 422
    assert 'name="began" value="a:2"' in answer.content.decode()


def test_sending_a_note_twice_writes_it_once(cast, sign_in):
    client, data = sign_in("dentist"), posted()
    for _ in range(2):
        assert client.post(f"/patients/{cast.ada.pk}/notes/new/", data).status_code == 302
    assert ClinicalNote.objects.count() == 1


def test_a_template_begins_the_note_with_the_record_s_words(cast, sign_in, book):
    template = NoteTemplate(name="Recall", kind="hygiene", short_code="rc", body="{patient}: {visit}. {plaque|light|none}").record(
        by=cast.manager)
    client, visit = sign_in("hygienist"), book()
    page = client.get(f"/patients/{cast.ada.pk}/notes/new/", {"template": template.pk, "visit": visit.pk}).content.decode()
    assert "Ada Lovelace: Exam, 1 December 2026. {plaque: light / none}" in page
    assert '<option value="hygiene" selected' in page
    client.post(f"/patients/{cast.ada.pk}/notes/new/", posted(template=template.pk))
    assert ClinicalNote.objects.get().template == template
    assert sign_in("receptionist").get(f"/patients/{cast.ada.pk}/notes/new/", {"template": template.pk}).status_code == 404


def test_two_people_in_one_note_get_both_texts_and_may_keep_both(cast, write, sign_in):
    note = write("Filled.")
    hygienist = sign_in("hygienist")
    note.edit(by=cast.dentist, body="Filled tooth 14.")
    stale = posted(body="Filled and polished.", version=1)
    answer = hygienist.post(f"/notes/{note.pk}/edit/", stale)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Filled tooth 14." in page
    assert "Filled and polished." in page
    answer = hygienist.post(f"/notes/{note.pk}/edit/", {**stale, "version": 2, "take": "marked", "choice-body": "both"})
    assert answer.status_code == 302
    note.refresh_from_db()
    assert note.body == "Filled tooth 14.\nFilled and polished."
    assert note.author == cast.dentist.user


def test_what_is_typed_is_there_again_and_goes_when_it_is_saved(cast, sign_in):
    client, new = sign_in("dentist"), f"/patients/{cast.ada.pk}/notes/new/"
    keep = f"/patients/{cast.ada.pk}/notes/draft/"
    client.post(keep, {"kind": "exam", "body": "Half a sen", "window": "w", "number": 1})
    page = client.get(new).content.decode()
    assert "Half a sen" in page
    assert '<option value="exam" selected' in page
    assert "is here again" in page
    assert "Half a sen" not in sign_in("hygienist").get(new).content.decode()
    assert client.post(keep, {"body": "Other window", "window": "v", "number": 1}).status_code == 409
    assert client.post(keep, {"body": "From there", "window": "v", "number": 1, "began": "w:1"}).status_code == 200
    client.post(new, posted(window="v"))
    assert Draft.find(cast.dentist, cast.ada, "note") is None
    assert "Begun and not saved" not in client.get("/notes/unsigned/").content.decode()
    assert "more begun" not in client.get("/queues/").content.decode()


def test_what_is_typed_into_a_saved_note_keeps_the_version_it_began_with(cast, write, sign_in):
    note, client = write("Filled."), sign_in("dentist")
    client.post(f"/patients/{cast.ada.pk}/notes/draft/", {
        "kind": "progress", "body": "Filled and", "version": 1, "about": note.pk, "window": "w", "number": 1})
    note.edit(by=cast.hygienist, body="Filled tooth 14.")
    page = client.get(f"/notes/{note.pk}/edit/").content.decode()
    assert "Filled and" in page
    assert re.search(r'name="version" value="1"', page)
    answer = client.post(f"/patients/{cast.ada.pk}/notes/draft/drop/", {"about": note.pk, "once": str(uuid4())})
    assert answer.url == f"/notes/{note.pk}/"
    assert not Draft.objects.exists()


def test_a_text_that_was_begun_can_be_thrown_away_from_the_list_of_what_waits(cast, sign_in):
    client = sign_in("dentist")
    Draft.keep(by=cast.dentist, patient=cast.ada, kind="note", content={"body": "x"}, window="w", number=1)
    answer = client.post(f"/patients/{cast.ada.pk}/notes/draft/drop/", {"back": "/notes/unsigned/", "once": str(uuid4())})
    assert answer.url == "/notes/unsigned/"
    assert "Begun and not saved" not in client.get("/notes/unsigned/").content.decode()


def test_a_text_about_a_note_that_was_signed_meanwhile_becomes_an_addendum(cast, write, sign_in):
    note, client = write("Filled."), sign_in("hygienist")
    client.post(f"/patients/{cast.ada.pk}/notes/draft/", {
        "kind": "progress", "body": "And polished.", "version": 1, "about": note.pk, "window": "w", "number": 1})
    note.sign(by=cast.dentist)
    page = client.get(f"/notes/{note.pk}/edit/")
    assert "And polished.</textarea>" in page.content.decode()
    assert 'name="began" value="w:1"' in page.content.decode()
    client.post(f"/notes/{note.pk}/addendum/", {"body": "Shade A2.", "once": str(uuid4())})
    assert Draft.find(cast.hygienist, cast.ada, "note", note.pk)  # that one came from elsewhere
    client.post(f"/notes/{note.pk}/addendum/", {"body": "And polished.", "began": "w:1", "once": str(uuid4())})
    assert {row.by for row in Addendum.objects.all()} == {cast.hygienist.user}
    assert Draft.find(cast.hygienist, cast.ada, "note", note.pk) is None


def test_nobody_keeps_a_text_about_a_note_that_is_not_theirs_to_see(cast, write, sign_in):
    note = write()
    answer = sign_in("receptionist").post(
        f"/patients/{cast.ada.pk}/notes/draft/", {"body": "x", "about": note.pk, "window": "w", "number": 1})
    assert answer.status_code == 404


def test_search_finds_in_texts_and_addenda_and_marks(cast, write, sign_in):
    Addendum.write(by=cast.dentist, note=write("Crown on 14.", signed=True), body="Cemented with RelyX.")
    write("Nothing of it.")
    client, address = sign_in("dentist"), f"/patients/{cast.ada.pk}/notes/"
    page = client.post(address, {"q": "crown relyx"}).content.decode()
    assert "1 note with" in page
    assert "<mark>Crown</mark>" in page
    assert "<mark>RelyX</mark>" in page
    assert "No note holds" in client.post(address, {"q": "<script>"}).content.decode()
    assert "<script>" not in client.post(address, {"q": "<script>"}).content.decode().replace('<script>"', "").split("</head>")[1]


def test_words_that_are_searched_for_stand_in_no_address_and_searching_is_no_change(cast, write, sign_in):
    first = write("Crown on 14.")
    write("A call about a crown.", kind="phone")
    write("Nothing of it.")
    client, address = sign_in("dentist"), f"/patients/{cast.ada.pk}/notes/"
    assert "Nothing of it" in client.get(address, {"q": "crown"}).content.decode()
    form = re.search(r'<form class="note-choose".*?</form>', client.get(address).content.decode(), re.DOTALL)[0]
    assert 'method="post"' in form
    assert "2 notes with" in client.post(address, {"q": "crown"}).content.decode()
    assert AccessEvent.objects.order_by("-pk").first().kind == "view"
    page = client.post(f"/notes/{first.pk}/", {"q": "crown", "kind": "progress"}).content.decode()
    assert "1 note with" in page
    assert "<mark>Crown</mark> on 14" in page
    assert AccessEvent.objects.order_by("-pk").first().kind == "view"
    assert client.post(address, {"q": " ", "kind": "phone"}).url == f"{address}?kind=phone"
    assert client.post(address, {"q": "", "kind": ""}).url == address
    assert not AccessEvent.objects.filter(kind="change").exists()


def test_lists_page_by_key_and_a_kind_can_be_chosen(cast, write, sign_in):
    notes = [write(f"Number {number:02}") for number in range(33)]
    write("A call", kind="phone")
    client, address = sign_in("dentist"), f"/patients/{cast.ada.pk}/notes/"
    page = client.get(address).content.decode()
    assert "A call" in page
    assert "Number 04" in page
    assert "Number 03" not in page
    older = re.search(r"before=([0-9a-f-]{36})", page)[1]
    page = client.get(address, {"before": older}).content.decode()
    assert "Number 03" in page
    assert "Number 04" not in page
    assert "Number 00" in client.get(f"/notes/{notes[0].pk}/").content.decode()
    only = client.get(address, {"kind": "phone"}).content.decode()
    assert "A call" in only
    assert "Number" not in only
    assert client.get(address, {"before": uuid4()}).status_code == 404


def test_unsigned_notes_wait_in_work_and_leave_it_signed(cast, write, sign_in, assistant):
    note, client = write(), sign_in("dentist")
    write(by=cast.hygienist)
    other = write(by=assistant, signed=True)
    Draft.keep(by=cast.dentist, patient=cast.grace, kind="note", content={"body": "x"}, window="w", number=1)
    work = client.get("/queues/").content.decode()
    assert "Unsigned notes" in work
    assert "1 more begun and not saved" in work
    assert "Notes to co-sign" in work
    page = client.get("/notes/unsigned/").content.decode()
    own = page.split("To co-sign")[0].split('aria-label="Your unsigned notes"')[1]
    assert "Filled tooth 14." in own
    assert f"{note.created_at.astimezone(cast.clinic.zone):%H:%M}".lstrip("0") in own
    assert "Dentist Test" not in own
    assert "Assistant Test" in page.split('aria-label="Notes to co-sign"')[1]
    assert page.count(f"/notes/{note.pk}/") == 2
    assert page.count(f"/notes/{other.pk}/") == 2
    assert "Grace Hopper" in page
    client.post(f"/notes/{note.pk}/sign/", {"version": note.version, "once": str(uuid4())})
    client.post(f"/notes/{other.pk}/cosign/", {"version": other.version, "once": str(uuid4())})
    page = client.get("/notes/unsigned/").content.decode()
    assert "All your notes are signed" in page
    assert "Nothing waits for a co-signature" in page
    assert "Notes to co-sign" not in sign_in("hygienist").get("/queues/").content.decode()


def test_an_addendum_without_words_is_asked_for_again(cast, write, sign_in):
    note, client = write(signed=True), sign_in("hygienist")
    assert client.post(f"/notes/{note.pk}/addendum/", {"body": " ", "once": str(uuid4())}).status_code == 422
    client.post(f"/notes/{note.pk}/addendum/", {"body": "Shade A2.", "once": str(uuid4())})
    assert "Shade A2." in client.get(f"/notes/{note.pk}/").content.decode()


def test_the_overview_and_the_visit_lead_to_notes(cast, write, sign_in, book):
    client, visit = sign_in("dentist"), book()
    note = write("# Filling\nAll well", appointment=visit)
    assert "<h3>Filling</h3>" in client.get(f"/patients/{cast.ada.pk}/notes/panel/").content.decode()
    page = client.get(f"/visits/{visit.pk}/").content.decode()
    assert f"/notes/{note.pk}/" in page
    assert f"/patients/{cast.ada.pk}/notes/new/?visit={visit.pk}" in page
    assert f"/notes/{note.pk}/" not in sign_in("receptionist").get(f"/visits/{visit.pk}/").content.decode()


def test_the_history_tells_that_a_text_changed_and_never_what_it_says(cast, write, sign_in):
    note = write("Secret words")
    note.edit(by=cast.dentist, body="Other secret")
    Addendum.write(by=cast.dentist, note=note.sign(by=cast.dentist), body="Secret addendum")
    page = sign_in("dentist").get(f"/patients/{cast.ada.pk}/history/").content.decode()
    assert "Progress note" in page
    assert "Addendum to a progress note" in page
    assert "ecret" not in page
    assert "Progress note" not in sign_in("receptionist").get(f"/patients/{cast.ada.pk}/history/").content.decode()


def test_a_page_of_notes_takes_the_same_queries_for_one_as_for_thirty(cast, write, program, sign_in, assistant):
    client, dentist = sign_in("dentist"), program("dentist")
    address = f"/patients/{cast.ada.pk}/notes/"
    asked = {
        "list": lambda: client.get(address), "search": lambda: client.post(address, {"q": "filled"}),
        "unsigned": lambda: client.get("/notes/unsigned/"), "api": lambda: dentist.get(address.rstrip("/")),
        "history": lambda: client.get(f"/patients/{cast.ada.pk}/history/"), "work": lambda: client.get("/queues/")}  # fmt: skip

    def more(count):
        for _ in range(count):
            write(patient=PatientFactory(by=cast.desk))
            write(by=assistant, signed=True, patient=PatientFactory(by=cast.desk))
            Addendum.write(by=cast.dentist, note=write(signed=True), body="Filled more.")

    more(1)
    for ask in asked.values():
        ask()
    few = {name: queries(ask) for name, ask in asked.items()}
    more(29)
    assert {name: queries(ask) for name, ask in asked.items()} == few
    assert few["list"] <= 22


def queries(ask):
    with CaptureQueriesContext(connection) as found:
        answer = ask()
    assert answer.status_code == 200, answer.wsgi_request.path
    return len(found)


# Programs


def test_a_program_writes_changes_signs_and_adds(cast, program, book):
    dentist, visit = program("dentist"), book()
    answer = dentist.post(f"/patients/{cast.ada.pk}/notes", {
        "kind": "exam", "body": "All well.", "appointment_id": str(visit.pk)})
    assert answer.status_code == 201
    note = answer.data
    assert (note["status"], note["appointment_id"], note["addenda"], note["signed_at"], note["version"]) == (
        "draft", str(visit.pk), [], None, 1)  # fmt: skip
    path = f"/notes/{note['id']}"
    assert dentist.patch(path, {"body": "All is well."}, **{"If-Match": '"1"'}).data["version"] == 2
    answer = dentist.patch(path, {"body": "x"}, **{"If-Match": '"1"'})
    assert (answer.status_code, answer.data["current"]["body"]) == (409, "All is well.")
    assert dentist.post(f"{path}/addenda", {"body": "x"}).status_code == 409
    assert program("hygienist").post(f"{path}/sign").status_code == 409
    signed = dentist.post(f"{path}/sign").data
    assert (signed["status"], signed["version"]) == ("signed", 3)
    assert dentist.patch(path, {"body": "x"}).status_code == 409
    assert dentist.post(f"{path}/sign").status_code == 409
    added = dentist.post(f"{path}/addenda", {"body": "Shade A2."})
    assert (added.status_code, [each["body"] for each in added.data["addenda"]]) == (201, ["Shade A2."])
    assert dentist.get(path).data["body"] == "All is well."
    listed = dentist.get(f"/patients/{cast.ada.pk}/notes?kind=exam&status=signed").data
    assert (listed["count"], listed["items"][0]["id"]) == (1, note["id"])


@pytest.mark.parametrize(("body", "status", "field"), [
    ({"kind": "poem", "body": "x"}, 422, "kind"), ({"kind": "exam"}, 422, "body"), ({"kind": "exam", "body": " "}, 422, "body"),
    ({"kind": "exam", "body": "x" * 20_001}, 422, "body"), ({"kind": "exam", "body": "x", "status": "signed"}, 422, "status"),
    ({"kind": "exam", "body": "x", "appointment_id": str(uuid4())}, 422, "appointment_id"),
    ({"kind": "exam", "body": "x\x07"}, 422, "body")])  # fmt: skip
def test_what_a_program_may_not_send_is_named(cast, program, body, status, field):
    answer = program("dentist").post(f"/patients/{cast.ada.pk}/notes", body)
    assert answer.status_code == status
    assert answer.data["errors"][0]["field"] == field


def test_a_visit_of_another_patient_is_named_to_a_program(cast, program, book):
    visit = book(patient=cast.grace)
    answer = program("dentist").post(
        f"/patients/{cast.ada.pk}/notes", {"kind": "exam", "body": "x", "appointment_id": str(visit.pk)})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "appointment_id")


def test_the_desk_s_program_writes_what_the_desk_may(cast, desk, write):
    assert desk.post(f"/patients/{cast.ada.pk}/notes", {"kind": "exam", "body": "x"}).status_code == 403
    assert desk.post(f"/patients/{cast.ada.pk}/notes", {"kind": "phone", "body": "x"}).status_code == 201
    assert desk.get(f"/notes/{write().pk}").status_code == 404
    assert desk.get(f"/patients/{cast.ada.pk}/notes?kind=poem").status_code == 422
    assert desk.get(f"/patients/{cast.ada.pk}/notes").data["count"] == 1


# Templates


def test_a_manager_edits_templates_and_is_told_what_they_can_not_mean(cast, sign_in):
    manager = sign_in("manager")
    data = {
        "name": "Recall", "kind": "hygiene", "short_code": "rc", "body": "{pateint} came.", "is_active": "on", "once": str(uuid4())}
    answer = manager.post("/admin/charting/notetemplate/add/", data)
    assert answer.status_code == 422
    assert "{patient} is one" in answer.content.decode()
    manager.post("/admin/charting/notetemplate/add/", {**data, "body": "{patient} came."})
    assert NoteTemplate.objects.get().body == "{patient} came."
    again = manager.post("/admin/charting/notetemplate/add/", {**data, "name": "Other", "body": "x", "once": str(uuid4())})
    assert "Another template has this short code" in again.content.decode()


def test_a_new_practice_gets_the_usual_templates_once(cast, capsys):
    call_command("open_charting", "--clinic", cast.clinic.name)
    assert f"{len(TEMPLATES)} note templates added" in capsys.readouterr().out
    assert load_templates(by=cast.system) == []
    assert len(TEMPLATES) >= 12
    with pytest.raises(CommandError, match="Say which clinic"):
        call_command("open_charting")


def test_a_template_out_of_use_begins_no_note(cast, sign_in):
    template = NoteTemplate(name="Old", kind="exam", body="x").record(by=cast.manager)
    template.change(by=cast.manager, is_active=False)
    assert sign_in("dentist").get(f"/patients/{cast.ada.pk}/notes/new/", {"template": template.pk}).status_code == 404
