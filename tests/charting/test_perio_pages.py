"""The pages of periodontal exams: the draft that keeps every key, saving and amending, comparing, confirming, the plain form."""

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from charting.models import ChartSettings, Draft, Finding, PerioExam
from charting.perio import ToothFigures
from charting.perio_entry import as_page, form_of, from_form, from_page, three
from charting.teeth import PERMANENT

pytestmark = pytest.mark.wide

N = None


def figures(depth=3, margin=0, **more):
    return ToothFigures(pd=[depth] * 6, gm=[margin] * 6, **more)


@pytest.fixture
def closed(cast):
    """`closed(3, days=100)`: an exam of that many days ago, of full mouth and that depth."""

    def make(depth=3, days=0, **more):
        exam = PerioExam.start(
            by=cast.hygienist, patient=cast.ada, exam_date=cast.clinic.today() - timedelta(days=days),
            teeth={key: figures(depth, **more) for key in PERMANENT})
        return exam.close(by=cast.hygienist, now=timezone.now())

    return make


@pytest.fixture
def at(cast):
    return f"/patients/{cast.ada.pk}/perio/"


@pytest.fixture
def keep(sign_in, at):
    """`keep({"3": figures()}, 1)`: what the page's script sends after a key."""

    def send(teeth, number, window="one", began="", about="", role="hygienist"):
        content = {"teeth": {key: as_page(row) for key, row in teeth.items()}, "at": number}
        body = {"about": about, "window": window, "number": number, "began": began, "content": content}
        return sign_in(role).post(f"{at}keep/", json.dumps(body), content_type="application/json")

    return send


def post(client, path, **data):
    return client.post(path, {"once": str(uuid4()), **data})


# What is typed


def test_what_is_typed_stands_on_the_page_again_and_nobody_else_sees_it(cast, keep, sign_in, at):
    assert keep({"3": figures(7)}, 1).status_code == 204
    page = sign_in("hygienist").get(f"{at}new/").context["page"]
    assert page["content"]["teeth"]["3"]["pd"] == [7] * 6
    assert page["content"]["at"] == 1
    assert sign_in("dentist").get(f"{at}new/").context["page"]["content"] == {"teeth": {}}
    assert not PerioExam.objects.exists()


def test_a_second_window_is_told_and_never_wins_unseen(keep):
    keep({"3": figures(7)}, 5)
    assert keep({"3": figures(1)}, 1, window="two").status_code == 409
    assert keep({"3": figures(2)}, 1, window="two", began="one:5").status_code == 204
    assert keep({"3": figures(9)}, 6).status_code == 409
    assert Draft.objects.get().content["teeth"]["3"]["pd"] == [2] * 6


WRONG = json.dumps({"about": "", "window": "w", "number": 1, "began": "", "content": {"teeth": {"3": {"pd": ["x"] * 6}}}})


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"content": 1}', '{"content": {"teeth": {"99": {}}}}', "nonsense", WRONG])
def test_what_is_no_exam_is_no_draft(sign_in, at, body):
    answer = sign_in("hygienist").post(f"{at}keep/", body, content_type="application/json")
    assert answer.status_code == 422
    assert not Draft.objects.exists()


def test_saving_makes_the_exam_and_takes_the_draft_away_once(cast, keep, sign_in, at):
    keep({"3": figures(4)}, 1)
    data = {"teeth": json.dumps({"3": as_page(figures(4))}), "close": "1", "note": "Calm", "once": "the-same-key-twice"}
    client = sign_in("hygienist")
    first, second = (client.post(f"{at}save/", data) for _ in range(2))
    exam = PerioExam.objects.get()
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    assert (exam.status, exam.note, exam.sites_measured) == ("closed", "Calm", 6)
    assert not Draft.objects.exists()


def test_what_cannot_be_saved_stays_typed(sign_in, at):
    answer = post(sign_in("hygienist"), f"{at}save/", teeth=json.dumps({"3": as_page(figures(99))}))
    assert answer.status_code == 422
    assert "between 0 and 15" in answer.content.decode()
    assert answer.context["page"]["content"]["teeth"]["3"]["pd"] == [99] * 6
    for nonsense in ("{}x", "[]", '{"3": 1}'):
        assert post(sign_in("hygienist"), f"{at}save/", teeth=nonsense).status_code == 422


def test_an_exam_is_amended_on_its_page_with_a_reason(closed, sign_in, at):
    exam, client = closed(3), sign_in("hygienist")
    assert "Why it is amended" in client.get(f"/perio-exams/{exam.pk}/edit/").content.decode()
    data = {"exam": str(exam.pk), "version": exam.version, "teeth": json.dumps({"3": as_page(figures(8))})}
    assert post(client, f"{at}save/", **data).status_code == 422
    assert post(client, f"{at}save/", **data, reason="Misheard").status_code == 302
    exam.refresh_from_db()
    assert (exam.status, exam.sites_ge_5) == ("amended", 6)


