"""Findings: charted whole or not at all, ended or marked wrong, never deleted; the mouth and the page that follow from them."""

import re
from datetime import date, timedelta
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pypdfium2 import PdfDocument

from charting.chart import Chart
from charting.models import Finding, FindingKind
from charting.mouth import mouth_of
from clinic.db.refusals import Refused
from clinic.models import AccessEvent
from tests.factories import PatientFactory


@pytest.fixture
def enter(cast):
    """`enter("14", "caries", "O")`: one finding of Ada's, by the dentist."""

    def make(tooth="14", condition="caries", surfaces="", patient=None, by=None, **values):
        (finding,) = Finding.enter(by=by or cast.dentist, patient=patient or cast.ada, items=[
            {"tooth": tooth, "condition": condition, "surfaces": surfaces or ("O" if condition == "caries" else ""), **values}])
        return finding

    return make


@pytest.fixture
def child(cast):
    """`child(8)`: a patient who is eight today."""

    def make(years):
        today = cast.clinic.today()
        born = date(today.year - years, today.month, min(today.day, 28)) - timedelta(days=1)
        return PatientFactory(by=cast.desk, date_of_birth=born)

    return make


def test_what_is_not_said_follows_from_the_kind_the_day_and_who_charts(cast, enter):
    finding = enter()
    assert (finding.status, finding.noted_on, finding.provider) == ("condition", cast.clinic.today(), cast.drill)
    assert enter("8", "veneer").surfaces == "F"
    assert enter("3", "sealant").surfaces == "O"
    assert finding.history.get().history_user_id == cast.dentist.user.pk


@pytest.mark.parametrize(("item", "field"), [
    ({"tooth": "99", "condition": "caries"}, "tooth"), ({"tooth": "14", "condition": "dragon"}, "condition"),
    ({"tooth": "14", "condition": "caries"}, "surfaces"), ({"tooth": "8", "condition": "caries", "surfaces": "O"}, "surfaces"),
    ({"tooth": "14", "condition": "crown", "surfaces": "O"}, "surfaces"),
    ({"tooth": "14", "condition": "crown", "status": "planned"}, "status"),
    ({"tooth": "14", "condition": "crown", "noted_on": date(2199, 1, 1)}, "noted_on"),
    ({"tooth": "14", "condition": "crown", "noted_on": date(1900, 1, 1)}, "noted_on"),
    ({"tooth": "14", "condition": "crown", "material": "cheese"}, "material")])  # fmt: skip
def test_what_cannot_be_is_refused_by_its_field_and_nothing_of_the_entry_is_kept(cast, item, field):
    with pytest.raises(ValidationError) as caught, transaction.atomic():
        Finding.enter(by=cast.dentist, patient=cast.ada, items=[{"tooth": "3", "condition": "crown"}, item])
    assert field in caught.value.message_dict
    assert not Finding.objects.exists()


def test_what_has_passed_stays_in_the_chart_of_earlier_days(cast, enter):
    today = cast.clinic.today()
    finding = enter(noted_on=today - timedelta(days=30))
    finding.resolve(by=cast.dentist, because="Filled elsewhere", on=today - timedelta(days=10))
    of = Finding.objects.of(cast.ada)
    assert list(of.on(today - timedelta(days=31))) == []
    assert list(of.on(today - timedelta(days=30))) == list(of.on(today - timedelta(days=11))) == [finding]
    assert list(of.on(today - timedelta(days=10))) == list(of.on(today)) == []


def test_what_was_entered_in_error_was_never_so_and_stays_on_record(cast, enter):
    finding = enter(noted_on=cast.clinic.today() - timedelta(days=30))
    finding.mark_error(by=cast.dentist, because="Wrong patient")
    assert list(Finding.objects.of(cast.ada).on(cast.clinic.today() - timedelta(days=20))) == []
    assert [row.error_because for row in finding.history.order_by("version")] == ["", "Wrong patient"]


def test_an_ended_finding_ends_once_and_with_a_reason(cast, enter):
    finding = enter()
    with pytest.raises(Refused, match="Say how"):
        finding.resolve(by=cast.dentist, because="  ")
    with pytest.raises(Refused, match="before it was noted"):
        finding.resolve(by=cast.dentist, because="x", on=date(2000, 1, 1))
    with pytest.raises(Refused, match="day to come"):
        finding.resolve(by=cast.dentist, because="x", on=date(2199, 1, 1))
    finding.resolve(by=cast.dentist, because="Healed")
    with pytest.raises(Refused, match="already"):
        finding.resolve(by=cast.dentist, because="Healed")


