"""A licensed list of procedure codes replaces the starter list; all texts here are made up."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from clinic import catalogue
from clinic.imports.cells import Wrong, read_amount
from clinic.models import ProcedureCode

HEAD = "Code,Text,Category,Treatment Area,Fee,Minutes"
CHECK = "D0120,Blue check,Diagnostic,mouth,,"
CROWN = "D2740,Green crown,Restorative,tooth,,"


@pytest.fixture
def file(tmp_path):
    """`file("header", "line", …)`: the path of a CSV file with these lines."""

    def write(*lines, encoding="utf-8"):
        path = tmp_path / "list.csv"
        path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
        return path

    return write


@pytest.fixture
def take(cast):
    """`take(path)`: import the edition into the cast's clinic, which has the starter list; what the command said."""
    catalogue.load_starter(cast.system)

    def run(path, *arguments, edition="CDT 2027"):
        out = io.StringIO()
        call_command(
            "import_cdt", str(path), "--clinic", cast.clinic.name, "--edition", edition, *arguments, stdout=out,
            stderr=io.StringIO())  # fmt: skip
        return out.getvalue()

    return run


@pytest.fixture
def code(cast):
    """`code("D2740")`: that code of the cast's clinic."""
    return lambda name: ProcedureCode.objects.get(clinic=cast.clinic, code=name)


def report(path):
    with open(f"{path}.report.csv", encoding="utf-8-sig", newline="") as lines:
        return [tuple(row) for row in csv.reader(lines)][1:]


def of(cast):
    return ProcedureCode.objects.filter(clinic=cast.clinic)


def everything(cast):
    return list(of(cast).order_by("code").values()), ProcedureCode.history.count()


# What the list does


def test_the_words_are_the_lists_and_fee_and_minutes_stay_the_practices(take, file, code, cast):
    code("D2740").change(by=cast.manager, fee="1500.00", minutes=75)
    take(file(HEAD, CHECK, CROWN))
    crown = code("D2740")
    assert (crown.description, crown.edition, crown.fee, crown.minutes) == ("Green crown", "CDT 2027", Decimal("1500.00"), 75)
    row = crown.history.order_by("-version").first()
    assert (row.history_change_reason, row.history_via, row.edition) == ("Imported from list.csv", "command", "CDT 2027")


def test_fee_and_minutes_are_taken_where_the_file_names_them(take, file, code):
    take(file(HEAD, 'D2740,Green crown,Restorative,tooth,"1,234.50",80 min'))
    assert (code("D2740").fee, code("D2740").minutes) == (Decimal("1234.50"), 80)


def test_starter_codes_that_the_list_lacks_go_out_of_use_and_stay_readable(take, file, code, cast):
    own = ProcedureCode(
        code="SPORT", description="Mouth guard", category="adjunctive", treatment_area="arch", minutes=30, fee=90
    ).record(by=cast.manager)
    said = take(file(HEAD, CHECK, CROWN))
    gone = code("D1110")
    assert f"{len(list(catalogue.rows())) - 2} codes that the list lacks go out of use" in said
    assert (gone.is_active, gone.effective_to) == (False, cast.clinic.today() - timedelta(days=1))
    assert str(gone) == "D1110 Cleaning, adult"
    assert gone.history.order_by("-version").first().history_change_reason == "Imported from list.csv, which lacks it"
    assert code(own.code).is_active


def test_an_edition_that_begins_later_leaves_todays_codes_until_then(take, file, code, cast):
    begins = cast.clinic.today() + timedelta(days=30)
    take(file(HEAD, CHECK, "D9998,Violet thing,Adjunctive,none,,"), "--from", f"{begins}")
    today, then = of(cast).current(cast.clinic.today()), of(cast).current(begins)
    assert {row.code for row in today} >= {"D0120", "D1110"}
    assert "D9998" not in {row.code for row in today}
    assert {row.code for row in then} == {"D0120", "D9998"}
    assert (code("D0120").effective_from, code("D9998").effective_from) == (None, begins)


