"""Visits of another system: those to come are booked through the verbs, those that are over are written down, nobody is told."""

import csv
import io
import random
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from clinic.db.refusals import constraint_name
from clinic.models import Mail, Notification, Patient
from scheduling.imports import intake
from scheduling.models import Appointment, FreedSlot, ProviderTime, Reminder, VisitStep, WaitlistEntry
from scheduling.starter import open_schedule
from tests.clinic.test_import_patients import rejected

SAMPLES = Path(__file__).resolve().parents[2] / "docs" / "samples"
HEAD = "chart_number,start,minutes,type,provider,operatory,status,reason,note,external_id"
Status = Appointment.Status


@pytest.fixture
def take(cast):
    """`take(path)`: import into the cast's clinic; what the command said."""

    def run(path, *arguments, command="import_appointments"):
        out = io.StringIO()
        call_command(command, str(path), "--clinic", cast.clinic.name, *arguments, stdout=out, stderr=io.StringIO())
        return out.getvalue()

    return run


@pytest.fixture
def file(tmp_path):
    """`file("header", "line", …)`: the path of a CSV file with these lines."""

    def write(*lines):
        path = tmp_path / "visits.csv"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


@pytest.fixture
def visit(cast):
    """`visit(start, …)`: a line of a file for HEAD: an exam of Ada's with Dr. Drill."""

    def line(start="2027-03-01 9:00", **more):
        cells = {
            "chart_number": cast.ada.chart_number, "start": start, "minutes": "", "type": "Exam", "provider": "Dr. Drill",
            "operatory": "Operatory 1", "status": "", "reason": "", "note": "", "external_id": "", **more}  # fmt: skip
        return ",".join(cells[name] for name in HEAD.split(","))

    return line


def visits(cast, **lookup):
    return Appointment.objects.filter(clinic=cast.clinic, **lookup)


# What a good line becomes


def test_the_sample_is_taken_whole_after_the_patients_and_a_second_run_changes_nothing(take, cast):
    open_schedule(
        by=cast.system, operatories=2, dentists=["Dr. Maya Lind"], hygienists=["Nora Beck"],
        spans=[(time(8), time(17))])  # fmt: skip
    take(SAMPLES / "patients.csv", command="import_patients")
    assert "7 visits added, 0 were there already, 0 lines rejected" in take(SAMPLES / "appointments.csv")
    assert {row.external_id: str(row.status) for row in visits(cast)} == {
        "V-1": "checked_out", "V-2": "checked_out", "V-3": "no_show", "V-4": "cancelled", "V-5": "confirmed", "V-6": "scheduled",
        "V-7": "scheduled"}  # fmt: skip
    assert visits(cast, external_id="V-2").get().note == "Sensitive, upper left"
    assert visits(cast, external_id="V-3").get().starts_at.astimezone(cast.clinic.zone).hour == 15
    assert visits(cast, external_id="V-6").get().minutes == 90

    before = list(visits(cast).order_by("pk").values()), Appointment.history.count(), VisitStep.objects.count()
    assert "0 visits added, 7 were there already, 0 lines rejected" in take(SAMPLES / "appointments.csv")
    assert (list(visits(cast).order_by("pk").values()), Appointment.history.count(), VisitStep.objects.count()) == before
    assert not (SAMPLES / "appointments.csv.rejected.csv").exists()


def test_a_visit_to_come_has_the_shape_of_a_booked_one(take, cast, file, visit, book):
    booked = book("2027-03-02 9:00", note="Nervous")
    take(file(HEAD, visit("2027-03-03 9:00", note="Nervous")))
    imported = visits(cast).exclude(pk=booked.pk).get()

    own = {"id", "starts_at", "ends_at", "chair_starts_at", "chair_ends_at", "status_at", "created_at", "updated_at"}
    for field in Appointment._meta.concrete_fields:
        if field.name not in own:
            assert getattr(booked, field.attname) == getattr(imported, field.attname), field.name
    assert imported.provider_time.get().provider == cast.drill
    assert [step.status for step in imported.steps.all()] == [Status.SCHEDULED]
    past = imported.history.get()
    assert (past.history_change_reason, past.history_via) == ("Imported from visits.csv", "command")


