"""Notes by keyboard: written from a template, kept while typed, signed, added to; two people in one note; without JavaScript."""
import pytest

from charting.models import Addendum, ClinicalNote, Draft
from charting.starter import load_templates

pytestmark = pytest.mark.story


def new(clone):
    return f"/patients/{clone.ada.pk}/notes/new/"


def kept(hygienist):
    hygienist.page.locator("[data-note-state]", has_text="Kept").wait_for()


def test_a_hygienist_writes_signs_and_adds_to_a_prophylaxis_note_without_the_mouse(screen, clone):
    load_templates(by=clone.system)
    hygienist = screen("hygienist").open(f"/patients/{clone.ada.pk}/")
    hygienist.page.get_by_text("No notes yet.").wait_for()
    hygienist.look("the overview with no notes")
    hygienist.go("g", "o")
    hygienist.look("no notes")
    hygienist.go("n")
    assert hygienist.focused_name() == "body"
    hygienist.write(".proph ")
    text = hygienist.page.locator("[data-note-text]")
    assert "# Prophylaxis\nAda Lovelace" in text.input_value()
    hygienist.write("(no visit)")  # the first place is selected: ___ for the visit
    assert "years, (no visit)." in text.input_value()
    hygienist.press("Tab", "Tab")  # to the medical history, and its first choice taken
    assert "Medical history: reviewed, no change\n" in text.input_value()
    hygienist.press("3")  # plaque: the third choice
    assert "Plaque: moderate\n" in text.input_value()
    hygienist.look("a place with choices")
    hygienist.page.wait_for_timeout(1000)  # longer than the pause after which a text is kept
    kept(hygienist)

    hygienist.page.reload()
    hygienist.sees("is here again")
    assert "Plaque: moderate\n" in text.input_value()
    assert hygienist.page.evaluate("() => getSelection().toString()").startswith("{calculus: ")
    while "{" in text.input_value():
        hygienist.press("Tab")
    hygienist.look("a note that is filled in")
    with hygienist.page.expect_navigation():
        hygienist.press("Control+Enter")
    hygienist.sees("It waits for its signature")
    hygienist.look("an unsigned note")
    hygienist.go("s")
    hygienist.toast("Signed.")
    hygienist.press("d")
    hygienist.page.locator("#addendum_body").focus()
    hygienist.write("Patient called: no complaints.")
    with hygienist.page.expect_navigation():
        hygienist.press("Control+Enter")
    hygienist.page.locator(".addendum", has_text="no complaints").wait_for()
    hygienist.look("a signed note with an addendum")
    note = ClinicalNote.objects.get()
    assert (note.status, note.kind, note.is_intact, note.template.short_code) == ("signed", "hygiene", True, "proph")
    assert Addendum.objects.get().is_intact
    assert Draft.find(clone.hygienist, clone.ada, "note") is None


def test_a_page_that_dies_loses_at_most_the_last_half_second(screen, clone):
    hygienist = screen("hygienist").open(new(clone))
    hygienist.write("Scaled and polished.")
    kept(hygienist)
    hygienist.write(" Lost")
    hygienist.page.goto("about:blank")
    hygienist.open(new(clone))
    assert hygienist.page.locator("[data-note-text]").input_value() in ("Scaled and polished.", "Scaled and polished. Lost")


def test_two_windows_of_one_person_do_not_write_over_each_other(screen, clone):
    hygienist = screen("hygienist").open(new(clone))
    hygienist.expect("409")
    other = hygienist.page.context.new_page()
    other.goto(hygienist.page.url)
    hygienist.write("Here.")
    kept(hygienist)
    other.locator("[data-note-text]").press_sequentially("There.")
    other.get_by_text("in another window").wait_for()
    assert Draft.objects.get().content["body"] == "Here."


def test_what_one_window_saves_leaves_the_text_of_another_one(screen, clone):
    hygienist = screen("hygienist").open(new(clone))
    hygienist.expect("409")
    other = hygienist.page.context.new_page()
    other.goto(hygienist.page.url)
    other.locator("[data-note-text]").press_sequentially("There.")
    other.locator("[data-note-state]", has_text="Kept").wait_for()
    hygienist.write("Here.")
    hygienist.page.get_by_text("in another window").wait_for()
    with hygienist.page.expect_navigation():
        hygienist.press("Control+Enter")
    assert ClinicalNote.objects.get().body == "Here."
    assert Draft.objects.get().content["body"] == "There."


