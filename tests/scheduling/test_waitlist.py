"""The waitlist: a freed time goes to those who fit, in order, one after the other, and is held for whoever is asked."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.db.refusals import Refused, constraint_name
from scheduling.models import Block, ContactAttempt, FreedSlot, FrontDesk, Offer, WaitlistEntry
from scheduling.refusals import OutOfOrder, TimeTaken
from tests.factories import PatientFactory


@pytest.fixture
def now(at):
    return at("2026-11-30 9:00")


@pytest.fixture
def wait(cast):
    """`wait(cast.ada)`: puts the patient on the list for an exam."""

    def waits(patient, **values):
        return WaitlistEntry.add(by=cast.desk, **{"patient": patient, "appointment_type": cast.exam, **values})

    return waits


@pytest.fixture
def freed(cast, book, now):
    """Grace's exam on Tuesday at 9:00 is cancelled while somebody waits; the slot that it leaves."""

    def frees(text="2026-12-01 9:00", **values):
        visit = book(text, **{"patient": cast.grace, **values})
        visit.cancel(by=cast.desk, because="Ill", now=now)
        return FreedSlot.objects.filter(appointment=visit).first()

    return frees


def people(cast, count):
    return [PatientFactory(by=cast.desk) for _ in range(count)]


def test_a_cancelled_visit_leaves_its_time_when_somebody_waits(cast, wait, freed, at):
    assert freed() is None  # nobody waits
    wait(cast.ada)
    slot = freed("2026-12-01 10:00")
    assert (slot.starts_at, slot.minutes, slot.operatory, slot.provider) == (
        at("2026-12-01 10:00"), 30, cast.operatories[0], cast.drill)  # fmt: skip


def test_a_moved_visit_leaves_its_time_unless_it_still_stands_in_it(cast, wait, book, at):
    wait(cast.ada)
    visit = book(patient=cast.grace)
    visit.reschedule(by=cast.desk, starts_at=at("2026-12-01 9:10"))
    assert not FreedSlot.objects.exists()
    visit.reschedule(by=cast.desk, starts_at=at("2026-12-02 9:00"))
    assert FreedSlot.objects.get().starts_at == at("2026-12-01 9:10")


def test_the_first_who_fits_is_asked_and_the_time_is_held(cast, wait, freed, now, book):
    entry = wait(cast.ada)
    offer = freed().advance(by=cast.system, now=now)
    assert (offer.entry, offer.holds_until - now) == (entry, timedelta(minutes=60))
    with pytest.raises(TimeTaken, match="is blocked 9:00-9:30"):
        book(patient=people(cast, 1)[0])


def test_urgent_ones_come_first_then_who_waited_longest(cast, wait, freed, now):
    first, second, urgent = (wait(patient, is_urgent=n == 2) for n, patient in enumerate(people(cast, 3)))
    slot = freed()
    assert slot.candidates(now) == [urgent, first, second]


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        ({}, True),
        ({"weekdays": [1]}, True),  # the slot is on a Tuesday at 9:00
        ({"weekdays": [0, 2]}, False),
        ({"part_of_day": "morning"}, True),
        ({"part_of_day": "afternoon"}, False),
        ({"from_day": date(2026, 12, 1), "until_day": date(2026, 12, 1)}, True),
        ({"from_day": date(2026, 12, 2)}, False),
        ({"until_day": date(2026, 11, 30)}, False),
        ({"notice_hours": 24}, True),
        ({"notice_hours": 25}, False),
    ],
)
def test_only_who_can_come_then_is_asked(cast, wait, freed, now, values, fits):
    entry = wait(cast.ada, **values)
    assert freed().candidates(now) == ([entry] if fits else [])


def test_what_is_too_long_or_done_by_others_does_not_fit(cast, wait, freed, now):
    wait(cast.ada, appointment_type=cast.cleaning)  # an hour, by a hygienist
    wait(people(cast, 1)[0], provider=cast.bridge)
    assert freed().candidates(now) == []


def test_who_has_another_visit_then_is_not_asked(cast, wait, freed, now, book):
    wait(cast.ada)
    book("2026-12-01 9:15", patient=cast.ada, provider=cast.bridge, operatory=cast.operatories[1])
    assert freed().candidates(now) == []


