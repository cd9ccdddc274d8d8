"""Periodontal exams: figures against cases computed by hand, bounds, closing and amending, the API and its queries."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from charting.models import ChartSettings, Finding, PerioExam, PerioPath, PerioTooth
from charting.perio import PATHS, ToothFigures, changes, deepest, fault, indices, site_order, suggested, worst_loss
from charting.teeth import PERMANENT
from clinic.db.refusals import Refused
from clinic.models import AccessEvent

N = None
ALL = [True] * 6


def tooth(pd=(N,) * 6, gm=(N,) * 6, **more):
    return ToothFigures(pd=list(pd), gm=list(gm), **more)


def only(*keys):
    """All other teeth are skipped."""
    return [key for key in PERMANENT if key not in keys]


# Computed by hand: {tooth: figures}, skipped teeth; then possible and measured sites, completeness, bleeding %, plaque %, >= 4,
# >= 5, mean PD, mean CAL.
CASES = {
    "nothing measured": ({}, (), (192, 0, "0.00", N, N, 0, 0, N, N)),
    "nothing possible": ({}, PERMANENT, (0, 0, N, N, N, 0, 0, N, N)),
    "one sound tooth": ({"3": tooth([2, 1, 2, 2, 1, 2], [0] * 6)}, only("3"), (6, 6, "1.00", "0.00", "0.00", 0, 0, "1.67", "1.67")),
    "depth nought is a value": ({"3": tooth([0] * 6, [0] * 6)}, only("3"), (6, 6, "1.00", "0.00", "0.00", 0, 0, "0.00", "0.00")),
    "4 and 5 are counted from there on": (
        {"3": tooth([3, 4, 5, 4, 6, 3], [1, 0, N, 2, -1, 0])}, only("3", "4"),
        (12, 6, "0.50", "0.00", "0.00", 4, 2, "4.17", "4.40")),
    "a hole in the depths is no nought": (
        {"3": tooth([5, N, N, N, N, 4], [1, 3, N, N, N, N])}, (), (192, 2, "0.01", "0.00", "0.00", 2, 1, "4.50", "6.00")),
    "a margin without a depth gives no loss": (
        {"3": tooth([N] * 6, [3] * 6)}, (), (192, 0, "0.00", N, N, 0, 0, N, N)),
    "bleeding where nothing was measured does not count": (
        {"3": tooth([3, 3, N, N, N, N], bleeding=ALL, plaque=[True, False, True, True, True, True])}, only("3"),
        (6, 2, "0.33", "100.00", "50.00", 0, 0, "3.00", N)),
    "half of three sites, rounded half up": (
        {"3": tooth([3, 3, 3, N, N, N], bleeding=[True, False, False, True, False, False])}, only("3"),
        (6, 3, "0.50", "33.33", "0.00", 0, 0, "3.00", N)),
    "overgrowth makes loss smaller than depth": (
        {"3": tooth([4] * 6, [-2] * 6)}, only("3"), (6, 6, "1.00", "0.00", "0.00", 6, 0, "4.00", "2.00")),
    "two teeth, one of them half": (
        {"3": tooth([2, 3, 2, 3, 2, 3], [0, 1, 0, 1, 0, 1]), "30": tooth([7, 6, N, N, N, 5], [1, 1, 1, N, N, N], bleeding=ALL)},
        only("3", "30"), (12, 9, "0.75", "33.33", "0.00", 3, 3, "3.67", "4.13")),
    "three teeth at one place": (
        {"8": tooth([3] * 6), "58": tooth([2] * 6), "E": tooth([4] * 6)}, only("8"),
        (18, 18, "1.00", "0.00", "0.00", 6, 0, "3.00", N)),
    "a supernumerary tooth adds its six sites to a whole mouth": (
        {key: tooth([3] * 6) for key in (*PERMANENT, "58")}, (), (198, 198, "1.00", "0.00", "0.00", 0, 0, "3.00", N)),
    "a supernumerary tooth at a place whose tooth is gone": (
        {"58": tooth([3, 3, 3, N, N, N])}, PERMANENT, (6, 3, "0.50", "0.00", "0.00", 0, 0, "3.00", N)),
    "a supernumerary tooth without a depth adds none": ({"58": tooth(bleeding=ALL)}, (), (192, 0, "0.00", N, N, 0, 0, N, N)),
    "a primary tooth or its successor is one place": (
        {"E": tooth([3] * 6)}, only("8"), (6, 6, "1.00", "0.00", "0.00", 0, 0, "3.00", N)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_indices_are_those_computed_by_hand(name):
    teeth, skipped, expected = CASES[name]
    found = indices(teeth, skipped)
    shown = (
        found.sites_possible, found.sites_measured, found.completeness, found.bleeding_percent, found.plaque_percent,
        found.sites_ge_4, found.sites_ge_5, found.mean_pd, found.mean_cal)
    assert shown == tuple(Decimal(value) if isinstance(value, str) else value for value in expected)


SIX = st.lists(st.one_of(st.none(), st.integers(0, 15)), min_size=6, max_size=6)


@given(pd=SIX, gm=SIX, more=st.integers(0, 5))
def test_an_unmeasured_site_changes_no_figure_but_completeness(pd, gm, more):
    one = {"3": tooth(pd, gm)}
    holes = one | {str(30 - number): tooth() for number in range(more)}
    few, many = indices(one, ()), indices(holes, ())
    assert few == many
    assert few.sites_measured == sum(depth is not None for depth in pd)
    assert few.mean_pd is None or 0 <= few.mean_pd <= 15


@given(pd=SIX, gm=SIX)
def test_loss_is_depth_and_margin_or_unknown(pd, gm):
    for depth, margin, loss in zip(pd, gm, tooth(pd, gm).cal, strict=True):
        assert loss == (None if depth is None or margin is None else depth + margin)


# Paths


def test_both_usual_paths_walk_every_site_once():
    teeth = {position: str(position) for position in range(1, 33)}
    for _, legs in PATHS.values():
        order = site_order(legs, teeth)
        assert len(order) == len(set(order)) == 192


def test_the_usual_path_begins_and_turns_as_hygienists_walk():
    order = site_order(PATHS["around"][1], {position: str(position) for position in range(1, 33)})
    assert order[:4] == [("1", 0), ("1", 1), ("1", 2), ("2", 0)]  # distal first on the right
    assert order[24:28] == [("9", 2), ("9", 1), ("9", 0), ("10", 2)]  # mesial first past the midline
    assert order[48:50] == [("16", 3), ("16", 4)]  # back on the palatal side, from the last molar's distal site
    assert order[96:98] == [("32", 0), ("32", 1)]
    assert order[144:146] == [("17", 3), ("17", 4)]
    assert order[-1] == ("32", 3)
    facials = site_order(PATHS["facials_first"][1], {position: str(position) for position in range(1, 33)})
    assert [key for key, site in facials[:96] if site > 2] == []


def test_missing_teeth_are_skipped():
    order = site_order(PATHS["around"][1], {2: "2", 30: "30"})
    assert [key for key, _ in order] == ["2"] * 6 + ["30"] * 6


def test_a_practice_s_own_path_walks_both_sides_of_all_teeth_once(cast):
    whole = "1-16 facial\n17-32 facial\n17-32 lingual\n1-16 lingual"
    path = PerioPath(name="As we do it", legs=whole).record(by=cast.manager)
    assert len(site_order(path.as_legs(), {position: str(position) for position in range(1, 33)})) == 192
    for wrong in ("1-16 facial", whole + "\n1-3 facial", "1-32 facial", "1-16 sideways", "A-J facial"):
        with pytest.raises(ValidationError):
            PerioPath(name="Wrong", legs=wrong).record(by=cast.manager)


# What can't be


@pytest.mark.parametrize(("key", "figures", "field"), [
    ("3", tooth([16, N, N, N, N, N]), "pd"), ("3", tooth([-1, N, N, N, N, N]), "pd"), ("3", tooth(gm=[11, N, N, N, N, N]), "gm"),
    ("3", tooth(gm=[-6, N, N, N, N, N]), "gm"), ("3", tooth(mgj=[N, N, N, N, 3, N]), "mgj"), ("3", tooth(mobility=4), "mobility"),
    ("8", tooth(furcation={"b": 1}), "furcation"), ("3", tooth(furcation={"l": 1}), "furcation"),
    ("30", tooth(furcation={"m": 1}), "furcation"), ("3", tooth(furcation={"b": 4}), "furcation")])  # fmt: skip
def test_a_figure_out_of_bounds_is_refused_by_name(cast, key, figures, field):
    assert fault(key, figures)[0] == field
    with pytest.raises(ValidationError) as caught:
        PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={key: figures})
    assert f"teeth.{key}.{field}" in caught.value.message_dict
    assert not PerioExam.objects.exists()


@pytest.mark.parametrize(("key", "figures"), [
    ("3", tooth([15, 0, 3, 3, 3, 3], [-5, 10, 0, 0, 0, 0], mobility=3, furcation={"b": 3, "m": 0, "d": 1})),
    ("30", tooth(mgj=[5, 5, 5, 4, 4, 4], furcation={"b": 1, "l": 2})), ("5", tooth(furcation={"m": 1, "d": 1}))])  # fmt: skip
def test_figures_at_the_bounds_are_kept_as_they_are(cast, key, figures):
    exam = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={key: figures})
    assert PerioExam.objects.get(pk=exam.pk).figures == {key: figures}


# Its life


@pytest.fixture
def exam(cast):
    return PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={"3": tooth([3] * 6, [0] * 6), "30": tooth([5] * 6)})


def test_an_exam_keeps_its_indices_and_who_made_it(cast, exam):
    assert (exam.status, exam.provider, exam.exam_date) == ("draft", cast.holly, cast.clinic.today())
    assert (exam.indices.sites_measured, exam.indices.sites_possible, exam.indices.mean_pd) == (12, 192, Decimal("4.00"))


def test_teeth_that_the_chart_says_are_gone_are_not_possible_and_one_that_was_measured_is(cast):
    Finding.enter(by=cast.dentist, patient=cast.ada, items=[{"tooth": key, "condition": "missing"} for key in ("1", "16", "17")])
    exam = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={"1": tooth([3] * 6)})
    assert exam.skipped == ["16", "17"]
    assert exam.sites_possible == 180


def test_three_teeth_that_were_measured_at_one_place_are_three_and_never_more_than_all(cast):
    every = {key: tooth([3] * 6) for key in (*PERMANENT, "58", "E")}
    exam = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth=every)
    assert (exam.sites_measured, exam.sites_possible, exam.indices.completeness) == (204, 204, 1)
    Finding.enter(by=cast.dentist, patient=cast.ada, items=[{"tooth": "8", "condition": "missing"}])
    beside = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={"58": tooth([3] * 6)})
    assert (beside.skipped, beside.sites_possible) == (["8"], 192)


def test_implants_are_probed_unless_the_practice_says_otherwise(cast):
    Finding.enter(by=cast.dentist, patient=cast.ada, items=[{"tooth": "3", "condition": "implant"}])
    assert PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={}).sites_possible == 192
    ChartSettings(probes_implants=False).record(by=cast.manager)
    assert PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={}).sites_possible == 186


def test_until_it_is_closed_an_exam_changes_and_teeth_left_out_stay(cast, exam):
    exam.measure(by=cast.hygienist, teeth={"3": tooth([4] * 6), "14": tooth([2] * 6)})
    assert {key: row.pd[0] for key, row in PerioExam.objects.get(pk=exam.pk).figures.items()} == {"3": 4, "30": 5, "14": 2}
    assert exam.indices.sites_measured == 18


def test_a_closed_exam_changes_only_by_an_amendment_with_a_reason(cast, exam):
    now = timezone.now()
    exam.close(by=cast.hygienist, now=now)
    assert exam.close(by=cast.hygienist, now=now).version == exam.version
    with pytest.raises(Refused, match="is closed"):
        exam.measure(by=cast.hygienist, teeth={"3": tooth([9] * 6)})
    with pytest.raises(Refused, match="Say why"):
        exam.amend(by=cast.hygienist, because=" ", teeth={})
    exam.amend(by=cast.hygienist, because="Misheard", teeth={"3": tooth([9] * 6)})
    assert (exam.status, exam.indices.sites_ge_5) == ("amended", 12)
    row = PerioTooth.objects.get(exam=exam, tooth="3")
    assert [(past.pd_db, past.history_change_reason) for past in row.history.order_by("version")] == [(3, ""), (9, "Misheard")]


def test_nothing_measured_is_not_closed(cast):
    empty = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={})
    with pytest.raises(Refused, match="Nothing is measured"):
        empty.close(by=cast.hygienist, now=timezone.now())


def test_the_database_keeps_the_figures_of_a_closed_exam_and_its_state(cast, exam):
    exam.close(by=cast.hygienist, now=timezone.now())
    for sql, name in (
        ("UPDATE charting_periotooth SET pd_db = 9", "charting_periotooth_closed_stays"),
        ("UPDATE charting_perioexam SET status = 'draft', closed_at = NULL", "charting_perioexam_closed_stays"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_an_exam_of_a_day_to_come_is_refused(cast):
    with pytest.raises(ValidationError, match="day to come"):
        PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={}, exam_date=cast.clinic.today() + timedelta(days=1))


def test_a_dentist_confirms_the_diagnosis_of_figures_that_stand(cast, exam):
    with pytest.raises(Refused, match="Close the exam first"):
        exam.confirm(by=cast.dentist, stage="II", grade="B")
    exam.close(by=cast.hygienist, now=timezone.now())
    with pytest.raises(ValidationError, match="A stage has a grade"):
        exam.confirm(by=cast.dentist, stage="II", grade="")
    exam.confirm(by=cast.dentist, stage="II", grade="B")
    exam.amend(by=cast.hygienist, because="Misheard", teeth={"3": tooth([2] * 6)})
    assert (exam.stage, exam.grade) == ("", "")


def test_changes_of_two_millimetres_are_news_the_worst_first():
    before = {"3": tooth([3, 3, 3, 3, 3, N]), "30": tooth([6] * 6)}
    after = {"3": tooth([5, 4, 7, 1, 3, 9]), "30": tooth([6] * 6), "14": tooth([9] * 6)}
    assert changes(before, after) == [("3", 2, 3, 7), ("3", 0, 3, 5), ("3", 3, 3, 1)]


def test_the_deepest_pockets_come_first_and_only_deep_ones():
    teeth = {"30": tooth([4, 6, N, 5, 9, 5]), "3": tooth([6, 3, 3, 3, 3, 3])}
    assert deepest(teeth, 5) == [("30", 4, 9), ("3", 0, 6), ("30", 1, 6), ("30", 3, 5), ("30", 5, 5)]
    assert deepest(teeth, 6, most=2) == [("30", 4, 9), ("3", 0, 6)]


def test_loss_is_compared_where_both_exams_know_it():
    before = {"3": tooth([3] * 6, [0, 0, N, 0, 0, 0]), "5": tooth([3] * 6, [0] * 6)}
    after = {"3": tooth([4, 3, 9, 2, 3, N], [1, 0, 0, 0, 0, 0]), "7": tooth([9] * 6, [9] * 6)}
    assert worst_loss(before, after) == 2
    assert worst_loss(before, {"7": after["7"]}) is None
    assert worst_loss({"3": tooth([5] * 6, [0] * 6)}, {"3": tooth([3] * 6, [0] * 6)}) == -2


# Stage and grade


def loss(millimetres, depth=3, teeth=("3", "30", "14"), **more):
    return {key: tooth([depth] * 6, [millimetres - depth] * 6, **more) for key in teeth}


@pytest.mark.parametrize(("teeth", "stage"), [
    ({}, ""), (loss(0), ""), (loss(3, teeth=("3",)), ""), (loss(3, teeth=("3", "4")), ""), (loss(2), "I"), (loss(4, 5), "II"),
    (loss(5, 6), "III"), (loss(2, 6), "III"), (loss(2, furcation={"b": 2}, teeth=("3", "30")), "III"),
    (loss(6, 7, mobility=2), "IV")])  # fmt: skip
def test_the_stage_follows_the_worst_figures(teeth, stage):
    found = suggested(teeth, 0)
    assert found.stage == stage
    assert found.reasons
    assert "bone loss in images" in found.unknown


@pytest.mark.parametrize(("smokes", "diabetes", "five_years", "grade"), [
    (False, False, 0, "A"), (False, False, 1, "B"), (False, False, 2, "C"), (False, False, None, "B"), (True, False, 0, "B"),
    (False, True, 0, "B"), (True, True, 3, "C")])  # fmt: skip
def test_the_grade_follows_what_was_lost_and_what_raises_it(smokes, diabetes, five_years, grade):
    assert suggested(loss(3, 4), 0, smokes, diabetes, five_years).grade == grade


def test_what_nobody_asked_is_said():
    assert {"smoking: nobody asked", "diabetes: nobody asked"} <= set(suggested(loss(3, 4), 0).unknown)


def test_a_third_of_the_teeth_is_generalized():
    teeth = loss(4, 5, teeth=("3",)) | loss(3, 4, teeth=("30",)) | loss(0, 3, teeth=("5", "7", "9", "11", "13"))
    assert suggested(teeth, 0).extent == "localized"
    assert suggested(loss(4, 5), 0).extent == "generalized"


# The API


FULL = {key: {"pd": [3, 2, 3, 3, 2, 3], "gm": [0] * 6, "bleeding": [True] + [False] * 5} for key in PERMANENT}


def test_a_full_exam_is_saved_by_one_request_and_read_by_a_handful_of_queries(cast, program):
    by, address = program("hygienist"), f"/patients/{cast.ada.pk}/perio-exams"
    with CaptureQueriesContext(connection) as written:
        answer = by.send("POST", address, {"teeth": FULL})
    assert answer.status_code == 201
    body = answer.json()
    assert body["indices"] == {
        "sites_possible": 192, "sites_measured": 192, "completeness": 1.0, "bleeding_percent": 16.67, "plaque_percent": 0.0,
        "sites_ge_4": 0, "sites_ge_5": 0, "mean_pd": 2.67, "mean_cal": 2.67}
    assert body["teeth"]["3"]["cal"] == [3, 2, 3, 3, 2, 3]
    assert len(written) <= 30
    with CaptureQueriesContext(connection) as read:
        assert by.send("GET", f"/perio-exams/{body['id']}").json()["teeth"].keys() == FULL.keys()
    assert len(read) <= 10
    with CaptureQueriesContext(connection) as one:
        by.send("GET", address)
    for _ in range(5):
        PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={key: tooth([3] * 6) for key in PERMANENT})
    with CaptureQueriesContext(connection) as many:
        assert by.send("GET", address).json()["count"] == 6
    assert len(many) == len(one)


def test_the_api_closes_and_amends_and_refuses_what_the_state_forbids(cast, program):
    by = program("hygienist")
    exam = by.send("POST", f"/patients/{cast.ada.pk}/perio-exams", {"teeth": {"3": {"pd": [3] * 6}}}).json()
    at = f"/perio-exams/{exam['id']}"
    assert by.send("POST", f"{at}/amend", {"reason": "x"}).status_code == 409
    changed = by.send("PATCH", at, {"teeth": {"3": {"gm": [1] * 6}}}).json()
    assert changed["teeth"]["3"]["cal"] == [4] * 6
    assert by.send("POST", f"{at}/close").json()["status"] == "closed"
    assert by.send("POST", f"{at}/close").json()["status"] == "closed"
    assert by.send("PATCH", at, {"teeth": {"3": {"pd": [9] * 6}}}).status_code == 409
    assert by.send("POST", f"{at}/amend", {"teeth": {}}).status_code == 422
    amended = by.send("POST", f"{at}/amend", {"reason": "Misheard", "teeth": {"3": {"pd": [4] * 6}}}).json()
    assert (amended["status"], amended["teeth"]["3"]["cal"], amended["id"]) == ("amended", [5] * 6, exam["id"])
    assert by.send("PUT", at, amended).status_code == 409  # sent back whole it is still closed


@pytest.mark.parametrize(("teeth", "field"), [
    ({"3": {"pd": [3] * 5}}, "pd"), ({"3": {"pd": [99] * 6}}, "teeth.3.pd"), ({"99": {"pd": [3] * 6}}, "teeth.99"),
    ({"3": {"pd": ["3"] * 6}}, "pd"), ({"3": {"dragon": 1}}, "dragon"), ({"8": {"furcation": {"b": 1}}}, "teeth.8.furcation"),
    ({"3": {"pd": [3] * 6, "gm": [1] * 6, "cal": [9] * 6}}, "teeth.3.cal"), ({"3": {"pd": [True] * 6}}, "pd")])  # fmt: skip
def test_the_api_names_the_tooth_and_field_that_are_wrong(cast, program, teeth, field):
    answer = program("hygienist").send("POST", f"/patients/{cast.ada.pk}/perio-exams", {"teeth": teeth})
    assert answer.status_code == 422
    assert any(field in error["field"] for error in answer.json()["errors"]), answer.json()
    assert not PerioExam.objects.exists()


def test_teeth_are_named_as_the_practice_names_them(cast, program):
    cast.clinic.change(by=cast.manager, tooth_numbering="fdi")
    exam = program("hygienist").send("POST", f"/patients/{cast.ada.pk}/perio-exams", {"teeth": {"16": {"pd": [3] * 6}}}).json()
    assert list(exam["teeth"]) == ["16"]
    assert PerioTooth.objects.get().tooth == "3"
    wrong = program("hygienist").send("POST", f"/patients/{cast.ada.pk}/perio-exams", {"teeth": {"16": {"pd": [16] * 6}}})
    assert wrong.json()["errors"][0]["field"] == "teeth.16.pd"
    wrong = program("hygienist").send("PATCH", f"/perio-exams/{exam['id']}", {"teeth": {"16": {"gm": [1] * 6, "cal": [9] * 6}}})
    assert wrong.json()["errors"][0]["field"] == "teeth.16.cal"


def test_an_exam_is_read_by_who_may_and_each_look_is_on_record(cast, exam, program):
    at = f"/perio-exams/{exam.pk}"
    assert program("receptionist").send("GET", at).status_code == 403
    assert program("dentist").send("GET", at).status_code == 200
    assert AccessEvent.objects.order_by("pk").last().patient == cast.ada