def test_a_confirmed_visit_is_booked_and_then_confirmed(take, cast, file, visit):
    take(file(HEAD, visit(status="confirmed")))
    assert [step.status for step in visits(cast).get().steps.order_by("id")] == [Status.SCHEDULED, Status.CONFIRMED]


@pytest.mark.parametrize(
    ("said", "status", "holds"),
    [("completed", "checked_out", True), ("cancelled", "cancelled", False), ("No Show", "no_show", False)],
)
def test_a_past_visit_stands_at_its_end_with_one_step_of_that_day(take, cast, file, visit, said, status, holds):
    take(file(HEAD, visit("2025-03-03 9:00", status=said)))
    row = visits(cast).get()
    assert (row.status, row.cancel_reason) == (status, "Not said in the earlier system" if said == "cancelled" else "")
    assert [(step.status, step.at, step.via) for step in row.steps.all()] == [(status, row.status_at, "command")]
    assert row.status_at == (row.ends_at if holds else row.starts_at)
    assert row.provider_time.exists() is holds
    past = row.history.get()
    assert (past.history_type, past.history_change_reason) == ("+", "Imported from visits.csv")
    assert past.history_date > timezone.now() - timedelta(minutes=1)


def test_what_was_imported_as_over_is_taken_back_step_by_step_like_any_other(take, cast, file, visit):
    take(file(HEAD, visit("2025-03-03 9:00", status="completed")))
    row = visits(cast).get()
    for status in (Status.COMPLETED, Status.SEATED, Status.CHECKED_IN, Status.SCHEDULED):
        assert row.step_back(by=cast.manager).status == status


def test_past_and_cancelled_visits_tell_nobody_and_free_nothing(take, cast, file, visit):
    WaitlistEntry.add(by=cast.desk, patient=cast.grace, appointment_type=cast.exam)
    tomorrow = f"{cast.clinic.today() + timedelta(days=1)} 9:00"
    take(file(HEAD, visit("2025-03-03 9:00", status="completed"), visit(tomorrow, status="cancelled"),
              visit("2025-03-04 9:00", status="no_show"), visit("2025-03-05 9:00", status="cancelled", reason="Ill")))  # fmt: skip
    Reminder.write_due(timezone.now().replace(hour=16))
    assert visits(cast).count() == 4
    for model in (FreedSlot, Reminder, Notification, Mail):
        assert not model.objects.exists(), model


def test_past_visits_that_overlapped_are_both_kept_and_told(take, cast, file, visit):
    grace = cast.grace.chart_number
    said = take(file(
        HEAD, visit("2025-03-03 9:00", status="completed"),
        visit("2025-03-03 9:15", status="completed", chart_number=grace)))  # fmt: skip
    assert "2 visits added" in said
    assert "1 past visits overlapped in chair or provider; they stand as double bookings." in said
    second = visits(cast, patient=cast.grace).get()
    assert (second.shared_chair, second.shared_provider) == (True, True)
    assert second.history.get().history_change_reason == "Imported from visits.csv, where it was double booked"


def test_visits_outside_working_hours_are_booked_and_counted(take, cast, file, visit):
    said = take(file(HEAD, visit("2027-03-01 6:00"), visit("2027-03-01 9:00")))
    assert "2 visits added" in said
    assert "1 visits to come lie outside their provider's working hours." in said


# Whose, when, how long


