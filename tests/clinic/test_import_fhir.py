"""Patients of another system that exports FHIR R4 are taken over like those of a CSV file."""

import io
import json
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clinic.imports import fhir_file
from clinic.models import AccessEvent, Patient
from tests.clinic.test_import_patients import of, rejected

pytestmark = pytest.mark.wide

SAMPLES = Path(__file__).resolve().parents[2] / "docs" / "samples"


@pytest.fixture
def take(cast):
    """`take(path)`: import into the cast's clinic; what the command said."""

    def run(path, *arguments):
        out = io.StringIO()
        call_command(
            "import_patients", str(path), "--clinic", cast.clinic.name, *arguments, stdout=out, stderr=io.StringIO()
        )
        return out.getvalue()

    return run


@pytest.fixture
def bundle(tmp_path):
    """`bundle(resource, …)`: the path of a Bundle with these resources."""

    def write(*resources, mark=False, **more):
        path = tmp_path / "patients.json"
        entries = [{"resource": one} for one in resources]
        text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries, **more}, indent=1)
        path.write_text(text, encoding="utf-8-sig" if mark else "utf-8")
        return path

    return write


@pytest.fixture
def lines(tmp_path):
    """`lines(text, …)`: the path of an NDJSON file with these lines."""

    def write(*texts, name="patients.ndjson"):
        path = tmp_path / name
        path.write_bytes(b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in texts))
        return path

    return write


def patient(**more):
    """A Patient resource; what is said otherwise replaces, None leaves out."""
    whole = {
        "resourceType": "Patient", "id": "p1", "name": [{"family": "Import", "given": ["Ida"]}], "birthDate": "1980-05-06",
        **more}  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def imported(cast, **lookup):
    return of(cast, **(lookup or {"last_name": "Import"})).get()


# The samples


def test_the_sample_bundle_is_taken_whole(take, cast):
    said = take(SAMPLES / "patients.fhir.json")
    assert "3 patients added, 0 were there already, 0 entries rejected" in said
    assert "Not patients, and left out: Practitioner 1." in said

    ines, leo, otto = (of(cast, external_id=number).get() for number in ("F-2001", "F-2002", "5f1f"))
    assert (ines.first_name, ines.last_name, ines.preferred_name) == ("Inés Aurora", "Ferreira", "Inda")
    assert (str(ines.phone), str(ines.phone_work), ines.phone_home) == ("+1 914-555-0161", "+1 914-555-0162", "")
    assert (ines.email, ines.line2, ines.region, ines.language) == ("ines@mail.example", "Apt 4", "NY", "es")
    assert (ines.emergency_name, ines.emergency_relationship) == ("Rui Ferreira", "Partner")
    assert (leo.guarantor_name, leo.guarantor_relationship, leo.account.name) == (
        "Inés Ferreira", "Mother", "Inés Ferreira")  # fmt: skip
    assert (otto.status, otto.country, otto.date_of_birth) == ("deceased", "US", date(1939, 1, 22))


def test_the_sample_of_a_bulk_export_is_taken_whole(take, cast):
    assert "3 patients added, 0 were there already, 0 lines rejected" in take(SAMPLES / "patients.ndjson")
    assert {row.external_id: row.status for row in of(cast, external_id__gt="")} == {
        "F-3001": "active", "F-3002": "inactive", "7a03": "active"}  # fmt: skip


@pytest.mark.parametrize("name", ["patients.csv", "patients.fhir.json", "patients.ndjson"])
def test_each_sample_is_taken_without_a_problem_and_a_second_run_changes_nothing(take, cast, name):
    assert " 0 were there already, 0 " in take(SAMPLES / name)
    before = list(of(cast).order_by("pk").values()), Patient.history.count()
    assert "\n0 patients added" in take(SAMPLES / name)
    assert (list(of(cast).order_by("pk").values()), Patient.history.count()) == before
    assert not (SAMPLES / f"{name}.rejected.csv").exists()


def test_what_came_by_csv_is_known_again_in_fhir(take, cast, bundle, tmp_path):
    csv = tmp_path / "patients.csv"
    csv.write_text("external_id,first_name,last_name,date_of_birth\np1,Ida,Import,1980-05-06\n")
    take(csv)
    assert "0 patients added, 1 were there already" in take(bundle(patient()))


# Which form it has


@pytest.mark.parametrize("mark", [True, False])
def test_a_bundle_with_or_without_a_mark_is_known_by_its_content(take, cast, bundle, mark):
    path = bundle(patient(name=[{"family": "Großmann", "given": ["Jörg"]}]), mark=mark)
    path = path.rename(path.with_suffix(".export"))
    assert "1 patients added" in take(path)
    assert imported(cast, last_name="Großmann").first_name == "Jörg"


