"""The receptionist's story: a new patient from the first call to the door, by keyboard alone."""
import os

import pytest

from clinic.models import Patient
from scheduling.models import Appointment
from tests.cast import PASSWORD

pytestmark = pytest.mark.story


@pytest.mark.parametrize("scheme", ["light", "dark"] if "CAMPAIGN" in os.environ else ["dark"])
def test_a_new_patient_is_registered_booked_checked_in_and_checked_out_without_a_mouse(screen, scheme):
    desk = screen(scheme=scheme).open("/")
    signs_in(desk)
    registers_a_patient(desk)
    books_a_cleaning_from_next_free(desk)
    moves_it_to_today(desk)
    checks_in(desk)
    hygienist_treats(screen("hygienist", scheme=scheme).open("/today/"))
    checks_out(desk)
    mary = Patient.objects.get(last_name="Jackson")
    assert mary.contact_confirmed_on is not None
    assert list(Appointment.objects.filter(patient=mary).order_by("starts_at").values_list("status", flat=True)) == [
        "checked_out", "scheduled"]


def signs_in(desk):
    desk.look("sign-in")
    desk.write("receptionist@test.example")
    desk.press("Tab")
    desk.write(PASSWORD)
    desk.go("Enter")
    assert desk.path() == "/today/"
    desk.look("an empty Today")


def registers_a_patient(desk):
    desk.press("g")
    desk.go("p")
    desk.look("patients")
    desk.go("n")
    desk.look("the form of a new patient")
    desk.fill_by_keys("Mary", "Jackson", None, "4/9/1921")
    desk.press("Tab")
    desk.fill_by_keys("201 555 0177", "mary@patients.example")
    desk.go("Control+Enter")
    desk.toast("Mary Jackson is registered")
    desk.look("the new patient")


def books_a_cleaning_from_next_free(desk):
    desk.go("b")
    assert desk.focused_name() == "appointment_type"
    with desk.page.expect_response(lambda answer: "/next-free/" in answer.url):
        desk.write("Cleaning")
    desk.page.locator("#free-times button", has_text="Holly").first.wait_for()
    desk.look("booking")
    desk.press("Escape", "f")
    assert "Holly" in desk.focused()
    desk.go("Enter")
    desk.toast("Booked: Cleaning")


def moves_it_to_today(desk):
    """So that the story holds at any hour of the clock: today at nine."""
    visit = Appointment.objects.get(patient__last_name="Jackson")
    desk.press("j")
    desk.go("Enter")
    assert str(visit.pk) in desk.path()
    desk.look("the visit")
    desk.go("m")
    desk.look("moving the visit")
    desk.page.keyboard.press("Tab")
    while desk.focused_name() != "day":
        desk.press("Tab")
    desk.fill_by_keys("today", "9:00")
    desk.go("Control+Enter")
    desk.toast("Saved.")


def checks_in(desk):
    desk.press("g")
    desk.go("t")
    desk.sees("Jackson, Mary")
    desk.look("Today with a visit")
    desk.press("j")
    assert desk.focused() == "Jackson, Mary"
    desk.go("c")
    desk.look("the questions of check-in")
    assert desk.focused_name() == "contact_confirmed"
    desk.press("Space")
    desk.go("c")
    desk.toast("Mary Jackson is checked in.")
    assert "Jackson, Mary" in desk.page.locator("#group-waiting").inner_text()
    desk.look("Today with somebody waiting")


def hygienist_treats(hygienist):
    hygienist.press("j")
    hygienist.go("s")
    hygienist.toast("Mary Jackson is in the chair.")
    hygienist.press("j")
    hygienist.go("d")
    hygienist.toast("Mary Jackson is ready to leave.")


def checks_out(desk):
    desk.page.locator("#group-leaving", has_text="Jackson, Mary").wait_for()  # the board has refreshed itself
    desk.look("Today with somebody ready to leave")
    desk.press("j")
    desk.go("o")
    desk.look("the exit card")
    desk.press("1")
    assert desk.page.locator("[name=slot]:checked").input_value()
    desk.go("o")
    desk.toast("Mary Jackson is checked out.")
    assert "Jackson, Mary" in desk.page.locator("#group-gone").inner_text()
    desk.look("Today with somebody gone")
