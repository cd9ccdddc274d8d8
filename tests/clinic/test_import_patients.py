import csv
import io
import os
import random
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clinic.imports import read_date
from clinic.models import Account, Clinic, Patient

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "samples" / "patients.csv"
HEADER = "first_name,last_name,date_of_birth"


@pytest.fixture
def file(tmp_path):
    """`file("header", "line", …)`: the path of a CSV file with these lines."""
    def write(*lines, encoding="utf-8", newline="\n"):
        path = tmp_path / "patients.csv"
        path.write_bytes("".join(f"{line}{newline}" for line in lines).encode(encoding))
        return path
    return write


@pytest.fixture
def take(cast):
    """`take(path)`: import into the cast's clinic; what the command said."""
    def run(path, *arguments):
        out = io.StringIO()
        call_command(
            "import_patients", str(path), "--clinic", cast.clinic.name, *arguments, stdout=out, stderr=io.StringIO())
        return out.getvalue()
    return run


def rejected(path):
    with open(f"{path}.rejected.csv", encoding="utf-8-sig", newline="") as report:
        return [tuple(row) for row in csv.reader(report)][1:]


def of(cast, **lookup):
    return Patient.objects.filter(clinic=cast.clinic, **lookup)


# What a good line becomes


def test_the_sample_file_is_taken_whole_and_families_share_an_account(take, cast):
    assert "5 patients added" in take(SAMPLE)

    maria, luis, zoe = (of(cast, external_id=number).get() for number in ("A-1001", "A-1002", "A-1003"))
    assert maria.account == luis.account == zoe.account
    assert (maria.sex, maria.contact_by, str(maria.phone)) == ("female", "sms", "+1 914-555-0142")
    assert luis.date_of_birth == date(1982, 7, 21)
    assert of(cast, external_id="A-1004").get().date_of_birth == date(1958, 2, 3)
    assert of(cast, last_name="O'Brien").get().first_name == 'Anne "Annie"'


def test_an_imported_patient_has_the_shape_of_a_registered_one(take, cast, file):
    take(file(f"{HEADER},phone,email,line1,city,sex", "Ida,Import,1980-05-06,2015550123,ida@mail.example,1 Oak,Rye,f"))
    registered = Patient.register(
        by=cast.system, first_name="Ida", last_name="Register", date_of_birth=date(1980, 5, 6), phone="+12015550123",
        email="ida@mail.example", line1="1 Oak", city="Rye", sex="female")
    imported = of(cast, last_name="Import").get()

    own = {"id", "account", "chart_number", "last_name", "last_key", "search_text", "created_at", "updated_at", "name"}
    for model, rows in ((Patient, (imported, registered)), (Account, (imported.account, registered.account))):
        for field in model._meta.concrete_fields:
            if field.name not in own:
                assert getattr(rows[0], field.attname) == getattr(rows[1], field.attname), field.name
    assert int(registered.chart_number) == int(imported.chart_number) + 1
    was, is_now = imported.history.get(), registered.history.get()
    assert (was.history_type, was.version, was.history_via) == (is_now.history_type, is_now.version, is_now.history_via)
    assert was.history_change_reason == "Imported from patients.csv"
    assert list(Patient.objects.filter(clinic=cast.clinic).matching("ida imp")) == [imported]


def test_running_twice_changes_nothing(take, cast, file):
    path = file(f"{HEADER},account", "Ida,Import,1980-05-06,a", "Ivo,Import,2010-05-06,a")
    take(path)
    before = list(of(cast).values()), list(Account.objects.values()), Patient.history.count()
    assert "0 patients added, 2 were there already" in take(path)
    assert (list(of(cast).values()), list(Account.objects.values()), Patient.history.count()) == before


def test_a_line_added_later_joins_the_account_of_its_family(take, cast, file):
    take(file(f"{HEADER},account", "Ida,Import,1980-05-06,a"))
    take(file(f"{HEADER},account", "Ivo,Import,2010-05-06,a", "Ida,Import,1980-05-06,a"))
    assert of(cast, last_name="Import").values("account").distinct().count() == 1