def test_the_patient_is_found_by_chart_number_number_elsewhere_or_name(take, cast, file):
    cast.grace.change(by=cast.desk, external_id="E-9")
    head = "chart_number,patient_external_id,first_name,last_name,date_of_birth,start,type,provider,operatory"
    rest = "Exam,Dr. Drill,Operatory 1"
    take(file(
        head, f"#{cast.ada.chart_number},,,,,2027-03-01 9:00,{rest}", f",E-9,,,,2027-03-01 10:00,{rest}",
        f",,áda,LOVELACE,12/10/85,2027-03-01 11:00,{rest}"))  # fmt: skip
    assert [row.patient.first_name for row in visits(cast).order_by("starts_at")] == ["Ada", "Grace", "Ada"]


def test_visits_of_one_who_was_merged_belong_to_the_person_and_are_known_again(take, cast, file, visit):
    cast.grace.merge_into(cast.ada, by=cast.manager, because="The same")
    path = file(HEAD, visit(chart_number=cast.grace.chart_number))
    take(path)
    assert visits(cast).get().patient == cast.ada
    assert "0 visits added, 1 were there already" in take(file(HEAD, visit()))


def test_two_patients_of_one_name_are_told_apart_by_chart_number_only(take, cast, file):
    Patient.register(by=cast.desk, first_name="Ada", last_name="Lovelace", date_of_birth=cast.ada.date_of_birth)
    path = file("first_name,last_name,date_of_birth,start,type,provider,operatory",
                "Ada,Lovelace,1985-12-10,2027-03-01 9:00,Exam,Dr. Drill,Operatory 1")  # fmt: skip
    take(path)
    assert rejected(path) == [("2", "last_name", "2 patients have this name and date of birth. Give the chart number.")]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2027-03-01 9:00", datetime(2027, 3, 1, 14, tzinfo=UTC)),
        ("2027-03-01T09:00:00", datetime(2027, 3, 1, 14, tzinfo=UTC)),
        ("3/1/2027 2:30 PM", datetime(2027, 3, 1, 19, 30, tzinfo=UTC)),
        ("3/1/27 12:15 am", datetime(2027, 3, 1, 5, 15, tzinfo=UTC)),
        ("01.03.2027 09:00", datetime(2027, 3, 1, 14, tzinfo=UTC)),
        ("1 March 2027 09:00", datetime(2027, 3, 1, 14, tzinfo=UTC)),
        ("2027-03-01T09:00:00Z", datetime(2027, 3, 1, 9, tzinfo=UTC)),
        ("2027-03-01 09:00+01:00", datetime(2027, 3, 1, 8, tzinfo=UTC)),
        ("2027-03-14 2:30", datetime(2027, 3, 14, 7, 30, tzinfo=UTC)),  # in the gap of spring: an hour later
        ("2027-11-07 1:30", datetime(2027, 11, 7, 5, 30, tzinfo=UTC)),  # comes twice: the first
    ],
)
def test_times_are_read_by_the_clock_of_the_practice(take, cast, file, visit, start, expected):
    take(file(HEAD, visit(start)))
    assert visits(cast).get().starts_at == expected


@pytest.mark.parametrize(("minutes", "end", "expected"), [("", "", 30), ("45", "", 45), ("", "10:10", 70), ("45", "10:10", 45)])
def test_the_length_is_said_or_follows_from_the_end_or_the_type(take, cast, file, minutes, end, expected):
    take(file("chart_number,date,time,end,minutes,type,provider,operatory",
              f"{cast.ada.chart_number},3/1/2027,9:00,{end},{minutes},exam,dr. dana drill,operatory 1"))  # fmt: skip
    assert visits(cast).get().minutes == expected


# What is refused


def test_an_overlap_is_told_line_by_line_with_the_other_visit_s_time(take, cast, file, visit, book):
    book("2027-03-01 9:00")
    path = file(HEAD, visit("2027-03-01 9:15", chart_number=cast.grace.chart_number), visit("2027-03-01 10:00"))
    assert "1 visits added, 0 were there already, 1 lines rejected" in take(path)
    assert rejected(path) == [("2", "", "Operatory 1 is taken 9:00-9:30. Dr. Dana Drill is taken 9:00-9:30.")]


