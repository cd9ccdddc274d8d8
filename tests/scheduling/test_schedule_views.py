"""How full a month is, notes for a day, blocks that are dragged, and what the cards of the grid tell."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.db.records import record_bulk
from clinic.db.refusals import Stale
from clinic.models import ProcedureCode
from scheduling import slots
from scheduling.days import day_grid
from scheduling.models import Appointment, AppointmentTypeCode, Block, DayNote, FrontDesk, HoursException
from scheduling.months import loads, weeks_of
from scheduling.production import of_day
from scheduling.refusals import OutOfOrder, TimeTaken

TUESDAY = date(2026, 12, 1)


@pytest.fixture
def lunch(cast, at):
    return Block.place(
        by=cast.desk, title="Lunch", operatory=cast.operatories[0], starts_at=at("2026-12-01 12:00"),
        ends_at=at("2026-12-01 13:00"))


def dropped(block, **more):
    return {"starts_at": "2026-12-01T14:00", "minutes": "60", "version": block.version, "once": str(block.pk), **more}


# The month


def test_a_visit_and_a_block_take_their_minutes_of_the_working_time(cast, book, at):
    empty = loads(cast.desk, TUESDAY, TUESDAY, cast.drill)[TUESDAY]
    assert (empty.visits, empty.share) == (0, 0)
    assert empty.free == empty.working > 0
    book()
    Block.place(
        by=cast.desk, title="Call", provider=cast.drill, starts_at=at("2026-12-01 11:00"), ends_at=at("2026-12-01 11:45"))
    load = loads(cast.desk, TUESDAY, TUESDAY, cast.drill)[TUESDAY]
    assert (load.visits, empty.free - load.free) == (1, cast.exam.minutes + 45)
    assert load.share == round(100 * (cast.exam.minutes + 45) / load.working)


def test_a_cancelled_visit_takes_nothing(cast, book):
    book().cancel(by=cast.desk, because="Ill")
    load = loads(cast.desk, TUESDAY, TUESDAY)[TUESDAY]
    assert (load.visits, load.free) == (0, load.working)


def test_a_closed_day_says_why_and_has_no_share(cast):
    HoursException.set_days(by=cast.manager, provider=None, first_day=TUESDAY, last_day=TUESDAY, reason="Inventory")
    load = loads(cast.desk, TUESDAY, TUESDAY)[TUESDAY]
    assert (load.closed, load.share, load.working) == ("Inventory", None, 0)


def test_another_practices_visits_and_notes_do_not_count(cast, at):
    other = cast.outsider.desk
    DayNote.of(other, TUESDAY).write("Theirs", by=other, version=0)
    load = loads(cast.desk, TUESDAY, TUESDAY)[TUESDAY]
    assert load.note == ""


@pytest.mark.parametrize(("day", "first", "last", "weeks"), [
    (date(2026, 2, 14), date(2026, 1, 26), date(2026, 3, 1), 5),
    (date(2027, 2, 1), date(2027, 2, 1), date(2027, 2, 28), 4),
    (date(2026, 12, 31), date(2026, 11, 30), date(2027, 1, 3), 5),
    (date(2026, 8, 15), date(2026, 7, 27), date(2026, 9, 6), 6),
])
def test_a_month_is_shown_in_whole_weeks(day, first, last, weeks):
    found = weeks_of(day)
    assert (found[0][0], found[-1][-1], len(found)) == (first, last, weeks)


def test_the_month_takes_the_same_queries_for_none_and_for_3000_visits(cast, desk_client, at):
    with CaptureQueriesContext(connection) as none:
        assert desk_client.get("/schedule/month/?day=2026-12-01").status_code == 200
    first = at("2026-12-01 8:00")
    _many(cast, first, 3000)
    with CaptureQueriesContext(connection) as many:
        page = desk_client.get("/schedule/month/?day=2026-12-01")
    assert len(many) == len(none)
    assert page.content.count(b"</strong> visit") >= 28


def _many(cast, first, count):
    """So many visits of five minutes over four weeks (a few: one after the other), none at the time of another one."""
    days, rows = 28 if count > 30 else 1, []
    for number in range(count):
        starts_at = first + timedelta(days=number % days, minutes=number // days * 5)
        visit = Appointment.drafted(
            clinic=cast.clinic, patient=cast.ada, operatory=cast.operatories[0], provider=cast.drill, appointment_type=cast.exam,
            starts_at=starts_at, ends_at=starts_at + timedelta(minutes=5))
        visit.chair_starts_at, visit.chair_ends_at = visit.starts_at, visit.ends_at
        rows.append(visit)
    return record_bulk(rows, by=cast.desk)


# Notes


def test_a_day_has_one_note_that_all_see_over_the_schedule(cast, desk_client, sign_in):
    answer = desk_client.post("/schedule/note/?day=2026-12-01", {"text": "Compressor at 14:00", "version": 0, "once": "1" * 36})
    assert answer.status_code == 302
    for role in ("receptionist", "dentist"):
        assert b"Compressor at 14:00" in sign_in(role).get("/schedule/?day=2026-12-01").content
    assert b"Compressor" not in desk_client.get("/schedule/?day=2026-12-02").content


def test_who_only_reads_the_schedule_writes_no_note(sign_in):
    assert sign_in("dentist").post("/schedule/note/?day=2026-12-01", {"text": "x", "version": 0}).status_code == 403


def test_two_first_notes_of_a_day_are_a_conflict_and_not_two_rows(cast):
    mine, theirs = DayNote.of(cast.desk, TUESDAY), DayNote.of(cast.manager, TUESDAY)
    theirs.write("Theirs", by=cast.manager, version=0)
    with pytest.raises(Stale) as refusal:
        mine.write("Mine", by=cast.desk, version=0)
    assert refusal.value.current.text == "Theirs"
    assert DayNote.objects.filter(clinic=cast.clinic, date=TUESDAY).count() == 1


def test_the_later_of_two_notes_is_kept_on_the_conflict_page(cast, desk_client):
    DayNote.of(cast.manager, TUESDAY).write("Theirs", by=cast.manager, version=0)
    page = desk_client.post("/schedule/note/?day=2026-12-01", {"text": "Mine", "version": 0, "once": "2" * 36})
    assert page.status_code == 409
    assert b"Mine" in page.content
    assert b"Theirs" in page.content
    both = desk_client.post("/schedule/note/?day=2026-12-01", {
        "text": "Mine", "version": 1, "take": "each", "choice-text": "both", "once": "3" * 36})
    assert both.status_code == 302
    text = DayNote.objects.get(clinic=cast.clinic, date=TUESDAY).text
    assert sorted(text.split()) == ["Mine", "Theirs"]


def test_the_database_refuses_a_second_note_of_a_day(cast):
    DayNote.of(cast.desk, TUESDAY).write("One", by=cast.desk, version=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        DayNote(clinic=cast.clinic, date=TUESDAY, text="Two").record(by=cast.desk)


def test_a_note_is_encrypted_where_it_lies(cast):
    DayNote.of(cast.desk, TUESDAY).write("Compressor", by=cast.desk, version=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM scheduling_daynote")
        assert "Compressor" not in str(cursor.fetchone())


# Blocks


def test_a_dragged_block_stands_where_it_was_dropped(cast, desk_client, lunch, at):
    room = cast.operatories[1]
    assert desk_client.post(f"/blocks/{lunch.pk}/drop/", dropped(lunch, operatory=str(room.pk))).status_code == 302
    lunch.refresh_from_db()
    assert (lunch.starts_at, lunch.ends_at, lunch.operatory) == (at("2026-12-01 14:00"), at("2026-12-01 15:00"), room)


def test_a_block_dropped_on_a_visit_stays_and_says_why(cast, desk_client, lunch, book, at):
    book("2026-12-01 14:00")
    answer = desk_client.post(f"/blocks/{lunch.pk}/drop/", dropped(lunch), headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert b"14:00" in answer.content
    lunch.refresh_from_db()
    assert lunch.starts_at == at("2026-12-01 12:00")


def test_a_block_that_somebody_else_moved_is_not_moved_again_unseen(cast, lunch, at):
    seen = lunch.version
    lunch.move(by=cast.manager, version=seen, starts_at=at("2026-12-01 15:00"), ends_at=at("2026-12-01 16:00"))
    with pytest.raises(Stale):
        lunch.move(by=cast.desk, version=seen, starts_at=at("2026-12-01 17:00"), ends_at=at("2026-12-01 18:00"))


def test_a_withdrawn_block_and_one_that_ends_before_it_starts_do_not_move(cast, lunch, at):
    with pytest.raises(ValidationError):
        lunch.move(by=cast.desk, starts_at=at("2026-12-01 15:00"), ends_at=at("2026-12-01 14:00"))
    lunch.withdraw(by=cast.desk)
    with pytest.raises(OutOfOrder):
        lunch.move(by=cast.desk, starts_at=at("2026-12-01 15:00"), ends_at=at("2026-12-01 16:00"))


def test_a_block_moves_to_a_chair_only_where_nobody_sits(cast, lunch, book, at):
    book("2026-12-01 14:30", operatory=cast.operatories[1])
    with pytest.raises(TimeTaken):
        lunch.move(
            by=cast.desk, operatory=cast.operatories[1], starts_at=at("2026-12-01 14:00"), ends_at=at("2026-12-01 15:00"))


@pytest.mark.parametrize("values", [{"minutes": "3"}, {"minutes": "721"}, {"starts_at": "soon"}, {"operatory": "x"}])
def test_a_drop_of_a_block_that_makes_no_sense_is_not_found(desk_client, lunch, values):
    assert desk_client.post(f"/blocks/{lunch.pk}/drop/", dropped(lunch, **values)).status_code == 404


@pytest.mark.parametrize(("day", "words"), [("2199-01-01", "five years ahead"), ("1950-01-01", "before 1990")])
def test_a_block_stays_within_the_years_that_the_schedule_shows(cast, desk_client, lunch, at, day, words):
    answer = desk_client.post(f"/blocks/{lunch.pk}/drop/", dropped(lunch, starts_at=f"{day}T14:00"))
    assert answer.status_code == 409
    assert words in answer.content.decode()
    typed = {"title": "Lunch", "operatory": cast.operatories[0].pk, "day": day, "starts": "9:00", "ends": "10:00"}
    answer = desk_client.post("/blocks/new/", typed)
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors["day"])
    assert Block.objects.get().starts_at == lunch.starts_at


def test_a_block_that_stands_out_of_reach_can_still_be_withdrawn(cast, lunch, at):
    lunch.starts_at, lunch.ends_at = at("2199-01-01 9:00"), at("2199-01-01 10:00")
    lunch.record(by=cast.desk)  # as one that was placed before there was a bound
    lunch.withdraw(by=cast.desk)
    assert not Block.objects.current().exists()


def test_a_dragged_range_fills_the_forms(cast, desk_client):
    page = desk_client.get("/blocks/new/?at=2026-12-01T09:00&until=2026-12-01T10:30")
    assert (page.context["form"].initial["starts"], page.context["form"].initial["ends"]) == (time(9), time(10, 30))
    page = desk_client.get("/visits/book/?at=2026-12-01T09:00&minutes=90")
    assert page.context["form"].initial["minutes"] == "90"


# What the cards tell


def card_of(actor, colour="type", by="operatory"):
    return next(card for column in day_grid(actor, TUESDAY, by, colour).columns for card in column.cards)


def test_colours_tell_the_type_the_provider_or_the_step(cast, book):
    visit = book()
    assert card_of(cast.desk).texts["colour"] == visit.appointment_type.colour
    assert card_of(cast.desk, "provider").texts["colour"] == visit.provider.colour
    before = card_of(cast.desk, "status").texts["colour"]
    visit.confirm(by=cast.desk)
    assert card_of(cast.desk, "status").texts["colour"] != before


def test_a_workstation_keeps_how_its_schedule_is_drawn(desk_client):
    page = desk_client.get("/schedule/?day=2026-12-01&zoom=15&colour=status")
    assert page.cookies["schedule"]["httponly"]
    assert b"zoom-15" in desk_client.get("/schedule/?day=2026-12-02").content
    assert desk_client.get("/schedule/week/").context["view"] == ("status", 15)


@pytest.mark.parametrize("kept", ["", "x.y", "type.7", "status", "<script>.10"])
def test_a_cookie_that_makes_no_sense_is_as_none(desk_client, kept):
    desk_client.cookies["schedule"] = kept
    page = desk_client.get("/schedule/?day=2026-12-01&zoom=-1&colour=red")
    assert page.context["view"].zoom == 10


def test_all_who_are_in_the_room_stand_on_the_card_with_their_times(cast, book, at):
    book(provider_time=[
        (cast.drill, at("2026-12-01 9:00"), at("2026-12-01 9:20")), (cast.bridge, at("2026-12-01 9:20"), at("2026-12-01 9:30"))])
    card = card_of(cast.desk)
    assert card.texts["who"] == f"{cast.drill.short_name} 9:00-9:20, {cast.bridge.short_name} 9:20-9:30"
    assert f"c-{cast.bridge.colour} at-4 for-2" in card.texts["parts"]
    assert cast.bridge.short_name in card.texts["team"]


def test_one_provider_alone_needs_no_marks(cast, book):
    book()
    card = card_of(cast.desk)
    assert (card.texts["parts"], card.texts["who"]) == ("", cast.drill.short_name)


# Production


def code_of(cast, fee):
    code = ProcedureCode(
        clinic=cast.clinic, code="D9999", description="Test", category="diagnostic", treatment_area="mouth", minutes=10,
        fee=Decimal(fee)).record(by=cast.manager)
    return AppointmentTypeCode(
        clinic=cast.clinic, appointment_type=cast.exam, procedure_code=code).record(by=cast.manager)


def test_a_day_is_expected_to_bring_the_fees_of_its_visits_codes(cast, book):
    assert of_day(cast.desk, TUESDAY).expected == 0
    visit = book()
    usual = of_day(cast.desk, TUESDAY).expected
    code_of(cast, "45.50")
    assert of_day(cast.desk, TUESDAY).expected == usual + Decimal("45.50")
    visit.cancel(by=cast.desk, because="Ill")
    assert of_day(cast.desk, TUESDAY).lines == []


def test_only_what_is_over_counts_as_done(cast, book):
    code_of(cast, "45.50")
    visit = book()
    assert of_day(cast.desk, TUESDAY).done == 0
    for step in ("check_in", "seat", "complete"):
        getattr(visit, step)(by=cast.manager)
    day = of_day(cast.desk, TUESDAY)
    assert day.done == day.expected > 0


def test_the_goal_is_shown_with_the_share_that_is_reached(cast, desk_client, book):
    code_of(cast, "250.00")
    book()
    FrontDesk(clinic=cast.clinic, day_goal=Decimal("1000.00")).record(by=cast.manager)
    day = of_day(cast.desk, TUESDAY)
    line = desk_client.get("/schedule/production/?day=2026-12-01", headers={"HX-Request": "true"}).content.decode()
    assert f"{day.expected}</strong> of 1000.00" in line
    assert f"{day.share} %" in line
    assert "Lovelace" not in line  # the sum alone names nobody
    assert "D9999" in desk_client.get("/schedule/production/?day=2026-12-01").content.decode()


def test_production_takes_the_same_queries_for_1_and_30_visits(cast, desk_client):
    counts = []
    for number in (1, 30):
        _many(cast, slots.wall(TUESDAY, time(8 + number // 10), cast.clinic.zone), number)
        with CaptureQueriesContext(connection) as queries:
            desk_client.get("/schedule/production/?day=2026-12-01")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_hygienist_does_not_see_what_a_day_brings(sign_in):
    assert sign_in("hygienist").get("/schedule/production/").status_code == 403