def test_the_number_elsewhere_tells_people_apart_and_names_the_same_one_again(take, cast, file):
    head = f"external_id,{HEADER}"
    take(file(head, "1,Ida,Import,1980-05-06", "2,Ida,Import,1980-05-06"))
    assert of(cast, last_name="Import").count() == 2
    assert "0 patients added, 1 were there already" in take(file(head, "1,Ida,Married,1980-05-06"))


def test_without_a_number_case_and_accents_make_no_new_person(take, cast, file):
    assert "0 patients added, 1 were there already" in take(file(HEADER, "ÁDA,lovelace,1985-12-10"))


def test_a_dry_run_counts_and_writes_no_patient(take, cast, file):
    before = of(cast).count()
    assert "1 patients would be added" in take(file(HEADER, "Ida,Import,1980-05-06"), "--dry-run")
    assert of(cast).count() == before


# What is refused


@pytest.mark.parametrize(("header", "sentence"), [
    (f"{HEADER},shoe_size,iq", "Not known: shoe_size, iq"),
    ("first_name,last_name", "Missing: date_of_birth"),
    (f"{HEADER},phone,Phone", "Twice there: phone"),
    ("", "The file is empty"),
])
def test_a_header_that_does_not_fit_is_refused_by_name_before_anything_is_written(take, cast, file, header, sentence):
    before = of(cast).count()
    with pytest.raises(CommandError, match=sentence):
        take(file(header, "Ida,Import,1980-05-06,44,150"))
    assert of(cast).count() == before


def test_bad_lines_are_reported_with_line_column_and_reason_and_the_others_taken(take, cast, file):
    path = file(
        f"{HEADER},phone,sex,email",
        ",Import,1980-05-06,,,",
        'Ida,Import,1980-05-06,,,"ida',
        'second line@mail.example"',
        "Ivo,Import,1980-02-30,12,purple,ivo",
        "Uma,Import,2980-01-01,,,",
        "Eva,Import,1980-05-06",
        "Ada,Import,1980-05-06,,,",
        f"{'x' * 81},Import,1980-05-06,,,",
        'Bad,"Quote"d,1980-05-06,,,',
        "Ada,import,05/06/1980,,,",
    )
    said = take(path)

    assert "1 patients added" in said
    assert [(line, column) for line, column, _ in rejected(path)] == [
        ("2", "first_name"), ("3", "email"), ("5", "date_of_birth"), ("5", "phone"), ("5", "sex"), ("6", "date_of_birth"),
        ("7", ""), ("9", "first_name"), ("10", ""), ("11", "last_name")]
    assert rejected(path)[-1][2] == "The same name and date of birth as in line 8."


def test_an_unclosed_quotation_mark_is_reported_where_it_opens_and_what_stands_before_is_taken(take, cast, file):
    path = file(HEADER, "Ida,Import,1980-05-06", '"Ivo,Import,1980-05-06', "Uma,Import,1980-05-06")
    assert "1 patients added" in take(path)
    assert [row[0] for row in rejected(path)] == ["3"]


def test_what_the_database_refuses_is_reported_and_its_batch_is_not_lost(take, cast, file, monkeypatch):
    from clinic.imports import intake

    whole = intake.PatientIntake._record

    def refuse_ivo(self, families):
        if any(row.values["first_name"] == "Ivo" for family in families for row in family):
            raise intake.DatabaseError("no such luck")
        return whole(self, families)

    monkeypatch.setattr(intake.PatientIntake, "_record", refuse_ivo)
    path = file(HEADER, "Ida,Import,1980-05-06", "Ivo,Import,1980-05-06", "Uma,Import,1980-05-06")
    assert "2 patients added" in take(path)
    assert rejected(path) == [("3", "", "The database refused it: no such luck")]


def test_with_two_clinics_one_must_be_named(cast, file):
    assert Clinic.objects.count() > 1
    with pytest.raises(CommandError, match="Say which clinic"):
        call_command("import_patients", str(file(HEADER)))


# How it is read


