"""Documents of a patient: filed once, shown to whom they may be, never run, never lost."""

import os
from datetime import date
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.access.rules import may
from clinic.db.refusals import Refused, Stale
from clinic.files import examine as examining
from clinic.files.examine import Unfit
from clinic.models import AccessEvent, Document, StoredFile
from clinic.models.document import AlreadyHere, title_of
from tests.pictures import docx, pdf, picture

pytestmark = pytest.mark.wide

CLOSED = "sandbox; default-src 'none'"


def upload(name="card.jpg", content=None, media_type="image/jpeg"):
    return SimpleUploadedFile(name, picture() if content is None else content, media_type)


@pytest.fixture
def file(cast):
    """`file(content=…)`: a document of Ada's."""

    def add(**values):
        return Document.add(
            **{"by": cast.desk, "patient": cast.ada, "kind": "letter", "content": b"Dear Ada", "name": "a.txt", **values}
        )

    return add


@pytest.fixture
def send(cast, desk_client):
    """`send(upload(), …)`: what the plain form posts."""

    def post(*files, client=None, patient=None, **fields):
        path = f"/patients/{(patient or cast.ada).pk}/documents/add/"
        return (client or desk_client).post(path, {"kind": "letter", "once": str(uuid4()), "files": files, **fields})

    return post


def told(client, cast):
    return client.get(f"/patients/{cast.ada.pk}/documents/").content.decode()


# The verbs


def test_a_picture_is_filed_with_its_facts_and_two_pictures_of_it(cast, file):
    paper = file(content=picture(), name="../Insurance card.jpeg", kind="insurance_card", note="Copy")
    stored = paper.file
    assert (paper.title, stored.name, paper.received_on) == (
        "Insurance card", "Insurance card.jpeg", cast.clinic.today())  # fmt: skip
    assert (stored.media_type, stored.width, stored.height, stored.size) == ("image/jpeg", 400, 300, len(picture()))
    assert stored.by == cast.desk.user
    drawn = StoredFile.objects.filter(drawn_from=stored)
    assert set(drawn.values_list("use", "media_type")) == {("preview", "image/webp"), ("thumbnail", "image/webp")}
    assert stored.content() == picture()
    assert paper.history.get().history_user == cast.desk.user


def test_the_note_is_not_to_be_read_in_the_database(file):
    paper = file(note="Shows the wrong birth date")
    with connection.cursor() as cursor:
        for table in ("clinic_document", "clinic_historicaldocument"):
            cursor.execute(f"SELECT note FROM {table}")
            assert cursor.fetchone()[0].startswith("e1:")
    assert Document.objects.get(pk=paper.pk).note == "Shows the wrong birth date"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Referral_Dr Bridge.pdf", "Referral Dr Bridge"),
        ("IMG_2041.JPG", "Letter"),
        ("20261121_0912.pdf", "Letter"),
        ("unnamed", "unnamed"),
    ],
)
def test_a_title_follows_from_the_name_unless_a_camera_gave_it(name, title):
    assert title_of(name, "letter") == title


def test_the_same_file_twice_is_asked_about_and_kept_when_wanted(cast, file):
    first = file(title="Letter of May", received_on=date(2026, 5, 3))
    with pytest.raises(AlreadyHere, match="it is already here as “Letter of May” of 3 May 2026") as refused:
        file(name="other name.txt")
    assert refused.value.document == first
    assert file(again=True).pk != first.pk
    assert file(patient=cast.grace)
    first.withdraw(by=cast.desk, because="Added twice")
    Document.objects.exclude(pk=first.pk).get(patient=cast.ada).withdraw(by=cast.desk, because="Added twice")
    assert file()


def test_the_back_of_a_card_counts_as_here_too(file):
    file(content=picture(colour=1), back=picture(colour=2), name="front.jpg", back_name="back.jpg")
    with pytest.raises(AlreadyHere, match=r"back\.jpg was not added"):
        file(content=picture(colour=2), name="back.jpg")


def test_what_is_unfit_leaves_nothing_behind(file):
    with pytest.raises(Unfit):
        file(content=b"<html>", name="page.html")
    with pytest.raises(Unfit):
        file(content=picture(), back=b"<html>", back_name="page.html")
    assert not StoredFile.objects.exists()