def test_the_exam_of_another_patient_is_not_written_to(cast, closed, sign_in):
    exam, sent = closed(3), json.dumps({"3": as_page(figures(8))})
    address = f"/patients/{cast.grace.pk}/perio/save/"
    assert post(sign_in("hygienist"), address, exam=str(exam.pk), reason="x", teeth=sent).status_code == 404
    assert PerioExam.objects.count() == 1
    exam.refresh_from_db()
    assert (exam.status, exam.patient) == ("closed", cast.ada)


# The plain form


@pytest.mark.parametrize(("text", "values"), [
    ("323", [3, 2, 3]), ("3 12 4", [3, 12, 4]), ("-1 0 2", [-1, 0, 2]), ("3,-,4", [3, None, 4]), ("", [None] * 3),
    ("5", [5, None, None]), ("12 - -", [12, None, None])])
def test_three_figures_are_read(text, values):
    assert three(text) == values


def test_a_fault_is_marked_where_it_stands():
    sent = {
        "pd-14-lingual": "3 99 3", "marks-14-facial": "b b b s p c", "gm-14-facial": "12", "mobility-14": "7", "pd-3-facial": "323"}
    _, wrong = from_form(sent, ["14", "3"])
    assert set(wrong) == {"pd-14-lingual", "marks-14-facial", "gm-14-facial", "mobility-14"}


def test_the_plain_form_says_and_reads_the_same_figures():
    row = ToothFigures(
        pd=[3, 12, None, 4, 5, 6], gm=[-1, 0, None, None, None, 2], mgj=[5, 5, 5, None, None, None], mobility=2,
        furcation={"b": 1, "d": 3}, bleeding=[True, False, False, False, False, True], plaque=[True] * 6)
    teeth, wrong = from_form(form_of(row, "3"), ["3", "4"])
    assert (teeth, wrong) == ({"3": row, "4": ToothFigures()}, {})
    assert from_page({"3": as_page(row)}) == {"3": row}


def test_the_plain_form_works_and_marks_what_it_cannot_read(sign_in, at):
    client = sign_in("hygienist")
    page = client.get(f"{at}new/?plain=1").content.decode()
    assert 'name="pd-3-facial"' in page
    assert 'name="furcation-8"' not in page
    answer = post(client, f"{at}save/", **{"pd-3-facial": "3 x 4", "pd-4-facial": "323", "marks-4-facial": "b q -"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="3 x 4"' in text
    assert 'value="323"' in text
    assert "is no figure" in text
    assert "Marks are b, s, p and c" in text
    assert post(client, f"{at}save/", **{"pd-3-facial": "3 2 4", "marks-3-facial": "b - s", "mobility-3": "1"}).status_code == 302
    row = PerioExam.objects.get().figures["3"]
    assert (row.pd[:3], row.bleeding[0], row.suppuration[2], row.mobility) == ([3, 2, 4], True, True, 1)


# Looking


def test_missing_teeth_are_skipped_on_the_page(cast, sign_in, at):
    Finding.enter(by=cast.dentist, patient=cast.ada, items=[{"tooth": "1", "condition": "missing"}])
    page = sign_in("hygienist").get(f"{at}new/")
    assert "1" not in page.context["page"]["teeth"]
    assert len(page.context["page"]["paths"]["around"]["order"]) == 186


def test_two_exams_are_compared_and_what_got_worse_is_told(closed, sign_in):
    before = closed(3, days=200)
    after = closed(5)
    text = sign_in("dentist").get(f"/perio-exams/{after.pk}/", {"against": str(before.pk)}).content.decode()
    assert text.count('class="perio-graph"') == 2
    assert 'Changed by 2 mm and more<span class="count">192</span>' in text
    assert "▼2" in text


def test_five_years_of_loss_make_the_grade(closed, sign_in):
    closed(3, days=1826)
    after = closed(6)
    found = sign_in("dentist").get(f"/perio-exams/{after.pk}/").context["suggestion"]
    assert (found.stage, found.grade, found.extent) == ("III", "C", "generalized")


def test_only_a_dentist_confirms_and_the_figures_are_beside(closed, sign_in):
    exam = closed(6)
    address = f"/perio-exams/{exam.pk}/confirm/"
    assert "A suggestion" in sign_in("hygienist").get(f"/perio-exams/{exam.pk}/").content.decode()
    assert post(sign_in("hygienist"), address, stage="III", grade="B", version=exam.version).status_code == 403
    assert post(sign_in("dentist"), address, stage="III", grade="B", version=exam.version).status_code == 302
    exam.refresh_from_db()
    assert (exam.stage, exam.grade) == ("III", "B")


def test_the_list_and_the_panel_take_the_same_queries_for_one_exam_and_ten(closed, sign_in, at):
    closed(3)
    client = sign_in("hygienist")
    client.get(at)

    def asked(path):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    few = asked(at), asked(f"{at}panel/"), asked(f"{at}new/")
    for number in range(10):
        closed(4, days=number)
    assert (asked(at), asked(f"{at}panel/"), asked(f"{at}new/")) == few


def test_unmeasured_is_never_shown_as_healthy(cast, sign_in, at):
    empty = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={})
    text = sign_in("dentist").get(f"/perio-exams/{empty.pk}/").content.decode()
    assert "0 of 192" in text
    assert text.count("not measured") >= 4
    assert "0 %" not in text


def test_the_front_desk_does_not_read_exams(closed, desk_client, at):
    assert desk_client.get(at).status_code == 403
    assert desk_client.get(f"/perio-exams/{closed().pk}/").status_code == 403


# What a stranger broke


def test_what_is_erased_on_the_page_is_erased(cast, sign_in, at):
    exam = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={"3": figures(9), "14": figures(3)})
    post(sign_in("hygienist"), f"{at}save/", exam=str(exam.pk), version=exam.version, teeth=json.dumps({"3": {}}))
    exam.refresh_from_db()
    assert exam.sites_measured == 6
    assert exam.figures["3"].is_empty