@pytest.mark.parametrize(("encoding", "word"), [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("cp1252", "not UTF-8")])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_umlauts_survive_every_encoding_and_delimiter(take, cast, file, encoding, word, delimiter):
    lines = [HEADER, "Jörg,Großmann,1980-05-06"]
    said = take(file(*(line.replace(",", delimiter) for line in lines), encoding=encoding, newline="\r\n"))
    assert of(cast, first_name="Jörg", last_name="Großmann").count() == 1
    assert word in said


@pytest.mark.parametrize(("text", "day_first", "expected"), [
    ("1980-02-29", False, date(1980, 2, 29)),
    ("1980-02-29 00:00:00", False, date(1980, 2, 29)),
    ("19800229", False, date(1980, 2, 29)),
    ("02/03/1980", False, date(1980, 2, 3)),
    ("02/03/1980", True, date(1980, 3, 2)),
    ("02-03-1980", True, date(1980, 3, 2)),
    ("25/12/1980", False, date(1980, 12, 25)),
    ("12/25/1980", True, date(1980, 12, 25)),
    ("2.3.1980", False, date(1980, 3, 2)),
    ("02.03.26", False, date(2026, 3, 2)),
    ("02.03.27", False, date(1927, 3, 2)),
    ("01.12.26", False, date(1926, 12, 1)),
    ("3 Feb 1980", False, date(1980, 2, 3)),
])
def test_birth_dates_are_read_in_the_common_forms(text, day_first, expected):
    assert read_date(text, day_first, today=date(2026, 11, 20)) == expected


def test_the_clinic_s_country_decides_whether_the_month_comes_first(take, cast, file):
    path = file(HEADER, "Ida,Import,02/03/1980")
    assert "month first" in take(path, "--dry-run")
    assert "day first" in take(path, "--dry-run", "--day-first")


LINES = 10_000 if "CAMPAIGN" in os.environ else 2_000
WRONG, TWICE = LINES // 100, LINES // 200


def big_file(path):
    """So many lines with a mark, quotes, umlauts, three forms of dates, one in 100 bad, one in 200 said twice."""
    draw = random.Random(7)
    forms = ["{0}-{1:02}-{2:02}", "{1}/{2}/{0}", "{2:02}.{1:02}.{0}"]
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        write = csv.writer(file).writerow
        write(["External ID", "First-Name", "Last Name", "Date of birth", "sex", "phone", "line1", "account"])
        for number in range(LINES):
            born = (draw.randint(1930, 2020), draw.randint(1, 12), draw.randint(1, 28))
            when = "31.02.1980" if number % 100 == 3 else draw.choice(forms).format(*born)
            key = number - 1 if number % 200 == 8 else number
            write([f"N{key}", f"Jörg-{number}", draw.choice(["Müller", "O'Brien", 'van "der" Berg', "Łódź"]), when,
                   draw.choice(["f", "M", "weiblich", ""]), f"(201) 555-01{number % 100:02}",
                   f"{number} Harbor Street,\nback door", f"family {number // 3}"])


@pytest.mark.wide
def test_many_lines_are_taken_but_for_the_bad_ones_and_a_second_run_changes_nothing(take, cast, tmp_path):
    path, before, good = tmp_path / "big.csv", of(cast).count(), LINES - WRONG - TWICE
    big_file(path)

    assert f"{good:,} patients added, 0 were there already, {WRONG + TWICE} lines rejected" in take(path)

    assert of(cast).count() == before + good
    assert Patient.history.filter(history_change_reason="Imported from big.csv").count() == good
    reasons = [reason for _, _, reason in rejected(path)]
    assert sum("is not a date" in reason for reason in reasons) == WRONG
    assert sum("The same external_id as in line" in reason for reason in reasons) == TWICE
    assert rejected(path)[0][0] == "8"  # two lines a record
    assert f"0 patients added, {good:,} were there already, {WRONG + TWICE} lines rejected" in take(path)
    assert of(cast).count() == before + good


def test_a_file_that_is_no_text_is_refused_with_a_sentence(take, tmp_path):
    path = tmp_path / "photo.csv"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(CommandError, match="not a text file"):
        take(path)
