"""Search from anywhere, and the pages of those who are no staff."""
import pytest

from tests.cast import User

pytestmark = pytest.mark.story


def test_slash_finds_a_patient_by_what_one_knows_and_enter_opens(screen, clone):
    desk = screen("receptionist")
    for typed in ("ovelac", "lovelace ada", "555 0123", "12/10/1985"):
        desk.open("/schedule/")
        desk.press("/")
        assert desk.focused_name() == "q"
        desk.write(typed)
        desk.page.locator("search .options [role=option]", has_text="Lovelace").wait_for()
        desk.go("Enter")
        assert desk.path() == f"/patients/{clone.ada.pk}/"


def test_the_results_are_accessible_and_say_when_nobody_is_found(screen):
    desk = screen("receptionist").open("/today/")
    desk.press("/")
    desk.write("a")
    desk.page.locator("search .options [role=option]").first.wait_for()
    desk.look("search results")
    desk.write("zzzz")
    desk.page.locator("search .options", has_text="Nobody found").wait_for()


def test_a_patient_sees_the_portal_on_a_phone(screen):
    for scheme in ("light", "dark"):
        ada = screen("patient", scheme=scheme, width=390, height=844).open("/")
        assert ada.path() == "/my/"
        ada.sees("Hello Ada")
        ada.look("the portal")
        assert ada.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_a_coach_sees_the_practice_and_nobody_in_it(screen):
    coach = screen("coach").open("/")
    coach.sees("Harbour Dental")
    coach.look("the coach's page")
    assert "Lovelace" not in coach.page.content()


def test_somebody_without_a_clinic_is_told_so_and_can_leave(screen):
    assert User.objects.filter(email="nobody@test.example").exists()
    nobody = screen("nobody")
    nobody.expect(r"status of 403")
    nobody.open("/")
    nobody.sees("No clinic is open to you")
    nobody.look("no clinic")