def test_a_document_is_withdrawn_with_a_reason_and_comes_back(cast, file):
    paper = file()
    with pytest.raises(Refused, match="Say why"):
        paper.withdraw(by=cast.desk, because=" ")
    paper.withdraw(by=cast.desk, because="Belongs to Grace")
    assert paper not in Document.objects.of(cast.ada).current()
    assert paper in Document.objects.of(cast.ada).withdrawn()
    with pytest.raises(Refused, match="withdrawn already"):
        paper.withdraw(by=cast.desk, because="Again")
    paper.restore(by=cast.manager)
    assert paper in Document.objects.of(cast.ada).current()
    with pytest.raises(Refused, match="not withdrawn"):
        paper.restore(by=cast.manager)
    assert [row.history_change_reason for row in paper.history.order_by("version")] == ["", "Belongs to Grace", ""]


def test_a_document_is_described_anew_and_a_stale_version_is_refused(cast, file):
    paper = file()
    paper.change(by=cast.desk, title="Letter of Dr. Bridge", kind="referral", version=1)
    with pytest.raises(Stale):
        paper.change(by=cast.desk, title="Another", version=1)


def test_it_is_never_deleted(cast, file):
    with pytest.raises(RuntimeError):
        file().delete()


# Adding by the page


def test_several_files_are_filed_and_one_that_is_unfit_keeps_no_other_out(cast, send, desk_client):
    answer = send(upload("a.jpg"), upload("page.html", b"<html><script>", "image/jpeg"), upload("b.pdf", pdf()))
    assert answer.status_code == 302
    assert {paper.file.name for paper in Document.objects.of(cast.ada)} == {"a.jpg", "b.pdf"}
    page = told(desk_client, cast)
    assert "2 documents added." in page
    assert "page.html was not added. It is none of the kinds" in page


def test_a_double_click_files_once(cast, send):
    key = str(uuid4())
    first, second = send(upload(), once=key), send(upload(), once=key)
    assert (first.status_code, second.status_code) == (302, 302)
    assert Document.objects.of(cast.ada).count() == 1


def test_a_file_that_is_here_is_told_of_and_kept_when_asked(cast, send, desk_client):
    send(upload("a.jpg"))
    send(upload("a.jpg"), upload("b.jpg", picture(colour=1)))
    assert "a.jpg was not added: it is already here as “Letter”" in told(desk_client, cast)
    assert Document.objects.of(cast.ada).count() == 2
    send(upload("a.jpg"), again="on")
    assert Document.objects.of(cast.ada).count() == 3


def test_nothing_chosen_is_a_sentence(cast, send):
    answer = send()
    assert answer.status_code == 422
    assert "Choose at least one file" in answer.content.decode()
    assert send(upload(), kind="prophecy").status_code == 422


def test_the_script_gets_the_new_sheet_or_the_sentence(cast, desk_client):
    def post(file, **fields):
        headers = {"HX-Request": "true", "Idempotency-Key": uuid4().hex}
        return desk_client.post(
            f"/patients/{cast.ada.pk}/documents/add/", {"kind": "letter", "files": file, **fields}, headers=headers
        )

    good = post(upload("a.jpg"))
    assert (good.status_code, "data:image/webp;base64," in good.content.decode()) == (201, True)
    again = post(upload("a.jpg"))
    assert (again.status_code, again["Content-Type"]) == (409, "text/plain; charset=utf-8")
    bad = post(upload("x.svg", b"<svg onload=alert(1)>"))
    assert bad.status_code == 422
    assert bad.content.decode().startswith("x.svg was not added. It is none of the kinds")
    assert post(upload("a.jpg"), again="on").status_code == 201


def test_a_card_is_one_document_with_two_sides(cast, desk_client):
    def scan(**files):
        return desk_client.post(
            f"/patients/{cast.ada.pk}/documents/scan/", {"kind": "insurance_card", "once": str(uuid4()), **files}
        )

    assert scan(back=upload()).status_code == 422
    assert scan(front=upload("image.jpg"), back=upload("image.jpg", picture(colour=1))).status_code == 302
    card = Document.objects.get()
    assert (card.title, card.kind, [name for name, _ in card.sides]) == (
        "Insurance card", "insurance_card", ["front", "back"])  # fmt: skip
    page = desk_client.get(f"/documents/{card.pk}/").content.decode()
    assert f"/documents/{card.pk}/preview/?side=back" in page
    back = desk_client.get(f"/documents/{card.pk}/content/?side=back")
    assert back.getvalue() == picture(colour=1)
    assert desk_client.get(f"/documents/{card.pk}/content/?side=edge").status_code == 404
    assert scan(front=upload("image.jpg", picture(colour=2))).status_code == 302


