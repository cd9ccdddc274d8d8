"""Families: times at which several can come, and all of them booked in one act or none."""

import re
from datetime import date, time, timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import AccessEvent, Patient, ProcedureCode, Provider
from scheduling import together
from scheduling.families import Family
from scheduling.models import Appointment, AppointmentType, AppointmentTypeCode, Block, HoursException, WorkingHours
from scheduling.models.reach import last_day
from scheduling.openings import Calendar
from scheduling.refusals import SomeTaken
from scheduling.together import Mode, Wish, matched, proposals
from tests.factories import PatientFactory

DAY = date(2026, 12, 1)


@pytest.fixture
def search(cast):
    """`search(Wish(…), …)`: [[(patient's first name, start, provider, operatory) by time] for each proposal of that day]."""

    def found(*wishes, mode=Mode.IN_TURN, days=0, **asked):
        calendar = Calendar(cast.clinic, DAY, DAY + timedelta(days=days))
        rooms = {row.pk: row.name[-1] for row in calendar.operatories}
        return [
            sorted(
                (
                    f"{row.starts_at.astimezone(cast.clinic.zone):{'%-d %b ' if days else ''}%-H:%M}",
                    calendar.providers[row.provider_id].short_name, rooms[row.operatory_id])
                for row in proposal.openings
            )
            for proposal in proposals(calendar, wishes, mode, **asked)
        ]  # fmt: skip

    return found


@pytest.fixture
def block(cast, at):
    """`block(cast.drill, "8:30", "9:00")`: that time of the day is taken."""

    def make(thing, starts, ends):
        name = "provider" if isinstance(thing, Provider) else "operatory"
        Block.place(by=cast.desk, title="Taken", starts_at=at(f"{DAY} {starts}"), ends_at=at(f"{DAY} {ends}"), **{name: thing})

    return make


@pytest.fixture
def ivy(cast):
    """A second hygienist."""
    by = cast.manager
    ivy = Provider(name="Ivy Ivory", short_name="Ivy", kind="hygienist", sequence=4, colour=4).record(by=by)
    WorkingHours(provider=ivy, weekday=DAY.weekday(), starts=time(8), ends=time(12)).record(by=by)
    return ivy


def away(cast, provider):
    HoursException(date=DAY, provider=provider, reason="Ill").record(by=cast.manager)


# One after another


def test_the_next_one_begins_when_the_one_before_ends_with_the_same_provider_in_the_same_room(cast, search):
    found = search(Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam))
    assert found[0] == [("8:00", "Dr. Drill", "1"), ("8:30", "Dr. Drill", "1")]


def test_a_room_that_is_cleaned_in_between_is_waited_for_ten_minutes(cast, search):
    found = search(Wish(cast.ada, cast.cleaning), Wish(cast.grace, cast.cleaning))
    assert found[0] == [("8:00", "Holly", "3"), ("9:10", "Holly", "3")]


def test_without_that_room_the_next_one_begins_at_once_in_another(cast, search, block):
    block(cast.operatories[2], "9:10", "12:00")
    found = search(Wish(cast.ada, cast.cleaning), Wish(cast.grace, cast.cleaning), before=time(10))
    assert found == [[("8:00", "Holly", "3"), ("9:00", "Holly", "1")]]


def test_another_provider_comes_in_only_where_one_cannot_do_all(cast, search, block):
    block(cast.drill, "8:30", "12:00")
    wishes = Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam)
    assert search(*wishes, before=time(9)) == [[("8:00", "Dr. Bridge", "1"), ("8:30", "Dr. Bridge", "1")]]
    block(cast.bridge, "8:00", "8:30")
    assert search(*wishes, before=time(9)) == [[("8:00", "Dr. Drill", "1"), ("8:30", "Dr. Bridge", "1")]]


def test_who_wants_the_same_provider_follows_without_a_change_in_between(cast, search, ivy):
    wishes = [Wish(cast.ada, cast.cleaning), Wish(cast.grace, cast.exam), Wish(people(cast, 1)[0], cast.cleaning, ivy.pk)]
    [first, *_] = search(*wishes)
    assert [provider for _, provider, _ in first] in (["Ivy", "Ivy", "Dr. Drill"], ["Dr. Drill", "Ivy", "Ivy"])