@pytest.mark.parametrize("indent", [None, 1])
def test_a_single_patient_is_a_file_too(take, cast, tmp_path, indent):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(patient(), indent=indent))
    assert "1 patients added" in take(path)


def test_lines_are_known_as_lines_whatever_the_name(take, cast, lines):
    two = patient(id="p2", birthDate="1990-01-01")
    assert "2 patients added" in take(lines(json.dumps(patient()), "", json.dumps(two), name="export.json"))


def test_a_page_of_a_longer_list_is_told(take, cast, bundle):
    path = bundle(patient(), link=[{"relation": "next", "url": "https://earlier.example/next"}])
    assert "one page of a longer list" in take(path)


def test_csv_stays_csv_and_takes_no_identifier_system(take, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("first_name,last_name,date_of_birth\nIda,Import,1980-05-06\n")
    with pytest.raises(CommandError, match="is for FHIR"):
        take(path, "--identifier-system", "https://earlier.example")


# What each element becomes


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([{"use": "usual", "family": "A", "given": ["Jim"]}, {"use": "official", "family": "B", "given": ["James", "T"]}],
         ("James T", "B", "Jim")),
        ([{"family": "A", "given": ["Ann"]}, {"use": "nickname", "text": "Annie"}], ("Ann", "A", "Annie")),
        ([{"use": "official", "family": "A", "given": ["Ann"], "period": {"end": "2020"}}, {"family": "B", "given": ["Ann"]}],
         ("Ann", "B", "")),
        ([{"use": "maiden", "family": "A", "given": ["Ann"]}, {"use": "usual", "family": "B", "given": ["Ann"]}],
         ("Ann", "B", "")),
        ([{"use": "official", "family": "A", "given": ["Ann"], "period": {"end": "2999-01-01"}}], ("Ann", "A", "")),
        ([{"use": "official", "family": "New", "given": ["Ann"], "period": {"start": "2999-01"}},
          {"use": "usual", "family": "Now", "given": ["Ann"]}], ("Ann", "Now", "")),
        ([{"family": "A", "given": [None, " Ann  Lee "], "_given": [{"id": "x"}]}], ("Ann Lee", "A", "")),
    ],
)  # fmt: skip
def test_of_several_names_the_current_one_counts(take, cast, bundle, names, expected):
    take(bundle(patient(name=names)))
    row = imported(cast, external_id="p1")
    assert (row.first_name, row.last_name, row.preferred_name) == expected


def test_numbers_go_by_use_and_rank(take, cast, bundle):
    phone = {"system": "phone"}
    take(bundle(patient(telecom=[
        {**phone, "value": "914-555-0104"}, {**phone, "use": "mobile", "value": "914-555-0102", "rank": 2},
        {**phone, "use": "mobile", "value": "914-555-0101", "rank": 1}, {**phone, "use": "old", "value": "12"},
        {**phone, "use": "home", "value": "914-555-0103", "period": {"end": "2001"}}, {"system": "fax", "value": "x"},
        {"system": "email", "value": "b@mail.example", "rank": 2}, {"system": "email", "value": "a@mail.example", "rank": 1},
        {"use": "home"},
    ])))  # fmt: skip
    row = imported(cast)
    assert (str(row.phone), str(row.phone_home), row.phone_work, row.email) == (
        "+1 914-555-0101", "+1 914-555-0104", "", "a@mail.example")  # fmt: skip


def test_the_home_address_comes_first_and_its_country_may_be_written_out(take, cast, bundle):
    take(bundle(patient(address=[
        {"use": "work", "line": ["1 Work"]}, {"use": "old", "line": ["2 Old"]},
        {"use": "home", "line": ["3 Home", "Floor 2", "Left"], "city": "Wien", "country": "Austria"},
    ])))  # fmt: skip
    row = imported(cast)
    assert (row.line1, row.line2, row.city, row.country) == ("3 Home", "Floor 2, Left", "Wien", "AT")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"active": False}, "inactive"),
        ({"active": True}, "active"),
        ({"deceasedBoolean": True, "active": False}, "deceased"),
        ({"deceasedBoolean": False}, "active"),
        ({"deceasedDateTime": "2024-05"}, "deceased"),
    ],
)
def test_who_died_or_left_is_marked_so(take, cast, bundle, said, status):
    take(bundle(patient(**said)))
    assert imported(cast).status == status


