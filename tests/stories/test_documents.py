"""Papers at the front desk: several dropped at once, one of them bad; a card photographed with a phone."""

import base64

import pytest

from clinic.models import Document
from tests.pictures import pdf, picture

pytestmark = pytest.mark.story

DROP = """([target, files]) => {
    const bag = new DataTransfer();
    for (const [name, type, content] of files) {
        const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
        bag.items.add(new File([bytes], name, { type }));
    }
    for (const kind of ["dragover", "drop"]) {
        document.querySelector(target).dispatchEvent(new DragEvent(kind, { dataTransfer: bag, bubbles: true, cancelable: true }));
    }
}"""


def drop(screen, *files, target="#main"):
    """Let go of these files over the page."""
    packed = [[name, kind, base64.b64encode(content).decode()] for name, kind, content in files]
    screen.page.evaluate(DROP, [target, packed])


def sheets(screen):
    return screen.page.locator("#papers .paper")


def test_three_files_are_dropped_and_the_bad_one_is_told_beside_the_good_ones(screen, clone):
    desk = screen("receptionist").open(f"/patients/{clone.ada.pk}/documents/")
    desk.expect(r"status of 422")
    desk.sees("No documents yet.")
    drop(
        desk,
        ("Referral of Dr Bridge.pdf", "application/pdf", pdf(2)),
        ("page.png", "image/png", b"<html><script>document.title='RAN'</script>"),
        ("Passport.jpg", "image/jpeg", picture("JPEG", (900, 600))),
    )
    rows = desk.page.locator(".filing-row")
    assert rows.count() == 3
    assert desk.page.get_by_label("What Referral of Dr Bridge.pdf is").evaluate("e => e === document.activeElement")
    desk.page.get_by_label("What Referral of Dr Bridge.pdf is").select_option("referral")
    desk.page.get_by_label("What Passport.jpg is").select_option("identity_card")
    desk.look("files that wait to be added")
    desk.page.get_by_role("button", name="Add 3 documents").click()
    desk.toast("2 documents added. 1 not added")
    assert sheets(desk).count() == 2
    assert sheets(desk).locator("img").evaluate_all("all => all.every(e => e.complete && e.naturalWidth > 0)")
    assert rows.count() == 1
    desk.sees("page.png was not added. It is none of the kinds that are kept here")
    desk.look("one that was not added")
    rows.get_by_label("Leave out page.png").click()
    papers = {paper.title: paper.kind for paper in Document.objects.of(clone.ada)}
    assert papers == {"Referral of Dr Bridge": "referral", "Passport": "identity_card"}
    assert desk.page.title() != "RAN"

    drop(desk, ("Passport.jpg", "image/jpeg", picture("JPEG", (900, 600))))
    desk.expect(r"status of 409")
    desk.page.get_by_role("button", name="Add 1 document").click()
    desk.sees("it is already here as “Passport”")
    desk.page.get_by_role("button", name="Keep it a second time").click()
    desk.toast("1 document added.")
    assert Document.objects.of(clone.ada).count() == 3


def test_a_document_is_opened_downloaded_renamed_and_withdrawn_by_keys(screen, clone):
    Document.add(by=clone.desk, patient=clone.ada, kind="letter", content=pdf(2), name="From Dr Bridge.pdf")
    desk = screen("receptionist").open(f"/patients/{clone.ada.pk}/documents/")
    desk.press("j")
    desk.go("Enter")
    desk.sees("Page 1 of 2")
    assert desk.page.locator(".sheet img").evaluate("e => e.decode().then(() => e.naturalWidth)") > 1000
    desk.look("a document")
    with desk.page.expect_download() as download:
        desk.press("d")
    assert download.value.suggested_filename == "From Dr Bridge.pdf"
    desk.go("e")
    desk.page.locator("[name=title]").fill("X-ray order")
    desk.go("Control+Enter")
    desk.toast("Saved.")
    desk.page.get_by_role("link", name="Withdraw").click()
    desk.page.locator("[name=because]").fill("Belongs to Grace")
    desk.go("Control+Enter")
    desk.sees("No documents yet.")
    desk.page.get_by_role("link", name="1 withdrawn").click()
    sheets(desk).first.locator("a").click()
    desk.sees("Belongs to Grace")
    desk.look("a withdrawn document")
    desk.page.get_by_role("button", name="Put it back").click()
    desk.toast("Back among the documents.")


def test_a_card_is_scanned_in_two_taps_on_a_phone(screen, clone):
    phone = screen("receptionist", width=390, height=844).open(f"/patients/{clone.ada.pk}/documents/")
    phone.look("the documents on a phone")
    for side, colour in (("Front", 1), ("Back", 2)):
        with phone.page.expect_file_chooser() as camera:  # the tap opens the camera, which gives its picture back
            phone.page.locator(".scan-side", has_text=side).click()
        assert camera.value.element.get_attribute("capture") == "environment"
        camera.value.set_files(
            {"name": "image.jpg", "mimeType": "image/jpeg", "buffer": picture("JPEG", (1200, 800), colour=colour)}
        )
        if side == "Front":
            phone.sees("Now the back.")
            phone.page.locator(".scan-side canvas:not([hidden])").first.wait_for()
            phone.look("a card of which the front is taken")
    phone.toast("Insurance card added, both sides.")
    card = Document.objects.get()
    assert (card.kind, card.patient_id, card.back_id is not None) == ("insurance_card", clone.ada.pk, True)
    assert phone.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_without_javascript_a_plain_form_adds_several(screen, clone):
    desk = screen("receptionist", js=False).open(f"/patients/{clone.ada.pk}/documents/")
    desk.page.set_input_files(
        "#filing-files",
        [
            {"name": "One.txt", "mimeType": "text/plain", "buffer": b"One"},
            {"name": "Two.svg", "mimeType": "image/svg+xml", "buffer": b"<svg onload=alert(1)>"},
        ],
    )
    desk.page.locator("#filing select").select_option("letter")
    desk.page.locator("#filing [type=submit]").click()
    desk.sees("1 document added.")
    desk.sees("Two.svg was not added.")
    assert [paper.kind for paper in Document.objects.of(clone.ada)] == ["letter"]
