"""The cards of the schedule and the days of its mini month, as HTML; see `clinic.web.rows`."""
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape
from typing import Any, NamedTuple

from django.utils.safestring import mark_safe

from clinic.web.rows import Rows

ICONS = {
    "scheduled": "circle-dashed", "confirmed": "circle-check", "checked_in": "armchair", "seated": "activity",
    "completed": "check", "checked_out": "check-check", "cancelled": "x", "no_show": "user-x",
}
# The palette's number of each step, for a schedule coloured by status.
STATUS_COLOURS = {
    "scheduled": 12, "confirmed": 2, "checked_in": 9, "seated": 6, "completed": 1, "checked_out": 12, "cancelled": 4,
    "no_show": 4}
CARDS = Rows("scheduling/_card.html", keys=["id"], texts=[
    "at", "rows", "lane", "lanes", "starts", "ends", "name", "kind", "colour", "team", "parts", "who", "operatory",
    "alert", "alerts", "version"])
BADGES = Rows("scheduling/_card_provider.html", keys=[], texts=["name", "colour"])
PARTS = Rows("scheduling/_card_part.html", keys=[], texts=["at", "rows", "colour"])
DAYS = Rows("scheduling/_month_day.html", keys=[], texts=["url", "number", "words"])


class Look(NamedTuple):
    """What decides about the markup of a card; everything else is text in it."""

    status: str = "block"
    status_word: str = ""
    icon: str = "ban"
    tone: str = ""  # of the first alert
    by_provider: bool = False
    is_look_in: bool = False
    moves: bool = False


class Plain(NamedTuple):
    """The look of what always looks alike."""


@dataclass
class Card:
    """A visit (or a block) where the grid draws it: `at` and `rows` in ticks from the grid's first row.

    `texts`: what fills the blanks, escaped already.
    """

    id: Any
    look: Look
    at: int
    rows: int
    texts: dict = field(repr=False)
    lane: int = 0
    lanes: int = 1


def drawn(cards):
    """These cards, one after the other."""
    return mark_safe("".join([  # noqa: S308 (every text in them is escaped)
        CARDS.fill(card.look, {
            **card.texts, "id": card.id, "at": card.at, "rows": card.rows, "lane": card.lane, "lanes": card.lanes})
        for card in cards]))


def badge(name, colour):
    """A provider's short name beside their colour."""
    return BADGES.fill(Plain(), {"name": escape(name), "colour": colour})


def part(at, rows, colour):
    """A mark at the card's edge: from which of its rows on, for how many, this provider is in the room."""
    return PARTS.fill(Plain(), {"at": at, "rows": rows, "colour": colour})


def texts_of_alerts(alerts):
    """The first alert beside its icon, and all of them in the tooltip."""
    texts = [escape(alert["text"]) for alert in alerts]
    return {"alert": texts[0] if texts else "", "alerts": "".join([f"; {text}" for text in texts])}


class DayLook(NamedTuple):
    is_chosen: bool
    is_outside: bool
    is_today: bool


def month_of(day, today, url):
    """The weeks around a day, Monday first, for the mini month: each a row of links that begin with `url`."""
    first = day.replace(day=1)
    end = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    monday = first - timedelta(days=first.weekday())
    weeks = []
    while monday < end:
        dates = [monday + timedelta(days=n) for n in range(7)]
        weeks.append(mark_safe("".join([  # noqa: S308 (dates, and an address that is escaped here)
            DAYS.fill(DayLook(date == day, date.month != day.month, date == today), {
                "url": f"{escape(url)}day={date}", "number": date.day, "words": f"{date:%A, %-d %B %Y}"})
            for date in dates])))
        monday += timedelta(days=7)
    return weeks