@pytest.mark.parametrize(("ends", "found"), [("8:40", True), ("8:50", False)])
def test_nobody_waits_longer_than_ten_minutes(cast, search, block, ends, found):
    away(cast, cast.bridge)
    block(cast.drill, "8:30", ends)
    assert bool(search(Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam), before=time(9, 20))) is found


def test_an_odd_length_is_followed_within_ten_minutes_of_its_real_end(cast, search, block):
    cast.exam.change(by=cast.manager, minutes=36)
    away(cast, cast.bridge)
    wishes = Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam)
    assert [start for start, *_ in search(*wishes, before=time(9, 30))[0]] == ["8:00", "8:40"]
    block(cast.drill, "8:40", "8:45")
    assert search(*wishes, before=time(9, 30)) == []  # from 8:36 on, 8:50 is too late


def test_the_patients_own_provider_comes_first(cast, search):
    cast.grace.change(by=cast.desk, primary_provider=cast.bridge)
    found = search(Wish(cast.grace, cast.exam), Wish(people(cast, 1)[0], cast.exam))
    assert {provider for _, provider, _ in found[0]} == {"Dr. Bridge"}


def test_a_named_provider_is_kept_to(cast, search):
    found = search(Wish(cast.ada, cast.exam, cast.bridge.pk), Wish(cast.grace, cast.exam, cast.drill.pk))
    assert found[0] == [("8:00", "Dr. Bridge", "1"), ("8:30", "Dr. Drill", "1")]


def test_another_visit_of_one_of_them_is_not_crossed(cast, search, book):
    book(f"{DAY} 8:00", patient=cast.grace, provider=cast.bridge, operatory=cast.operatories[1])
    book(f"{DAY} 9:00", patient=cast.grace, provider=cast.bridge, operatory=cast.operatories[1])
    found = search(Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam), before=time(9))
    assert found == [[("8:00", "Dr. Drill", "1"), ("8:30", "Dr. Drill", "1")]]
    assert search(Wish(cast.ada, cast.exam, cast.bridge.pk), Wish(cast.grace, cast.exam), before=time(9)) == []


def test_eight_come_one_after_another(cast, search):
    [first, *_] = search(*(Wish(person, cast.exam) for person in people(cast, 8)), after=time(8), before=time(12))
    assert [start for start, *_ in first] == ["10:00", "10:30", "11:00", "11:30", "8:00", "8:30", "9:00", "9:30"]
    assert {provider for _, provider, _ in first} == {"Dr. Drill"}


# At the same time


def test_side_by_side_each_has_a_provider_and_a_room_of_their_own(cast, search):
    found = search(Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam), mode=Mode.AT_ONCE)
    assert found[0] == [("8:00", "Dr. Bridge", "2"), ("8:00", "Dr. Drill", "1")]


def test_side_by_side_needs_as_many_providers_as_patients(cast, search):
    wishes = [Wish(person, cast.exam) for person in people(cast, 3)]
    assert search(*wishes, mode=Mode.AT_ONCE) == []
    assert search(*wishes[:2], Wish(cast.ada, cast.cleaning), mode=Mode.AT_ONCE)


def test_side_by_side_needs_as_many_rooms_as_patients(cast, search, block):
    for room in cast.operatories[:2]:
        block(room, "8:00", "17:00")
    assert search(Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam), mode=Mode.AT_ONCE) == []


def test_one_dentist_looks_in_on_both_where_one_starts_ten_minutes_later(cast, search, ivy):
    wishes = Wish(cast.ada, cast.cleaning), Wish(cast.grace, cast.cleaning)
    assert [start for start, *_ in search(*wishes, mode=Mode.AT_ONCE)[0]] == ["8:00", "8:00"]
    away(cast, cast.bridge)
    assert [start for start, *_ in search(*wishes, mode=Mode.AT_ONCE)[0]] == ["8:00", "8:10"]


