"""The schedule's pages: few queries, clear answers to bad input, nothing written twice."""

from uuid import uuid4

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import AccessEvent, MedicalHistory, Operatory, Provider
from scheduling.models import Appointment, Block
from tests.factories import PatientFactory

pytestmark = pytest.mark.wide

SIGN_IN = 2  # the session with its user, memberships


@pytest.fixture
def fill_day(cast, at):
    """`fill_day(n)`: n visits on 1 December over ten providers and operatories."""

    def fill(count):
        providers = [
            Provider(name=f"Dr. {n}", short_name=f"Dr. {n}", kind="dentist", sequence=n + 10).record(by=cast.system)
            for n in range(10)
        ]
        rooms = [Operatory(name=f"Room {n}", sequence=n + 10).record(by=cast.system) for n in range(10)]
        for n in range(count):
            patient = PatientFactory(by=cast.system)
            MedicalHistory.write(
                patient=patient, content={"allergies": [{"substance": "Latex"}]}, by=cast.system, seen_number=0
            )
            Appointment.book(
                by=cast.system,
                patient=patient,
                operatory=rooms[n % 10],
                provider=providers[n % 10],
                appointment_type=cast.exam,
                starts_at=at(f"2026-12-01 {8 + n // 20:02d}:{n // 10 % 2 * 30:02d}"),
            )

    return fill


@pytest.mark.parametrize("count", [1, 150])
@pytest.mark.parametrize("by", ["operatory", "provider"])
def test_the_day_takes_seven_queries_beyond_sign_in(cast, desk_client, fill_day, count, by):
    fill_day(count)
    with CaptureQueriesContext(connection()) as queries:
        page = desk_client.get(f"/schedule/?day=2026-12-01&by={by}")
    assert page.content.count(b"data-card=") == count
    assert page.content.count(b"Latex") >= count
    assert len(queries) <= SIGN_IN + 7, [query["sql"][:90] for query in queries]


@pytest.mark.parametrize("count", [1, 30])
def test_the_week_takes_the_same_queries_for_any_number_of_visits(cast, desk_client, fill_day, count):
    fill_day(count)
    provider = Appointment.objects.first().provider_id
    with CaptureQueriesContext(connection()) as queries:
        desk_client.get(f"/schedule/week/?day=2026-12-01&provider={provider}")
    assert len(queries) == SIGN_IN + 9


def connection():
    from django.db import connection

    return connection


@pytest.mark.parametrize("count", [1, 30])
def test_today_takes_the_same_queries_for_any_number_of_visits(cast, sign_in, fill_day, count, time_machine):
    fill_day(count)
    time_machine.move_to("2026-12-01 15:00:00+00:00")
    desk_client = sign_in("receptionist")
    with CaptureQueriesContext(connection()) as queries:
        page = desk_client.get("/today/")
    assert page.content.count(b"board-row") >= count
    assert len(queries) == SIGN_IN + 3  # visits, change token, access event


def test_the_board_answers_204_until_something_changes(cast, sign_in, book, time_machine):
    time_machine.move_to("2026-12-01 15:00:00+00:00", tick=False)
    desk_client = sign_in("receptionist")
    visit = book("2026-12-01 10:00")
    token = desk_client.get("/today/board/")["X-Change-Token"]
    with CaptureQueriesContext(connection()) as queries:
        assert desk_client.get("/today/board/", {"after": token}).status_code == 204
    assert len(queries) == SIGN_IN + 1
    visit.confirm(by=cast.desk)
    assert desk_client.get("/today/board/", {"after": token}).status_code == 200


def test_the_board_moves_on_with_the_minutes_in_the_waiting_room(cast, sign_in, book, time_machine):
    time_machine.move_to("2026-12-01 15:00:00+00:00", tick=False)
    desk_client = sign_in("receptionist")
    book("2026-12-01 10:00").check_in(by=cast.desk, now=timezone.now())
    token = desk_client.get("/today/board/")["X-Change-Token"]
    time_machine.move_to("2026-12-01 15:21:00+00:00", tick=False)
    desk_client = sign_in("receptionist")  # who sat still for so long has to sign in again
    page = desk_client.get("/today/board/", {"after": token}).content.decode()
    assert "21 min" in page
    assert "tone-red" in page


def form(cast, **values):
    return {
        "patient": cast.ada.pk,
        "appointment_type": cast.exam.pk,
        "provider": cast.drill.pk,
        "operatory": cast.operatories[0].pk,
        "day": "2026-12-01",
        "time": "9:00",
        "minutes": "",
        "note": "",
        "once": str(uuid4()),
        **values,
    }