def test_too_many_and_too_much_are_refused_before_they_are_read(cast, send, desk_client, settings):
    answer = send(*[upload(f"{number}.txt", b"x") for number in range(21)])
    assert answer.status_code == 413
    assert "At most 20 files at once." in answer.content.decode()
    large = desk_client.post(f"/patients/{cast.ada.pk}/edit/", {"scan": upload("a.txt", b"a" * 1_100_000)})
    assert large.status_code == 413  # a page that takes no files takes no large ones either
    assert not Document.objects.exists()


def test_a_file_over_the_limit_is_told_by_name_and_the_others_are_kept(cast, send, desk_client):
    send(upload("big.txt", b"a" * (examining.MOST_BYTES + 1)), upload("a.jpg"))
    assert "big.txt was not added. It is larger than 25 MB." in told(desk_client, cast)
    assert Document.objects.of(cast.ada).count() == 1


def test_files_are_looked_into_before_the_transaction_begins(cast, send, monkeypatch):
    inside = []
    real = examining._draw
    monkeypatch.setattr(examining, "_draw", lambda *args: inside.append(len(connection.savepoint_ids)) or real(*args))
    outside = len(connection.savepoint_ids)  # the test's own
    send(upload())
    assert inside == [outside]


def test_a_stranger_and_a_role_that_may_not_send_nothing_large(cast, client, sign_in, send):
    big = upload("a.txt", b"a" * 1_100_000)
    assert send(big, client=client).status_code in (302, 413)
    assert send(upload(), client=sign_in("biller")).status_code == 403
    assert not Document.objects.exists()


# Looking at them


def test_the_file_is_handed_out_to_keep_and_never_to_run(cast, file, desk_client):
    paper = file(content=picture(), name="x.exe", title='Card "of" Ada/../Łódź\r\n')
    answer = desk_client.get(f"/documents/{paper.pk}/content/")
    assert answer.getvalue() == picture()
    assert (answer["Content-Type"], answer["Content-Length"]) == ("image/jpeg", str(len(picture())))
    assert (answer["Content-Security-Policy"], answer["X-Content-Type-Options"]) == (CLOSED, "nosniff")
    assert (answer["Cache-Control"], answer["Cross-Origin-Resource-Policy"]) == ("no-store", "same-origin")
    said = unquote(answer["Content-Disposition"])
    assert said.startswith("attachment;")
    assert said.endswith("Card of Ada Łódź.jpg")
    preview = desk_client.get(f"/documents/{paper.pk}/preview/")
    assert (preview["Content-Type"], preview["Content-Security-Policy"]) == ("image/webp", CLOSED)
    assert "Content-Disposition" not in preview


def test_what_has_no_picture_says_so(file, desk_client):
    paper = file(content=docx(), name="Letter.docx")
    page = desk_client.get(f"/documents/{paper.pk}/").content.decode()
    assert "There is no picture of this file." in page
    assert desk_client.get(f"/documents/{paper.pk}/preview/").status_code == 404


def test_a_file_that_was_changed_on_the_disk_is_a_sentence_and_the_list_still_stands(cast, file, desk_client):
    paper = file(content=picture())
    StoredFile.objects.filter(pk=paper.file.pk)
    for stored in StoredFile.objects.all():
        from django.core.files.storage import storages

        with open(storages["files"].path(stored.path), "r+b") as there:
            there.seek(30)
            there.write(b"????")
    answer = desk_client.get(f"/documents/{paper.pk}/content/")
    assert answer.status_code == 409
    assert "can&#x27;t be read as it was kept" in answer.content.decode()
    assert "a.txt" in told(desk_client, cast) or "JPG" in told(desk_client, cast)


def test_each_look_is_on_record(cast, file, desk_client):
    paper = file(content=picture())
    desk_client.get(f"/patients/{cast.ada.pk}/documents/")
    for page in ("", "content/", "preview/"):
        desk_client.get(f"/documents/{paper.pk}/{page}")
    events = AccessEvent.objects.filter(patient=cast.ada).order_by("id")
    assert list(events.values_list("kind", "route")) == [
        ("view", "clinic:documents"),
        ("view", "clinic:document"),
        ("export", "clinic:document_content"),
        ("view", "clinic:document_preview"),
    ]


