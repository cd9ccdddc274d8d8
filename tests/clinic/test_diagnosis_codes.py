"""ICD-10-CM in a table: loaded by release, found by code and words, asked which codes hold on a day."""

import io
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import icd10
from clinic.db.refusals import Refused
from clinic.models import DiagnosisCode

APRIL, OCTOBER = date(2026, 4, 1), date(2026, 10, 1)
DAY = date(2026, 11, 20)
ROWS = [
    ("F41", "Other anxiety disorders", False),
    ("F41.1", "Generalized anxiety disorder", True),
    ("F41.9", "Anxiety disorder, unspecified", True),
    ("K02", "Dental caries", False),
    ("K02.5", "Dental caries on pit and fissure surface", False),
    ("K02.51", "Dental caries on pit and fissure surface limited to enamel", True),
    ("K02.9", "Dental caries, unspecified", True),
    ("K50.90", "Crohn's disease, unspecified, without complications", True),
    ("M26.4", "Malocclusion, unspecified", True),
    ("Z3A.20", "20 weeks gestation of pregnancy", True),
]


@pytest.fixture
def loaded(cast):
    return DiagnosisCode.load(ROWS, APRIL)


def found(text):
    return [row.code for row in DiagnosisCode.objects.search(text)]


# Loading


def test_a_release_is_loaded_once(loaded):
    before = list(DiagnosisCode.objects.order_by("pk").values())
    assert loaded == (len(ROWS), 0, 0)
    assert DiagnosisCode.load(ROWS, APRIL) == (0, 0, 0)
    assert list(DiagnosisCode.objects.order_by("pk").values()) == before
    assert DiagnosisCode.objects.newest_release() == APRIL


def test_a_newer_release_ends_what_it_lacks_words_anew_and_adds(loaded):
    later = [("F41.1", "Generalised anxiety", True), ("F41.8", "Other anxiety", True), *ROWS[2:]]
    assert DiagnosisCode.load(later, OCTOBER) == (1, 1, 1)
    gone = DiagnosisCode.objects.get(code="F41")
    assert (gone.effective_from, gone.effective_to, gone.release) == (APRIL, OCTOBER - timedelta(days=1), APRIL)
    new = DiagnosisCode.objects.get(code="F41.8")
    assert (new.effective_from, new.effective_to, new.release) == (OCTOBER, None, OCTOBER)
    assert DiagnosisCode.objects.get(code="K02").release == OCTOBER
    assert found("generalised anx") == ["F41.1"]
    assert found("generalized anx") == []


def test_a_code_that_comes_back_is_in_force_again(loaded):
    DiagnosisCode.load(ROWS[1:], OCTOBER)
    assert DiagnosisCode.load(ROWS, date(2027, 4, 1)) == (0, 1, 0)
    assert DiagnosisCode.objects.get(code="F41").effective_to is None


def test_an_older_release_is_refused_and_changes_nothing(loaded):
    with pytest.raises(Refused, match="April 2026 is loaded, which is newer than that of October 2025"):
        DiagnosisCode.load([], date(2025, 10, 1))
    assert not DiagnosisCode.objects.exclude(effective_to=None).exists()


