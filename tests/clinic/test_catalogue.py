import pytest
from django.core.exceptions import ValidationError

from clinic import catalogue
from clinic.models import ProcedureCode

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