@pytest.mark.parametrize("page", ["", "content/", "preview/", "edit/", "withdraw/"])
def test_a_document_of_another_clinic_is_not_there(cast, file, sign_in, page):
    paper = file(content=picture())
    for role in ("receptionist", "manager"):
        assert sign_in(role, "other").get(f"/documents/{paper.pk}/{page}").status_code == 404
    assert sign_in("coach").get(f"/documents/{paper.pk}/{page}").status_code == 403
    assert sign_in("patient").get(f"/documents/{paper.pk}/{page}").status_code == 403


GUESSES = 10_000 if "CAMPAIGN" in os.environ else 60


def test_no_guessed_address_opens(cast, file, desk_client):
    foreign = Document.add(
        by=cast.outsider.desk, patient=cast.outsider.ada, kind="letter", content=b"Secret", name="s.txt"
    )
    own = file()
    near = [
        str(own.pk)[:-1] + digit for digit in "0123456789abcdef" if str(own.pk)[:-1] + digit != str(own.pk)
    ]  # one digit off
    guesses = [str(foreign.pk), str(foreign.file_id), str(own.file_id), str(own.file.key_id), str(cast.ada.pk), *near]
    guesses += [str(uuid4()) for _ in range(GUESSES - len(guesses))]
    opened = [
        (guess, page)
        for guess in guesses
        for page in ("", "content/", "preview/")
        if desk_client.get(f"/documents/{guess}/{page}").status_code != 404
    ]
    assert opened == []
    assert AccessEvent.objects.filter(kind="refused").count() == 3 * len(guesses)


def test_thirty_documents_cost_as_many_queries_as_one(cast, file, desk_client, program):
    def queries(get):
        with CaptureQueriesContext(connection, ) as captured:
            assert get().status_code == 200
        return len(captured)

    desk = program("receptionist")
    pages = [
        lambda: desk_client.get(f"/patients/{cast.ada.pk}/documents/"),
        lambda: desk.get(f"/patients/{cast.ada.pk}/documents"),
    ]
    file(content=picture())
    for get in pages:
        get()
    one = [queries(get) for get in pages]
    for number in range(29):
        file(content=f"Letter {number}".encode(), name=f"{number}.txt", back=b"Over" if number == 1 else None)
    assert [queries(get) for get in pages] == one


def test_the_list_is_newest_first_and_goes_on(cast, file, desk_client):
    for number in range(26):
        file(content=f"{number}".encode(), title=f"Paper no {number:02d}", received_on=date(2026, 1, 1 + number))
    page = told(desk_client, cast)
    assert page.index("Paper no 25") < page.index("Paper no 24")
    assert "Paper no 01" not in page
    rest = desk_client.get(f"/patients/{cast.ada.pk}/documents/?start=24").content.decode()
    assert "Paper no 01" in rest
    assert "Paper no 00" in rest


def test_who_may_not_add_sees_no_way_to(cast, file, sign_in):
    paper, client = file(), sign_in("biller")
    page = client.get(f"/patients/{cast.ada.pk}/documents/").content.decode()
    assert "a.txt" not in page or "Add documents" not in page
    assert "Add documents" not in page
    assert "Withdraw" not in client.get(f"/documents/{paper.pk}/").content.decode()
    assert not may(cast.coach, "clinic.view_document")
    assert not may(cast.portal, "clinic.view_document")


# Changing by the page


def test_it_is_renamed_on_a_page_and_two_who_do_so_are_told(cast, file, desk_client):
    paper = file()
    form = {"title": "Letter of Dr. Bridge", "kind": "referral", "received_on": "5/3/2026", "note": "", "version": 1}
    path = f"/documents/{paper.pk}/edit/"
    assert desk_client.post(path, {**form, "once": str(uuid4())}).status_code == 302
    paper.refresh_from_db()
    assert (paper.title, paper.kind, paper.received_on) == ("Letter of Dr. Bridge", "referral", date(2026, 5, 3))
    late = desk_client.post(path, {**form, "title": "Mine", "once": str(uuid4())})
    assert late.status_code == 409
    assert "Letter of Dr. Bridge" in late.content.decode()


def test_it_is_withdrawn_and_put_back_on_a_page(cast, file, desk_client):
    paper = file(title="Wrong paper")
    path = f"/documents/{paper.pk}"
    assert desk_client.post(f"{path}/withdraw/", {"because": "", "once": str(uuid4())}).status_code == 422
    assert desk_client.post(f"{path}/withdraw/", {"because": "Grace's", "once": str(uuid4())}).status_code == 302
    assert "Wrong paper" not in told(desk_client, cast)
    assert "Wrong paper" in desk_client.get(f"/patients/{cast.ada.pk}/documents/?withdrawn=1").content.decode()
    assert "Grace&#x27;s" in desk_client.get(f"{path}/").content.decode()
    desk_client.post(f"{path}/restore/", {"once": str(uuid4())})
    assert "Wrong paper" in told(desk_client, cast)