def test_booking_by_the_form(cast, desk_client, at):
    answer = desk_client.post("/visits/book/", form(cast, note="Prefers the window"))
    assert answer.url == f"/patients/{cast.ada.pk}/"
    visit = Appointment.objects.get()
    assert (visit.starts_at, visit.note) == (at("2026-12-01 9:00"), "Prefers the window")


def test_booking_with_nobody_in_particular_takes_whoever_is_free(cast, desk_client, book):
    book("2026-12-01 9:00", patient=cast.grace)
    assert desk_client.post("/visits/book/", form(cast, provider="", operatory="")).status_code == 302
    visit = Appointment.objects.get(patient=cast.ada)
    assert visit.provider == cast.bridge
    assert visit.operatory == cast.operatories[1]


def test_a_free_time_is_booked_in_one_press(cast, desk_client):
    page = desk_client.get(f"/visits/book/?patient={cast.ada.pk}&appointment_type={cast.cleaning.pk}").content.decode()
    slot = page.split('name="slot" value="')[1].split('"')[0]
    answer = desk_client.post(
        "/visits/book/", {"patient": cast.ada.pk, "appointment_type": cast.cleaning.pk, "slot": slot}
    )
    assert answer.status_code == 302
    assert Appointment.objects.get().starts_at.isoformat() == slot.split("|")[0]


def test_a_taken_time_is_named_and_free_ones_are_offered(cast, desk_client, book):
    book()
    answer = desk_client.post("/visits/book/", form(cast, patient=cast.grace.pk, note="Long text that must stay"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Operatory 1 is taken 9:00-9:30" in page
    assert "Free instead" in page
    assert "Long text that must stay" in page
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"day": "2026-02-31"}, "not a date we can read"),
        ({"day": "soon"}, "not a date we can read"),
        ({"time": "25:00"}, "not a time we can read"),
        ({"minutes": "-30"}, "greater than or equal to 5"),
        ({"minutes": "9999999"}, "less than or equal to 720"),
        ({"day": "2199-01-01"}, "five years ahead"),
        ({"note": "x" * 5000}, "at most 2000"),
        ({"provider": "not-a-key"}, "Select a valid choice"),
    ],
)
def test_bad_input_gets_a_sentence_and_keeps_what_was_typed(cast, desk_client, values, sentence):
    answer = desk_client.post("/visits/book/", form(cast, **{"note": "Keep me", **values}))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert ("Keep me" if "note" not in values else "xxxx") in answer.content.decode()
    assert not Appointment.objects.exists()


def test_another_clinics_patient_operatory_and_provider_are_not_found(cast, desk_client):
    other = cast.outsider
    assert desk_client.post("/visits/book/", form(cast, patient=other.ada.pk)).status_code == 404
    for field, row in (
        ("operatory", other.operatories[0]),
        ("provider", other.drill),
        ("appointment_type", other.exam),
    ):
        assert desk_client.post("/visits/book/", form(cast, **{field: row.pk})).status_code == 422
    slot = f"2026-12-01T14:00:00+00:00|{other.operatories[0].pk}|{other.drill.pk}|"
    assert desk_client.post("/visits/book/", form(cast, slot=slot)).status_code == 404
    assert not Appointment.objects.exists()


def test_sending_the_form_twice_books_once(cast, desk_client):
    same = form(cast)
    first, second = desk_client.post("/visits/book/", same), desk_client.post("/visits/book/", same)
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    assert Appointment.objects.count() == 1


def test_the_same_key_with_other_contents_is_refused(cast, desk_client):
    key = str(uuid4())
    desk_client.post("/visits/book/", form(cast, once=key))
    assert desk_client.post("/visits/book/", form(cast, once=key, time="11:00")).status_code == 422
    assert Appointment.objects.count() == 1


def test_a_refused_form_may_be_corrected_and_sent_with_its_key(cast, desk_client, book):
    book()
    key = str(uuid4())
    assert desk_client.post("/visits/book/", form(cast, patient=cast.grace.pk, once=key)).status_code == 409
    assert (
        desk_client.post("/visits/book/", form(cast, patient=cast.grace.pk, once=key, time="10:00")).status_code == 302
    )


def test_only_a_manager_may_double_book_and_must_say_why(cast, desk_client, sign_in, book):
    book()
    on_purpose = {"patient": cast.grace.pk, "double_booking": "Two chairs at once"}
    assert desk_client.post("/visits/book/", form(cast, **on_purpose)).status_code == 409
    assert sign_in("manager").post("/visits/book/", form(cast, **on_purpose)).status_code == 302


