"""Teeth, surfaces and numbering systems: the facts of the field, and round trips between every notation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charting.teeth import (
    KEYS,
    LABELS,
    PERMANENT,
    PRIMARY,
    TEETH,
    Numbering,
    UnknownTooth,
    WrongSurfaces,
    billed_surfaces,
    teeth_between,
    tooth_of,
    written,
)

pytestmark = pytest.mark.wide


@pytest.mark.parametrize(("key", "fdi", "palmer"), [
    ("1", "18", "UR8"), ("8", "11", "UR1"), ("9", "21", "UL1"), ("16", "28", "UL8"), ("17", "38", "LL8"), ("24", "31", "LL1"),
    ("25", "41", "LR1"), ("32", "48", "LR8"), ("A", "55", "URE"), ("E", "51", "URA"), ("F", "61", "ULA"), ("J", "65", "ULE"),
    ("K", "75", "LLE"), ("O", "71", "LLA"), ("P", "81", "LRA"), ("T", "85", "LRE"),
    ("51", "18S", "UR8S"), ("AS", "55S", "URES")])  # fmt: skip
def test_a_tooth_has_its_three_names(key, fdi, palmer):
    tooth = TEETH[key]
    assert [tooth.label(numbering) for numbering in Numbering] == [key, fdi, palmer]


@given(key=st.sampled_from(sorted(TEETH)), numbering=st.sampled_from(list(Numbering)))
def test_what_a_tooth_is_called_leads_back_to_it(key, numbering):
    label = TEETH[key].label(numbering)
    assert tooth_of(label, numbering).key == tooth_of(f" {label.lower()} ", numbering).key == key


def test_each_numbering_names_each_tooth_once():
    for numbering in Numbering:
        assert len(KEYS[numbering]) == len(LABELS[numbering]) == len(TEETH) == 104


def test_55_is_a_supernumerary_tooth_in_one_numbering_and_a_primary_molar_in_the_other():
    assert (tooth_of("55", "universal").key, tooth_of("55", "fdi").key) == ("55", "A")


@given(text=st.text(max_size=8), numbering=st.sampled_from(list(Numbering)))
def test_any_other_text_is_refused_in_a_sentence(text, numbering):
    if text.strip().upper() not in KEYS[numbering]:
        with pytest.raises(UnknownTooth, match="is no tooth here"):
            tooth_of(text, numbering)


def test_primary_teeth_stand_where_their_successors_will():
    assert [TEETH[key].position for key in PRIMARY] == [*range(4, 14), *range(20, 30)]


def test_classes_quadrants_and_sextants():
    def of(test):
        return [int(key) for key in PERMANENT if test(TEETH[key])]

    assert of(lambda tooth: tooth.is_anterior) == [*range(6, 12), *range(22, 28)]
    assert of(lambda tooth: tooth.kind == "premolar") == [4, 5, 12, 13, 20, 21, 28, 29]
    assert of(lambda tooth: tooth.kind == "molar") == [1, 2, 3, 14, 15, 16, 17, 18, 19, 30, 31, 32]
    assert [key for key in PRIMARY if TEETH[key].kind == "molar"] == list("ABIJKLST")
    assert not [key for key in PRIMARY if TEETH[key].kind == "premolar"]
    assert [of(lambda tooth, name=name: tooth.quadrant == name)[0] for name in ("UR", "UL", "LL", "LR")] == [1, 9, 17, 25]
    assert [of(lambda tooth, number=number: tooth.sextant == number) for number in range(1, 7)] == [
        list(range(1, 6)), list(range(6, 12)), list(range(12, 17)), list(range(17, 22)), list(range(22, 28)), list(range(28, 33))]


def test_furcations_are_where_roots_part():
    assert [TEETH[key].furcations for key in ("3", "14", "A", "30", "T", "5", "12", "4", "8", "28")] == [
        ("B", "M", "D")] * 3 + [("B", "L")] * 2 + [("M", "D")] * 2 + [()] * 3


def test_the_palate_has_no_mucogingival_line():
    assert [TEETH["3"].has_mucogingival_line(site) for site in ("B", "L")] == [True, False]
    assert TEETH["30"].has_mucogingival_line("L")


def test_the_patient_s_right_is_drawn_on_the_left():
    assert [TEETH[key].column for key in ("1", "16", "17", "32", "A", "T")] == [0, 15, 15, 0, 3, 3]


@pytest.mark.parametrize(("key", "typed", "kept"), [
    ("14", "dom", "MOD"), ("14", "LBV", "BVL"), ("8", "dim", "MID"), ("8", "lf", "FL"), ("A", "ob", "OB"), ("14", "", "")])
def test_surfaces_are_written_in_their_order(key, typed, kept):
    assert written(TEETH[key], typed) == kept


@pytest.mark.parametrize(("key", "typed", "sentence"), [
    ("8", "mo", "A front tooth has no occlusal surface"), ("14", "mi", "A back tooth has no incisal surface"),
    ("14", "mm", "M stands there twice"), ("14", "mz", "“Z” is no surface"), ("14", "f", "A back tooth has no facial surface")])
def test_surfaces_that_the_tooth_lacks_or_twice_are_refused(key, typed, sentence):
    with pytest.raises(WrongSurfaces, match=sentence):
        written(TEETH[key], typed)


@pytest.mark.parametrize(("key", "surfaces", "billed"), [
    ("14", "DBV", "DB"), ("14", "V", "B"), ("8", "V", "F"), ("14", "MOD", "MOD"), ("8", "DFV", "DF")])
def test_class_v_is_no_surface_of_its_own_when_counted(key, surfaces, billed):
    assert billed_surfaces(TEETH[key], surfaces) == billed


def test_a_range_runs_along_one_row_of_teeth_from_either_end():
    assert [tooth.key for tooth in teeth_between(TEETH["5"], TEETH["3"])] == ["3", "4", "5"]
    assert [tooth.key for tooth in teeth_between(TEETH["A"], TEETH["C"])] == ["A", "B", "C"]
    with pytest.raises(UnknownTooth):
        teeth_between(TEETH["1"], TEETH["A"])