def test_no_code_stands_twice_and_none_ends_before_it_begins(loaded):
    row = DiagnosisCode.objects.get(code="F41.1")
    with pytest.raises(IntegrityError), transaction.atomic():
        DiagnosisCode(code="F41.1", description="x", is_billable=True, release=APRIL, effective_from=APRIL).save()
    row.effective_to = APRIL - timedelta(days=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


# Searching


@pytest.mark.parametrize("text", ["F41.1", "f41.1", "F411", " f411 ", "generalized", "ANXIETY gen", "dis gen anx"])
def test_a_code_is_found_with_and_without_its_dot_and_by_words_in_any_order(loaded, text):
    assert found(text) == ["F41.1"]


@pytest.mark.parametrize(("text", "codes"), [
    ("k02", ["K02", "K02.9", "K02.51", "K02.5"]),  # the code itself, then what can be billed, the short ones first
    ("k02.5", ["K02.5", "K02.51"]),
    ("dental caries", ["K02.9", "K02.51", "K02", "K02.5"]),
    ("caries pit", ["K02.51", "K02.5"]),
    ("anxiety", ["F41.9", "F41.1", "F41"]),
    ("z3a", ["Z3A.20"]),
    ("20 weeks", ["Z3A.20"]),
    ("crohns", ["K50.90"]),
    ("Crohn’s", ["K50.90"]),
    ("on", ["K02.51", "K02.5"]),
    ("m", ["M26.4"]),
    ("caries tooth", []),
    ("xiety", []),
    ("%", []),
    ('" OR "', []),
    ("", []),
])  # fmt: skip
def test_every_word_must_begin_one_and_the_best_comes_first(loaded, text, codes):
    assert found(text) == codes


@pytest.mark.parametrize("text", ["caries enamel", "k02", "on", "f41.1"])
def test_the_search_is_served_by_its_index(loaded, text):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    how = DiagnosisCode.objects.search(text).explain()
    assert "clinic_diagnosiscode_search_gin" in how if connection.vendor == "postgresql" else "VIRTUAL TABLE INDEX" in how


# Which hold on a day


def test_what_is_not_in_force_that_day_is_named_as_it_was_given(loaded):
    DiagnosisCode.load(ROWS[1:], OCTOBER)
    codes = ["F41.1", "f411", "F41", "K99.9", "caries"]
    assert DiagnosisCode.objects.unknown_among(codes, DAY) == ["F41", "K99.9", "caries"]
    assert DiagnosisCode.objects.unknown_among(codes, OCTOBER - timedelta(days=1)) == ["K99.9", "caries"]


def test_of_days_before_the_first_list_that_list_tells(loaded):
    assert DiagnosisCode.objects.unknown_among(["F41.1", "K99.9"], date(2024, 3, 1)) == ["K99.9"]


def test_without_a_list_what_has_the_form_of_a_code_is_let_through(cast):
    codes = ["F41.1", "k0251", "Z3A.20", "QA0.0101", "caries", "F41.12345", "1F4", ""]
    assert DiagnosisCode.objects.unknown_among(codes, DAY) == ["caries", "F41.12345", "1F4", ""]


def test_however_many_codes_it_is_three_queries(loaded, django_assert_num_queries):
    for codes in (["F41.1"], [code for code, _, _ in ROWS] * 3):
        with django_assert_num_queries(3):
            assert DiagnosisCode.objects.unknown_among(codes, DAY) == []


# Where it is seen


def test_a_program_searches_what_holds_today(loaded, desk):
    DiagnosisCode.objects.filter(code="K02.9").update(effective_to=DAY - timedelta(days=1))
    answer = desk.get("/diagnosis-codes?search=caries").data
    assert [row["code"] for row in answer["items"]] == ["K02.51", "K02", "K02.5"]
    assert answer["count"] == 3
    assert desk.get("/diagnosis-codes?search=f411&limit=1").data["items"] == [{
        "code": "F41.1", "name": "F41.1 Generalized anxiety disorder", "description": "Generalized anxiety disorder",
        "is_billable": True, "release": "2026-04-01", "effective_from": "2026-04-01", "effective_to": None}]  # fmt: skip
    assert desk.get("/diagnosis-codes").data["count"] == len(ROWS) - 1


def test_one_and_thirty_codes_take_the_same_queries(cast, desk, django_assert_max_num_queries):
    DiagnosisCode.load([("K02", "Dental caries", False)], APRIL)
    with CaptureQueriesContext(connection) as one:
        assert len(desk.get("/diagnosis-codes?search=caries").data["items"]) == 1
    DiagnosisCode.load([("K02", "Dental caries", False), *(
        (f"K02.{number}", f"Dental caries {number}", True) for number in range(10, 39))], APRIL)  # fmt: skip
    with django_assert_max_num_queries(len(one)):
        assert len(desk.get("/diagnosis-codes?search=caries").data["items"]) == 30


def test_a_manager_looks_codes_up_and_changes_none(loaded, sign_in):
    manager, row = sign_in("manager"), DiagnosisCode.objects.get(code="F41.1")
    page = manager.get(reverse("admin:clinic_diagnosiscode_changelist"), {"q": "anxiety gen"}).content.decode()
    assert "F41.1" in page
    assert "K02" not in page
    address = reverse("admin:clinic_diagnosiscode_change", args=[row.pk])
    page = manager.get(address).content.decode()
    assert "Generalized anxiety disorder" in page
    assert 'name="_save"' not in page
    assert "/history/" not in page
    assert manager.post(address, {"description": "x"}).status_code == 403
    assert manager.get(reverse("admin:clinic_diagnosiscode_add")).status_code == 403
    assert manager.get(reverse("admin:clinic_diagnosiscode_history", args=[row.pk])).status_code == 404


# The real list


def test_the_release_is_told_without_reading_the_list():
    assert (icd10.release(), icd10.named(icd10.release())) == (APRIL, "April 2026")


@pytest.mark.parametrize(("text", "code"), [
    ("f411", "F41.1"), (" F41.1", "F41.1"), ("k02", "K02"), ("z3a20", "Z3A.20"), ("qa00101", "QA0.0101"), ("caries", "CARIES"),
    ("F41.", "F41.")])  # fmt: skip
def test_a_code_is_spelled_as_the_list_writes_it(text, code):
    assert icd10.spelled(text) == code


@pytest.mark.wide
def test_the_package_fills_the_table_and_a_second_run_does_nothing(cast):
    out = io.StringIO()
    call_command("load_icd10", stdout=out)
    assert "ICD-10-CM of April 2026: 98,186 codes added, 0 changed, 0 ended" in out.getvalue()
    assert DiagnosisCode.objects.count() == 98_186
    assert DiagnosisCode.objects.filter(is_billable=True).count() == 74_719
    assert {(row.code, row.description, row.is_billable) for row in DiagnosisCode.objects.filter(
        code__in=["F41.1", "K02", "B99"])} == {
        ("F41.1", "Generalized anxiety disorder", True), ("K02", "Dental caries", False),
        ("B99", "Other and unspecified infectious diseases", False)}  # fmt: skip
    assert not [code for code in DiagnosisCode.objects.values_list("code", flat=True) if icd10.spelled(
        code.replace(".", "").lower()) != code]  # fmt: skip
    assert DiagnosisCode.objects.search("gen anxiety disord").first().code == "F41.1"
    call_command("load_icd10", stdout=out)
    assert out.getvalue().endswith("ICD-10-CM of April 2026 is loaded already.\n")
