"""Letters: filled in truly or not at all, kept once, in the practice's own words."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from clinic import letters
from clinic.db.refusals import Stale
from clinic.letters import STARTERS, filled, known_fields, refuse_unknown
from clinic.models import AccessEvent, Document, LetterTemplate
from tests.clinic.test_paper import read
from tests.pictures import pdf
from tests.scheduling.test_visit import take

pytestmark = pytest.mark.wide

Kind = LetterTemplate.Kind
SHOWN_BY_BROWSERS = "default-src 'none'"


def draft(cast, kind, patient=None, key=None):
    return letters.draft(cast.desk, patient or cast.ada, LetterTemplate.named(cast.desk, kind), key)


@pytest.fixture
def reachable(cast):
    cast.clinic.change(by=cast.system, phone="(207) 555-0100", email="hello@harbour.example", address="12 Quay Street")
    return cast


@pytest.fixture
def kept(cast, book, at):
    """`kept(…)`: a visit of Ada's from 9:02 to 9:41."""

    def make(**values):
        visit = book(**values)
        for verb, when in (("check_in", "9:02"), ("seat", "9:10"), ("complete", "9:38"), ("check_out", "9:41")):
            getattr(visit, verb)(by=cast.manager, now=at(f"2026-12-01 {when}"))
        return visit

    return make


@pytest.fixture
def post(cast, desk_client):
    """`post("keep", text=…)`: what the letter's form sends."""

    def send(act="keep", client=None, patient=None, **values):
        path = f"/patients/{(patient or cast.ada).pk}/letter/{act}/"
        form = {"template": "welcome", "title": "Welcome", "text": "Dear Ada,\n\nwelcome.", "once": str(uuid4())}
        return (client or desk_client).post(path, {**form, **values})

    return send


# Fields


def test_every_field_of_the_starters_exists_and_every_kind_but_other_has_one():
    assert set(STARTERS) == {kind.value for kind in Kind} - {"other"}
    for title, body in STARTERS.values():
        refuse_unknown(str(body))
        assert "{" not in str(title)


def test_what_a_kind_needs_are_fields_that_exist():
    assert {name for names in LetterTemplate.NEEDS.values() for name in names} <= set(known_fields())


@pytest.mark.parametrize("kind", sorted(STARTERS))
def test_each_field_has_a_value_or_a_reason(cast, kept, kind):
    visit = kept()
    for patient, key in ((cast.ada, visit.pk), (cast.grace, None)):
        for source in letters.sources():
            said = source.values(cast.desk, patient, key)
            assert set(said) == set(source.fields)
            for value in said.values():
                assert getattr(value, "why", value).strip()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("On {visit_dat}", "There is no field {visit_dat}. {visit_date} is one."),
        ("On {zzzz}", "There is no field {zzzz}."),
        ("Call {practice_phone", "A brace stands alone in “Call {practice_pho”"),
        ("Call practice_phone} now", "A brace stands alone in “actice_phone} now”"),
        ("{{date}}", "A brace stands alone"),
        ("{ date }", "A brace stands alone"),
        ("{DATE}", "A brace stands alone"),
        ("{date.year}", "A brace stands alone"),
    ],
)
def test_an_unknown_field_and_a_stray_brace_are_named(text, sentence):
    with pytest.raises(ValidationError) as refused:
        refuse_unknown(text)
    assert sentence in " ".join(refused.value.messages)


def test_a_value_is_never_read_as_a_field():
    assert filled("{patient_name} {date}", {"patient_name": "{date}", "date": "today"}) == "{date} today"


# What letters say


def test_the_excuse_says_when_the_patient_came_and_left(reachable, kept):
    kept()
    letter = draft(reachable, "excuse")
    assert "Ada Lovelace, born 10 December 1985" in letter.text
    assert "on Tuesday, 1 December 2026 from 9:02 to 9:41" in letter.text
    assert "Receptionist Test\nHarbour Dental" in letter.text
    assert not letter.missing + letter.obstacles
    assert "{" not in letter.text