def test_who_treats_one_does_not_look_in_on_the_other_meanwhile(cast, search):
    away(cast, cast.bridge)
    cast.exam.change(by=cast.manager, minutes=60)
    wishes = Wish(cast.ada, cast.cleaning), Wish(cast.grace, cast.exam)
    assert search(*wishes, mode=Mode.AT_ONCE) == []


@given(st.lists(st.lists(st.integers(0, 4), max_size=4, unique=True), min_size=1, max_size=5))
def test_all_are_matched_where_that_is_possible_at_all(options):
    found = matched(options)
    every = permutations(range(5), len(options))
    possible = any(all(one in row for one, row in zip(some, options, strict=True)) for some in every)
    assert (found is not None) is possible
    assert found is None or (len(set(found)) == len(found) and all(one in row for one, row in zip(found, options, strict=True)))


# Days and hours


def test_closed_days_are_passed_over_and_each_day_gives_two_an_hour_apart(cast, search):
    HoursException(date=DAY + timedelta(days=1), reason="Holiday").record(by=cast.manager)
    found = search(Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam), days=30)
    assert [rows[0][0] for rows in found] == ["1 Dec 8:00", "1 Dec 9:00", "3 Dec 8:00", "3 Dec 9:00", "4 Dec 8:00", "4 Dec 9:00"]


def test_all_of_it_lies_between_the_hours_that_were_asked_for(cast, search):
    wishes = Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam)
    assert search(*wishes, after=time(15), before=time(16)) == [[("15:00", "Dr. Drill", "1"), ("15:30", "Dr. Drill", "1")]]
    assert search(*wishes, after=time(15), before=time(15, 50)) == []


def test_what_is_over_is_not_proposed(cast, search, at):
    found = search(Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam), not_before=at(f"{DAY} 16:00"))
    assert found == [[("16:00", "Dr. Drill", "1"), ("16:30", "Dr. Drill", "1")]]


def test_nine_stays_nine_after_the_clock_has_changed(cast):
    day, wishes = date(2027, 3, 14), [Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam)]
    [first] = proposals(Calendar(cast.clinic, day, day), wishes, Mode.IN_TURN, after=time(9), before=time(10))
    assert [row.starts_at.astimezone(cast.clinic.zone).strftime("%H:%M") for row in first.openings] == ["09:00", "09:30"]


def test_a_search_gives_up_after_so_many_tries(cast, search, monkeypatch):
    wishes = Wish(cast.ada, cast.exam), Wish(cast.grace, cast.exam)
    assert search(*wishes)
    monkeypatch.setattr(together, "TRIES", 1)
    assert search(*wishes) == search(*wishes, mode=Mode.AT_ONCE) == []


@pytest.mark.parametrize("mode", Mode)
def test_what_is_proposed_can_be_booked(cast, search, block, book, ivy, mode):
    block(cast.drill, "8:20", "9:00")
    block(cast.operatories[1], "9:30", "10:00")
    book(f"{DAY} 10:00", provider=cast.bridge, patient=people(cast, 1)[0], operatory=cast.operatories[1])
    wishes = [Wish(person, kind) for person, kind in zip(people(cast, 3), (cast.cleaning, cast.exam, cast.cleaning), strict=True)]
    calendar = Calendar(cast.clinic, DAY, DAY)
    found = list(proposals(calendar, wishes, mode))
    assert found
    for proposal in found:
        for visit in Appointment.book_together(by=cast.desk, visits=visits_of(cast, wishes, proposal)):
            visit.cancel(by=cast.desk, because="Only tried")


# Booking


def people(cast, count, **values):
    return [PatientFactory(by=cast.desk, **values) for _ in range(count)]


def visits_of(cast, wishes, proposal):
    """A proposal as the verb takes it."""
    rooms = {row.pk: row for row in cast.operatories}
    providers = {row.pk: row for row in Provider.objects.filter(clinic=cast.clinic)}
    return [
        {"patient": wish.patient, "appointment_type": wish.appointment_type, "starts_at": row.starts_at,
         "operatory": rooms[row.operatory_id], "provider": providers[row.provider_id], "doctor": providers.get(row.doctor_id)}
        for wish, row in zip(wishes, proposal.openings, strict=True)
    ]  # fmt: skip


