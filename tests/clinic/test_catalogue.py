from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import catalogue
from clinic.models import Fee, FeeSchedule, ProcedureCode
from clinic.models.fee_schedule import fees_on

NAMED_IN_THE_ISSUE = """D0120 D0140 D0150 D0210 D0220 D0230 D0272 D0274 D0330 D0340 D1110 D1120 D1206 D1208 D1351 D2140 D2150
D2160 D2161 D2330 D2331 D2332 D2335 D2391 D2392 D2393 D2394 D2740 D2750 D2950 D3310 D3320 D3330 D4341 D4342 D4346 D4355 D4910
D5110 D5120 D6010 D7140 D7210 D7240 D8010 D8020 D8070 D8080 D8090 D8660 D8670 D8680 D9110 D9944""".split()


def test_every_code_that_was_asked_for_is_there_and_none_twice():
    codes = [row[0] for row in catalogue.rows()]
    assert set(NAMED_IN_THE_ISSUE) <= set(codes)
    assert len(codes) == len(set(codes)) >= 100


def test_every_row_is_valid_and_has_words_area_minutes_and_fee(cast):
    for code, description, category, area, minutes, fee in catalogue.rows():
        row = ProcedureCode(
            code=code, description=description, category=category, treatment_area=area, minutes=minutes, fee=fee)
        try:
            row.clean_fields(exclude=["clinic", "created_at", "updated_at"])
        except ValidationError as error:
            pytest.fail(f"{code}: {error}")
        assert fee > 0


def test_loading_twice_adds_nothing_and_keeps_what_the_practice_changed(cast):
    ProcedureCode.objects.filter(clinic=cast.clinic).exists() or catalogue.load_starter(cast.system)
    code = ProcedureCode.objects.get(clinic=cast.clinic, code="D1110")
    code.change(by=cast.system, fee="99.50")
    before = ProcedureCode.objects.filter(clinic=cast.clinic).count()

    assert catalogue.load_starter(cast.system) == []

    assert ProcedureCode.objects.filter(clinic=cast.clinic).count() == before
    code.refresh_from_db()
    assert str(code.fee) == "99.50"


def test_each_code_starts_with_a_history_row_that_says_why(cast):
    catalogue.load_starter(cast.system)
    history = ProcedureCode.objects.get(clinic=cast.clinic, code="D2740").history.get()
    assert history.history_change_reason == "Starter catalogue"
    assert history.history_via == "command"


# Which are in use, and how one is found


@pytest.fixture
def codes(cast):
    """The starter catalogue of the cast's clinic."""
    catalogue.load_starter(cast.system)
    return ProcedureCode.objects.filter(clinic=cast.clinic)


@pytest.mark.parametrize(("values", "day", "there"), [
    ({}, date(2027, 1, 1), True),
    ({"effective_from": date(2027, 1, 1)}, date(2026, 12, 31), False),
    ({"effective_from": date(2027, 1, 1)}, date(2027, 1, 1), True),
    ({"effective_to": date(2027, 1, 1)}, date(2027, 1, 1), True),
    ({"effective_to": date(2027, 1, 1)}, date(2027, 1, 2), False),
    ({"is_active": False}, date(2027, 1, 1), False),
])  # fmt: skip
def test_a_code_is_current_while_it_is_in_use_and_effective(cast, codes, values, day, there):
    codes.get(code="D2740").change(by=cast.manager, **values)
    assert codes.current(day).filter(code="D2740").exists() is there


@pytest.mark.parametrize(("text", "first", "count"), [
    ("D2740", "D2740", 1), ("2740", "D2740", 1), ("d27", "D2740", 3), ("crown ceramic", "D2740", 6), ("CRÔWN all", "D2740", 2),
    ("d2740 crown", "D2740", 1), ("x-ray root", "D0220", 2), ("rown", None, 0), ("crown moon", None, 0), ("%", None, 0),
])  # fmt: skip
def test_a_code_is_found_by_its_start_or_by_every_word(codes, text, first, count):
    found = [row.code for row in codes.search(text)]
    assert (found[0] if found else None, len(found)) == (first, count)