def test_who_saves_second_sees_the_other_s_figures_and_overwrites_only_what_they_changed(cast, sign_in, at):
    exam = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={"14": figures(3)})
    seen = exam.version
    exam.measure(by=cast.hygienist, teeth={"14": figures(7)})
    client, changed = sign_in("dentist"), json.dumps({"3": as_page(figures(5))})
    answer = post(client, f"{at}save/", exam=str(exam.pk), version=seen, teeth=changed)
    assert answer.status_code == 422
    assert "Somebody saved this exam in the meantime" in answer.content.decode()
    assert {key: row["pd"][0] for key, row in answer.context["page"]["content"]["teeth"].items()} == {"14": 7, "3": 5}
    exam.refresh_from_db()
    post(client, f"{at}save/", exam=str(exam.pk), version=exam.version, teeth=changed)
    assert {key: row.pd[0] for key, row in PerioExam.objects.get(pk=exam.pk).figures.items()} == {"14": 7, "3": 5}


@pytest.mark.parametrize("kept_before", [True, False])
def test_what_was_under_way_when_the_exam_was_saved_makes_no_draft_of_the_next_one(keep, sign_in, at, kept_before):
    if kept_before:
        keep({"3": figures(4)}, 1)
    post(sign_in("hygienist"), f"{at}save/", teeth=json.dumps({"3": as_page(figures(4))}), window="one")
    keep({"3": figures(4)}, 2)
    assert sign_in("hygienist").get(f"{at}new/").context["page"]["content"] == {"teeth": {}}
    assert keep({"5": figures(2)}, 1, window="two").status_code == 204
    assert sign_in("hygienist").get(f"{at}new/").context["page"]["content"]["teeth"].keys() == {"5"}


def test_a_save_in_one_window_leaves_what_another_one_typed(keep, sign_in, at):
    keep({"3": figures(4)}, 1)
    keep({"3": figures(4), "5": figures(6)}, 1, window="two", began="one:1")
    post(sign_in("hygienist"), f"{at}save/", teeth=json.dumps({"3": as_page(figures(4))}), window="one")
    assert "5" in sign_in("hygienist").get(f"{at}new/").context["page"]["content"]["teeth"]


@pytest.mark.parametrize("number", [0, -5, 10**20, 2_147_483_647])
def test_a_number_that_no_window_counts_to_is_refused(keep, number):
    assert keep({"3": figures()}, number).status_code == 422


def test_too_deep_and_too_long_is_no_draft(sign_in, at):
    for body in ("[" * 200_000, json.dumps({"content": {"teeth": {}, "more": "A" * 70_000}})):
        assert sign_in("hygienist").post(f"{at}keep/", body, content_type="application/json").status_code == 422
    assert post(sign_in("hygienist"), f"{at}save/", teeth="[" * 50_000).status_code == 422


def test_what_is_no_part_of_an_exam_is_not_kept(sign_in, at):
    sign_in("hygienist").post(f"{at}keep/", json.dumps({
        "about": "", "window": "w", "number": 1, "began": "", "content": {"teeth": {}, "note": "Calm", "more": "A"}}),
        content_type="application/json")  # fmt: skip
    assert Draft.objects.get().content == {"teeth": {}, "note": "Calm"}