@pytest.fixture
def two(cast, at, time_machine):
    """Ada at nine and Grace at half past, as the verb takes them."""
    time_machine.move_to(at(f"{DAY} 8:00"))
    same = {"operatory": cast.operatories[0], "provider": cast.drill, "appointment_type": cast.exam}
    return [
        {**same, "patient": cast.ada, "starts_at": at(f"{DAY} 9:00")},
        {**same, "patient": cast.grace, "starts_at": at(f"{DAY} 9:30")},
    ]


def test_all_are_booked_in_one_act(cast, two):
    visits = Appointment.book_together(by=cast.desk, visits=two)
    assert [visit.patient for visit in visits] == [cast.ada, cast.grace]
    assert Appointment.objects.count() == 2


def test_where_one_time_is_taken_nobody_is_booked_and_the_time_is_named(cast, two, book):
    book(f"{DAY} 9:45", patient=people(cast, 1)[0])
    with pytest.raises(SomeTaken, match="1 of these times can't be had any more, so nothing was saved: Operatory 1 is taken"):
        Appointment.book_together(by=cast.desk, visits=two)
    assert not Appointment.objects.filter(patient__in=[cast.ada, cast.grace]).exists()


def test_a_time_that_has_passed_is_as_good_as_taken(cast, two, time_machine):
    time_machine.move_to(two[0]["starts_at"] + timedelta(minutes=1))
    with pytest.raises(SomeTaken, match="1 of these times can't be had any more, so nothing was saved: This time has passed"):
        Appointment.book_together(by=cast.desk, visits=two)
    assert not Appointment.objects.exists()


def test_who_treats_does_not_look_in_as_well(cast, two):
    two[1] |= {"appointment_type": cast.cleaning, "provider": cast.holly, "doctor": cast.holly}
    refused(cast, two, "Holly Hygiene treats here, so somebody else has to look in")


def test_without_the_transaction_the_first_would_stand_alone(cast, two, book):
    book(f"{DAY} 9:45", patient=people(cast, 1)[0])
    bare = Appointment.book_together.__func__.__wrapped__
    with pytest.raises(SomeTaken):
        bare(Appointment, by=cast.desk, visits=two)
    assert Appointment.objects.get(patient__in=[cast.ada, cast.grace]).patient == cast.ada


def test_who_was_merged_meanwhile_is_not_booked(cast, two):
    cast.grace.merge_into(people(cast, 1)[0], by=cast.manager, because="Same person")
    two[1]["patient"] = Patient.objects.get(pk=cast.grace.pk)
    refused(cast, two, "merged into another patient")


@pytest.mark.parametrize("status", ["inactive", "archived", "deceased"])
def test_who_is_not_treated_here_any_more_is_not_booked(cast, two, status):
    Patient.objects.get(pk=cast.grace.pk).change(by=cast.desk, status=status)  # what was loaded before says otherwise
    refused(cast, two, f"Grace Hopper is marked as {status}")


def test_a_patient_of_another_clinic_is_not_booked(cast, two):
    two[1]["patient"] = cast.outsider.ada
    refused(cast, two, "not found here")


def refused(cast, visits, words):
    with pytest.raises(ValidationError, match=words):
        Appointment.book_together(by=cast.desk, visits=visits)
    assert not Appointment.objects.exists()


# Who can come


@pytest.fixture
def family(cast):
    """Ada (41) with Ben and Mia, on Ada's account."""
    today = cast.clinic.today()
    return [
        PatientFactory(by=cast.desk, account=cast.ada.account, first_name=name, last_name="Lovelace",
                       date_of_birth=today - timedelta(days=365 * age))
        for name, age in (("Ben", 8), ("Mia", 11))
    ]  # fmt: skip


def read(cast):
    return Family(cast.desk, cast.ada.account)


def test_the_children_come_first_and_are_ticked(cast, family):
    found = read(cast)
    assert [member.patient for member in found.members] == [*family, cast.ada]
    assert [member.patient for member in found.likely] == family


