"""The desk writes an excuse by keys alone: the paper opens in a tab of its own, and a copy lies in Documents."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Document
from scheduling.models import Appointment
from tests.clinic.test_paper import read

pytestmark = pytest.mark.story


@pytest.fixture
def visit(clone):
    """A visit of Ada's today that is over."""
    visit = Appointment.book(
        by=clone.manager, patient=clone.ada, operatory=clone.operatories[0], provider=clone.drill,
        appointment_type=clone.exam, starts_at=timezone.now() - timedelta(minutes=50))  # fmt: skip
    for verb in ("check_in", "seat", "complete"):
        getattr(visit, verb)(by=clone.manager)
    return visit


def test_an_excuse_by_keys_opens_as_paper_and_lies_in_documents(screen, clone, visit):
    desk = screen("receptionist").open(f"/visits/{visit.pk}/")
    desk.expect(r"print/: .*status of 404")  # the browser's own viewer asks for /favicon.ico
    missing = []
    desk.context.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
    desk.go("l")
    assert desk.focused() == "Confirmation of a visit"  # what suits the visit stands first
    desk.look("the choice of a letter")
    desk.go("Enter")
    assert desk.focused_name() == "text"
    text = desk.page.locator("#id_text")
    assert "Ada Lovelace" in text.input_value()
    assert "{" not in text.input_value()
    desk.look("the letter")
    desk.press("Control+End")
    desk.write("\n\nGet well soon.")
    with desk.context.expect_page() as opened:
        desk.press("Control+Enter")
    paper = opened.value
    document = wait_for_document(desk)
    answer = desk.context.request.get(f"{desk.url}/documents/{document.pk}/print/")
    assert answer.headers["content-type"] == "application/pdf"
    assert "Get well soon." in read(answer.body())[0]
    assert paper.url.endswith(f"/documents/{document.pk}/print/")
    assert set(missing) <= {f"{desk.url}/favicon.ico"}
    paper.close()
    # The page is as it was, and may be sent again: with other words it is another letter.
    assert text.input_value().endswith("Get well soon.")
    assert desk.page.get_by_role("button", name="Print only").is_enabled()
    desk.open(f"/patients/{clone.ada.pk}/documents/")
    desk.sees("Confirmation of a visit")
    assert desk.page.locator("#papers .paper").count() == 1


def wait_for_document(desk):
    for _ in range(50):
        if document := Document.objects.first():
            return document
        desk.page.wait_for_timeout(100)
    raise AssertionError("No copy was kept.")