def test_close_is_of_the_figures_that_were_seen(cast, sign_in):
    exam = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={"3": figures(3)})
    seen = exam.version
    exam.measure(by=cast.hygienist, teeth={"3": figures(9)})
    assert post(sign_in("hygienist"), f"/perio-exams/{exam.pk}/close/", version=seen).status_code == 409
    exam.refresh_from_db()
    assert exam.is_draft


def test_closing_an_empty_exam_leaves_none(sign_in, at):
    answer = sign_in("hygienist").post(f"{at}save/", {"teeth": "{}", "close": "1"})
    assert answer.status_code == 422
    assert not PerioExam.objects.exists()


@pytest.mark.parametrize("sent", [{"teeth": "{}"}, {"teeth": '{"3": {}}'}, {"pd-3-facial": ""}])
def test_an_exam_with_nothing_in_it_is_not_saved_and_its_note_stays_typed(cast, sign_in, at, sent):
    answer = post(sign_in("hygienist"), f"{at}save/", **sent, note="Calm today")
    assert answer.status_code == 422
    assert "Nothing of this exam is typed yet" in answer.content.decode()
    assert 'value="Calm today"' in answer.content.decode()
    assert not PerioExam.objects.exists()
    begun = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={})  # as a program may
    assert post(sign_in("hygienist"), f"{at}save/", **sent, exam=str(begun.pk), version=begun.version).status_code == 422
    mark = json.dumps({"3": {"plaque": [True] + [False] * 5}})
    assert post(sign_in("hygienist"), f"{at}save/", teeth=mark, exam=str(begun.pk), version=begun.version).status_code == 302


def test_marks_where_no_depth_is_are_drawn_and_said_to_be_left_out(cast, sign_in):
    first = [True] + [False] * 5
    teeth = {"3": ToothFigures(pd=[N, 3, 3, 3, 3, 3], bleeding=first, plaque=[True] * 6, calculus=first)}
    exam = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth=teeth)
    text = sign_in("dentist").get(f"/perio-exams/{exam.pk}/").content.decode()
    assert "2 marks at sites without a depth are not counted." in text
    assert text.count('class="blood"') == 1
    exam.measure(by=cast.hygienist, teeth={"3": ToothFigures(pd=[N] + [3] * 5, bleeding=first)})
    assert "1 mark at a site without a depth is not counted." in sign_in("dentist").get(f"/perio-exams/{exam.pk}/").content.decode()
    exam.measure(by=cast.hygienist, teeth={"3": figures(bleeding=first)})
    assert "not counted" not in sign_in("dentist").get(f"/perio-exams/{exam.pk}/").content.decode()


def test_the_panel_names_the_pockets_that_the_practice_calls_deep(cast, closed, sign_in, at):
    closed(6)
    assert "Deepest" in sign_in("dentist").get(f"{at}panel/").content.decode()
    ChartSettings(deep_pocket_mm=7).record(by=cast.manager)
    assert "Deepest" not in sign_in("dentist").get(f"{at}panel/").content.decode()


def test_each_row_of_the_grid_has_its_own_name_and_each_side_its_own(sign_in, at):
    grid = sign_in("hygienist").get(f"{at}new/").content.decode().split("data-perio-grid")[1].split("</table>")
    for table, sides in zip(grid, (("Facial", "Palatal"), ("Lingual", "Facial")), strict=False):
        assert tuple(re.findall(r'scope="rowgroup" rowspan="\d"><span>(\w+)</span>', table)) == sides
        assert len(re.findall(r'<th scope="row">Depth</th>', table)) == 2
    assert [int(rows) for rows in re.findall(r'rowspan="(\d)"', grid[0])] == [5, 4]


def test_a_stage_is_one_of_four(closed, sign_in):
    exam = closed(6)
    for stage, grade in (("<b>", "X"), ("V", "Z"), ("III", "D")):
        post(sign_in("dentist"), f"/perio-exams/{exam.pk}/confirm/", stage=stage, grade=grade, version=exam.version)
    exam.refresh_from_db()
    assert (exam.stage, exam.grade) == ("", "")


def test_an_unmeasured_margin_is_not_drawn_as_nought(cast, sign_in):
    exam = PerioExam.start(by=cast.hygienist, patient=cast.ada, teeth={"3": ToothFigures(pd=[4] * 6)})
    text = sign_in("dentist").get(f"/perio-exams/{exam.pk}/").content.decode()
    assert 'class="pocket"' in text
    assert 'class="margin"' not in text