def test_where_there_are_not_two_children_everybody_is_ticked(cast, family):
    family[0].change(by=cast.desk, date_of_birth=date(1980, 1, 1))
    assert len(read(cast).likely) == 3


def test_who_is_inactive_archived_or_merged_is_not_there_to_be_ticked(cast, family):
    family[0].change(by=cast.desk, status="inactive")
    family[1].merge_into(cast.grace, by=cast.manager, because="Same person")
    found = read(cast)
    assert [member.patient for member in found.members] == [cast.ada]
    assert set(found.barred) == {str(patient.pk) for patient in family}


def coded(cast, kind, category, code=None):
    code = code or f"T{kind.sequence}"
    code = ProcedureCode(code=code, description="x", category=category, treatment_area="mouth", minutes=10, fee=1)
    code.record(by=cast.system)
    AppointmentTypeCode(appointment_type=kind, procedure_code=code).record(by=cast.system)


def came(cast, patient, kind, days):
    provider = cast.holly if kind == cast.cleaning else cast.drill
    Appointment.take_over(
        by=cast.system, status="checked_out", because="x", patient=patient, operatory=cast.operatories[0], provider=provider,
        appointment_type=kind, starts_at=cast.now - timedelta(days=days))  # fmt: skip


def test_the_likely_type_is_the_one_of_the_last_visit(cast, family, now):
    came(cast, family[0], cast.exam, 200)
    came(cast, family[0], cast.cleaning, 100)
    assert [member.kind for member in read(cast).members] == [cast.cleaning, cast.exam, cast.exam]


def test_what_does_not_recur_is_not_likely(cast, family, now):
    coded(cast, cast.exam, "surgery")
    coded(cast, cast.cleaning, "preventive")
    came(cast, family[0], cast.exam, 100)
    assert {member.kind for member in read(cast).members} == {cast.cleaning}


def kind_called(cast, name, sequence):
    return AppointmentType(name=name, minutes=30, sequence=sequence, kinds=["dentist"]).record(by=cast.system)


@pytest.mark.parametrize("has_codes", [True, False])
def test_what_is_for_new_patients_is_nobodys_likely_type(cast, family, now, has_codes):
    first = kind_called(cast, "Welcome" if has_codes else "New patient exam", 0)
    if has_codes:
        coded(cast, first, "preventive", "D0150")
        coded(cast, cast.cleaning, "preventive", "D1110")
    came(cast, family[0], first, 100)
    assert {member.kind for member in read(cast).members} == {cast.cleaning if has_codes else cast.exam}


@pytest.mark.parametrize("has_codes", [True, False])
def test_a_child_who_was_never_here_gets_the_childrens_cleaning_and_an_adult_never(cast, family, now, has_codes):
    childs = kind_called(cast, "Sparkling teeth" if has_codes else "Child's cleaning", 0)
    if has_codes:
        coded(cast, childs, "preventive", "D1120")
        coded(cast, cast.cleaning, "preventive", "D1110")
    came(cast, family[1], cast.cleaning, 100)
    came(cast, cast.ada, childs, 3000)  # as a child
    plain = cast.cleaning if has_codes else cast.exam
    assert [member.kind for member in read(cast).members] == [childs, cast.cleaning, plain]


def test_where_all_types_are_for_new_patients_none_is_likely(cast, family):
    for kind in (cast.exam, cast.cleaning):
        kind.change(by=cast.manager, name=f"New patient {kind.name}")
    assert {member.kind for member in read(cast).members} == {None}


@pytest.fixture
def now(cast, at):
    cast.now = at(f"{cast.clinic.today()} 12:00")
    return cast.now


# The page


@pytest.fixture
def address(cast):
    return f"/accounts/{cast.ada.account_id}/together/"


@pytest.fixture
def day(cast):
    return cast.clinic.today() + timedelta(days=7)