def test_two_lines_that_overlap_are_told_in_a_dry_run_too(take, cast, file, visit):
    path = file(HEAD, visit("2027-03-01 9:00"), visit("2027-03-01 9:15", chart_number=cast.grace.chart_number))
    assert "1 visits would be added, 0 were there already, 1 lines rejected" in take(path, "--dry-run")
    assert rejected(path)[0][0] == "3"
    assert not visits(cast).exists()
    assert not ProviderTime.objects.exists()


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"chart_number": "99999"}, "chart_number", "There is no patient '99999'. Import the patients first."),
        ({"chart_number": ""}, "first_name", "it can't be told whose visit it is"),
        ({"start": "tomorrow"}, "start", "is not a day and a time"),
        ({"start": "2027-03-01 25:00"}, "start", "is not a time"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "start", "is not the time of a visit"),
        ({"start": "9999-12-31 23:59"}, "start", "is not the time of a visit"),
        ({"start": "1985-01-01 9:00", "status": "completed"}, "", "before 1990"),
        ({"start": "2099-01-01 9:00"}, "", "five years ahead"),
        ({"minutes": "999"}, "minutes", "between 5 and 720"),
        ({"minutes": "٣٠"}, "minutes", "between 5 and 720"),
        ({"type": "Exxam"}, "type", "There is no appointment type 'Exxam'. The nearest is 'Exam'."),
        ({"provider": "Dr. Dril"}, "provider", "The nearest is 'Dr. Dana Drill'."),
        ({"operatory": "Cellar"}, "operatory", "There is no operatory 'Cellar'."),
        ({"operatory": ""}, "operatory", "is missing"),
        ({"provider": "Holly"}, "provider", "Exam is done by: dentist."),
        ({"status": "maybe"}, "status", "is not one of"),
        ({"status": "completed"}, "status", "is yet to come"),
        ({"status": "no-show"}, "status", "is yet to come"),
        ({"start": "2025-03-03 9:00"}, "status", "is over. Say whether"),
        ({"start": "2025-03-03 9:00", "status": "confirmed"}, "status", "is over. Say whether"),
        ({"status": "cancelled", "reason": "x" * 201}, "reason", "at most 200"),
        ({"external_id": "x" * 61}, "external_id", "at most 60"),
        ({"note": "x" * 4001}, "note", "at most 4,000"),
    ],
)
def test_a_line_that_does_not_fit_is_told_by_column_and_the_next_one_is_taken(
    take, cast, file, visit, cells, column, reason
):
    path = file(HEAD, visit(**cells), visit("2027-03-09 9:00"))
    assert "1 visits added, 0 were there already, 1 lines rejected" in take(path)
    ((line, where, why),) = rejected(path)
    assert (line, where) == ("2", column)
    assert reason in why


def test_who_has_died_is_not_booked_but_was_there(take, cast, file, visit):
    cast.ada.change(by=cast.desk, status="deceased")
    path = file(HEAD, visit("2027-03-01 9:00"), visit("2025-03-03 9:00", status="completed"))
    take(path)
    assert [(line, why) for line, _, why in rejected(path)] == [("2", "Ada Lovelace is marked as deceased.")]
    assert visits(cast).get().status == Status.CHECKED_OUT


