"""Siblings booked back to back: from a patient's page by five keys, and by the mouse without JavaScript."""
from datetime import timedelta

import pytest

from scheduling.models import Appointment
from tests.factories import PatientFactory

pytestmark = pytest.mark.story


@pytest.fixture
def siblings(clone):
    """Ben and a sister with a name that nobody planned for, on Ada's account."""
    born = clone.clinic.today() - timedelta(days=9 * 365)
    return [
        PatientFactory(by=clone.desk, account=clone.ada.account, first_name=name, last_name="Lovelace", date_of_birth=born)
        for name in ("Ben", "Maximiliane-Theodora Konstantinopoulou")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_siblings_are_booked_by_keys_alone(screen, clone, siblings, scheme):
    desk = screen("receptionist", scheme=scheme).open(f"/patients/{siblings[0].pk}/")
    desk.go("a")
    assert desk.path() == f"/accounts/{clone.ada.account_id}/"
    desk.go("b")
    assert desk.focused_name() == "who"
    desk.look("who comes")
    desk.go("Enter")
    desk.look("times for both")
    desk.press("Enter")  # pressed once too often: the focus is on the list, and nothing is booked
    desk.press("ArrowDown")
    first = desk.focused()
    assert "Ben" in first
    desk.press("ArrowDown")
    assert desk.focused() != first
    desk.press("ArrowUp")
    desk.go("Enter")
    desk.toast("Booked 2 visits")
    ben, sister = Appointment.objects.order_by("starts_at")
    assert [ben.patient, sister.patient] == siblings
    assert sister.starts_at == ben.ends_at
    assert desk.page.locator(f"a[href='/visits/{sister.pk}/']").is_visible()


def test_times_that_were_taken_meanwhile_give_way_to_fresh_ones(screen, clone, siblings):
    desk = screen("receptionist").open(f"/accounts/{clone.ada.account_id}/")
    desk.go("b")
    desk.go("Enter")
    other = screen("coordinator").open(f"/accounts/{clone.ada.account_id}/together/")
    other.go("Enter")
    other.press("f")
    other.go("Enter")
    other.toast("Booked 2 visits")
    desk.expect("409")
    desk.press("f")
    desk.go("Enter")
    desk.sees("2 of these times can't be had any more, so nothing was saved")
    desk.look("the times that are left")
    desk.press("Enter")
    assert desk.page.get_by_text("same: Exam").count() == 2
    assert Appointment.objects.count() == 2


def test_enter_held_down_finds_times_and_books_none(screen, clone, siblings):
    desk = screen("receptionist").open(f"/accounts/{clone.ada.account_id}/together/")
    with desk.page.expect_navigation():
        desk.keys.down("Enter")
    for goal in ("", "f"):
        desk.press(*goal)
        for _ in range(5):
            desk.keys.down("Enter")
    desk.page.wait_for_timeout(500)
    assert desk.page.locator("button[name=times]").first.is_visible()
    assert not Appointment.objects.exists()
    desk.keys.up("Enter")
    desk.go("Enter")
    desk.toast("Booked 2 visits")


def test_two_siblings_are_booked_side_by_side_without_javascript(screen, clone, siblings):
    desk = screen("receptionist", js=False).open(f"/accounts/{clone.ada.account_id}/")
    desk.page.get_by_role("link", name="Book together").click()
    desk.page.get_by_label("At the same time").check()
    desk.page.get_by_role("button", name="Find times").click()
    desk.page.locator("button[name=times]").first.click()
    desk.sees("Booked 2 visits")
    one, other = Appointment.objects.all()
    assert one.starts_at == other.starts_at
    assert one.operatory != other.operatory