@pytest.fixture
def asked(cast, family, day):
    """The form as it is sent for both children."""
    fields = {"who": [str(one.pk) for one in family], "mode": "in_turn", "from_day": str(day), "after": "8", "before": "17"}
    for one in [*family, cast.ada]:
        fields |= {f"type-{one.pk}": str(cast.exam.pk), f"with-{one.pk}": ""}
    return fields


def pressed(page, place=0):
    """What the button of a proposal posts besides the fields."""
    times = re.findall(r'name="times" value="([^"]+)"', page)
    return {"times": times[place], "asked": re.search(r'name="asked" value="([^"]+)"', page)[1]}


@pytest.fixture
def find(desk_client, address):
    return lambda asked: desk_client.post(address, asked).content.decode()


def test_the_desk_finds_times_and_books_both_with_one_press(cast, desk_client, address, asked, find, family, day):
    assert desk_client.get(address).status_code == 200
    page = find(asked)
    assert not Appointment.objects.exists()
    answer = desk_client.post(f"{address}book/", asked | pressed(page))
    assert answer["Location"] == f"/accounts/{cast.ada.account_id}/"
    page = desk_client.get(answer["Location"]).content.decode()
    assert f"Booked 2 visits on {day:%A %-d %B}: Ben 8:00, Mia 8:30." in page
    for visit in Appointment.objects.all():
        assert f"/visits/{visit.pk}/" in page
    assert {visit.patient for visit in Appointment.objects.all()} == set(family)


def test_the_second_time_taken_meanwhile_books_nobody_and_shows_fresh_times_for_the_same_choices(
    cast, desk_client, address, asked, find, book, day
):
    page = find(asked | {"after": "8:10"})
    book(f"{day} 8:50", patient=cast.grace)
    answer = desk_client.post(f"{address}book/", asked | {"after": "8:10"} | pressed(page))
    fresh = answer.content.decode()
    assert answer.status_code == 409
    assert "<li>Mia 8:40: Operatory 1 is taken 8:50-9:20.</li>" in fresh
    assert not Appointment.objects.exclude(patient=cast.grace).exists()
    assert 'value="8:10"' in fresh
    assert fresh.count(" checked") == page.count(" checked") == 3  # two who come, and in which way
    assert pressed(fresh)["times"] != pressed(page)["times"]
    assert desk_client.post(f"{address}book/", asked | {"after": "8:10"} | pressed(fresh)).status_code == 302


def test_two_tabs_book_once(desk_client, address, asked, find):
    one, other = find(asked), find(asked)
    assert desk_client.post(f"{address}book/", asked | pressed(one)).status_code == 302
    answer = desk_client.post(f"{address}book/", asked | pressed(other))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "2 of these times can&#x27;t be had any more, so nothing was saved." in page
    assert re.findall("<li>((?:Ben|Mia) .*?)</li>", page) == [
        "Ben 8:00: Ben Lovelace has another visit 8:00-8:30.", "Mia 8:30: Mia Lovelace has another visit 8:30-9:00."]  # fmt: skip
    assert Appointment.objects.count() == 2


