"""Dates and times as people type them."""

from datetime import date, time

import pytest

from clinic.dates import read_date, read_time

pytestmark = pytest.mark.wide

SATURDAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("today", SATURDAY),
        ("tomorrow", date(2026, 11, 22)),
        ("yesterday", date(2026, 11, 20)),
        ("mon", date(2026, 11, 23)),
        ("sat", date(2026, 11, 28)),
        ("fr", date(2026, 11, 27)),
        ("+2w", date(2026, 12, 5)),
        ("+10d", date(2026, 12, 1)),
        ("+3m", date(2027, 2, 21)),
        ("-1w", date(2026, 11, 14)),
        ("3/2", date(2026, 3, 2)),
        ("12/24", date(2026, 12, 24)),
        ("3 feb", date(2026, 2, 3)),
        ("2026-12-01", date(2026, 12, 1)),
        ("1/2/27", date(2027, 1, 2)),
        ("24.12.2026", date(2026, 12, 24)),
        ("2.3.", date(2026, 3, 2)),
        ("soon", None),
        ("", None),
        ("31/31/2026", None),
        ("t", SATURDAY),
        ("99999999999999", None),
        ("+999m", date(2110, 2, 21)),
    ],
)
def test_dates(text, meant):
    assert read_date(text, SATURDAY) == meant


@pytest.mark.parametrize(
    ("text", "meant"), [("3/2/88", date(1988, 3, 2)), ("3/2/26", date(2026, 3, 2)), ("3/2/27", date(1927, 3, 2))]
)
def test_birth_dates_lie_behind(text, meant):
    assert read_date(text, SATURDAY, past=True) == meant


def test_the_day_comes_first_where_that_is_usual():
    assert read_date("3/2/1988", SATURDAY, past=True, day_first=True) == date(1988, 2, 3)


def test_the_end_of_a_short_month_is_kept():
    assert read_date("+1m", date(2027, 1, 31)) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("9:30", time(9, 30)),
        ("930", time(9, 30)),
        ("9", time(9)),
        ("14", time(14)),
        ("2pm", time(14)),
        ("2 pm", time(14)),
        ("2", time(14)),
        ("12am", time(0)),
        ("12pm", time(12)),
        ("7", time(7)),
        ("06:15", time(6, 15)),
        ("1730", time(17, 30)),
        ("9h15", time(9, 15)),
        ("25:00", None),
        ("9:75", None),
        ("noonish", None),
        ("", None),
    ],
)
def test_times(text, meant):
    assert read_time(text) == meant