def test_what_is_found_by_code_comes_first(cast, codes):
    codes.get(code="D0120").change(by=cast.manager, description="Instead of 2740")
    assert [row.code for row in codes.search("2740")] == ["D2740", "D0120"]


def test_the_search_follows_a_new_description_and_is_no_part_of_the_history(cast, codes):
    code = codes.get(code="D0120").change(by=cast.manager, description="Zahnärztliche Untersuchung")
    assert [row.code for row in codes.search("zahnarztliche")] == ["D0120"]
    assert not hasattr(code.history.first(), "search_text")


def test_the_page_and_the_program_show_what_holds_today(cast, codes, desk, desk_client):
    codes.get(code="D2740").change(by=cast.manager, effective_from=date(2099, 1, 1))
    codes.get(code="D2750").change(by=cast.manager, edition="CDT 2027")
    page = desk_client.get(reverse("clinic:procedure_codes")).content.decode()
    assert "D2740" not in page
    assert "CDT 2027: the codes and their texts belong to the American Dental Association" in page
    assert [row["code"] for row in desk.get("/procedure-codes?search=d27").data["items"]] == ["D2750", "D2790"]
    assert desk.get("/procedure-codes?search=d2750").data["items"][0]["edition"] == "CDT 2027"


def test_a_starter_list_says_that_it_is_one(codes, desk_client):
    assert "A starter list in our own words" in desk_client.get(reverse("clinic:procedure_codes")).content.decode()


# What a code costs


@pytest.fixture
def costs(cast, codes):
    """`costs(day, name)`: what D2740 and D0120 cost; there are lists of Bay Dental from January and from July."""
    crown, check = codes.get(code="D2740"), codes.get(code="D0120")
    for since, amounts in ((date(2026, 1, 1), {crown: 1000, check: 50}), (date(2026, 7, 1), {crown: 1100})):
        schedule = FeeSchedule(name="Bay Dental", since=since).record(by=cast.manager)
        for code, amount in amounts.items():
            Fee(schedule=schedule, procedure_code=code, amount=amount).record(by=cast.manager)

    def ask(day, name=""):
        found = fees_on(codes.filter(pk__in=[crown.pk, check.pk]), day, name)
        return found[crown.pk], found[check.pk]

    return ask


OFFICE = (Decimal("1345.00"), Decimal("62.00"))


@pytest.mark.parametrize(("day", "name", "amounts"), [
    (date(2026, 8, 1), "", OFFICE),
    (date(2025, 12, 31), "Bay Dental", OFFICE),
    (date(2026, 1, 1), "Bay Dental", (Decimal("1000.00"), Decimal("50.00"))),
    (date(2026, 6, 30), "Bay Dental", (Decimal("1000.00"), Decimal("50.00"))),
    (date(2026, 7, 1), "Bay Dental", (Decimal("1100.00"), OFFICE[1])),  # the newest list alone counts
    (date(2026, 8, 1), "Another", OFFICE),
])  # fmt: skip
def test_a_code_costs_what_the_newest_list_of_that_day_says_else_the_offices_fee(costs, day, name, amounts):
    assert costs(day, name) == amounts


def test_lists_and_lines_that_are_out_of_use_do_not_count(cast, costs):
    FeeSchedule.objects.get(since=date(2026, 7, 1)).change(by=cast.manager, is_active=False)
    Fee.objects.get(amount=50).change(by=cast.manager, is_active=False)
    assert costs(date(2026, 8, 1), "Bay Dental") == (Decimal("1000.00"), OFFICE[1])