def number(value, code=None, **more):
    return {"value": value, **({"type": {"coding": [{"code": code}]}} if code else {}), **more}


@pytest.mark.parametrize(
    ("identifiers", "arguments", "expected"),
    [
        (None, [], "p1"),
        ([number("078-05-1120", "SS")], [], "p1"),
        ([number("X", "PPN"), number("M-2", "MR", system="b"), number("M-1", "MR", system="a")], [], "M-1"),
        ([number("M-1", "MR", use="old"), number("M-2", "MR")], [], "M-2"),
        ([number("M-1", "MR"), number("77", system="https://two")], ["--identifier-system", "https://two"], "77"),
        ([number("M-1", "MR")], ["--identifier-system", "https://two"], ""),
    ],
)
def test_the_number_elsewhere_is_the_record_number_or_the_one_that_is_asked_for(
    take, cast, bundle, identifiers, arguments, expected
):
    for order in (1, -1):
        path = bundle(patient(identifier=identifiers and identifiers[::order]))
        take(path, *arguments)
        assert imported(cast).external_id == expected


def test_languages_that_we_have_no_letters_in_are_told(take, cast, bundle):
    polish = [{"language": {"coding": [{"code": "pl"}]}}]
    said = take(bundle(patient(communication=polish)))
    assert "The language is none of en, de, es, fr, so letters go out in English (1 ×)." in said
    assert imported(cast).language == "en"


def contact(name, *codes, text="", **more):
    relationship = [{"coding": [{"code": code} for code in codes], **({"text": text} if text else {})}]
    return {"relationship": relationship, "name": {"text": name}, **more}


@pytest.mark.parametrize(
    ("contacts", "called", "payer"),
    [
        ([contact("Next", "N"), contact("First", "C")], "First", ""),
        ([contact("Boss", "E"), contact("Mum", "MTH")], "Mum", ""),
        ([contact("Payer", "GUAR"), contact("Mum", "MTH")], "Mum", "Payer"),
        ([contact("Both", "C", "BP")], "Both", "Both"),
        ([contact("Payer", "BP")], "", "Payer"),
        ([contact("Past", "C", period={"end": "2010"})], "", ""),
    ],
)
def test_whom_to_call_and_who_pays_follow_from_the_relationship(take, cast, bundle, contacts, called, payer):
    take(bundle(patient(contact=contacts)))
    row = imported(cast)
    assert (row.emergency_name, row.guarantor_name) == (called, payer)


# What is refused