def test_the_next_edition_ends_what_it_lacks_and_brings_back_what_it_names(take, file, code, cast):
    today = cast.clinic.today()
    take(file(HEAD, CHECK))
    take(file(HEAD, CROWN), "--from", f"{today}", edition="CDT 2028")
    assert (code("D0120").is_active, code("D0120").edition) == (False, "CDT 2027")
    assert (code("D2740").is_active, code("D2740").effective_to) == (True, None)
    assert [row.code for row in of(cast).current(today)] == ["D2740"]


def test_what_the_practice_put_out_of_use_stays_out_of_use(take, file, code, cast):
    code("D2740").change(by=cast.manager, is_active=False)
    take(file(HEAD, CHECK, CROWN))
    assert (code("D2740").is_active, code("D2740").description) == (False, "Green crown")


def test_a_second_run_changes_nothing(take, file, cast):
    path = file(HEAD, CHECK, CROWN, "D9998,Violet thing,Adjunctive,none,12.5,")
    dates = "--from", "2026-01-01", "--to", "2099-12-31"
    take(path, *dates)
    before = everything(cast)
    assert "0 codes added, 3 were there already, 0 lines rejected" in take(path, *dates)
    assert everything(cast) == before
    assert {row[2] for row in report(path)} == {"unchanged"}


def test_dates_that_were_given_wrong_are_mended_by_the_next_run(take, file, code):
    path = file(HEAD, "D9998,Violet thing,Adjunctive,none,,")
    take(path, "--from", "2026-02-01", "--to", "2099-01-31")
    take(path, "--from", "2026-01-01", "--to", "2099-12-31")
    assert (code("D9998").effective_from, code("D9998").effective_to) == (date(2026, 1, 1), date(2099, 12, 31))


def test_a_dry_run_tells_everything_and_keeps_nothing(take, file, cast):
    before = everything(cast)
    path = file(HEAD, CHECK, "D9998,Violet thing,Adjunctive,none,,")
    said = take(path, "--dry-run")
    assert "1 codes would be added, 1 were there already" in said
    assert "go out of use" in said
    assert everything(cast) == before
    assert report(path)[:2] == [
        ("2", "D0120", "changed", "edition: none, now CDT 2027; description: Check-up of a known patient, now Blue check"),
        ("3", "D9998", "new", "")]  # fmt: skip
    assert ("", "D1110", "out of use", f"effective until {cast.clinic.today() - timedelta(days=1)}") in report(path)


def test_the_notice_of_the_owner_is_printed(take, file):
    assert "belong to the American Dental Association" in take(file(HEAD, CHECK))


def test_another_clinic_keeps_its_list(take, file, cast):
    catalogue.load_starter(cast.outsider.system)
    take(file(HEAD, CHECK))
    assert not of(cast.outsider).exclude(edition="", is_active=True).exists()


# What is refused


def test_bad_lines_are_told_and_the_others_taken_and_nothing_is_ended(take, file, code):
    path = file(
        HEAD, "X1,Words,Diagnostic,mouth,,", ",Words,Diagnostic,mouth,,", "D0140,,Diagnostic,mouth,,", CHECK,
        "D0150,Words,Astrology,mouth,,", "D0160,Words,Diagnostic,moon,,", "D0170,Words,Diagnostic,mouth,1.234,",
        "D0180,Words,Diagnostic,mouth,,2", "D9998,Words,,,,", "d0120,Words,Diagnostic,mouth,,")  # fmt: skip
    said = take(path)
    assert "0 codes added, 1 were there already, 9 lines rejected" in said
    assert "stay in use, because lines were rejected" in said
    assert code("D1110").is_active
    assert code("D0120").description == "Blue check"
    told = {int(line): what for line, _, outcome, what in report(path) if outcome == "rejected"}
    assert told == {
        2: "code: 'X1' is not a code like D0120.", 3: "code: This is missing.", 4: "description: This is missing.",
        6: told[6], 7: told[7], 8: "fee: '1.234' is not an amount. Write it like 1234.50.",
        9: "minutes: Ensure this value is greater than or equal to 5.",
        10: "treatment_area: This is missing, and the code is new here.", 11: "code: The same code as in line 5."}  # fmt: skip
    assert told[6].startswith("category: 'astrology' is not one of: diagnostic, ")
    assert told[7].startswith("treatment_area: 'moon' is not one of: surface, ")


