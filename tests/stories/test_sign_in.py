"""Signing in, the second step, and the lock after a pause, as people meet them in a browser."""
import re

import pytest
from django.core import mail
from django.utils import timezone

from clinic import codes
from clinic.access.sessions import digest
from clinic.mail.post import hand_over
from clinic.models import Session
from tests.cast import PASSWORD

pytestmark = pytest.mark.story

REFUSED = r"status of (401|409|422|429)"
DESK = "receptionist@test.example"


@pytest.fixture
def served(live):
    """As always, but four seconds are a pause, and the host has a name, which passkeys need."""
    server = live(workers=1, threads=8, POLL_SECONDS="1", IDLE_SECONDS="4")
    server.url = server.url.replace("127.0.0.1", "localhost")
    return server


def comes_in(screen, email=DESK, **more):
    one = screen(**more).open("/sign-in/")
    one.expect(REFUSED)
    one.page.locator("[name=username]:focus").wait_for()  # the field takes the focus with the first frame, perhaps after the load
    one.write(email)
    one.press("Tab")
    one.write(PASSWORD)
    one.go("Enter")
    return one


def is_covered(page):
    page.locator("#lock[open]").wait_for(timeout=9000)
    return True


def is_open(page):
    page.wait_for_function("() => !document.documentElement.hasAttribute('data-locked')", timeout=9000)
    return True


def reads(page):
    """Everything that a screen reader would find."""
    return page.locator("body").aria_snapshot()


def unlocks(one, password=PASSWORD):
    one.page.locator("#lock-password").fill(password)
    one.press("Enter")


def test_a_page_left_alone_is_covered_and_gives_back_what_was_typed(screen, clone):
    desk = comes_in(screen).open(f"/patients/{clone.ada.pk}/edit/")
    desk.page.locator("#id_preferred_name").fill("The Countess")
    assert "Lovelace" in desk.page.title() or "Lovelace" in reads(desk.page)
    assert is_covered(desk.page)
    assert desk.focused_name() == "password"
    assert desk.page.title() == "Locked · Chairside"
    assert "Countess" not in reads(desk.page)
    assert "Lovelace" not in reads(desk.page)
    assert desk.page.get_by_text("Lovelace").first.is_hidden()
    assert desk.page.locator("#id_preferred_name").is_hidden()
    desk.look("the lock")
    desk.press("Escape", "Escape", "/", "g", "p")
    assert is_covered(desk.page)
    unlocks(desk, "wrong-password")
    desk.sees("This is not your password.")
    unlocks(desk)
    assert is_open(desk.page)
    assert desk.page.locator("#id_preferred_name").input_value() == "The Countess"
    desk.page.locator("#id_preferred_name").focus()
    desk.go("Control+Enter")
    clone.ada.refresh_from_db()
    assert clone.ada.preferred_name == "The Countess"


def test_the_lock_is_good_to_see_in_the_dark_too(screen):
    desk = comes_in(screen, scheme="dark")
    assert is_covered(desk.page)
    desk.look("the lock in the dark")


def test_tabs_stay_open_lock_and_unlock_together(screen):
    desk = comes_in(screen)
    first, second = desk.page, desk.context.new_page()
    second.goto(f"{desk.url}/patients/")
    for _ in range(12):  # longer than a pause, and only ever in the second tab
        second.keyboard.press("Shift")
        second.wait_for_timeout(500)
    assert first.locator("#lock").is_hidden()
    assert second.locator("#lock").is_hidden()
    assert is_covered(first)
    assert is_covered(second)
    second.locator("#lock-password").fill(PASSWORD)
    second.keyboard.press("Enter")
    assert is_open(second)
    assert is_open(first)
    first.reload()
    assert first.url.endswith("/today/")


def test_what_htmx_asks_of_a_session_that_waits_brings_the_sheet_and_no_page_in_a_fragment(screen, clone):
    desk = comes_in(screen).open("/patients/")
    key = next(cookie["value"] for cookie in desk.context.cookies() if cookie["name"] == "chairside_session")
    Session.objects.filter(pk=digest(key)).update(locked_at=timezone.now())
    desk.press("/")
    desk.write("lovel")
    assert is_covered(desk.page)
    assert "Sign in" not in desk.page.locator("search").text_content()
    unlocks(desk)
    assert is_open(desk.page)
    assert desk.page.locator("search input").input_value() == "lovel"


