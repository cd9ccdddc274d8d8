"""Stories: the product in Chromium, on a clone of the test database, by the hands of the cast."""
import os
import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import TimeoutError, sync_playwright

from tests.cast import PASSWORD, User

# Playwright's sync API keeps an event loop in this thread, which Django takes for async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
# What fades has no final colours yet: transitions end at once, animations are waited for unless they turn for ever.
SETTLED = """() => {
    const still = new CSSStyleSheet();
    still.replaceSync("*, *::before, *::after { transition: none !important }");
    document.adoptedStyleSheets = [still];
    return Promise.race([
        Promise.allSettled(document.getAnimations().map(one => one.finished)), new Promise(done => setTimeout(done, 300))]);
}"""
MOVING = "() => { document.adoptedStyleSheets = []; }"
AXE = Axe()
AXE_RULES = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}


def pytest_terminal_summary(terminalreporter):
    if CHROMIUM is None and terminalreporter.stats.get("skipped"):
        terminalreporter.section("NO STORY RAN: there is no Chromium", sep="!", red=True)
        terminalreporter.line("apt-get install -y chromium, or set CHROMIUM to its path.")


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("NO STORY RAN: no Chromium here. apt-get install -y chromium, or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Screen:
    """One person's browser: it notes whatever the console complains about, and shows each page to axe."""

    def __init__(self, context, url):
        self.context, self.url = context, url
        self.complaints, self.expected = [], []
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.complaints.append(f"page error: {error.error}"))
        self.page = context.new_page()
        self.keys = self.page.keyboard

    def _note_console(self, message):
        # A panel that was still loading when one left the page; a request that fails says sendError or responseError as well.
        if message.type in ("error", "warning") and not message.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            self.complaints.append(f"{message.type} on {message.page.url if message.page else '?'}: {message.text}")

    def expect(self, pattern):
        """Chromium's own line about a refused request is no complaint where the story provokes the refusal."""
        self.expected.append(pattern)

    def check(self):
        left = [line for line in self.complaints if not any(re.search(pattern, line) for pattern in self.expected)]
        assert not left, "The console complained:\n" + "\n".join(left)

    def open(self, path):
        self.page.goto(self.url + path)
        return self

    def path(self):
        return self.page.url.removeprefix(self.url)

    def press(self, *keys):
        for key in keys:
            self.keys.press(key)

    def go(self, *keys):
        """Press keys that lead to another page, and wait for it."""
        with self.page.expect_navigation():
            self.press(*keys)

    def write(self, text):
        self.keys.type(text)

    def fill_by_keys(self, *values):
        """Type a value into each field from the focused one on; None leaves a field as it is."""
        for value in values:
            if value is not None:
                self.press("Control+a")
                self.write(value)
            self.press("Tab")

    def focused(self):
        return self.page.evaluate(
            "() => (document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            " || document.activeElement.name || '').trim()")

    def focused_name(self):
        return self.page.evaluate("() => document.activeElement.name || document.activeElement.id || ''")

    def sees(self, text):
        try:
            self.page.get_by_text(text).first.wait_for(state="visible", timeout=5000)
        except TimeoutError:
            pytest.fail(f"{text!r} is not to be seen on {self.path()}:\n{self.page.locator('body').aria_snapshot()[:2000]}")

    def toast(self, text):
        self.page.locator(".toast", has_text=text).first.wait_for(state="visible", timeout=5000)

    def look(self, name, only=None):
        """Nothing here may be out of reach for anybody: axe finds no violation (`only`: of these rules)."""
        self.page.evaluate(SETTLED)
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.axe_script)
        found = self.page.evaluate(
            "options => axe.run(options).then(found => found.violations)", AXE_RULES | ({"runOnly": only} if only else {}))
        self.page.evaluate(MOVING)
        assert not found, f"axe on {name} ({self.path()}):\n" + "\n".join(
            f"{violation['id']}: {violation['help']}\n    " + "\n    ".join(
                f"{node['target'][0]} {node['html'][:160]}" for node in violation["nodes"][:4])
            for violation in found)


@pytest.fixture
def served(live):
    """The product on a clone of the cast's database; it looks for news each second."""
    return live(workers=1, threads=4, POLL_SECONDS="1")


@pytest.fixture
def screen(chromium, served):
    """`screen("manager")`: that person's browser, signed in; `screen()`: nobody's, at the sign-in page."""
    opened = []

    def start(role=None, domain="test", scheme="light", js=True, width=1280, height=800):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=js, locale="en-US")
        context.set_default_timeout(8000)
        if role:
            client = Client()
            client.force_login(User.objects.get(email=f"{role}@{domain}.example"))
            context.add_cookies([{
                "name": settings.SESSION_COOKIE_NAME, "url": served.url,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value}])
        opened.append(Screen(context, served.url))
        return opened[-1]

    yield start
    for one in opened:
        one.context.close()
    for one in opened:
        one.check()


__all__ = ["PASSWORD"]