def test_the_history_of_the_patient_tells_of_it(cast, file, desk_client):
    paper = file(title="Referral letter")
    paper.withdraw(by=cast.desk, because="Out of date")
    page = desk_client.get(f"/patients/{cast.ada.pk}/history/").content.decode()
    assert "Document “Referral letter” (new)" in page
    assert "Out of date" in page


# Programs


def test_a_program_adds_lists_and_reads(cast, desk):
    path = f"/patients/{cast.ada.pk}/documents"
    added = desk.form(
        path, {"file": upload("card.jpg"), "back": upload("b.jpg", picture(colour=1)), "kind": "insurance_card", "title": "Card"}
    )
    assert added.status_code == 201
    key = added.data["id"]
    assert [side["side"] for side in added.data["sides"]] == ["front", "back"]
    assert added.data["sides"][0]["sha256"] == Document.objects.get(pk=key).file.sha256
    assert desk.get(path).data == {"items": [added.data], "count": 1}
    assert desk.get(f"/documents/{key}").data == added.data
    content = desk.get(f"/documents/{key}/content?side=back")
    assert content.getvalue() == picture(colour=1)
    assert (content["Content-Security-Policy"], content["Content-Type"]) == (CLOSED, "image/jpeg")
    assert desk.get(f"/documents/{key}/content?side=edge").status_code == 404


def test_a_program_is_refused_as_a_page_is(cast, desk, program):
    path = f"/patients/{cast.ada.pk}/documents"
    assert desk.post(path, {}).status_code == 415
    assert desk.form(path, {}).status_code == 415
    assert [error["field"] for error in desk.form(path, {"kind": "letter"}).data["errors"]] == ["file"]
    bad = desk.form(path, {"file": upload("x.svg", b"<svg/>")})
    assert (bad.status_code, bad.data["errors"][0]["field"]) == (422, "file")
    assert desk.form(path, {"file": upload(), "kind": "prophecy"}).status_code == 422
    assert desk.form(path, {"file": upload(), "shoe_size": "44"}).status_code == 422
    assert desk.form(f"/patients/{cast.outsider.ada.pk}/documents", {"file": upload()}).status_code == 404
    assert program("biller").form(path, {"file": upload()}).status_code == 403
    assert not Document.objects.exists()


def test_a_program_that_sends_twice_files_once(cast, desk):
    path, key = f"/patients/{cast.ada.pk}/documents", {"Idempotency-Key": str(uuid4())}
    first, second = (desk.form(path, {"file": upload()}, **key) for _ in range(2))
    assert (first.status_code, first.data) == (second.status_code, second.data)
    again = desk.form(path, {"file": upload()})
    assert (again.status_code, again.data["conflicts"]) == (409, [{"document_id": first.data["id"]}])
    assert desk.form(path, {"file": upload(), "again": "true"}).status_code == 201


def test_withdrawn_ones_are_listed_when_asked_for(cast, desk, file):
    paper = file()
    paper.withdraw(by=cast.desk, because="Twice")
    path = f"/patients/{cast.ada.pk}/documents"
    assert desk.get(path).data["count"] == 0
    assert desk.get(f"{path}?withdrawn=true").data["items"][0]["withdrawn_because"] == "Twice"


def test_the_overview_s_panel_shows_the_newest_documents_in_as_many_queries_for_one_as_for_thirty(cast, desk_client):
    address = f"/patients/{cast.ada.pk}/documents/panel/"
    assert "No documents yet" in desk_client.get(address).content.decode()
    Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=b"0", name="first.txt", title="The first")
    with CaptureQueriesContext(connection) as one:
        assert "The first" in desk_client.get(address).content.decode()
    for number in range(1, 30):
        Document.add(
            by=cast.desk, patient=cast.ada, kind="letter", content=f"{number}".encode(), name="a.txt", title=f"No {number}")
    with CaptureQueriesContext(connection) as many:
        text = desk_client.get(address).content.decode()
    assert len(many) == len(one)
    assert "No 29" in text
    assert "The first" not in text
    assert address in desk_client.get(f"/patients/{cast.ada.pk}/").content.decode()