def test_another_person_gets_a_clean_sign_in(screen, clone):
    desk = comes_in(screen).open(f"/patients/{clone.ada.pk}/")
    assert is_covered(desk.page)
    desk.page.get_by_role("button", name="Not Receptionist Test?").click()
    desk.page.wait_for_url("**/sign-in/")
    desk.sees("You are signed out.")
    desk.page.go_back()
    desk.page.wait_for_url(re.compile(r"/sign-in/\?next="))
    assert "Lovelace" not in reads(desk.page)


def test_a_person_who_signs_in_elsewhere_in_the_browser_never_sees_this_page(screen, clone):
    desk = comes_in(screen).open(f"/patients/{clone.ada.pk}/edit/")
    desk.expect("status of 403")  # its sign of life, when it comes after the session is gone
    desk.page.locator("#id_preferred_name").fill("The Countess")
    other = desk.context.new_page()
    other.goto(f"{desk.url}/today/")
    other.get_by_role("button", name="Your account").click()
    other.get_by_role("button", name="Sign out", exact=True).click()
    other.locator("[name=username]").fill("dentist@test.example")
    other.locator("[name=password]").fill(PASSWORD)
    with desk.page.expect_navigation(url="**/today/"):
        other.keyboard.press("Enter")
    assert "Countess" not in desk.page.content()


def test_without_javascript_the_pause_leads_to_the_same_lock_and_back(screen, clone):
    desk = comes_in(screen, js=False).open(f"/patients/{clone.ada.pk}/")
    Session.objects.update(locked_at=timezone.now())
    desk.open(f"/patients/{clone.ada.pk}/edit/")
    desk.sees("Receptionist Test, type your password")
    assert desk.focused_name() == "password"
    desk.write(PASSWORD)
    desk.go("Enter")
    assert desk.path() == f"/patients/{clone.ada.pk}/edit/"


def test_without_javascript_what_was_typed_waits_behind_the_browsers_back(screen, clone):
    desk = comes_in(screen, js=False).open(f"/patients/{clone.ada.pk}/edit/")
    desk.page.locator("#id_preferred_name").fill("The Countess")
    Session.objects.update(locked_at=timezone.now())
    desk.page.get_by_role("button", name="Save").click()
    desk.sees("nothing was saved")
    desk.write(PASSWORD)
    desk.go("Enter")
    assert desk.path() == f"/patients/{clone.ada.pk}/edit/"




def test_an_app_is_set_up_by_keyboard_and_asked_for_at_the_next_sign_in(screen, clone):
    clone.clinic.change(by=clone.system, requires_second_factor=True)
    desk = comes_in(screen)
    assert desk.path().startswith("/account/second-step/")
    desk.look("setting up the second step")
    secret = desk.page.locator("code.secret").text_content().replace(" ", "")
    assert desk.focused_name() == "code"
    desk.write(code_of(secret, -1))
    desk.go("Enter")
    desk.sees("Each opens your account once")
    desk.look("recovery codes")
    recovery = desk.page.locator(".codes code").all_text_contents()
    desk.page.get_by_role("button", name="Copy").click()
    desk.page.locator("[data-copied]").get_by_text(re.compile("Cop|copy")).wait_for()
    desk.page.get_by_role("link", name="I have them").click()
    desk.sees("Authenticator app")
    for shown in (code_of(secret), recovery[0]):
        again = comes_in(screen)
        assert again.path() == "/sign-in/second-step/"
        again.look("the second step")
        again.write("000000")
        again.go("Enter")
        again.sees("This is not a code that counts now")
        again.page.locator("[name=code]").fill(shown)
        again.go("Enter")
        assert again.path() == "/today/"