def test_moving_by_the_form_with_an_old_version_keeps_the_text(cast, desk_client, book):
    visit = book()
    seen = visit.version
    visit.confirm(by=cast.desk)
    answer = desk_client.post(f"/visits/{visit.pk}/move/", form(cast, time="11:00", version=seen, note="My note"))
    assert answer.status_code == 409
    assert "Receptionist Test saved this first" in answer.content.decode()
    assert "My note" in answer.content.decode()
    assert f'value="{visit.version}"' in answer.content.decode()


def test_a_card_dropped_on_a_taken_time_stays_and_the_reason_is_said(cast, desk_client, book):
    visit = book()
    book("2026-12-01 10:00", patient=cast.grace)
    answer = desk_client.post(
        f"/visits/{visit.pk}/drop/",
        {"starts_at": "2026-12-01T10:10", "minutes": 30, "version": visit.version},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 409
    assert answer["Content-Type"].startswith("text/plain")
    assert "Operatory 1 is taken 10:00-10:30" in answer.content.decode()


def test_a_card_is_dropped_at_the_wall_time_of_its_row(cast, desk_client, book, at):
    visit = book()
    answer = desk_client.post(
        f"/visits/{visit.pk}/drop/",
        {"starts_at": "2026-12-02T13:30", "minutes": 40, "version": visit.version, "operatory": cast.operatories[1].pk},
    )
    assert answer.status_code == 302
    visit = Appointment.objects.get()
    assert (visit.starts_at, visit.minutes, visit.operatory) == (at("2026-12-02 13:30"), 40, cast.operatories[1])


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"starts_at": "x", "minutes": 30, "version": 1},
        {"starts_at": "2026-12-01T10:00", "minutes": "x", "version": 1},
        {"starts_at": "2026-12-01T10:00", "minutes": 9999, "version": 1},
    ],
)
def test_a_drop_that_makes_no_sense_is_refused(cast, desk_client, book, values):
    assert desk_client.post(f"/visits/{book().pk}/drop/", values).status_code == 404


def test_a_walk_in_is_booked_and_checked_in_with_one_press(cast, sign_in, time_machine):
    time_machine.move_to("2026-12-01 15:02:00+00:00", tick=False)
    desk_client = sign_in("receptionist")
    page = desk_client.get(f"/visits/walk-in/?patient={cast.ada.pk}").content.decode()
    slot = page.split('name="slot" value="')[1].split('"')[0]
    kind = page.split('name="appointment_type" value="')[1].split('"')[0]
    assert (
        desk_client.post("/visits/walk-in/", {"patient": cast.ada.pk, "appointment_type": kind, "slot": slot}).url
        == "/today/"
    )
    visit = Appointment.objects.get()
    assert (visit.status, visit.is_walk_in) == ("checked_in", True)


def test_check_in_asks_for_contact_data_and_old_medical_histories(cast, sign_in, book, time_machine, at):
    visit = book("2026-12-01 9:00")
    time_machine.move_to(at("2026-12-01 8:50"), tick=False)
    desk_client = sign_in("receptionist")
    page = desk_client.get(f"/visits/{visit.pk}/check-in/").content.decode()
    assert "Is this still right?" in page
    assert "No medical history yet" in page
    MedicalHistory.write(patient=cast.ada, content={}, by=cast.desk, seen_number=0, on=at("2026-05-01 9:00").date())
    answer = desk_client.post(f"/visits/{visit.pk}/check-in/", {"contact_confirmed": "1", "medical_reviewed": "1"})
    assert answer.status_code == 302
    cast.ada.refresh_from_db()
    assert cast.ada.contact_confirmed_on == at("2026-12-01 9:00").date()
    assert cast.ada.medical_history.kind == "reviewed"
    assert cast.ada.medical_history.reviewed_on == at("2026-12-01 9:00").date()


def test_a_medical_history_younger_than_six_months_is_not_asked_for(cast, sign_in, book, time_machine, at):
    visit = book("2026-12-01 9:00")
    time_machine.move_to(at("2026-12-01 8:50"), tick=False)
    desk_client = sign_in("receptionist")
    MedicalHistory.write(patient=cast.ada, content={}, by=cast.desk, seen_number=0, on=at("2026-06-02 9:00").date())
    assert "Has their health changed?" not in desk_client.get(f"/visits/{visit.pk}/check-in/").content.decode()