def test_rooms_and_people_that_are_no_longer_there_stand_in_the_past_alone(take, cast, file, visit):
    cast.operatories[0].change(by=cast.manager, is_active=False)
    path = file(HEAD, visit("2027-03-01 9:00"), visit("2025-03-03 9:00", status="completed"))
    assert "1 visits added" in take(path)
    assert rejected(path) == [("2", "operatory", "Operatory 1 is no longer in use.")]


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ("chart_number,type,provider,operatory", "Missing: start, or date and time"),
        ("chart_number,date,type,provider,operatory", "Missing: start, or date and time"),
        ("first_name,last_name,start,type,provider,operatory", "Missing: chart_number, or patient_external_id"),
        ("chart_number,start,type,provider", "Missing: operatory"),
        (f"{HEAD},mood", "Not known: mood"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_by_name(take, file, head, sentence):
    with pytest.raises(CommandError, match=sentence):
        take(file(head, "x"))


# What is the same visit


def test_the_number_elsewhere_names_the_same_visit_though_it_was_moved(take, cast, file, visit, at):
    take(file(HEAD, visit(external_id="V-1")))
    visits(cast).get().reschedule(by=cast.desk, starts_at=at("2027-03-02 9:00"))
    assert "0 visits added, 1 were there already" in take(file(HEAD, visit(external_id="V-1")))


def test_without_a_number_patient_and_start_name_the_same_visit(take, cast, file, visit):
    path = file(HEAD, visit(), visit("2027-03-01 09:00:30"), visit("2027-03-02 9:00"))
    assert "2 visits added" in take(path)
    assert rejected(path) == [("3", "start", "The same patient and start as in line 2.")]
    assert "0 visits added, 2 were there already" in take(path)


def test_the_number_elsewhere_is_once_a_clinic(take, cast, file, visit, book):
    take(file(HEAD, visit(external_id="V-1")))
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        book("2027-04-01 9:00", external_id="V-1")
    said = constraint_name(caught.value)
    assert said == "scheduling_appointment_external_once" or (connection.vendor == "sqlite" and "external_id" in said)


# How it is written


def test_a_batch_that_the_database_gives_up_is_taken_line_by_line(take, cast, file, visit, monkeypatch):
    whole = intake.VisitIntake._take
    seen = []

    def breaks_once(self, row, patient):
        seen.append(row.line)
        if len(seen) == 2:
            raise OperationalError("deadlock detected")
        return whole(self, row, patient)

    monkeypatch.setattr(intake.VisitIntake, "_take", breaks_once)
    assert "3 visits added" in take(file(HEAD, visit(), visit("2027-03-02 9:00"), visit("2027-03-03 9:00")))
    assert seen == [2, 3, 2, 3, 4]
    assert visits(cast).count() == 3


def big_file(path, cast, count, *, ahead):
    """Visits of a hundred patients in three chairs: nine in ten are over, some overlapping, the others to come."""
    draw = random.Random(7)
    patients = [
        Patient.register(by=cast.system, first_name=f"G{number}", last_name="Big", date_of_birth=date(1980, 1, 1))
        for number in range(100)]  # fmt: skip
    with open(path, "w", newline="") as file:
        write = csv.writer(file).writerow
        write(["external_id", "chart_number", "start", "minutes", "type", "provider", "operatory", "status"])
        for number in range(count):
            chair, slot = number % 2, number // 2
            over = number < count - ahead
            first, slot = (date(2016, 1, 4), slot) if over else (date(2027, 1, 4), slot - (count - ahead) // 2)
            day = first + timedelta(days=slot // 16)
            at = f"{day} {8 + slot % 16 // 2}:{'30' if slot % 2 else '00'}"
            write([f"V{number}", patients[number % 100].chart_number, at, 40 if over and draw.random() < 0.02 else 30, "Exam",
                   ("Dr. Drill", "Dr. Bridge")[chair], f"Operatory {chair + 1}", "completed" if over else "scheduled"])


@pytest.mark.wide
def test_a_thousand_lines_are_taken_and_a_second_run_changes_nothing(take, cast, tmp_path):
    path = tmp_path / "big.csv"
    big_file(path, cast, 1000, ahead=100)
    assert "1,000 visits added, 0 were there already, 0 lines rejected" in take(path)
    assert visits(cast, status=Status.SCHEDULED).count() == 100
    assert "0 visits added, 1,000 were there already, 0 lines rejected" in take(path)
    assert visits(cast).count() == 1000