def test_steps_that_were_taken_back_are_not_told(reachable, book, at):
    visit = book()
    moves = [("check_in", "8:50"), ("step_back", "8:51"), ("check_in", "9:02"), ("seat", "9:10"), ("step_back", "9:11"),
             ("seat", "9:12"), ("complete", "9:20"), ("step_back", "9:21"), ("complete", "9:38"), ("check_out", "9:41"),
             ("step_back", "9:42")]  # fmt: skip
    for verb, when in moves:
        getattr(visit, verb)(by=reachable.manager, now=at(f"2026-12-01 {when}"))
    assert "from 9:02 to 9:38" in draft(reachable, "excuse").text


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([], "This visit was not kept: it is marked as scheduled."),
        (["cancel"], "This visit was not kept: it is marked as cancelled."),
        (["no_show"], "This visit was not kept: it is marked as no-show."),
        (["check_in", "seat"], "The patient has not left yet: complete the visit first."),
    ],
)
def test_there_is_no_excuse_for_a_visit_that_was_not_kept(cast, book, post, desk_client, steps, why):
    visit = book()
    for verb in steps:
        take(visit, verb, cast.manager)
    assert draft(cast, "excuse", key=visit.pk).obstacles == [why]
    page = desk_client.get(f"/patients/{cast.ada.pk}/letter/?template=excuse&visit={visit.pk}").content.decode()
    assert why in page
    assert 'name="text"' not in page
    for act in ("keep", "print"):  # also past the page, with a text of one's own
        assert post(act, template="excuse", visit=visit.pk, text="Was here all day").status_code == 422
    assert not Document.objects.exists()


def test_times_that_nobody_noted_are_asked_for_and_not_made_up(cast, kept, monkeypatch):
    monkeypatch.setattr("scheduling.letters._presence", lambda visit: (None, None))  # as of a visit that was taken over
    kept()
    letter = draft(cast, "excuse")
    assert not letter.obstacles
    assert "from {arrived_at} to {left_at}" in letter.text
    assert ("left_at", "It is not on record when the patient left.") in letter.missing


def test_without_any_visit_an_excuse_is_refused_in_a_sentence(cast):
    assert draft(cast, "excuse").obstacles == ["The patient has kept no visit yet."]


def test_an_excuse_is_about_the_last_visit_kept_unless_another_is_named(cast, book, kept, at):
    older = kept(starts_at=at("2026-11-03 9:00"))
    kept()
    book("2026-12-15 9:00")
    assert "1 December 2026" in draft(cast, "excuse").text
    letter = draft(cast, "excuse", key=older.pk)
    assert "3 November 2026" in letter.text
    assert len(letter.occasions) == 2


def test_the_card_lists_all_visits_to_come(reachable, book, time_machine):
    time_machine.move_to("2026-12-01 12:00:00+00:00")
    for day in ("2026-12-03", "2026-12-10", "2027-01-07"):
        book(f"{day} 9:00")
    book("2026-12-04 9:00").cancel(by=reachable.desk, because="Ill")
    text = draft(reachable, "appointment_card").text
    for line in ("Thursday, 3 December 2026 at 9:00, with Dr. Dana Drill", "Thursday, 7 January 2027 at 9:00"):
        assert line in text
    assert text.count("with Dr. Dana Drill") == 3
    assert "(207) 555-0100" in text


def test_nothing_booked_makes_no_card(cast):
    assert draft(cast, "appointment_card").obstacles == ["The patient has no visit booked."]


def test_the_letter_of_a_missed_visit_names_it(reachable, book):
    book("2026-12-01 9:00").no_show(by=reachable.desk)
    letter = draft(reachable, "missed_visit")
    assert "Tuesday, 1 December 2026 at 9:00" in letter.text
    assert not letter.obstacles


def test_nobody_is_reproached_for_a_visit_that_was_kept(cast, kept):
    assert draft(cast, "missed_visit", key=kept().pk).obstacles == ["This visit was not missed."]
    assert draft(cast, "missed_visit").obstacles == ["The patient has missed no visit."]


def test_a_visit_of_somebody_else_is_not_found(cast, kept, desk_client, book, at):
    others = book("2026-12-01 10:00", patient=cast.grace)
    for path in (f"?template=welcome&visit={others.pk}", f"?template=welcome&visit={uuid4()}", "?template=welcome&visit=x"):
        assert desk_client.get(f"/patients/{cast.ada.pk}/letter/{path}").status_code == 404


def test_letters_about_children_go_to_who_is_responsible(cast):
    child = cast.ada.__class__.register(
        by=cast.desk, first_name="Byron", last_name="King", date_of_birth=cast.clinic.today().replace(year=2019, day=1),
        account=cast.ada.account)  # fmt: skip
    text = draft(cast, "welcome", child).text
    assert "Dear Ada Lovelace," in text
    assert "glad to have Byron with us" in text


def test_the_country_stands_in_an_address_abroad_only(cast):
    cast.ada.change(by=cast.desk, line1="1 Main St", city="Berlin", postal_code="10115", country="DE")
    assert letters.address_block(cast.ada, cast.clinic.today())[1:] == ["1 Main St", "Berlin 10115", "DE"]
    cast.ada.change(by=cast.desk, country="US")
    assert letters.address_block(cast.ada, cast.clinic.today())[1:] == ["1 Main St", "Berlin 10115"]