def code_of(secret, shift=0):
    return codes.code_at(secret, int(timezone.now().timestamp()) // codes.STEP + shift)


@pytest.fixture
def authenticator():
    """Gives a browser a fingerprint reader: one that Chromium makes up for tests."""
    def give(one):
        tools = one.context.new_cdp_session(one.page)
        tools.send("WebAuthn.enable")
        return tools.send("WebAuthn.addVirtualAuthenticator", {"options": {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True}})

    return give


def test_a_passkey_is_set_up_signs_in_alone_serves_as_second_step_and_unlocks(screen, authenticator, clone):
    desk = comes_in(screen)
    authenticator(desk)
    desk.open("/account/second-step/")
    desk.page.locator("[name=name]").fill("Front desk")
    desk.page.get_by_role("button", name="Set up a passkey").click()
    desk.sees("Each opens your account once")
    desk.open("/account/")
    desk.sees("Front desk")
    desk.look("the account")

    desk.page.get_by_role("button", name="Your account").click()
    desk.page.get_by_role("button", name="Sign out", exact=True).click()
    desk.page.get_by_role("button", name="Sign in with a passkey").click()
    desk.page.wait_for_url("**/today/")

    assert is_covered(desk.page)
    desk.page.get_by_role("button", name="Use a passkey").click()
    assert is_open(desk.page)
    desk.page.get_by_role("button", name="Your account").click()
    desk.page.get_by_role("button", name="Sign out", exact=True).click()

    desk.page.locator("[name=username]").fill(DESK)
    desk.page.locator("[name=password]").fill(PASSWORD)
    desk.go("Enter")
    assert desk.path() == "/sign-in/second-step/"
    desk.look("the second step by passkey")
    assert desk.focused() == "Use a passkey"
    desk.press("Enter")
    desk.page.wait_for_url("**/today/")

    desk.open("/account/")
    desk.page.get_by_role("button", name="Take away Front desk").click()
    desk.toast("The passkey is taken away.")
    desk.sees("Only the password opens your account")


def test_a_passkey_that_is_turned_down_says_so_and_leaves_the_password(screen):
    somebody = screen().open("/sign-in/")
    somebody.page.evaluate("() => { navigator.credentials.get = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }")
    somebody.page.get_by_role("button", name="Sign in with a passkey").click()
    somebody.sees("No passkey came of it")
    somebody.look("a passkey that was turned down")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_forgotten_password_is_set_anew_by_keyboard(screen, clone, scheme):
    desk = screen(scheme=scheme).open("/sign-in/")
    desk.expect(REFUSED)
    desk.look("sign-in")
    desk.page.get_by_role("link", name="Forgotten password").focus()
    desk.go("Enter")
    desk.look("forgotten")
    assert desk.focused_name() == "email"
    desk.write(DESK)
    desk.go("Enter")
    desk.sees("Look into your mail")
    desk.look("sent")
    hand_over()
    desk.page.goto(re.search(r"http://\S+", mail.outbox[-1].body).group(0))
    assert desk.path() == "/reset/"
    desk.look("a new password")
    for field in ("new_password1", "new_password2"):
        desk.page.locator(f"[name={field}]").fill("another-long-password")
    desk.go("Enter")
    desk.sees("Your new password holds")
    desk.write(DESK)
    desk.press("Tab")
    desk.write("another-long-password")
    desk.go("Enter")
    assert desk.path() == "/today/"


def test_a_locked_sign_in_says_how_long_it_rests(screen):
    somebody = screen()
    somebody.expect(REFUSED)
    for _ in range(10):
        somebody.open("/sign-in/")
        somebody.page.locator("[name=username]").fill("nobody-at-all@test.example")
        somebody.page.locator("[name=password]").fill("wrong-password")
        somebody.go("Enter")
    somebody.sees("signing in rests for 30 minutes")
    somebody.look("a sign-in that rests")


def test_a_session_that_ended_elsewhere_keeps_what_was_typed_until_one_is_back(screen, clone):
    desk = comes_in(screen).open(f"/patients/{clone.ada.pk}/edit/")
    desk.page.locator("#id_preferred_name").fill("The Countess")
    Session.objects.all().delete()
    assert is_covered(desk.page)
    desk.sees("Sign in again in another tab")
    desk.look("a session that ended")
    with desk.context.expect_page() as opened:
        desk.page.get_by_role("link", name="Sign in again").click()
    other = opened.value
    other.locator("[name=username]").fill(DESK)
    other.locator("[name=password]").fill(PASSWORD)
    other.keyboard.press("Enter")
    other.wait_for_url("**/today/")
    assert is_open(desk.page)
    assert desk.page.locator("#id_preferred_name").input_value() == "The Countess"
    desk.page.locator("#id_preferred_name").focus()
    desk.go("Control+Enter")
    clone.ada.refresh_from_db()
    assert clone.ada.preferred_name == "The Countess"
