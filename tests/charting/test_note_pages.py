"""The pages of notes: written in one go, nothing typed is lost, found again, waiting in Work."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from charting.models import Addendum, ClinicalNote, Draft, NoteTemplate
from clinic.models import AccessEvent
from tests.factories import PatientFactory

pytestmark = pytest.mark.wide


def posted(note=None, **values):
    given = {"kind": "progress", "body": "Filled tooth 14.", "appointment": "", "once": str(uuid4())}
    return {**given, **({"version": note.version} if note else {}), **values}


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


def test_line_ends_alone_make_no_new_version(cast, write, sign_in):
    note, client = write("One\r\ntwo\rthree"), sign_in("dentist")
    assert note.body == "One\ntwo\nthree"
    assert client.post(f"/notes/{note.pk}/edit/", posted(note, body="One\r\ntwo\r\nthree")).status_code == 302
    note.refresh_from_db()
    assert (note.version, note.history.count()) == (1, 1)
    client.post(f"/notes/{note.pk}/edit/", posted(note, body="One\r\ntwo\r\nfour", kind="exam"))
    note.refresh_from_db()
    assert (note.version, note.body, note.kind) == (2, "One\ntwo\nfour", "exam")
    note.sign(by=cast.dentist)
    assert Addendum.write(by=cast.dentist, note=note, body="One\r\ntwo").body == "One\ntwo"


@pytest.mark.parametrize("address", ["/patients/{0.ada.pk}/notes/new/", "/notes/{1.pk}/edit/", "/notes/{2.pk}/addendum/"])
def test_an_invisible_text_is_asked_for_again(cast, write, sign_in, address):
    address = address.format(cast, write(), write(signed=True))
    answer = sign_in("dentist").post(address, posted(body="\u200b\u200d", version=1))
    assert answer.status_code == 422
    assert "There is nothing in this that can be seen." in answer.content.decode()
    assert not Addendum.objects.exists()
    assert not ClinicalNote.objects.filter(version__gt=2).exists()