def test_a_later_visit_comes_forward_and_leaves_its_own_time(cast, wait, freed, now, book, at):
    later = book("2026-12-08 14:00", patient=cast.ada)
    wait(cast.ada, appointment=later)
    others = wait(people(cast, 1)[0])
    visit = freed().advance(by=cast.system, now=now).accept(by=cast.desk, now=now)
    assert visit == later
    assert visit.starts_at == at("2026-12-01 9:00")
    assert FreedSlot.objects.open().get().candidates(now) == [others]


def test_an_earlier_visit_is_not_brought_back(cast, wait, freed, now, book):
    wait(cast.ada, appointment=book("2026-12-01 8:00", patient=cast.ada, provider=cast.bridge))
    assert freed().candidates(now) == []


def test_taking_it_books_the_visit_and_ends_everything(cast, wait, freed, now):
    entry = wait(cast.ada)
    slot = freed()
    visit = slot.advance(by=cast.system, now=now).accept(by=cast.desk, now=now + timedelta(minutes=59))
    slot.refresh_from_db()
    entry.refresh_from_db()
    assert (visit.patient, visit.status, slot.status, entry.status) == (cast.ada, "scheduled", "filled", "booked")
    assert not Block.objects.filter(is_active=True).exists()


def test_after_the_hold_the_next_one_is_asked_and_the_first_is_too_late(cast, wait, freed, now):
    first, second = (wait(patient) for patient in people(cast, 2))
    slot = freed()
    offer = slot.advance(by=cast.system, now=now)
    assert slot.advance(by=cast.system, now=now + timedelta(minutes=59)) == offer
    after = slot.advance(by=cast.system, now=now + timedelta(minutes=60))
    assert (offer.entry, after.entry) == (first, second)
    with pytest.raises(OutOfOrder, match="has ended"):
        offer.accept(by=cast.desk, now=now + timedelta(minutes=61))


def test_a_hold_that_is_over_can_not_be_taken_even_before_the_job_noticed(cast, wait, freed, now):
    wait(cast.ada)
    offer = freed().advance(by=cast.system, now=now)
    with pytest.raises(OutOfOrder):
        offer.accept(by=cast.desk, now=now + timedelta(minutes=60))


def test_who_declines_stays_on_the_list_and_is_not_asked_again_for_that_time(cast, wait, freed, now):
    entry = wait(cast.ada)
    slot = freed()
    assert slot.advance(by=cast.system, now=now).decline(by=cast.desk, now=now) is None
    slot.refresh_from_db()
    entry.refresh_from_db()
    assert (slot.status, entry.status) == ("closed", "waiting")
    assert not Block.objects.filter(is_active=True).exists()


def test_nobody_is_asked_about_two_times_at_once(cast, wait, freed, now):
    wait(cast.ada)
    one, two = freed(), freed("2026-12-01 11:00")
    one.advance(by=cast.system, now=now)
    assert two.candidates(now) == []


def test_a_time_that_was_booked_meanwhile_is_closed(cast, wait, freed, now, book):
    wait(cast.ada)
    slot = freed()
    book(patient=people(cast, 1)[0])
    assert slot.advance(by=cast.system, now=now) is None
    slot.refresh_from_db()
    assert slot.closed_because.startswith("Booked otherwise")


def test_only_the_minutes_that_the_visit_takes_of_its_providers_are_held(cast, wait, freed, now, book):
    wait(cast.ada, appointment_type=cast.cleaning)
    slot = freed(appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])
    slot.advance(by=cast.system, now=now)
    held = Block.objects.filter(is_active=True).order_by("starts_at", "pk")
    assert [(block.operatory or block.provider).pk for block in held] == [
        cast.operatories[2].pk, cast.holly.pk, cast.drill.pk]  # fmt: skip
    assert book("2026-12-01 9:00", patient=people(cast, 1)[0]).pk  # Dr. Drill looks in at 9:40 only


