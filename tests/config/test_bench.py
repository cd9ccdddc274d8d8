"""The bench loads, asks and judges at a tiny size; how fast anything is, only `bin/campaign bench` tells."""

from datetime import date, timedelta

import pytest
from django.db import connection

from clinic.models import Account, MedicalHistory, Patient
from docs.bench import __main__ as bench
from docs.bench import databases, practice, sides
from docs.bench.client import Browser, timed
from docs.bench.shape import A_DAY, Shape
from scheduling.models import Appointment, ProviderTime, VisitStep
from tests.databases import copy, name_of_migrated

pytestmark = pytest.mark.wide

TODAY = date(2026, 11, 2)


def test_every_patient_comes_three_times_and_every_day_ahead_is_full():
    for patients in (1_000, 100_000, 1_000_000):
        shape = Shape(patients, TODAY)
        days = shape.days()
        assert sum(count for _, _, count in days) == 3 * patients
        assert {count for _, _, count in days[-20:]} == {A_DAY}
        assert days[0][0].year >= 1990
    shape = Shape(1_000, TODAY)
    visits = [shape.patient_of(number) for number in range(shape.visits)]
    assert {visits.count(patient) for patient in range(1_000)} == {3}


def test_no_two_of_the_first_patients_share_a_whole_name():
    shape = Shape(30_000, TODAY)
    assert len({shape.name(number) for number in range(30_000)}) == 30_000


MODELS = [
    Account,
    Account.history.model,
    Patient,
    Patient.history.model,
    MedicalHistory,
    Appointment,
    Appointment.history.model,
    ProviderTime,
    VisitStep,
]


def test_copies_have_the_form_of_what_the_bulk_helper_writes(clone):
    house = practice.House(Shape(200, TODAY))
    before = {model: set(model._base_manager.values_list("pk", flat=True)) for model in MODELS}
    house.add_patients(range(0, 20))
    house.patients += house.patients * 9
    house.add_visits(TODAY, range(0, 20))
    helped = new_rows(before)
    house.patients = house.patients[:20]
    house.copy_patients(range(20, 40))
    house.patients += house.patients * 4
    house.copy_visits([(TODAY + timedelta(days=1), 20, 20)])
    copied = new_rows(before | {model: before[model] | {row.pk for row in rows} for model, rows in helped.items()})
    for model in MODELS:
        assert len(copied[model]) == len(helped[model]) >= 20, model
        for field in model._meta.concrete_fields:
            by_helper = {str(field.value_from_object(row)) for row in helped[model]}
            by_copy = {str(field.value_from_object(row)) for row in copied[model]}
            if len(by_helper) == 1 and field.name not in TIMES:  # what the helper makes alike is alike in the copies
                assert by_copy == by_helper, (model, field)
    for row in copied[Patient]:
        assert (row.last_key, row.first_key, row.search_text) == (row._last_key(), row._first_key(), row._search_text())
        assert row.account.name == row.name
        row.full_clean(validate_unique=False)
    for row in copied[Appointment]:
        row.clean()
        assert [str(time.provider_id) for time in row.provider_time.all()] == [row.parts[0][0]]
        assert row.history.get().starts_at == row.starts_at
        assert row.steps.get().at == row.status_at


# The instants of a day differ between two days of visits.
TIMES = {"starts_at", "ends_at", "chair_starts_at", "chair_ends_at", "status_at", "created_at", "updated_at", "at"}
TIMES |= {"history_date"}


def new_rows(before):
    return {model: list(model._base_manager.exclude(pk__in=before[model])) for model in MODELS}


@pytest.fixture(scope="module")
def loaded(django_db_setup, tmp_path_factory):
    """Both sides at 200 patients, each loaded by a process of its own; ours begins with the tables made."""
    if connection.vendor != "sqlite":
        pytest.skip("The bench's own processes; the copies above run on both engines.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "FOLDER", folder := tmp_path_factory.mktemp("bench"))
        patch.setattr(databases.Database, "_make_empty", lambda database: None)
        copy(name_of_migrated(), str(folder / "practice_200.sqlite3"))
        yield [databases.Database(side, "SQLite", 200, server="").make_ready() for side in ("floor", "practice")]


def test_every_call_gets_the_answer_that_counts_on_both_sides(loaded):
    floor, usual = loaded
    with sides.Floor(floor, with_login=False) as bare, sides.Floor(floor, with_login=True) as login:
        for calls in (bare.calls(["bacor"]), login.calls(["bacor"])):
            assert set(calls) == set(bench.BARS)
            for call, wanted in calls.values():
                assert timed(call, wanted, seconds=5, most=2)
    with sides.Practice(usual) as chairside:
        terms = sides.terms_for(chairside)
        calls = chairside.calls(terms)
        assert set(calls) == {*bench.BARS, *bench.GROWTH}
        for call, wanted in calls.values():
            assert timed(call, wanted, seconds=5, most=2)
        assert calls["day"][0]().body.count(b"data-card=") == A_DAY
        assert 0 < calls["search"][0]().body.count(sides.ROW) <= 50
        with pytest.raises(ValueError, match="instead of 302"):
            timed(calls["day"][0], 302, seconds=1)


def test_a_booked_place_is_never_taken_twice(loaded):
    _, usual = loaded
    first, again = usual.take(30), usual.take(30)
    assert len({*first, *again}) == 60
    assert usual.make_ready().take(1)[0] not in {*first, *again}


def test_the_client_speaks_to_this_machine_only():
    with pytest.raises(ValueError, match="loopback"):
        Browser("http://192.0.2.1:80")


def test_a_ratio_above_its_bar_is_called_missed(capsys):
    one, two = bench.Cost(1, 1), bench.Cost(2, 2)
    spent = {("bare floor", name): one for name in bench.BARS} | {("floor with login", name): two for name in bench.BARS}
    spent |= {("ours", name): bench.Cost(bar, 3) for name, bar in bench.BARS.items()}
    spent |= {("ours", "day"): bench.Cost(1.51, 1)}
    assert bench.ratios(spent, "ours") == 1
    line = "| day | 1.00 (1.00) | 2.00 (2.00) | 1.51 (1.00) | 1.51 (1.00) | 0.76 (0.50) | ≤ 1.5 bare | **missed** |"
    assert line in capsys.readouterr().out
    spent = {("ours", name): one for name in bench.GROWTH} | {("larger", name): one for name in bench.GROWTH}
    assert bench.growth(spent, "ours", "larger") == 0
    assert bench.growth(spent | {("larger", "day"): bench.Cost(1.3, 1)}, "ours", "larger") == 1