def test_check_out_books_the_proposed_next_visit(cast, desk_client, book):
    visit = book("2026-11-20 9:00")
    for verb in ("check_in", "seat", "complete"):
        getattr(visit, verb)(by=cast.manager)
    page = desk_client.get(f"/visits/{visit.pk}/exit/").content.decode()
    slot = page.split('name="slot" value="')[1].split('"')[0]
    assert desk_client.post(f"/visits/{visit.pk}/check-out/", {"slot": slot}).url == "/today/"
    assert [row.status for row in Appointment.objects.order_by("starts_at")] == ["checked_out", "scheduled"]


def test_a_check_out_that_cannot_be_leaves_no_next_visit_behind(cast, desk_client, book):
    visit = book("2026-11-20 9:00")
    slot = f"2027-05-03T14:00:00+00:00|{cast.operatories[0].pk}|{cast.drill.pk}|"
    answer = desk_client.post(f"/visits/{visit.pk}/check-out/", {"slot": slot})
    assert answer.status_code == 409
    assert Appointment.objects.count() == 1


def test_a_step_out_of_order_is_a_clear_409(cast, desk_client, book):
    answer = desk_client.post(f"/visits/{book().pk}/check-out/")
    assert answer.status_code == 409
    assert "so it can&#x27;t be set to gone" in answer.content.decode()


def test_a_block_over_a_visit_says_which(cast, desk_client, book):
    book()
    answer = desk_client.post(
        "/blocks/new/",
        {
            "title": "Repair",
            "operatory": cast.operatories[0].pk,
            "day": "2026-12-01",
            "starts": "9:00",
            "ends": "10:00",
        },
    )
    assert answer.status_code == 422
    assert "Operatory 1 is taken 9:00-9:30" in answer.content.decode()
    assert not Block.objects.exists()


@pytest.mark.parametrize(
    "values", [{"starts": "10:00", "ends": "9:00"}, {"operatory": ""}, {"title": ""}, {"day": "31/31/2026"}]
)
def test_a_block_that_makes_no_sense_is_refused(cast, desk_client, values):
    data = {
        "title": "Lunch",
        "operatory": cast.operatories[0].pk,
        "day": "2026-12-01",
        "starts": "9:00",
        "ends": "10:00",
        **values,
    }
    assert desk_client.post("/blocks/new/", data).status_code == 422
    assert not Block.objects.exists()


@pytest.mark.parametrize("day", ["2026-13-45", "yesterday'; DROP TABLE", "0001-01-01", "9999-12-31", ""])
def test_a_day_that_is_none_shows_today(cast, desk_client, day):
    assert desk_client.get("/schedule/", {"day": day}).status_code == 200
    assert desk_client.get("/schedule/week/", {"day": day}).status_code == 200


def test_the_day_stands_at_its_wall_time_also_when_the_clock_changes(cast, sign_in, book, time_machine):
    time_machine.move_to("2026-10-01 12:00:00+00:00")
    desk_client = sign_in("receptionist")
    book("2026-11-01 9:00")
    page = desk_client.get("/schedule/?day=2026-11-01").content.decode()
    assert "at-24 for-6" in page  # 9:00 in a grid that begins at 7:00


def test_looking_at_a_visit_is_on_record_and_a_poll_is_tied_to_its_page(cast, desk_client, book):
    visit = book()
    desk_client.get(f"/visits/{visit.pk}/")
    event = AccessEvent.objects.get(patient=cast.ada)
    assert (event.kind, event.route, event.by) == ("view", "scheduling:visit", cast.desk.user)
    page_view = str(uuid4())
    desk_client.get("/today/board/", headers={"X-Page-View": page_view})
    assert AccessEvent.objects.filter(page_view=page_view, kind="list").exists()


def test_a_cancelled_visits_reason_stands_on_its_page(cast, desk_client, book):
    visit = book()
    assert desk_client.post(f"/visits/{visit.pk}/cancel/", {"reason": ""}).status_code == 422
    desk_client.post(f"/visits/{visit.pk}/cancel/", {"reason": "Has a cold"})
    assert "Has a cold" in desk_client.get(f"/visits/{visit.pk}/").content.decode()


def test_going_back_never_leaves_the_house(cast, desk_client, book):
    answer = desk_client.post(f"/visits/{book().pk}/confirm/", {"back": "https://evil.example/"})
    assert answer.url.startswith("/visits/")
    taken = desk_client.post("/visits/book/", form(cast, time="11:00", back="https://evil.example/"))
    assert not taken.url.startswith("https://evil")


@pytest.mark.parametrize("at", ["9999-12-31T23:59", "0001-01-01T00:00+14:00", "yesterday", "2026-12-01T09:00Z", "2026-02-31T10:00"])
def test_a_cell_that_is_no_moment_opens_the_form_all_the_same(cast, desk_client, at):
    assert desk_client.get("/visits/book/", {"patient": cast.ada.pk, "at": at}).status_code == 200
    assert desk_client.get("/blocks/new/", {"at": at}).status_code == 200