def test_taken_off_the_list_gives_the_time_to_the_next(cast, wait, freed, now):
    first, second = (wait(patient) for patient in people(cast, 2))
    slot = freed()
    slot.advance(by=cast.system, now=now)
    first.withdraw(by=cast.desk, because="Went elsewhere")
    assert slot.current_offer().entry == second
    with pytest.raises(OutOfOrder):
        first.withdraw(by=cast.desk, because="Again")
    with pytest.raises(ValidationError):
        second.withdraw(by=cast.desk, because=" ")


def test_the_desk_stops_and_has_the_time_back(cast, wait, freed, now, book):
    wait(cast.ada)
    slot = freed()
    offer = slot.advance(by=cast.system, now=now)
    slot.stop(by=cast.desk, because="An emergency")
    offer.refresh_from_db()
    assert offer.status == "withdrawn"
    assert book(patient=people(cast, 1)[0]).pk
    with pytest.raises(OutOfOrder):
        slot.stop(by=cast.desk, because="Again")


def test_the_job_asks_by_itself_or_leaves_it_to_the_desk(cast, wait, freed, now):
    wait(cast.ada)
    slot = freed()
    FrontDesk(asks_by_itself=False).record(by=cast.manager)
    FreedSlot.go_on(now)
    assert not slot.offers.exists()
    slot.advance(by=cast.desk, now=now)
    FreedSlot.go_on(now + timedelta(hours=1))
    slot.refresh_from_db()
    assert (slot.offers.get().status, slot.status) == ("lapsed", "open")
    assert not Block.objects.filter(is_active=True).exists()


def test_the_job_closes_what_has_come(cast, wait, freed, at):
    wait(cast.ada)
    slot = freed()
    FreedSlot.go_on(at("2026-12-01 9:00"))
    slot.refresh_from_db()
    assert slot.closed_because == "The time has come."


def test_one_waits_once_for_a_type(cast, wait):
    wait(cast.ada)
    with pytest.raises(Refused, match="waits for this type"):
        wait(cast.ada)


def test_the_visit_that_comes_sooner_is_the_patients_own(cast, wait, book):
    with pytest.raises(ValidationError, match="another patient"):
        wait(cast.ada, appointment=book(patient=cast.grace))


@pytest.mark.parametrize("count", [1, 30])
def test_finding_those_who_fit_takes_the_same_queries_for_any_number(cast, wait, freed, now, count):
    for patient in people(cast, count):
        wait(patient)
    slot = freed()
    with CaptureQueriesContext(connection) as queries:
        assert len(slot.candidates(now)) == count
    assert len(queries) == 8  # the list, four of the schedule; clinic, operatory and provider of the slot


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("scheduling_offer_one_at_a_time", {"entry": 1}),
        ("scheduling_offer_once_a_slot", {"entry": 0, "status": "declined"}),
    ],
)
def test_the_database_itself_refuses_a_second_offer(cast, wait, freed, now, name, values):
    entries = [wait(patient) for patient in people(cast, 2)]
    slot = freed()
    slot.advance(by=cast.system, now=now)
    again = Offer(
        clinic=cast.clinic, slot=slot, channel="call", asked_at=now, holds_until=now + timedelta(hours=1),
        **{**values, "entry": entries[values["entry"]]})  # fmt: skip
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        again.record(by=cast.system)
    said = constraint_name(refused.value)
    assert said == name or "scheduling_offer.slot_id" in said


def test_a_page_that_is_out_of_date_passes_nobody_over(cast, wait, freed, now, sign_in):
    for patient in people(cast, 3):
        wait(patient)
    slot = freed()
    first = slot.ask_next(by=cast.desk, instead_of=None, now=now)
    with pytest.raises(OutOfOrder, match=f"{first.entry.patient.name} is being asked"):
        slot.ask_next(by=cast.desk, instead_of=None, now=now)
    second = slot.ask_next(by=cast.desk, instead_of=first.pk, now=now)
    answer = sign_in("receptionist").post(f"/freed-times/{slot.pk}/ask/", {"offer": str(first.pk), "once": "of-the-stale-page"})
    assert answer.status_code == 409
    assert slot.current_offer() == second
    assert not ContactAttempt.objects.exists()
