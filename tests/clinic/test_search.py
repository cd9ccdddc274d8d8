"""Search finds a patient by whatever the desk has: any part of the name, a number, a date."""

from datetime import date

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from clinic import search
from clinic.db.fields import normalise
from clinic.models import Patient


@pytest.fixture
def jose(cast):
    return Patient.register(
        by=cast.desk,
        first_name="José Ángel",
        last_name="Müller-Straße",
        preferred_name="Pepe",
        date_of_birth=date(1988, 2, 3),
        phone="+49 171 2345678",
        phone_home="+1 201 555 0199",
    )


@pytest.mark.parametrize(
    "text",
    [
        "jose",
        "JOSÉ",
        "angel",
        "mül",
        "muller",
        "strasse",
        "straße",
        "pepe",
        "jose mull",
        "mull jose",
        "ull",
        "jo",
        "m",
        "mu jo",
        "j mul",
        "1712345678",
        "+49 171 2345678",
        "0171 234 5678",
        "0171-2345678",
        "(0171) 2345678",
        "234567",
        "201 555 0199",
        "(201) 555-0199",
        "1988-02-03",
        "2/3/1988",
        "3.2.1988",
        "02/03/88",
        "3 feb 1988",
        "Feb 3, 1988",
        "19880203",
        "3. Februar 1988",
        "jose 1988-02-03",
        "mul 2345678",
    ],
)
def test_finds(cast, jose, text):
    assert jose in Patient.objects.visible_to(cast.desk).matching(text)


@pytest.mark.parametrize(
    "text", ["josef", "zz", "xyz", "1712345679", "1988-02-04", "ada jose", "%", "_", "'", '"', "jose AND", "*"]
)
def test_does_not_find(cast, jose, text):
    assert jose not in Patient.objects.visible_to(cast.desk).matching(text)


def test_finds_by_chart_number(cast, jose):
    assert Patient.objects.visible_to(cast.desk).matching(jose.chart_number)[0] == jose


def test_the_number_as_it_stands_on_the_page_finds_that_patient_alone(cast, jose):
    assert list(Patient.objects.visible_to(cast.desk).matching(f"#{jose.chart_number}")) == [jose]


def test_the_patient_with_that_chart_number_comes_before_phones_that_contain_it(cast, jose):
    other = Patient.register(
        by=cast.desk, first_name="Aaron", last_name="Aa", date_of_birth=date(1990, 1, 1), phone="+1 201 555 0" + "103"
    )
    numbered = Patient(
        clinic=cast.clinic,
        account=cast.ada.account,
        chart_number="0103",
        first_name="Zoe",
        last_name="Zz",
        date_of_birth=date(1990, 1, 1),
    ).record(by=cast.desk)
    assert list(Patient.objects.visible_to(cast.desk).matching("0103")) == [numbered, other]


def test_follows_a_change_of_name(cast, jose):
    jose.change(by=cast.desk, last_name="Nguyen")
    assert jose in Patient.objects.matching("nguyen")
    assert jose not in Patient.objects.matching("straße")


def test_never_shows_another_clinics_patients(cast):
    assert set(Patient.objects.visible_to(cast.desk).matching("lovelace")) == {cast.ada}


@pytest.mark.django_db
@given(st.text(max_size=60))
def test_any_text_is_a_harmless_query(text):
    list(Patient.objects.matching(text)[:5])


@given(st.dates(date(1930, 1, 1), date(2020, 12, 31)))
def test_every_common_format_means_the_date(day):
    today = date(2026, 11, 21)
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %b %Y", "%B %d, %Y"):
        assert day in search.dates_meant(day.strftime(form), today)


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


def plan_of(rows):
    return rows.explain() if connection.vendor == "sqlite" else rows.explain(format="text")


@pytest.fixture
def thousands(cast):
    """30,000 more patients, copied from one row inside the database: what is asserted is the plan, not how they came."""
    columns = [field.column for field in Patient._meta.concrete_fields]
    new = {
        "id": {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}[connection.vendor],
        "chart_number": "'x' || n",
        "external_id": "''",
        "last_key": "'family' || (n * 7919 %% 9973)",
        "first_key": "'given' || n",
        "search_text": "' given' || n || ' family' || (n * 7919 %% 9973) || ' x' || n || ' 1955' "
        "|| (n * 31 %% 900000) || ' 1950-01-01 '",
    }
    numbers = {
        "sqlite": "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30000) SELECT n FROM c)",
        "postgresql": "(SELECT n FROM generate_series(1, 30000) AS n)",
    }[connection.vendor]
    key = cast.grace.pk.hex if connection.vendor == "sqlite" else cast.grace.pk
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO clinic_patient ({', '.join(columns)}) "
            f"SELECT {', '.join(new.get(name, 'p.' + name) for name in columns)} "
            f"FROM clinic_patient p, {numbers} AS c WHERE p.id = %s",
            [key],
        )
        cursor.execute("ANALYZE clinic_patient")


def test_each_search_is_one_query_on_an_index(cast, thousands, django_assert_num_queries, subtests):
    for text in ("lovela", "lovela ad", "love 555"):
        with subtests.test(text):
            assert_trigrams(cast, text, django_assert_num_queries)
    for text in ("lo", "l"):
        with subtests.test(f"{text}: a prefix"):
            assert_prefixes(cast, text, django_assert_num_queries)
    with subtests.test("birth date"):
        assert "clinic_patient_by_birth" in plan_of(
            Patient.objects.visible_to(cast.desk).filter(date_of_birth=cast.ada.date_of_birth).order_by()
        )


def assert_trigrams(cast, text, django_assert_num_queries):
    rows = Patient.objects.visible_to(cast.desk).current().matching(text)[:20]
    with django_assert_num_queries(1):
        list(rows)
    plan = plan_of(rows)
    if connection.vendor == "sqlite":
        assert "VIRTUAL TABLE INDEX" in plan
        assert "SCAN clinic_patient\n" not in plan + "\n"
    else:
        assert "clinic_patient_search_gin" in plan
        assert "Seq Scan" not in plan


def assert_prefixes(cast, text, django_assert_num_queries):
    rows = Patient.objects.visible_to(cast.desk).matching(text)[:20]
    with django_assert_num_queries(1):
        list(rows)
    plan = plan_of(rows)
    assert "clinic_patient_" in plan
    assert "Seq Scan" not in plan
    assert "SCAN clinic_patient\n" not in plan + "\n"