def test_another_clinics_list_of_the_same_name_does_not_count(cast, costs):
    catalogue.load_starter(cast.outsider.system)
    theirs = FeeSchedule(name="Bay Dental", since=date(2026, 7, 2)).record(by=cast.outsider.manager)
    Fee(schedule=theirs, amount=1, procedure_code=ProcedureCode.objects.get(
        clinic=cast.outsider.clinic, code="D2740")).record(by=cast.outsider.manager)  # fmt: skip
    assert costs(date(2026, 8, 1), "Bay Dental")[0] == Decimal("1100.00")


def test_one_code_and_a_hundred_cost_one_query(codes, costs, django_assert_num_queries):
    for some in (list(codes[:1]), list(codes[:100])):
        with django_assert_num_queries(1):
            assert len(fees_on(some, date(2026, 8, 1), "Bay Dental")) == len(some)
    assert fees_on([], date(2026, 8, 1), "Bay Dental") == {}


# In the administration


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


def test_the_catalogue_is_searched_and_filtered(cast, codes, manager):
    codes.get(code="D2740").change(by=cast.manager, edition="CDT 2027")
    address = reverse("admin:clinic_procedurecode_changelist")
    for asked, there, not_there in (
        ({"q": "crown cer"}, "D2750", "D2790"), ({"q": "2740"}, "D2740", "D2750"), ({"edition": "CDT 2027"}, "D2740", "D2750"),
        ({"edition": ""}, "D2750", "D2740"), ({"treatment_area__exact": "quadrant"}, "D1510", "D2740"),
        ({"category__exact": "surgery"}, "D7140", "D2740"), ({"is_active__exact": "0"}, "Nothing fits", "D2740")):  # fmt: skip
        page = manager.get(address, asked).content.decode()
        assert there in page, asked
        assert not_there not in page, asked
    assert "Our own words" in manager.get(address).content.decode()


def test_the_lines_of_a_fee_schedule_take_the_same_queries_and_show_their_codes(cast, codes, manager):
    schedule = FeeSchedule(name="Bay Dental", since=date(2026, 1, 1)).record(by=cast.manager)
    address, counts, rows = reverse("admin:clinic_feeschedule_change", args=[schedule.pk]), [], list(codes[:30])
    manager.get(address)  # what is asked once a session
    for some in (rows[:1], rows[1:]):
        for code in some:
            Fee(schedule=schedule, procedure_code=code, amount=10).record(by=cast.manager)
        with CaptureQueriesContext(connection) as asked:
            page = manager.get(address).content.decode()
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert all(f'value="{code}"' in page for code in rows)
    assert '<option value="D2740">Crown, all ceramic</option>' in page


@pytest.mark.parametrize("typed", ["d9999", "D0120"])
def test_a_code_that_is_unknown_or_out_of_use_is_told_at_its_line(cast, codes, manager, typed):
    codes.get(code="D0120").change(by=cast.manager, is_active=False)
    answer = manager.post(reverse("admin:clinic_feeschedule_add"), {
        "name": "Bay Dental", "since": "1/1/2027", "is_active": "on", "fees-TOTAL_FORMS": 1, "fees-INITIAL_FORMS": 0,
        "fees-0-procedure_code": typed, "fees-0-amount": "5", "fees-0-is_active": "on"})  # fmt: skip
    assert answer.status_code == 422
    assert f"There is no code {typed.upper()} in use." in answer.content.decode()
    assert f'value="{typed}"' in answer.content.decode()


def test_a_code_is_typed_in_any_case(cast, codes, manager):
    answer = manager.post(reverse("admin:clinic_feeschedule_add"), {
        "name": "Bay Dental", "since": "1/1/2027", "is_active": "on", "fees-TOTAL_FORMS": 2, "fees-INITIAL_FORMS": 0,
        "fees-0-procedure_code": " d2740 ", "fees-0-amount": "5", "fees-0-is_active": "on",
        "fees-1-procedure_code": "", "fees-1-amount": "", "fees-1-is_active": "on", "fees-1-seen_version": 0})  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    assert Fee.objects.get().procedure_code.code == "D2740"
