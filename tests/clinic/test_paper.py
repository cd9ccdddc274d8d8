"""Paper: what is told stands on it as text and nothing more, and nothing that is told can break it."""

import io
from datetime import date

import pytest
from pypdf import PdfReader

from clinic.letters import paragraphs
from clinic.paper import typeset as setting
from clinic.paper.typeset import CannotPrint, typeset

pytestmark = pytest.mark.wide

MARKUP = '#read("/etc/passwd") *bold* $x$ _y_ = head `raw` <label> @ref \\ [c] #let a = 1 // no comment'


def read(pdf):
    """The words of a PDF, page by page, without the marks that let long words break."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return [" ".join(page.extract_text().replace("\u200b", "").split()) for page in pages]


@pytest.fixture
def letter(cast):
    """`letter("text")`: a letter that says this."""

    def make(text, clinic=None, title="Letter", **data):
        data = {"to": [], "date": "1 December 2026", "framed": False, "signature": "", **data}
        return typeset(
            "clinic/letter.typ", {"paragraphs": paragraphs(text), **data}, clinic=clinic or cast.clinic, title=title,
            on=date(2026, 12, 1))  # fmt: skip

    return make


def test_markup_in_a_name_stands_on_paper_as_it_was_typed(letter):
    assert MARKUP in read(letter(f"Dear {MARKUP},"))[0]
    assert MARKUP in read(letter("x", title=MARKUP))[0]
    assert MARKUP in read(letter("x", to=[MARKUP]))[0]


@pytest.mark.parametrize("name", ["Łukasz Müller-Ångström", "Ελένη", "Жанна", "Nguyễn Thị Ánh", "O’Brien “Bo”"])
def test_names_in_the_scripts_of_our_fonts_can_be_read_back(letter, name):
    assert name in read(letter(name))[0]


@pytest.mark.parametrize("name", ["محمد علي", "יוסף כהן", "Ada ❤"])
def test_scripts_of_the_second_font_are_set_too(letter, name, caplog):
    pdf = letter(name)
    assert b"pdfaid" in pdf
    assert not caplog.records


def test_a_sign_that_no_font_has_keeps_nobody_from_printing_and_no_name_from_the_log(letter, monkeypatch, caplog):
    own_fonts_only(monkeypatch)
    pdf = letter("Dear 李小龍,\n\nsee you on Monday.")
    assert "see you on Monday." in read(pdf)[0]
    assert "drawn as a box" in caplog.text
    assert "李" not in caplog.text


def own_fonts_only(monkeypatch):
    only = setting.typst.Fonts(include_system_fonts=False, font_paths=[str(setting.FONTS)])
    monkeypatch.setattr(setting, "fonts", lambda: only)


@pytest.mark.parametrize("name", ["F" * 120, "Anna-" * 24, "Ada " * 30])
def test_a_long_name_stays_on_the_sheet(letter, name):
    pdf = letter(f"Dear {name},", to=[name])
    page = PdfReader(io.BytesIO(pdf)).pages[0]
    rights = []
    page.extract_text(visitor_text=lambda text, cm, tm, font, size: rights.append(tm[4]) if text.strip() else None)
    assert 0 <= min(rights)
    assert max(rights) <= float(page.mediabox.right) - 40
    assert "".join(name.split()) in "".join(read(pdf)[0].split())


@pytest.mark.parametrize(("country", "inches"), [("US", (8.5, 11)), ("CA", (8.5, 11)), ("DE", (8.27, 11.69))])
def test_the_sheet_is_the_countrys(letter, cast, country, inches):
    cast.clinic.country = country
    box = PdfReader(io.BytesIO(letter("x"))).pages[0].mediabox
    assert (float(box.width) / 72, float(box.height) / 72) == pytest.approx(inches, abs=0.01)


def test_it_is_tagged_titled_counted_and_says_whose_it_is(letter, cast):
    cast.clinic.phone, cast.clinic.address = "(207) 555-0100", "12 Quay Street\nPortland"
    reader = PdfReader(io.BytesIO(letter("\n\n".join(f"Paragraph {n}" for n in range(80)), title="Excuse")))
    assert reader.metadata.title == "Excuse"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en"
    words = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert len(words) > 1
    assert "Harbour Dental 12 Quay Street Portland (207) 555-0100" in words[0]
    for number, page in enumerate(words, start=1):
        assert f"Page {number} of {len(words)}" in page


def test_the_same_words_on_the_same_day_are_the_same_file(letter):
    assert letter("Dear Ada") == letter("Dear Ada")
    assert letter("Dear Ada") != letter("Dear Grace")


def test_a_broken_template_is_an_error_that_a_page_survives(cast, tmp_path, monkeypatch):
    (tmp_path / "broken.typ").write_text("#let said = json(bytes(sys.inputs.data))\n#said.nothing")
    (tmp_path / "endless.typ").write_text("#while true {}")
    (tmp_path / "outside.typ").write_text('#read("/../../../etc/passwd")')
    monkeypatch.setattr(setting, "ROOT", tmp_path)
    for name in ("broken.typ", "endless.typ", "outside.typ", "missing.typ"):
        with pytest.raises(CannotPrint, match=name):
            typeset(name, {}, clinic=cast.clinic, title="x")
