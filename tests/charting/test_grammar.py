"""The entry line: what it reads, and that whatever it does not understand is named."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charting.conditions import BOTH, MATERIAL_WORDS, STANDARD, STATUSES
from charting.grammar import LONGEST, Language, Unreadable, completions, read, told
from charting.models.finding_kind import STATUS_WORDS
from charting.teeth import SURFACES, TEETH, Numbering

pytestmark = pytest.mark.wide

TODAY = date(2026, 11, 21)
HERE = Language("universal", STANDARD, TODAY, ("30", "31"))
FDI = HERE._replace(numbering="fdi")


def said(text, language=HERE):
    return [(item.tooth, item.surfaces, item.condition, item.material, item.status) for item in read(text, language)]


@pytest.mark.parametrize(("text", "findings"), [
    ("14 mod comp", [("14", "MOD", "restoration", "composite", "existing")]),
    ("3 crown pfm", [("3", "", "crown", "pfm", "existing")]),
    ("19 caries o", [("19", "O", "caries", "", "condition")]),
    ("19 o caries", [("19", "O", "caries", "", "condition")]),
    ("14 MOD Comp elsewhere", [("14", "MOD", "restoration", "composite", "existing_other")]),
    ("3 ssc", [("3", "", "crown", "steel", "existing")]), ("3 crown ssc", [("3", "", "crown", "steel", "existing")]),
    ("8 veneer porc", [("8", "F", "veneer", "porcelain", "existing")]), ("3 sealant", [("3", "O", "sealant", "", "existing")]),
    ("3,14 miss", [("3", "", "missing", "", "existing"), ("14", "", "missing", "", "existing")]),
    ("3-5 bridge pfm", [
        ("3", "", "bridge", "pfm", "existing"), ("4", "", "pontic", "pfm", "existing"), ("5", "", "bridge", "pfm", "existing")]),
    ("others sound", [("30", "", "sound", "", "existing"), ("31", "", "sound", "", "existing")]),
    (" ; 1 missing ;; 2 v abfraction;", [
        ("1", "", "missing", "", "existing"), ("2", "V", "abfraction", "", "condition")])])  # fmt: skip
def test_an_entry_is_read(text, findings):
    assert said(text) == findings


def test_a_range_of_primary_teeth_and_a_quadrant():
    assert [row[0] for row in said("A-J unerupted")] == list("ABCDEFGHIJ")
    assert [row[0] for row in said("ll missing")] == [str(number) for number in range(17, 25)]
    assert len(said("all sound")) == 32


def test_teeth_are_read_in_the_practice_s_own_numbering():
    assert [row[0] for row in said("16 o caries; 55 missing", FDI)] == ["3", "A"]
    assert said("UR6 o caries", HERE._replace(numbering="palmer"))[0][0] == "3"
    with pytest.raises(Unreadable, match="“14s” is no tooth here"):
        read("14s missing", HERE)


def test_since_when_and_a_note():
    (item,) = read('19 o caries since 2019-05 "by the old filling; sensitive"', HERE)
    assert (item.noted_on, item.note) == (date(2019, 5, 1), "by the old filling; sensitive")
    assert read("19 o caries since 2019", HERE)[0].noted_on == date(2019, 1, 1)


def test_a_bridge_is_one_thing():
    spans = {item.span for item in read("3-5 bridge", HERE)}
    assert len(spans) == 1
    assert None not in spans
    assert read("3,5 crown", HERE)[0].span is None


@pytest.mark.parametrize(("text", "word", "sentence"), [
    ("99 caries o", "99", "is no tooth here"), ("14 xyzzy", "xyzzy", "means nothing"), ("14 mod", "mod", "Say what is found"),
    ("14", "14", "Say what is found"), ("14 caries", "caries", "charted on surfaces: M, O, D, B, V, L"),
    ("8 mo comp", "mo", "A front tooth has no occlusal"), ("14 mmo comp", "mmo", "twice"), ("3 crown mod", "mod", "whole tooth"),
    ("14 mod comp gold", "gold", "of what is said already"), ("14 o caries crown", "crown", "what it is is said already"),
    ("14 o caries planned", "planned", "treatment plan"), ("14 o caries since never", "never", "Since when"),
    ("14 o caries since 2099", "2099", "after today"), ("1-A missing", "1-A", "range runs"), ("3,3 missing", "3,3", "twice"),
    ("14 o caries; 3 bridge", "bridge", "spans several teeth"), ("14 comp", "comp", "Say what is found"),
    ("14 o carise", "carise", "did you mean car")])  # fmt: skip
def test_what_is_wrong_is_named_where_it_stands(text, word, sentence):
    with pytest.raises(Unreadable, match=sentence) as caught:
        read(text, HERE)
    assert (caught.value.word, text[caught.value.start:caught.value.end]) == (word, word)


@pytest.mark.parametrize("text", ["", " ; ; ", "x" * (LONGEST + 1)])
def test_nothing_and_too_much_are_refused_as_a_whole(text):
    with pytest.raises(Unreadable):
        read(text, HERE)


def test_no_more_findings_than_a_mouth_may_have_at_once():
    with pytest.raises(Unreadable, match="more than 200"):
        read("; ".join(["all sound"] * 7), HERE)


WORDS = [*(word for kind in STANDARD.values() for word in kind.words), *MATERIAL_WORDS, *STATUS_WORDS, "since", "2019"]
PIECES = st.one_of(
    st.sampled_from(sorted(TEETH)), st.sampled_from(WORDS), st.text("MOIDBFVLmoidbfvl", max_size=5),
    st.sampled_from([";", ",", "-", '"']), st.text(max_size=6))  # fmt: skip


ANYTHING = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map(" ".join))


@given(text=ANYTHING, numbering=st.sampled_from(list(Numbering)))
def test_any_text_is_read_or_its_fault_is_named(text, numbering):
    items, fault = [], None
    try:
        items = read(text, HERE._replace(numbering=numbering))
    except Unreadable as error:
        fault = error
    assert (fault is None) == bool(items)
    assert fault is None or (str(fault) and text[fault.start:fault.end] == fault.word)
    assert all(item.tooth in TEETH and item.condition in STANDARD and item.status in STATUSES for item in items)


@given(
    tooth=st.sampled_from(sorted(TEETH)), kind=st.sampled_from(sorted(STANDARD)), material=st.sampled_from(["", *MATERIAL_WORDS]),
    status=st.sampled_from(["", "here", "elsewhere", "condition"]), numbering=st.sampled_from(list(Numbering)), data=st.data())
def test_a_finding_that_is_written_down_is_read_back(tooth, kind, material, status, numbering, data):
    kind, tooth = STANDARD[kind], TEETH[tooth]
    letters = "" if kind.surfaces == "none" else data.draw(st.sets(st.sampled_from(tooth.surfaces), min_size=1).map("".join))
    words = [word for word in (letters, kind.words[0], material, status) if word]
    if kind.code == "bridge" or (kind.code != "crown" and material in BOTH):
        return
    (item,) = read(" ".join([tooth.label(numbering), *data.draw(st.permutations(words))]), HERE._replace(numbering=numbering))
    assert (item.tooth, item.condition, set(item.surfaces)) == (tooth.key, kind.code, set(letters))
    assert item.material == MATERIAL_WORDS.get(material, "")
    assert STATUSES[item.status] == (status or STATUSES[kind.status])


def test_a_word_means_one_thing_and_is_never_only_surfaces():
    words = [word for kind in STANDARD.values() for word in kind.words] + [*MATERIAL_WORDS, *STATUS_WORDS]
    assert len(words) == len(set(words))
    assert [word for word in words if set(word.upper()) <= set(SURFACES)] == []


def test_completion_offers_words_that_begin_so_and_none_for_teeth():
    assert ("comp", "Composite") in completions("14 mod co", HERE)
    assert completions("14", HERE) == completions("14 mod ", HERE) == completions('14 o caries "co', HERE) == []


@pytest.mark.parametrize(("text", "offered"), [
    ("14 mod cmop; 3 crown pfm", ["comp"]), ("14 carie o", ["caries"]), ("14 o crao; 3 cr", ["crown", "crack", "cr"]),
    ("99 caries o", []), ("14 o caries since never", []), ("14 ol", []), ("14 mod cro", ["crown"])])  # fmt: skip
def test_after_a_fault_completion_offers_what_could_stand_at_the_word_at_fault(text, offered):
    with pytest.raises(Unreadable) as caught:
        read(text, HERE)
    assert [word for word, _ in completions(text, HERE, caught.value)] == offered


@pytest.mark.parametrize(("text", "words"), [
    ("14 mod comp elsewhere", "MOD restoration, composite, elsewhere"), ("14 mod comp", "MOD restoration, composite, here"),
    ("14 o caries", "O caries"), ("14 missing", "missing"), ("14 caries o elsewhere", "O caries, elsewhere")])
def test_a_finding_is_told_in_words_without_what_goes_without_saying(text, words):
    assert told(read(text, HERE)[0], HERE) == words