@pytest.mark.parametrize(
    ("said", "path", "reason"),
    [
        ({"birthDate": "1980"}, "birthDate", "is not a whole date"),
        ({"birthDate": "1980-05"}, "birthDate", "is not a whole date"),
        ({"birthDate": "1980-02-30"}, "birthDate", "is not a date"),
        ({"birthDate": "2980-02-03"}, "birthDate", "lies in the future"),
        ({"birthDate": 1980}, "birthDate", "should be a text"),
        ({"birthDate": None}, "birthDate", "is missing"),
        ({"name": "Ida Import"}, "name", "should be a list"),
        ({"name": ["Ida"]}, "name[0]", "should be an object"),
        ({"name": [{"family": ["Import"], "given": ["Ida"]}]}, "name[0].family", "should be a text"),
        ({"name": [{"family": "Import", "given": "Ida"}]}, "name[0].given", "should be a list"),
        ({"name": [{"text": "Ida Import"}]}, "name[0].given", "is missing"),
        ({"name": [{"family": "Import"}]}, "name[0].given", "is missing"),
        ({"name": None}, "name", "no current name"),
        ({"name": [{"family": "I" * 81, "given": ["Ida"]}]}, "name.family", "at most 80"),
        ({"name": [{"family": "\ud800", "given": ["Ida"]}]}, "name[0].family", "can't be read"),
        ({"gender": "purple"}, "gender", "is not one of"),
        ({"active": "no"}, "active", "true or false"),
        ({"deceasedDateTime": "last year"}, "deceasedDateTime", "is not a date"),
        ({"telecom": {"system": "phone"}}, "telecom", "should be a list"),
        ({"telecom": [{"system": "phone", "value": "12"}]}, "telecom[0].value", "not a valid phone number"),
        ({"telecom": [{"system": "email", "value": "ida"}]}, "telecom", "valid email"),
        ({"telecom": [{"system": "phone", "value": "914-555-0101", "rank": True}]}, "telecom[0].rank", "whole number"),
        ({"telecom": [{"system": "phone", "value": "914-555-0101", "period": {"end": "soon"}}]}, "telecom[0].period.end", "date"),
        ({"address": [{"use": "home", "country": "Atlantis"}]}, "address[0].country", "two letters"),
        ({"identifier": [number("9" * 61, "MR")]}, "identifier", "at most 60"),
        ({"contact": [contact(["Ida"], "C")]}, "contact[0].name.text", "should be a text"),
        ({"communication": [{"language": "de"}]}, "communication[0].language", "should be an object"),
        ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/p9"}}]}, "link[0]", "replaced by Patient/p9"),
        ({"modifierExtension": [{"url": "x"}]}, "modifierExtension", "changes what this record means"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_told_by_entry_and_element_and_the_others_are_taken(
    take, cast, bundle, said, path, reason
):
    file = bundle(patient(id="good", name=[{"family": "Good", "given": ["Eve"]}]), patient(**said))
    assert "1 patients added, 0 were there already, 1 entries rejected" in take(file)
    ((entry, column, why),) = rejected(file)
    assert (entry, column) == ("2", path)
    assert reason in why


def test_all_that_is_wrong_with_an_entry_is_told_at_once(take, cast, bundle):
    file = bundle(patient(birthDate="1980", gender="x", telecom=[{"system": "phone", "value": "1"}]))
    take(file)
    assert [column for _, column, _ in rejected(file)] == ["birthDate", "gender", "telecom[0].value"]


def test_who_stands_twice_in_the_file_is_told_by_entry(take, cast, bundle):
    file = bundle(patient(), patient())
    take(file)
    assert rejected(file) == [("2", "external_id", "The same external_id as in entry 1.")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON, or breaks off"),
        ("[1]", "no FHIR resource"),
        ("7", "no FHIR resource"),
        ('{"resourceType": 7}', "no FHIR resource"),
        ('{"resourceType": "=cmd()"}', "no FHIR resource"),
        ('{"resourceType":"Patient","x":NaN}', "NaN is no number"),
        ('{"resourceType":"Patient","name":[{"family":"A","family":"B"}]}', "'family' stands twice"),
        ('{"resourceType":"Patient","x":' + "9" * 5000 + "}", "too long"),
        ('{"a":' + "[" * 100_000, "nested too deeply"),
        (b'{"resourceType":"Patient","id":"\xff"}', "not UTF-8"),
        ('{"resourceType":"Patient","photo":"' + "x" * fhir_file.MOST_LINE + '"}', "longer than 1 MB"),
    ],
    ids=range(11),
)
def test_a_line_that_is_no_resource_is_told_and_the_next_one_is_taken(take, cast, lines, line, reason):
    file = lines(json.dumps(patient()), line, json.dumps(patient(id="p2", birthDate="1990-01-01")))
    assert "2 patients added, 0 were there already, 1 lines rejected" in take(file)
    ((number, _, why),) = rejected(file)
    assert number == "2"
    assert reason in why


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "does not begin with a brace"),
        ("[]", "does not begin with a brace"),
        ("first_name,last_name", "does not begin with a brace"),
        ("{", "not JSON"),
        ('{"resourceType": "Bundle", "entry": {}}', "should be a list"),
        ('{"resourceType": "Bundle", "entry": [}', "not JSON"),
        ('{\n"a":' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"resourceType":\n"Patient", "x": Infinity}', "Infinity is no number"),
    ],
    ids=range(8),
)
def test_a_document_that_cannot_be_read_is_refused_with_a_sentence(take, cast, tmp_path, text, sentence):
    path, before = tmp_path / "patients.json", of(cast).count()
    path.write_text(text)
    with pytest.raises(CommandError, match=sentence):
        take(path)
    assert of(cast).count() == before


def test_a_document_that_is_too_much_at_once_is_refused_before_it_is_read(take, tmp_path):
    path = tmp_path / "patients.json"
    with path.open("wb") as file:
        file.write(b'{"resourceType": "Bundle", "entry": [')
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(CommandError, match="more than 20 MB"):
        take(path)


def test_what_is_no_text_at_all_in_a_bundle_costs_only_its_entry(take, cast, bundle):
    file = bundle(patient(), None, 7, "x", [], {"resourceType": "Patient"})
    assert "1 patients added, 0 were there already, 5 entries rejected" in take(file)


def test_an_import_is_no_look_and_writes_nothing_in_a_dry_run(take, cast, bundle):
    before = of(cast).count(), AccessEvent.objects.count()
    assert "1 patients would be added" in take(bundle(patient()), "--dry-run")
    assert (of(cast).count(), AccessEvent.objects.count()) == before
