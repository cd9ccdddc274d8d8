"""The text of notes: templates, light structure that nothing gets out of, search, and the seal."""

import hashlib
import json
from datetime import datetime, timedelta, timezone

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from charting.notes import (
    around,
    filled,
    folded,
    gist,
    holds,
    left_open,
    marked,
    refuse_unknown,
    rendered,
    sealed,
    words_of,
)
from charting.starter import TEMPLATES

pytestmark = pytest.mark.wide

VALUES = {"patient": "Ada {age} Lovelace", "age": "40", "today": "1 December 2026"}
HTML = {"<br>"} | {f"<{end}{name}>" for name in ("p", "h3", "h4", "ul", "ol", "li", "mark") for end in ("", "/")}


def test_headings_lists_and_paragraphs_become_structure_and_nothing_else_does():
    text = "# Check-up\nAll well.\nSecond line.\n\n- one\n* two\n1. first\n2) second\n## Plan\n[a](http://x) **bold** `code`"
    assert rendered(text) == (
        "<h3>Check-up</h3>\n<p>All well.<br>Second line.</p>\n<ul><li>one</li><li>two</li></ul>\n"
        "<ol><li>first</li><li>second</li></ol>\n<h4>Plan</h4>\n<p>[a](http://x) **bold** `code`</p>")  # fmt: skip


@pytest.mark.parametrize("text", [
    "<script>alert(1)</script>", "# <img src=x onerror=alert(1)>", "- <svg/onload=alert(1)>", "1. </li></ol><script>x</script>",
    "&lt;script&gt;", "<mark>", "javascript:alert(1)", "[x](javascript:alert(1))", "\"><b>", "<!--", "]]>",
    "<p>\r\n</p>\r<a href=x>", "# #\n## \n- \n1.", "<scr\0ipt>"])  # fmt: skip
def test_hostile_text_stays_text(text):
    for words in ((), ("script",), ("<", "&", "lt", "amp")):
        only_ours(rendered(text, words))


@given(st.text(), st.lists(st.text(min_size=1, max_size=4), max_size=3))
def test_whatever_is_typed_no_tag_but_ours_comes_out(text, words):
    only_ours(rendered(text, words_of(" ".join(words))))
    only_ours(around(text, words_of(" ".join(words))))


def only_ours(html):
    left = html
    for tag in HTML:
        left = left.replace(tag, "")
    assert "<" not in left, html
    assert ">" not in left, html


def test_a_template_says_the_record_s_fields_and_leaves_places_for_the_rest():
    text = "{patient}, {age}: {plaque|light|none; heavy}, {drug|}, {site||upper; lower}, {visit}, ___"
    assert filled(text, VALUES) == (
        "Ada {age} Lovelace, 40: {plaque: light / none / heavy}, {drug: ___}, {site: ___ / upper / lower}, ___, ___")
    assert left_open(filled(text, VALUES)) == 5
    assert left_open("Plaque light. {age} and [none] and __") == 0


@pytest.mark.parametrize(("text", "said"), [
    ("{pateint}", "{patient} is one"), ("{nothing at all}", "no field {nothing at all}"), ("{|x}", "needs a label"),
    ("{a: b|x}", "without a colon"), ("open { brace", "brace stands alone"), ("{a|b}}", "brace stands alone")])  # fmt: skip
def test_what_a_template_cannot_mean_is_named(text, said):
    with pytest.raises(ValidationError, match=said.replace("{", r"\{").replace("}", r"\}")):
        refuse_unknown(text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each[0])
def test_every_starter_can_be_filled_in_to_the_end(template):
    refuse_unknown(template[3])
    assert left_open(filled(template[3], {})) >= 1


def test_a_list_shows_how_a_note_begins_without_its_marks():
    assert gist("\n\n---\n# Check-up\nAll well\n- one\n1. two") == "Check-up · All well · one · two"
    assert gist(" \n") == ""


def test_search_minds_neither_case_nor_marks_and_marks_what_it_found():
    assert holds("Brücke Zahn 14, ÖDEM", words_of("brucke ödem"))
    assert not holds("Brücke", words_of("brücke krone"))
    assert marked("Die BRÜCKE & Brücken", words_of("brücke")) == "Die <mark>BRÜCKE</mark> &amp; <mark>Brücke</mark>n"
    assert around("x " * 100 + "the crown came off " + "y " * 100, words_of("crown")).count("<mark>crown</mark>") == 1
    assert around("# Only this", words_of("crown")) == around("# Only this") == "Only this"


@given(st.text())
def test_each_folded_letter_knows_where_it_came_from(text):
    plain, places = folded(text)
    assert len(plain) == len(places)
    assert all(0 <= place < len(text) for place in places)


def test_the_seal_is_the_hash_of_a_text_that_anybody_can_write_again():
    at = datetime(2026, 12, 1, 9, 0, tzinfo=timezone(timedelta(hours=-5)))
    said = '{"algorithm":1,"author":"","body":"Füllung","id":"7","signed_at":"2026-12-01T14:00:00+00:00"}'
    assert json.loads(said)["body"] == "Füllung"
    assert sealed(id=7, body="Füllung", author=None, signed_at=at) == f"1:{hashlib.sha256(said.encode()).hexdigest()}"