def test_signing_with_a_place_left_open_leads_to_it(screen, clone):
    note = ClinicalNote.write(by=clone.hygienist, patient=clone.ada, kind="hygiene", body="Plaque {plaque: light / none}.")
    hygienist = screen("hygienist").open(f"/notes/{note.pk}/")
    hygienist.go("s")
    hygienist.sees("1 place is still to be filled in")
    hygienist.page.wait_for_function("getSelection().toString() === '{plaque: light / none}'")
    hygienist.look("a place that keeps a note from being signed")


def test_the_second_of_two_people_sees_both_texts(screen, clone):
    note = ClinicalNote.write(by=clone.hygienist, patient=clone.ada, kind="hygiene", body="Scaled.")
    hygienist = screen("hygienist").open(f"/notes/{note.pk}/")
    hygienist.expect("409")
    hygienist.go("e")
    hygienist.page.wait_for_function("document.querySelector('[data-note-text]').selectionStart > 0")  # at the end of the text
    hygienist.write(" Polished.")
    kept(hygienist)
    note.edit(by=clone.dentist, body="Scaled. Looked at, all well.")
    with hygienist.page.expect_navigation():
        hygienist.press("Control+Enter")
    hygienist.sees("Dentist Test saved this first")
    hygienist.look("both texts")
    hygienist.page.get_by_label("Text: both texts").check()
    with hygienist.page.expect_navigation():
        hygienist.press("Control+Enter")
    note.refresh_from_db()
    assert note.body == "Scaled. Looked at, all well.\nScaled. Polished."


def test_notes_are_searched_and_opened_beside_the_list(screen, clone):
    for number in range(12):
        ClinicalNote.write(by=clone.dentist, patient=clone.ada, kind="progress", body=f"Visit {number}: crown on {number}.")
    dentist = screen("dentist").open(f"/patients/{clone.ada.pk}/notes/")
    dentist.press("j", "j", "Enter")
    dentist.page.locator(".note-open", has_text="Visit 10").wait_for()
    dentist.page.locator("a:focus", has_text="Progress").wait_for()
    dentist.press("f")
    dentist.write("crown 7")
    with dentist.page.expect_navigation():
        dentist.press("Enter")
    dentist.page.locator(".notes-said", has_text="1 note with").wait_for()
    dentist.look("what a search found")
    assert "crown" not in dentist.page.url
    dentist.page.locator(".note-rows a").first.click()
    dentist.page.wait_for_url("**/notes/*-*/")
    dentist.page.locator(".notes-said", has_text="1 note with").wait_for()
    assert dentist.page.locator(".note-open mark").all_inner_texts() == ["7", "crown", "7"]
    assert "crown" not in dentist.page.url
    dentist.open("/notes/unsigned/")
    dentist.look("unsigned notes")
    dentist.press("j")
    dentist.go("Enter")
    assert dentist.path().startswith("/notes/")


def test_without_javascript_a_note_is_begun_with_a_template_and_signed(screen, clone):
    load_templates(by=clone.system)
    page = screen("dentist", js=False).open(new(clone)).page
    page.get_by_role("link", name="Phone call").click()
    text = page.locator("[data-note-text]")
    assert "{spoke with: the patient / a parent / the guarantor}" in text.input_value()
    text.fill("Spoke with the patient. Agreed to call again.")
    page.get_by_role("button", name="Save and sign").click()
    page.locator(".note-signed").wait_for()
    assert ClinicalNote.objects.get().status == "signed"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_notes_are_legible_in_both_themes_and_need_no_sideways_scroll(screen, clone, scheme):
    clone.ada.change(by=clone.desk, last_name="Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh")
    load_templates(by=clone.system)
    long = "# Check-up\n" + "Word " * 60 + "\n- " + "x" * 200 + "\n## Plan\n1. one\n2. two"
    by = clone.actor("assistant")
    note = ClinicalNote.write(by=by, patient=clone.ada, kind="exam", body=long).sign(by=by)
    wrong = ClinicalNote.write(by=clone.dentist, patient=clone.ada, kind="exam", body="y" * 300)
    wrong.mark_error(by=clone.dentist, because="z" * 200)
    dentist = screen("dentist", scheme=scheme)
    for path in (f"/patients/{clone.ada.pk}/notes/", f"/notes/{note.pk}/", new(clone), "/notes/unsigned/"):
        dentist.open(path).look(f"{path}, {scheme}")
        assert dentist.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
