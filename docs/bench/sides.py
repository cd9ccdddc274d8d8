"""What is asked of each side: by name, a call that gives the next answer, and the status that counts."""
from itertools import cycle
from urllib.parse import quote_plus
from uuid import uuid4

from docs.bench.client import TOKEN, Browser
from docs.bench.servers import Server
from docs.bench.shape import A_DAY, EMAIL, PASSWORD, SESSION

ROW = b'data-href="/patients/'


class Floor:
    """The bare app, or the one with startproject's middleware and somebody signed in."""

    def __init__(self, database, with_login):
        self.database, self.with_login = database, with_login
        self.name = "floor with login" if with_login else "bare floor"

    def __enter__(self):
        self.server = Server(
            "docs.bench.floors:application", self.database.url, first="/const",
            FLOOR="login" if self.with_login else "bare").__enter__()
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def calls(self, terms):
        browser = Browser(self.server.url, **({"sessionid": SESSION} if self.with_login else {}))
        shape, patients = self.database.shape, self.database.keys["patients"]
        return {
            "cheapest": (pages(browser, ["/const"]), 200),
            "record": (pages(browser, [f"/record/{key}" for key in patients]), 200),
            "day": (pages(browser, [f"/day/{day}" for day in measured_days(shape)]), 200),
            "search": (pages(browser, [f"/search?q={quote_plus(term)}" for term in terms]), 200),
            "booking": (self._bookings(browser), 302),
        }

    def _bookings(self, browser):
        patients, places = cycle(self.database.keys["patients"]), Places(self.database)

        def book():
            starts_at, chair = next(places)
            return browser.post(
                "/insert", {"provider": chair + 1, "patient": next(patients), "starts_at": f"{starts_at.isoformat()}+00:00"})
        return book


class Practice:
    """Chairside, with somebody from the front desk signed in."""

    def __init__(self, database):
        self.database = database
        self.name = f"Chairside, {database.patients:,} patients"

    def __enter__(self):
        self.server = Server("config.wsgi", self.database.url, first="/livez").__enter__()
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def calls(self, terms):
        browser = Browser(self.server.url).sign_in("/sign-in/", username=EMAIL, password=PASSWORD)
        shape, keys = self.database.shape, self.database.keys
        return {
            "cheapest": (pages(browser, ["/practice/codes/"]), 200),
            "record": (pages(browser, [f"/patients/{key}/" for key in keys["patients"]]), 200),
            "day": (pages(browser, [f"/schedule/?day={day}" for day in measured_days(shape)]), 200),
            "search": (pages(browser, [f"/patients/?q={quote_plus(term)}" for term in terms]), 200),
            "booking": (self._bookings(browser), 302),
            "free times": (pages(browser, [
                f"/visits/next-free/?patient={key}&appointment_type={keys['kind']}" for key in keys["patients"]]), 200),
        }

    def _bookings(self, browser):
        """The form of the booking page, filled in; its token is masked as the page sends it."""
        keys, patients, places = self.database.keys, cycle(self.database.keys["patients"]), Places(self.database)
        page = browser.get(f"/visits/book/?patient={keys['patients'][0]}")
        token = TOKEN.search(page.body).group(1).decode()

        def book():
            starts_at, chair = next(places)
            return browser.post("/visits/book/", {
                "csrfmiddlewaretoken": token, "once": uuid4(), "patient": next(patients), "appointment_type": keys["kind"],
                "provider": keys["providers"][chair], "operatory": keys["chairs"][chair], "day": starts_at.date(),
                "time": f"{starts_at:%H:%M}", "minutes": "", "note": ""})
        return book


class Places:
    """Places in the schedule that nobody has booked, fetched as they are used."""

    def __init__(self, database, at_once=200):
        self.database, self.at_once, self.ready = database, at_once, []

    def __next__(self):
        if not self.ready:
            self.ready = self.database.take(self.at_once)[::-1]
        return self.ready.pop()


def pages(browser, paths):
    """A call that asks for the next of these pages, in a circle."""
    turn = cycle(paths)
    return lambda: browser.get(next(turn))


def measured_days(shape):
    """Twenty days ahead with 150 visits each, the same in every size."""
    return [day.isoformat() for day, _, count in shape.days()[-20:] if count == A_DAY]


def terms_for(practice, wanted=25, most=50):
    """Search texts that leave about as many patients in every size: names, typed as far as it takes."""
    browser = Browser(practice.server.url).sign_in("/sign-in/", username=EMAIL, password=PASSWORD)
    shape, found = practice.database.shape, []
    for number in list(shape.sample())[::9]:
        given, family = (name.lower() for name in shape.name(number))
        typed = [f"{given[:letters]}" for letters in range(3, len(given) + 1)]
        typed += [f"{given} {family[:letters]}" for letters in range(1, len(family) + 1)]
        rows = {text: browser.get(f"/patients/?q={quote_plus(text)}").body.count(ROW) for text in typed}
        fits = [text for text in typed if 0 < rows[text] <= most]
        found.append(min(fits, key=lambda text: abs(rows[text] - wanted)))
    return found