def test_what_comes_with_chairside_is_in_the_patients_language(cast, kept, monkeypatch):
    kept()
    cast.ada.change(by=cast.desk, language="de")
    asked = []
    monkeypatch.setitem(STARTERS, "excuse", (STARTERS["excuse"][0], Spoken(asked)))
    assert "Dienstag, 1 Dezember 2026" in draft(cast, "excuse").text
    assert asked == ["de"]


class Spoken:
    """A text that notes in which language it was asked for."""

    def __init__(self, asked):
        self.asked = asked

    def __str__(self):
        self.asked.append(translation.get_language())
        return "{visit_date}"


# Writing one


def test_a_field_without_a_value_is_told_and_never_printed(cast, desk_client, post):
    page = desk_client.get(f"/patients/{cast.ada.pk}/letter/?template=welcome").content.decode()
    assert "The practice&#x27;s phone number is not entered yet." in page
    answer = post("print", text="Call {practice_phone} or {next_visit}. A {word} of our own may stay.")
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "{practice_phone}, {next_visit} still stands in the text" in text
    assert "A {word} of our own may stay." in text  # what was typed is there again
    assert not Document.objects.exists()
    printed = post("print", text="A {word} of our own may stay.")
    assert "A {word} of our own may stay." in read(printed.content)[0]


def test_a_letter_that_is_kept_is_an_encrypted_document_and_opens(cast, desk_client, post):
    answer = post(text="Dear Ada,\n\nwelcome to *us*.")
    document = Document.objects.get()
    assert (document.kind, document.title, document.patient, document.made_here) == ("letter", "Welcome", cast.ada, True)
    assert answer.url == f"/documents/{document.pk}/print/"
    shown = desk_client.get(answer.url)
    assert shown["Content-Type"] == "application/pdf"
    assert shown["Content-Disposition"] == 'inline; filename="Welcome.pdf"'
    assert shown["Content-Security-Policy"].startswith(SHOWN_BY_BROWSERS)
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Cache-Control"] == "no-store"
    assert "welcome to *us*." in read(shown.content)[0]
    assert "welcome to *us*." in read(document.file.content())[0]
    kinds = list(AccessEvent.objects.filter(patient=cast.ada).order_by("id").values_list("kind", "route"))
    assert kinds == [("change", "clinic:letter_keep"), ("print", "clinic:document_print")]


def test_a_letter_that_is_only_printed_leaves_a_mark_and_no_document(cast, post):
    answer = post("print")
    assert answer["Content-Disposition"] == 'inline; filename="Welcome.pdf"'
    assert "Dear Ada," in read(answer.content)[0]
    assert not Document.objects.exists()
    event = AccessEvent.objects.get(patient=cast.ada)
    assert (event.kind, event.page) == ("print", "letter, to print")


def test_the_same_letter_on_the_same_day_is_kept_once(cast, post, time_machine):
    first = post()
    assert post().url == first.url
    assert post(text="Other words").url != first.url
    assert Document.objects.count() == 2


def test_sending_a_letter_twice_keeps_one(post):
    once = str(uuid4())
    answers = [post(once=once), post(once=once)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Document.objects.count() == 1


def test_a_file_that_came_from_outside_is_never_shown_inline(cast, desk_client):
    document = Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=pdf())
    assert desk_client.get(f"/documents/{document.pk}/print/").status_code == 404
    assert "Print" not in desk_client.get(f"/documents/{document.pk}/").content.decode()


def test_a_file_that_looks_like_our_letter_is_kept_and_not_shown_inline(cast, desk_client, post):
    ours = post("print").content
    outside = Document.add(by=cast.desk, patient=cast.ada, kind="other", content=ours)
    assert post().url == f"/documents/{outside.pk}/"


@pytest.mark.parametrize(("role", "status"), [("receptionist", 200), ("dentist", 200), ("biller", 403), ("coach", 403)])
def test_who_may_write_letters(cast, sign_in, post, role, status):
    client = sign_in(role)
    assert client.get(f"/patients/{cast.ada.pk}/letter/").status_code == status
    assert post("print", client=client).status_code == status


def test_a_letter_to_a_patient_of_another_clinic_is_not_found(cast, post):
    for act in ("keep", "print"):
        assert post(act, patient=cast.outsider.ada).status_code == 404