def test_undo_takes_back_the_newest_entry_of_ones_own_and_then_the_one_before(cast, enter):
    first = enter("3", "crown")
    second = Finding.enter(by=cast.dentist, patient=cast.ada, items=[
        {"tooth": "1", "condition": "missing"}, {"tooth": "16", "condition": "missing"}])
    enter("5", by=cast.hygienist)
    assert set(Finding.undo(by=cast.dentist, patient=cast.ada)) == set(second)
    assert Finding.undo(by=cast.dentist, patient=cast.ada) == [first]
    with pytest.raises(Refused, match="Nothing of yours"):
        Finding.undo(by=cast.dentist, patient=cast.ada)
    assert Finding.objects.in_force().get().tooth == "5"


def test_findings_are_never_deleted(cast, enter):
    enter()
    with pytest.raises(IntegrityError, match="never_deleted"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM charting_finding")


def test_the_chart_is_printed_with_every_finding_and_what_was_not_examined(cast, enter, sign_in):
    enter()
    answer = sign_in("receptionist").get(f"/patients/{cast.ada.pk}/chart/print/")
    assert answer["Content-Type"] == "application/pdf"
    text = "".join(page.get_textpage().get_text_range() for page in PdfDocument(answer.content))
    assert "O caries" in text
    assert "Not examined: 1, 2, 3" in text
    assert AccessEvent.objects.order_by("pk").last().kind == "print"
    assert b"pdfuaid" in answer.content or b"StructTreeRoot" in answer.content


def test_the_panel_of_the_overview_shows_open_conditions_and_says_when_nothing_is_known(cast, enter, desk_client):
    address = f"/patients/{cast.ada.pk}/chart/panel/"
    assert "no tooth has been examined" in desk_client.get(address).content.decode()
    enter()
    assert "O caries" in desk_client.get(address).content.decode()
    overview = desk_client.get(f"/patients/{cast.ada.pk}/").content.decode()
    assert address in overview
    assert "The chart is not loaded" in overview


# Kinds of the practice


def test_a_practice_s_own_kind_is_charted_by_its_word(cast, enter):
    FindingKind(code="mih_mark", name="Chalky molar", words="chalky mih-mark", surfaces="required").record(by=cast.manager)
    assert enter("14", "mih_mark", "O").status == "condition"
    with pytest.raises(ValidationError, match="charted on surfaces"):
        enter("14", "mih_mark")


@pytest.mark.parametrize("words", ["caries", "comp", "mod", "planned", "fresh caries"])
def test_a_word_that_means_something_already_is_refused(cast, words):
    with pytest.raises(ValidationError, match="means something else already"):
        FindingKind(code="new", name="New", words=words).record(by=cast.manager)


def test_a_retired_kind_is_charted_no_more_but_drawn(cast, enter):
    kind = FindingKind(code="chalk", name="Chalk", words="chalky").record(by=cast.manager)
    enter("14", "chalk")
    kind.change(by=cast.manager, is_active=False)
    with pytest.raises(ValidationError, match="no kind of finding"):
        enter("15", "chalk")
    assert "chalk" in Chart(cast.dentist, cast.ada).drawing()


# The mouth


def test_not_examined_sound_missing_hidden_and_unerupted_are_five_things(cast, enter):
    for tooth, condition in (("2", "sound"), ("1", "missing"), ("5", "space_closed"), ("16", "impacted"), ("3", "caries")):
        enter(tooth, condition)
    mouth = mouth_of(cast.dentist, cast.ada)
    assert [mouth.state(key) for key in ("4", "2", "1", "5", "16", "3")] == [
        "not_examined", "sound", "missing", "hidden", "unerupted", "present"]
    assert mouth.skipped() == ["1", "5", "16"]
    assert "4" in mouth.unexamined
    assert "3" not in mouth.unexamined


def test_an_implant_stands_where_a_tooth_is_missing(cast, enter):
    enter("19", "missing")
    enter("19", "implant")
    mouth = mouth_of(cast.dentist, cast.ada)
    assert (mouth.state("19"), mouth.skipped(), mouth.skipped(probes_implants=False)) == ("implant", [], ["19"])


@pytest.mark.parametrize(("years", "dentition", "at_3", "at_4", "at_8"), [
    (4, "primary", "3", "A", "E"), (8, "mixed", "3", "A", "8"), (40, "permanent", "3", "4", "8")])
def test_where_nothing_is_charted_the_age_says_which_tooth_is_expected(cast, child, years, dentition, at_3, at_4, at_8):
    mouth = mouth_of(cast.dentist, child(years))
    shown = {place.tooth.position: place.tooth.key for place in mouth.places}
    assert (mouth.dentition, shown[3], shown[4], shown[8]) == (dentition, at_3, at_4, at_8)


def test_what_is_charted_wins_over_the_age(cast, child, enter):
    patient = child(8)
    enter("A", "missing", patient=patient)
    enter("H", "retained", patient=patient)
    enter("12", "sound", patient=patient)
    shown = {place.tooth.position: (place.tooth.key, place.state) for place in mouth_of(cast.dentist, patient).places}
    assert (shown[4][0], shown[11], shown[12]) == ("4", ("H", "present"), ("12", "sound"))


def test_a_first_molar_is_not_expected_of_a_child_of_four(cast, child):
    places = {place.tooth.key: place.state for place in mouth_of(cast.dentist, child(4)).places}
    assert (places["3"], places["A"]) == ("unerupted", "not_examined")


def test_a_supernumerary_tooth_stands_beside(cast, enter):
    enter("59", "unerupted")
    place = mouth_of(cast.dentist, cast.ada).places[8]
    assert [(tooth.key, state) for tooth, state, _ in place.beside] == [("59", "unerupted")]


# The page


@pytest.fixture
def page(sign_in, cast):
    """`page("dentist", tooth="14")`: the chart of Ada as that person sees it."""

    def get(role="dentist", **asked):
        return sign_in(role).get(f"/patients/{cast.ada.pk}/chart/", asked)

    return get


def svg_of(text):
    start = text.index('<svg class="odontogram"')
    return ElementTree.fromstring(text[start:text.index("</svg>", start) + 6])


def names(svg):
    return [element.get("aria-label") for element in svg.iter() if element.get("aria-label")]


def test_every_tooth_and_surface_has_a_name_that_says_what_is_there(enter, page):
    enter()
    svg = svg_of(page().content.decode())
    said = names(svg)
    assert len([name for name in said if ", upper" in name or ", lower" in name]) == 32
    assert "14, upper left first molar: O caries" in said
    assert "14 occlusal: O caries" in said
    assert "14 mesial: nothing charted" in said
    assert len({name for name in said if name.split(":")[0].endswith("mesial")}) == 32
    assert "3, upper right first molar: not examined" in said


def test_a_mouth_of_which_nothing_is_known_says_so_and_is_not_drawn_healthy(page):
    text = page().content.decode()
    assert "no tooth of this mouth has been examined" in text
    assert text.count('class="tooth is-not_examined') == 32
    assert "✓</text>" not in text


def test_the_chart_is_drawn_in_the_clinic_s_numbering(cast, enter, page):
    enter()
    cast.clinic.change(by=cast.manager, tooth_numbering="fdi")
    assert "26, upper left first molar: O caries" in names(svg_of(page().content.decode()))


def test_an_earlier_day_shows_what_held_then_and_two_days_what_changed(cast, enter, page):
    today = cast.clinic.today()
    enter(noted_on=today - timedelta(days=40))
    enter("3", "crown", noted_on=today - timedelta(days=5))
    then = (today - timedelta(days=20)).isoformat()
    early = page(on=then).content.decode()
    assert "3, upper right first molar: not examined" in names(svg_of(early))
    assert 'id="entry"' not in early
    both = page(beside=then).content.decode()
    assert both.count('<svg class="odontogram"') == 2
    assert "Compared with" in both
    assert "crown, here" in both.rpartition("Compared with")[2]


def test_of_a_day_to_come_the_page_says_that_it_shows_today(cast, enter, page):
    enter()
    text = page(on=(cast.clinic.today() + timedelta(days=1)).isoformat()).content.decode()
    assert "That day is still to come; this is today's chart." in text
    assert "14, upper left first molar: O caries" in names(svg_of(text))
    assert "still to come" not in page(on=cast.clinic.today().isoformat()).content.decode()
    assert "still to come" not in page().content.decode()


def test_the_links_of_an_earlier_day_stay_on_it(cast, enter, page):
    then = cast.clinic.today() - timedelta(days=40)
    enter(noted_on=then)
    text = page(on=then.isoformat()).content.decode()
    links = {element.get("href") for element in svg_of(text).iter() if element.get("href")}
    assert f"/patients/{cast.ada.pk}/chart/?on={then}&tooth=14&surface=O#tooth" in links
    assert "amp;amp;" not in text


def test_a_tooth_s_story_has_what_ended_and_what_was_wrong(cast, enter, page):
    enter().resolve(by=cast.dentist, because="Filled elsewhere")
    enter("14", "crown").mark_error(by=cast.dentist, because="Other patient")
    text = page(tooth="14").content.decode()
    assert "Filled elsewhere" in text
    assert "Other patient" in text
    assert "Chart something here" in text


@pytest.mark.parametrize("asked", [
    {"tooth": "99"}, {"tooth": "x' or 1"}, {"on": "2026-13-45"}, {"on": "soon"}, {"beside": "2199-01-01"}])
def test_an_address_that_means_nothing_shows_the_chart(page, asked):
    assert page(**asked).status_code == 200


def post(client, cast, address="enter", **data):
    return client.post(f"/patients/{cast.ada.pk}/chart/{address}/", {"once": str(uuid4()), **data})


def test_an_entry_is_charted_and_a_double_click_charts_once(cast, sign_in):
    client = sign_in("hygienist")
    for _ in range(2):
        assert client.post(f"/patients/{cast.ada.pk}/chart/enter/", {
            "entry": "14 mod comp; 3 crown pfm", "once": "one-key-for-both"}).status_code == 302
    assert sorted(Finding.objects.values_list("tooth", "condition", "material")) == [
        ("14", "restoration", "composite"), ("3", "crown", "pfm")]


def test_what_cannot_be_read_stays_typed_with_its_word_marked(cast, sign_in):
    answer = post(sign_in("dentist"), cast, entry="14 mod comp; 3 xyzzy")
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="14 mod comp; 3 xyzzy"' in text
    assert "<mark>xyzzy</mark>" in text
    assert not Finding.objects.exists()


def test_the_form_of_a_tooth_charts_without_the_entry_line_and_keeps_what_was_chosen(cast, sign_in):
    client = sign_in("dentist")
    wrong = post(client, cast, tooth="14", condition="caries")
    assert wrong.status_code == 422
    assert "Caries is charted on surfaces" in wrong.content.decode()
    assert 'value="caries" selected' in wrong.content.decode()
    assert post(client, cast, tooth="14", condition="caries", surfaces=["O", "M"]).status_code == 302
    assert Finding.objects.get().surfaces == "MO"


def test_the_preview_tells_how_it_is_read_and_writes_nothing(cast, sign_in):
    text = post(sign_in("dentist"), cast, "preview", entry="14 mod comp").content.decode()
    assert "MOD restoration, composite, here" in text
    assert "composite" in post(sign_in("dentist"), cast, "preview", entry="14 mod compo").content.decode().lower()
    assert not Finding.objects.exists()


def test_after_a_fault_words_are_offered_for_the_word_at_fault(cast, sign_in):
    text = post(sign_in("dentist"), cast, "preview", entry="14 mod cmop; 3 crown pf").content.decode()
    assert "<mark>cmop</mark>" in text
    assert re.findall(r'data-completion="(\w+)" data-cut="(\d+)"', text) == [("comp", "11")]
    text = post(sign_in("dentist"), cast, "preview", entry="14 mod com").content.decode()
    assert 'data-completion="comp"' in text
    assert "data-cut" not in text


def test_a_finding_ends_on_its_page_with_a_reason(cast, enter, sign_in):
    finding, client = enter(), sign_in("dentist")
    address = f"/findings/{finding.pk}/end/"
    assert client.post(address, {"how": "error", "because": "", "once": "first-sending"}).status_code == 422
    assert client.post(address, {"how": "error", "because": "Wrong tooth", "once": "second-sending"}).status_code == 302
    finding.refresh_from_db()
    assert finding.error_because == "Wrong tooth"


def test_the_front_desk_reads_the_chart_and_a_biller_does_not(page):
    text = page("receptionist").content.decode()
    assert 'class="odontogram"' in text
    assert 'id="entry"' not in text
    assert page("biller").status_code == 403


def test_a_look_at_the_chart_is_on_record(cast, page):
    page()
    event = AccessEvent.objects.order_by("pk").last()
    assert (event.route, event.patient, event.kind) == ("charting:chart", cast.ada, "view")


def test_four_hundred_findings_take_the_queries_of_one(cast, enter, page):
    enter()
    page(tooth="14")
    with CaptureQueriesContext(connection) as one:
        page(tooth="14")
    for _ in range(4):
        Finding.enter(by=cast.dentist, patient=cast.ada, items=[
            {"tooth": str(number % 32 + 1), "condition": "watch"} for number in range(100)])
    with CaptureQueriesContext(connection) as many:
        assert page(tooth="14").status_code == 200
    assert len(many) == len(one)
    assert len(one) <= 18


# The API


def test_the_api_charts_by_entry_by_fields_and_by_list(cast, program):
    by, address = program("hygienist"), f"/patients/{cast.ada.pk}/findings"
    answer = by.send("POST", address, {"entry": "14 mod comp; 3 crown pfm"})
    assert answer.status_code == 201
    assert [(row["tooth"], row["surfaces"], row["condition"], row["status"]) for row in answer.json()["items"]] == [
        ("14", "MOD", "restoration", "existing"), ("3", "", "crown", "existing")]
    one = {"tooth": "19", "surfaces": "O", "condition": "caries", "status": "condition"}
    assert by.send("POST", address, one).json()["count"] == 1
    assert by.send("POST", address, [one | {"tooth": "30"}, {"entry": "1 missing"}]).json()["count"] == 2
    chart = by.send("GET", f"/patients/{cast.ada.pk}/chart").json()
    assert (chart["dentition"], sorted(chart["teeth"], key=int)) == ("permanent", ["1", "3", "14", "19", "30"])
    assert chart["teeth"]["1"]["state"] == "missing"
    assert chart["teeth"]["14"]["findings"][0]["material"] == "composite"
    assert chart["teeth"]["14"]["findings"][0]["by"] == "Holly Hygiene"


@pytest.mark.parametrize(("body", "field", "says"), [
    ({"entry": "14 xyzzy"}, "entry", "xyzzy"), ([{"entry": "1 missing"}, {"entry": "3 wombat"}], "1.entry", "wombat"),
    ({"tooth": "99", "condition": "crown", "status": "existing"}, "tooth", "no tooth"),
    ({"tooth": "14", "condition": "caries", "status": "condition"}, "surfaces", "charted on surfaces"),
    ({"tooth": "14", "condition": "crown", "status": "planned"}, "status", "treatment plan"),
    ({"tooth": "14", "condition": "crown", "status": "imagined"}, "status", ""), ({"tooth": "14"}, "condition", "Say it"),
    ({"entry": "1 missing", "tooth": "2"}, "tooth", "leave this out"),
    ({"dragon": 1}, "dragon", ""), ([], "entry", "nothing")])  # fmt: skip
def test_the_api_names_what_is_wrong_and_charts_nothing(cast, program, body, field, says):
    answer = program("hygienist").send("POST", f"/patients/{cast.ada.pk}/findings", body)
    assert answer.status_code == 422
    assert any(field in error["field"] and says in error["message"] for error in answer.json()["errors"]), answer.json()
    assert not Finding.objects.exists()


def test_the_api_shows_the_chart_of_a_day_and_no_day_to_come(cast, enter, program):
    today = cast.clinic.today()
    enter(noted_on=today - timedelta(days=10))
    by, address = program("receptionist"), f"/patients/{cast.ada.pk}/chart"
    assert by.send("GET", f"{address}?on={today - timedelta(days=11)}").json()["teeth"] == {}
    assert "14" in by.send("GET", f"{address}?on={today - timedelta(days=10)}").json()["teeth"]
    assert by.send("GET", f"{address}?on={today + timedelta(days=1)}").status_code == 422