def test_one_form_sent_twice_books_once_and_gets_the_same_answer(desk_client, address, asked, find, family):
    sent = asked | pressed(find(asked)) | {"once": str(uuid4())}
    answers = [desk_client.post(f"{address}book/", sent) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == [f"/accounts/{family[0].account_id}/"] * 2
    assert Appointment.objects.count() == 2
    for one in family:
        assert list(AccessEvent.objects.filter(patient=one, route="scheduling:together_book").values_list("kind", flat=True)) == [
            "change", "change"]  # fmt: skip


@pytest.mark.parametrize("change", [{"mode": "at_once"}, {"after": "9"}, {"type": "cleaning"}])
def test_times_for_other_choices_are_not_booked(cast, desk_client, address, asked, find, family, change):
    sent = asked | pressed(find(asked)) | change
    if "type" in change:
        sent[f"type-{family[0].pk}"] = str(cast.cleaning.pk)
    answer = desk_client.post(f"{address}book/", sent)
    assert answer.status_code == 409
    assert "Something was chosen anew" in answer.content.decode()
    assert not Appointment.objects.exists()


def test_a_visit_of_the_chosen_type_that_one_of_them_has_is_shown(cast, asked, find, book, family, day):
    visit = book(f"{day} 15:00", patient=family[0])
    page = find(asked)
    assert f"/visits/{visit.pk}/" in page
    assert page.count("same: Exam") == 1


def test_nothing_free_is_said(find, asked):
    assert "Nothing fits all of them" in find(asked | {"before": "8:30"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"who": []}, "Tick who comes."),
        ({"who": 1}, "Tick two to 8 who come."),
        ({"after": "10", "before": "9"}, "This lies before the start."),
        ({"with": "holly"}, "Exam is done by: dentist."),
        ({"type": "none"}, "Choose what they come for."),
        ({"mode": "at_once", "with": "drill"}, "is named twice"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(cast, desk_client, address, asked, family, change, words):
    if change.get("who") == 1:
        change = {"who": asked["who"][:1]}
    for one in family:
        if "with" in change:
            asked[f"with-{one.pk}"] = str(getattr(cast, change["with"]).pk)
        if "type" in change:
            asked[f"type-{one.pk}"] = ""
    for path in (address, f"{address}book/"):
        answer = desk_client.post(path, asked | {"times": "x", "asked": "x"} | change)
        assert answer.status_code == 422
        assert words in answer.content.decode()


def test_more_than_eight_are_booked_in_two_goes(cast, desk_client, address, asked, family):
    nine = [*family, *people(cast, 7, account=cast.ada.account)]
    answer = desk_client.post(address, asked | {"who": [str(one.pk) for one in nine]})
    assert (answer.status_code, b"Tick two to 8" in answer.content) == (422, True)


@pytest.mark.parametrize("how", ["inactive", "merged"])
def test_who_left_after_the_form_was_opened_is_refused_in_a_sentence(cast, desk_client, address, asked, find, family, how):
    sent = asked | pressed(find(asked))
    if how == "merged":
        family[1].merge_into(cast.grace, by=cast.manager, because="Same person")
    else:
        family[1].change(by=cast.desk, status="inactive")
    answer = desk_client.post(f"{address}book/", sent)
    assert answer.status_code == 422
    assert re.search(r"Mia Lovelace( \(#\d+\))? (was merged into another patient|is marked as inactive)", answer.content.decode())
    assert not Appointment.objects.exists()


def test_a_patient_of_another_account_or_clinic_is_not_found(cast, desk_client, address, asked, family):
    for stranger in (cast.grace, cast.outsider.ada):
        sent = asked | {"who": [*asked["who"], str(stranger.pk)]}
        assert desk_client.post(address, sent).status_code == 404
        assert desk_client.post(f"{address}book/", sent).status_code == 404


@pytest.mark.parametrize("thing", ["operatories", "drill"])
def test_a_room_or_provider_of_another_clinic_is_not_found(cast, desk_client, address, asked, find, thing):
    button = pressed(find(asked))
    mine, theirs = (getattr(one, thing) for one in (cast, cast.outsider))
    own, foreign = (str((one[0] if isinstance(one, list) else one).pk) for one in (mine, theirs))
    assert own in button["times"]
    sent = asked | button | {"times": button["times"].replace(own, foreign)}
    assert desk_client.post(f"{address}book/", sent).status_code == 404
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("times", ["x", ";", "2026-12-01T09:00|x|y|z;x"])
def test_times_that_no_page_sends_are_not_booked(desk_client, address, asked, find, times):
    answer = desk_client.post(f"{address}book/", asked | pressed(find(asked)) | {"times": times})
    assert answer.status_code in (404, 409)
    assert not Appointment.objects.exists()


def test_times_that_have_passed_since_the_page_was_opened_are_not_booked(desk_client, address, asked, find, day):
    button = pressed(find(asked))
    sent = asked | button | {"times": button["times"].replace(str(day), str(day - timedelta(days=14)))}
    answer = desk_client.post(f"{address}book/", sent)
    assert answer.status_code == 409
    assert "<li>Ben 8:00: This time has passed.</li>" in answer.content.decode()
    assert not Appointment.objects.exists()


def test_a_day_beyond_five_years_is_said_beside_its_field_and_none_beyond_is_offered(cast, desk_client, address, asked):
    answer = desk_client.post(address, asked | {"from_day": str(last_day(cast.clinic) + timedelta(days=1))})
    assert answer.status_code == 422
    assert "five years ahead" in str(answer.context["form"].errors["from_day"])
    assert not answer.context["found"]
    page = desk_client.post(address, asked | {"from_day": str(last_day(cast.clinic))})
    assert {times["starts_at"].date() for times in page.context["found"]} == {last_day(cast.clinic)}


def test_a_day_of_another_year_says_which(cast, asked, find):
    later = cast.clinic.today() + timedelta(days=731)
    assert f"{later:%A}, {later.day} {later:%B} {later.year}</p>" in find(asked | {"from_day": str(later)})


def test_the_focus_lies_where_enter_books_nothing(asked, find):
    [focused] = re.findall(r"<[^>]* autofocus[^>]*>", find(asked))
    assert focused.startswith("<div ")


def test_a_type_or_provider_of_another_clinic_is_no_choice(cast, desk_client, address, asked, family):
    for field, foreign in (("type", cast.outsider.exam), ("with", cast.outsider.drill)):
        answer = desk_client.post(address, asked | {f"{field}-{family[0].pk}": str(foreign.pk)})
        assert answer.status_code == 422
        assert foreign.clinic.name not in answer.content.decode()


@pytest.mark.parametrize("role", ["hygienist", "dentist", "biller", "coach", "patient"])
def test_who_may_not_book_is_refused(sign_in, address, asked, role):
    client = sign_in(role)
    assert [client.get(address).status_code, client.post(address, asked).status_code] == [403, 403]
    assert client.post(f"{address}book/", asked).status_code == 403


def test_the_page_stands_in_the_log_of_each_who_is_shown(cast, desk_client, address, family):
    desk_client.get(address)
    events = AccessEvent.objects.filter(route="scheduling:together")
    assert {(event.patient, event.kind, event.by) for event in events} == {
        (one, "list", cast.desk.user) for one in [*family, cast.ada]}  # fmt: skip
    assert events.values("page_view").distinct().count() == 1


def test_only_who_is_booked_was_changed(cast, desk_client, address, asked, find, family):
    desk_client.post(f"{address}book/", asked | pressed(find(asked)))
    events = AccessEvent.objects.filter(kind="change")
    assert {event.patient for event in events} == set(family)


def test_eight_patients_take_the_same_queries_as_two(cast, desk_client, address, asked, find, family, book, day):
    find(asked)
    with CaptureQueriesContext(connection) as two:
        find(asked)
    more = people(cast, 6, account=cast.ada.account)
    for number, one in enumerate(more):
        book(f"{day} 10:00", patient=one, double_booking="A test")
        asked["who"] = [*asked["who"], str(one.pk)] if number < 6 else asked["who"]
        asked |= {f"type-{one.pk}": str(cast.exam.pk), f"with-{one.pk}": ""}
    with CaptureQueriesContext(connection) as eight:
        page = find(asked)
    assert page.count('name="times"') == 6
    assert len(eight) == len(two)


def test_the_way_there_is_offered_to_who_may_book_and_only_for_more_than_one(cast, desk_client, sign_in, address, family):
    places = [f"/accounts/{cast.ada.account_id}/", f"/patients/{cast.ada.pk}/"]
    for place in places:
        assert address in desk_client.get(place).content.decode()
        assert address not in sign_in("hygienist").get(place).content.decode()
    for place in (f"/accounts/{cast.grace.account_id}/", f"/patients/{cast.grace.pk}/"):
        assert "/together/" not in desk_client.get(place).content.decode()


def test_a_practice_without_types_of_visits_is_told_so(cast, desk_client, address, asked):
    for kind in AppointmentType.objects.filter(clinic=cast.clinic):
        kind.change(by=cast.manager, is_active=False)
    assert desk_client.get(address).status_code == 200
    assert desk_client.post(address, asked).status_code == 422