def test_from_a_visit_the_letter_that_suits_it_stands_first(cast, desk_client, kept, book):
    for visit, kind in ((kept(), "excuse"), (book("2026-12-02 9:00"), "appointment_card")):
        page = desk_client.get(f"/patients/{cast.ada.pk}/letter/?visit={visit.pk}").content.decode()
        assert page.index(f"template={kind}") == page.index("template=")
        assert f"visit={visit.pk}" in page
    missed = book("2026-12-03 9:00")
    missed.no_show(by=cast.desk)
    page = desk_client.get(f"/patients/{cast.ada.pk}/letter/?visit={missed.pk}").content.decode()
    assert page.index("template=missed_visit") == page.index("template=")


@pytest.mark.parametrize("count", [1, 30])
def test_a_letter_takes_the_same_queries_for_any_number_of_visits(cast, desk_client, book, count):
    for n in range(count):
        book(f"2027-01-{n + 1:02d} 9:00")
        book(f"2027-02-{n % 28 + 1:02d} {9 + n // 28}:30").no_show(by=cast.desk)
    with CaptureQueriesContext(connection) as queries:
        page = desk_client.get(f"/patients/{cast.ada.pk}/letter/?template=appointment_card").content.decode()
    assert page.count("with Dr. Dana Drill") == count
    assert len(queries) == 9, [query["sql"][:90] for query in queries]


# The practice's own texts


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


def own(cast, **values):
    return LetterTemplate(**{"kind": "other", "title": "Recall", "body": "Dear {addressee}", **values}).record(by=cast.manager)


def test_a_text_of_ones_own_stands_in_place_of_the_one_delivered(cast, manager):
    answer = manager.post("/practice/letters/new/?starter=welcome", {
        "title": "Hello", "body": "Hello {first_name}", "is_active": "on", "once": str(uuid4())})  # fmt: skip
    assert answer.status_code == 302
    row = LetterTemplate.objects.get()
    assert (row.kind, row.is_starter, row.history.get().history_user) == ("welcome", True, cast.user("manager"))
    assert [each.title for each in LetterTemplate.of(cast.desk) if each.kind == "welcome"] == ["Hello"]
    assert draft(cast, "welcome").text == draft(cast, str(row.pk)).text == "Hello Ada"
    assert len([each for each in LetterTemplate.of(cast.outsider.desk) if each.kind == "welcome"]) == 1
    assert manager.post("/practice/letters/new/?starter=welcome", {
        "title": "Again", "body": "x", "once": str(uuid4())}).status_code == 409  # fmt: skip


def test_a_letter_out_of_use_is_not_offered_and_not_written(cast, desk_client, post):
    row = own(cast, kind="welcome", is_starter=True, is_active=False)
    assert "welcome" not in desk_client.get(f"/patients/{cast.ada.pk}/letter/").content.decode().split("<main")[1]
    for key in ("welcome", row.pk):
        assert post("print", template=key).status_code == 404


def test_a_letter_of_another_clinic_is_not_found(cast, manager, post):
    foreign = own(cast.outsider)
    assert manager.get(f"/practice/letters/{foreign.pk}/").status_code == 404
    assert post("print", template=foreign.pk).status_code == 404


def test_a_wrong_field_is_refused_beside_the_text_which_stays(cast, manager):
    sent = {"kind": "other", "title": "Recall", "body": "Dear {patient_nam}", "is_active": "on", "once": str(uuid4())}
    answer = manager.post("/practice/letters/new/", sent)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "There is no field {patient_nam}. {patient_name} is one." in page
    assert "Dear {patient_nam}" in page
    assert manager.post("/practice/letters/new/", {**sent, "body": "x", "title": "{date}"}).status_code == 422
    assert not LetterTemplate.objects.exists()
    for name in known_fields():
        assert f"{{{name}}}" in page


def test_a_text_that_somebody_else_changed_is_not_overwritten(cast, manager):
    row = own(cast)
    row.change(by=cast.manager, body="Theirs")
    row.refresh_from_db()
    with pytest.raises(Stale):
        row.change(by=cast.manager, body="Mine", version=1)
    answer = manager.post(f"/practice/letters/{row.pk}/", {
        "kind": "other", "title": "Recall", "body": "Mine", "is_active": "on", "version": 1, "once": str(uuid4())})  # fmt: skip
    assert answer.status_code == 409
    assert "Theirs" in answer.content.decode()
    assert "Mine" in answer.content.decode()


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_of_letters_takes_the_same_queries_for_any_number(cast, manager, count):
    for n in range(count):
        own(cast, title=f"Letter {n}")
    with CaptureQueriesContext(connection) as queries:
        page = manager.get("/practice/letters/").content.decode()
    assert page.count("our own, since") == count
    assert len(queries) == 3
