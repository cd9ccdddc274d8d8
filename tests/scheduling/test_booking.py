"""Booking: what fits is booked whole, what does not is refused by the database and explained."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from clinic.db.refusals import Stale, constraint_name
from clinic.models import Patient, Provider
from scheduling.models import Appointment, AppointmentType, Block, ProviderTime
from scheduling.refusals import OutOfOrder, TimeTaken
from tests.factories import PatientFactory


def resources(refusal):
    return sorted(conflict.resource for conflict in refusal.value.conflicts)


def test_a_visit_is_booked_with_its_providers_minutes_and_first_step(cast, book, at):
    visit = book()
    assert (visit.ends_at - visit.starts_at) == timedelta(minutes=30)
    assert [(row.provider, row.starts_at, row.ends_at) for row in visit.provider_time.all()] == [
        (cast.drill, at("2026-12-01 9:00"), at("2026-12-01 9:30"))
    ]
    assert [step.status for step in visit.steps.all()] == ["scheduled"]
    assert visit.steps.get().by == cast.desk.user


def test_a_hygiene_visit_takes_the_dentists_minutes_40_to_50(cast, book, at):
    visit = book(appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])
    assert {(row.provider, row.starts_at, row.ends_at) for row in visit.provider_time.all()} == {
        (cast.holly, at("2026-12-01 9:00"), at("2026-12-01 10:00")),
        (cast.drill, at("2026-12-01 9:40"), at("2026-12-01 9:50")),
    }


def test_the_dentist_may_treat_elsewhere_around_the_look(cast, book):
    book(appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])
    book("2026-12-01 9:00", patient=cast.grace, ends_at=None)
    with pytest.raises(TimeTaken) as refusal:
        book("2026-12-01 9:30", patient=cast.grace, operatory=cast.operatories[1])
    assert "provider" in resources(refusal)


def test_a_taken_operatory_is_refused_and_named(cast, book):
    book()
    with pytest.raises(TimeTaken, match=r"Operatory 1 is taken 9:00-9:30") as refusal:
        book("2026-12-01 9:20", patient=cast.grace, provider=cast.bridge)
    assert resources(refusal) == ["operatory"]
    assert Appointment.objects.count() == 1


def test_a_patient_cannot_be_in_two_places(cast, book):
    book()
    with pytest.raises(TimeTaken) as refusal:
        book(provider=cast.bridge, operatory=cast.operatories[1])
    assert resources(refusal) == ["patient"]


def test_a_provider_cannot_treat_twice_at_once(cast, book):
    book()
    with pytest.raises(TimeTaken) as refusal:
        book(patient=cast.grace, operatory=cast.operatories[1])
    assert resources(refusal) == ["provider"]


def test_touching_visits_are_fine(cast, book):
    book("2026-12-01 9:00")
    book("2026-12-01 9:30", patient=cast.grace)
    assert Appointment.objects.count() == 2


def test_the_buffer_keeps_the_chair_but_not_the_people(cast, book):
    book(appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])
    with pytest.raises(TimeTaken) as refusal:
        book("2026-12-01 10:00", patient=cast.grace, provider=cast.bridge, operatory=cast.operatories[2])
    assert resources(refusal) == ["operatory"]
    book("2026-12-01 10:00", operatory=cast.operatories[0])


@pytest.mark.parametrize(
    "leave", [lambda visit, by: visit.cancel(by=by, because="Ill"), lambda visit, by: visit.no_show(by=by)]
)
def test_cancelled_and_missed_visits_give_their_time_back(cast, book, leave):
    visit = book()
    leave(visit, cast.desk)
    book(patient=cast.grace)
    assert not ProviderTime.objects.filter(appointment=visit).exists()


def test_reactivating_onto_a_taken_time_is_refused(cast, book):
    visit = book()
    visit.cancel(by=cast.desk, because="Ill")
    book(patient=cast.grace)
    with pytest.raises(TimeTaken):
        visit.reactivate(by=cast.desk)
    assert Appointment.objects.get(pk=visit.pk).status == "cancelled"


def test_reactivating_onto_a_free_time_takes_it_again(cast, book):
    visit = book()
    visit.cancel(by=cast.desk, because="Ill")
    visit.reactivate(by=cast.desk)
    with pytest.raises(TimeTaken):
        book(patient=cast.grace)
    assert visit.cancel_reason == ""


def test_a_knowing_double_booking_needs_a_reason_and_stands_in_the_history(cast, book):
    book()
    visit = book(patient=cast.grace, double_booking="Ortho runs two chairs", by=cast.manager)
    assert visit.shared_chair
    assert visit.history.latest().history_change_reason == "Ortho runs two chairs"


def test_a_patient_is_never_double_booked_knowingly(cast, book):
    book()
    with pytest.raises(TimeTaken):
        book(operatory=cast.operatories[1], provider=cast.bridge, double_booking="Why not", by=cast.manager)


def test_moving_keeps_the_length_and_takes_the_providers_along(cast, book, at):
    visit = book()
    visit.reschedule(by=cast.desk, starts_at=at("2026-12-02 14:00"))
    assert visit.ends_at == at("2026-12-02 14:30")
    assert visit.provider_time.get().starts_at == at("2026-12-02 14:00")


def test_moving_onto_a_taken_time_is_refused_and_leaves_it_where_it_was(cast, book, at):
    visit = book()
    book("2026-12-01 10:00", patient=cast.grace)
    with pytest.raises(TimeTaken):
        visit.reschedule(by=cast.desk, starts_at=at("2026-12-01 10:00"))
    assert Appointment.objects.get(pk=visit.pk).starts_at == at("2026-12-01 9:00")
    assert visit.provider_time.get().starts_at == at("2026-12-01 9:00")


def test_a_longer_visit_stretches_the_provider_and_keeps_the_look(cast, book, at):
    visit = book(appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])
    visit.reschedule(by=cast.desk, ends_at=at("2026-12-01 10:20"))
    assert {(row.provider.short_name, row.starts_at, row.ends_at) for row in visit.provider_time.all()} == {
        ("Holly", at("2026-12-01 9:00"), at("2026-12-01 10:20")),
        ("Dr. Drill", at("2026-12-01 9:40"), at("2026-12-01 9:50")),
    }


def test_a_confirmed_visit_that_moves_must_be_confirmed_again(cast, book, at):
    visit = book()
    visit.confirm(by=cast.desk)
    visit.reschedule(by=cast.desk, starts_at=at("2026-12-01 11:00"))
    assert visit.status == "scheduled"


def test_moving_with_an_old_version_is_refused(cast, book, at):
    visit = book()
    seen = visit.version
    visit.confirm(by=cast.desk)
    with pytest.raises(Stale):
        visit.reschedule(by=cast.desk, starts_at=at("2026-12-01 11:00"), version=seen)


def test_a_visit_that_is_over_cannot_be_moved(cast, book, at):
    visit = book()
    visit.cancel(by=cast.desk, because="Ill")
    with pytest.raises(OutOfOrder):
        visit.reschedule(by=cast.desk, starts_at=at("2026-12-01 11:00"))


def test_a_visit_that_ends_early_gives_chair_and_provider_back(cast, book, at):
    visit = book()
    visit.check_in(by=cast.desk)
    visit.seat(by=cast.dentist)
    visit.complete(by=cast.dentist, now=at("2026-12-01 9:10"))
    book("2026-12-01 9:10", patient=cast.grace)
    assert visit.provider_time.get().ends_at == at("2026-12-01 9:10")


def test_taking_completion_back_needs_the_time_again(cast, book, at):
    visit = book()
    visit.check_in(by=cast.desk)
    visit.seat(by=cast.dentist)
    visit.complete(by=cast.dentist, now=at("2026-12-01 9:10"))
    book("2026-12-01 9:10", patient=cast.grace)
    with pytest.raises(TimeTaken):
        visit.step_back(by=cast.dentist)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ends_at": timedelta(minutes=-10)}, "ends_at"),
        ({"ends_at": timedelta(0)}, "ends_at"),
        ({"ends_at": timedelta(hours=13)}, "ends_at"),
        ({"starts_at": timedelta(days=6 * 366)}, "starts_at"),
        ({"starts_at": -timedelta(days=40 * 366)}, "starts_at"),
    ],
)
def test_impossible_times_are_refused_with_the_field(cast, book, at, change, field):
    start = at("2026-12-01 9:00")
    values = {name: start + delta for name, delta in change.items()}
    with pytest.raises(ValidationError) as error:
        book(**values) if "starts_at" not in values else Appointment.book(
            by=cast.desk,
            patient=cast.ada,
            operatory=cast.operatories[0],
            provider=cast.drill,
            appointment_type=cast.exam,
            **values,
        )
    assert field in error.value.message_dict


def test_a_type_is_done_by_those_who_may(cast, book):
    with pytest.raises(ValidationError, match="is done by: hygienist"):
        book(appointment_type=cast.cleaning, provider=cast.drill)


def test_a_deceased_patient_is_not_booked(cast, book):
    cast.ada.change(by=cast.desk, status=Patient.Status.DECEASED)
    with pytest.raises(ValidationError, match="deceased"):
        book()


def test_what_is_no_longer_in_use_is_not_booked(cast, book):
    room = cast.operatories[0].change(by=cast.manager, is_active=False)
    with pytest.raises(ValidationError, match="no longer in use"):
        book(operatory=room)


def test_another_clinics_rows_are_refused_by_the_database(cast, book):
    other = cast.outsider
    for change, name in (
        ({"patient": other.ada}, "scheduling_appointment_patient_same_clinic"),
        ({"operatory": other.operatories[0]}, "scheduling_appointment_operatory_same_clinic"),
        ({"provider": other.drill}, "scheduling_appointment_provider_same_clinic"),
    ):
        with pytest.raises(IntegrityError) as error, transaction.atomic():
            book(**change)
        assert constraint_name(error.value) == name


def test_a_block_refuses_visits_and_visits_refuse_a_block(cast, book, at):
    block = Block.place(
        by=cast.desk,
        operatory=cast.operatories[0],
        starts_at=at("2026-12-01 9:00"),
        ends_at=at("2026-12-01 10:00"),
        title="Repair",
    )
    with pytest.raises(TimeTaken, match="is blocked"):
        book("2026-12-01 9:30")
    book("2026-12-01 10:00")
    with pytest.raises(TimeTaken):
        Block.place(
            by=cast.desk,
            provider=cast.drill,
            starts_at=at("2026-12-01 9:50"),
            ends_at=at("2026-12-01 10:10"),
            title="Call",
        )
    assert Block.objects.count() == 1
    block.withdraw(by=cast.desk)
    book("2026-12-01 9:30")


def test_a_blocked_providers_minutes_are_refused(cast, book, at):
    Block.place(
        by=cast.desk, provider=cast.drill, starts_at=at("2026-12-01 9:40"), ends_at=at("2026-12-01 9:50"), title="Call"
    )
    with pytest.raises(TimeTaken, match=r"Dr. Dana Drill is blocked 9:40-9:50"):
        book(appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])


def test_provider_time_can_be_said_outright(cast, book, at):
    visit = book(
        provider_time=[
            (cast.drill, at("2026-12-01 9:00"), at("2026-12-01 9:10")),
            (cast.bridge, at("2026-12-01 9:10"), at("2026-12-01 9:30")),
        ]
    )
    assert visit.provider_time.count() == 2
    with pytest.raises(ValidationError):
        book("2026-12-01 10:00", provider_time=[(cast.drill, at("2026-12-01 9:00"), at("2026-12-01 11:00"))])


def test_the_patients_own_dentist_looks_in(cast, book):
    cast.grace.change(by=cast.desk, primary_provider=cast.bridge)
    visit = book(patient=cast.grace, appointment_type=cast.cleaning, provider=cast.holly, operatory=cast.operatories[2])
    assert visit.provider_time.filter(provider=cast.bridge).exists()
    assert not visit.provider_time.filter(provider=cast.drill).exists()


def test_parts_of_a_type_grow_and_are_cut_with_the_visit():
    kind = AppointmentType(
        minutes=60,
        pattern=[{"who": "provider", "from": 0, "minutes": 60}, {"who": "doctor", "from": 40, "minutes": 10}],
    )
    assert kind.parts(90) == [("provider", 0, 90), ("doctor", 40, 10)]
    assert kind.parts(45) == [("provider", 0, 45), ("doctor", 40, 5)]
    assert kind.parts(30) == [("provider", 0, 30)]


@pytest.mark.parametrize(
    "pattern",
    [
        [{"who": "nobody", "from": 0, "minutes": 5}],
        [{"who": "doctor", "from": -1, "minutes": 5}],
        {"who": "doctor"},
        [{"who": "doctor"}],
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused(cast, pattern):
    with pytest.raises(ValidationError):
        AppointmentType(name="Odd", minutes=30, pattern=pattern).record(by=cast.system)


def test_kinds_that_do_not_exist_are_refused(cast):
    with pytest.raises(ValidationError):
        AppointmentType(name="Odd", minutes=30, kinds=["astronaut"]).record(by=cast.system)
    assert Provider.Kind.DENTIST in Provider.Kind.values


def test_nobody_books_onto_a_knowing_double_booking_unknowingly(cast, book):
    book()
    book("2026-12-01 9:00", patient=cast.grace, ends_at=None, double_booking="Two chairs", by=cast.manager,
         operatory=cast.operatories[1], provider=cast.bridge)
    third = PatientFactory(by=cast.desk)
    with pytest.raises(TimeTaken) as refusal:
        book("2026-12-01 9:10", patient=third, operatory=cast.operatories[1], provider=cast.bridge)
    assert resources(refusal) == ["operatory", "provider"]


def test_a_double_booking_is_allowed_where_it_was_allowed_and_nowhere_else(cast, book, at):
    book()
    shared = book(patient=cast.grace, double_booking="Two chairs", by=cast.manager)
    book("2026-12-01 11:00", patient=PatientFactory(by=cast.desk))
    with pytest.raises(TimeTaken):
        shared.reschedule(by=cast.desk, starts_at=at("2026-12-01 11:00"))
    shared = Appointment.objects.get(pk=shared.pk)
    assert shared.reschedule(by=cast.desk, starts_at=at("2026-12-01 14:00")).shared_chair is False


def test_a_visit_is_not_moved_to_what_is_no_longer_in_use_nor_too_far_ahead(cast, book, at):
    visit = book()
    room = cast.operatories[1].change(by=cast.manager, is_active=False)
    with pytest.raises(ValidationError, match="no longer in use"):
        visit.reschedule(by=cast.desk, operatory=room)
    with pytest.raises(ValidationError, match="five years ahead"):
        visit.reschedule(by=cast.desk, starts_at=at("2126-12-01 9:00"))


def test_narrowing_a_type_does_not_stop_visits_that_stand(cast, book):
    visit = book()
    cast.exam.change(by=cast.manager, kinds=["hygienist"])
    visit = Appointment.objects.get(pk=visit.pk)
    assert visit.check_in(by=cast.desk).status == "checked_in"