@pytest.mark.parametrize(
    "slot",
    ["", "x", "|||", "2026-12-01T09:00|a|b|", "9999-12-31T23:59:00+00:00|{o}|{p}|", "2026-12-01T09:00|{o}|{p}|"],
)
def test_a_slot_that_makes_no_sense_books_nothing(cast, desk_client, slot):
    slot = slot.format(o=cast.operatories[0].pk, p=cast.drill.pk)
    answer = desk_client.post("/visits/book/", form(cast, slot=slot, day="", time=""))
    assert answer.status_code in (404, 422)
    assert not Appointment.objects.exists()


def test_an_offered_time_is_booked_with_the_dentist_who_is_free_then(cast, desk_client, book, at):
    """The patient's own dentist is busy at the look, so another one was offered, and is the one who is booked."""
    Block.place(
        by=cast.desk, provider=cast.drill, starts_at=at("2026-12-01 8:00"), ends_at=at("2026-12-01 12:00"), title="Course"
    )
    page = desk_client.get(
        f"/visits/next-free/?patient={cast.ada.pk}&appointment_type={cast.cleaning.pk}&from_day=2026-12-01"
    ).content.decode()
    slot = page.split('name="slot" value="')[1].split('"')[0]
    data = {"patient": cast.ada.pk, "appointment_type": cast.cleaning.pk, "slot": slot}
    assert desk_client.post("/visits/book/", data).status_code == 302
    assert set(Appointment.objects.get().provider_time.values_list("provider__short_name", flat=True)) == {
        "Holly", "Dr. Bridge"}


@pytest.mark.parametrize(
    "path", ["/schedule/?day=2026-12-01", "/schedule/?day=2026-12-01&by=provider", "/schedule/week/?day=2026-12-01"]
)
def test_the_schedule_refreshes_itself_only_when_something_changed(cast, desk_client, book, path):
    visit = book()
    token = desk_client.get(path).content.decode().split('data-token="')[1].split('"')[0]
    assert desk_client.get(f"{path}&after={token}").status_code == 204
    visit.confirm(by=cast.desk)
    answer = desk_client.get(f"{path}&after={token}")
    assert answer.status_code == 200
    assert answer.content.decode().lstrip().startswith('<div class="grid-head"')
    assert f'data-token="{token}"' not in answer.content.decode()


def test_a_visit_outside_working_hours_is_booked_and_said(cast, desk_client):
    page = desk_client.post("/visits/book/", form(cast, time="19:00"), follow=True).content.decode()
    assert "does not work at that time" in page
    assert "does not work" not in desk_client.post("/visits/book/", form(cast, time="10:00"), follow=True).content.decode()


def test_a_step_is_undone_only_by_those_who_may_take_it(cast, sign_in, book):
    visit = book()
    for verb in ("check_in", "seat", "complete", "check_out"):
        getattr(visit, verb)(by=cast.manager)
    assert sign_in("assistant").post(f"/visits/{visit.pk}/step-back/").status_code == 403
    assert sign_in("receptionist").post(f"/visits/{visit.pk}/step-back/").status_code == 302


def test_a_refusal_leads_back_to_the_page_it_came_from(cast, desk_client, book):
    visit = book()
    page = desk_client.post(f"/visits/{visit.pk}/check-out/", headers={"Referer": f"http://testserver/visits/{visit.pk}/"})
    assert f'href="/visits/{visit.pk}/"' in page.content.decode()
    page = desk_client.post(f"/visits/{visit.pk}/check-out/", headers={"Referer": "https://evil.example/x"})
    assert "evil" not in page.content.decode()


def test_a_year_of_four_digits_is_never_shortened(cast, desk_client):
    assert desk_client.post("/visits/book/", form(cast, day="0001-01-01")).status_code == 422


@pytest.mark.parametrize("by", ["operatory", "provider"])
def test_a_visit_in_what_is_no_longer_in_use_is_still_shown(cast, desk_client, book, by):
    visit = book()
    for row in (cast.operatories[0], cast.operatories[1], cast.drill, cast.bridge):
        row.change(by=cast.manager, is_active=False)
    page = desk_client.get(f"/schedule/?day=2026-12-01&by={by}").content.decode()
    assert f'data-card="{visit.pk}"' in page
    gone = cast.operatories[1].pk if by == "operatory" else cast.bridge.pk
    assert f'data-column="{gone}"' not in page