def test_a_code_that_ends_before_it_begins_is_refused_as_line_and_as_option(take, file):
    path = file(f"{HEAD},from,to", f"{CHECK},2027-02-01,2027-01-01")
    assert "1 lines rejected" in take(path)
    assert report(path)[0][3] == "The code ends before it begins."
    with pytest.raises(CommandError, match="--to lies before --from"):
        take(file(HEAD, CHECK), "--from", "2027-01-01", "--to", "2026-12-31")
    with pytest.raises(CommandError, match="Write it like 2027-01-01"):
        take(file(HEAD, CHECK), "--from", "next year")


def test_a_column_that_is_not_known_is_named_before_anything_is_written(take, file, cast):
    before = everything(cast)
    with pytest.raises(CommandError, match="Not known: shoe_size"):
        take(file(f"{HEAD},Shoe size", f"{CHECK},44"))
    assert everything(cast) == before


# How it is read


@pytest.mark.parametrize("head", ["CDT Code;Nomenclature;Area", "procedure-code;TEXT;treatment_area", "Code;Description;Area"])
def test_columns_are_known_by_their_usual_names(take, file, code, head):
    take(file(head, "0120;Blüe check;full mouth", encoding="utf-8-sig"))
    assert (code("D0120").description, code("D0120").treatment_area) == ("Blüe check", "mouth")


@pytest.mark.parametrize(
    ("said", "category"),
    [("Periodontics", "periodontics"), ("gums", "periodontics"), ("Prosthodontics, removable", "prosthodontics"),
     ("Oral & Maxillofacial Surgery", "surgery"), ("ADJUNCTIVE GENERAL SERVICES", "adjunctive"), ("", "surgery")])  # fmt: skip
def test_a_category_is_ours_or_the_usual_name_or_follows_from_the_number(take, file, code, said, category):
    take(file(HEAD, f'D7998,Violet thing,"{said}",quad,,'))
    assert (code("D7998").category, code("D7998").treatment_area) == (category, "quadrant")


def test_without_an_edition_the_year_names_it(cast, file, code):
    call_command(
        "import_cdt", str(file(HEAD, CHECK)), "--clinic", cast.clinic.name, "--from", "2031-01-01", stdout=io.StringIO(),
        stderr=io.StringIO())  # fmt: skip
    assert code("D0120").edition == "CDT 2031"


@pytest.mark.parametrize(("text", "amount"), [
    ("1234.5", "1234.50"), ("1,234.50", "1234.50"), ("1.234,50", "1234.50"), ("1234,50", "1234.50"), ("$ 62", "62"),
    ("62 EUR", "62"), ("1,234", "1234"), ("1,234,567.89", "1234567.89"), ("0", "0")])  # fmt: skip
def test_an_amount_is_read_in_the_common_forms(text, amount):
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["1.234", "12,34.5", "-5", "5.123", "free", "1e3", ""])
def test_what_could_be_two_amounts_or_none_is_refused(text):
    with pytest.raises(Wrong):
        read_amount(text)


@pytest.mark.wide
def test_a_list_of_eight_hundred_codes_is_taken(take, file, cast):
    lines = [f"D{number:04},Made up {number},,tooth,{number}.00,30" for number in range(100, 900)]
    assert "lines rejected" in take(file(HEAD, *lines))
    assert of(cast).current(cast.clinic.today()).filter(edition="CDT 2027").count() == 800
