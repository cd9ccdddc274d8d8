"""The visit's steps: in order, each with its time and who; never blocked by what is missing."""

import pytest
from django.core.exceptions import ValidationError

from scheduling.models import Appointment
from scheduling.refusals import OutOfOrder

Status = Appointment.Status
VERBS = list(Appointment.STEPS)


def take(visit, verb, by):
    return getattr(visit, verb)(by=by, **({"because": "Ill"} if verb == "cancel" else {}))


REACHED = {
    Status.SCHEDULED: [],
    Status.CONFIRMED: ["confirm"],
    Status.CHECKED_IN: ["check_in"],
    Status.SEATED: ["check_in", "seat"],
    Status.COMPLETED: ["check_in", "seat", "complete"],
    Status.CHECKED_OUT: ["check_in", "seat", "complete", "check_out"],
    Status.CANCELLED: ["cancel"],
    Status.NO_SHOW: ["no_show"],
}


@pytest.mark.parametrize("status", Status.values)
@pytest.mark.parametrize("verb", VERBS)
def test_each_step_leads_on_only_from_where_it_may(cast, book, status, verb):
    visit = book()
    for before in REACHED[status]:
        take(visit, before, cast.manager)
    allowed, to = Appointment.STEPS[verb]
    if status in allowed:
        assert take(visit, verb, cast.manager).status == to
        assert visit.steps.last().status == to
    else:
        with pytest.raises(OutOfOrder):
            take(visit, verb, cast.manager)
        assert Appointment.objects.get(pk=visit.pk).status == status


def test_the_whole_visit_leaves_each_step_with_time_and_person(cast, book, at):
    visit = book()
    people = {
        "confirm": cast.desk,
        "check_in": cast.desk,
        "seat": cast.hygienist,
        "complete": cast.dentist,
        "check_out": cast.desk,
    }
    for number, (verb, by) in enumerate(people.items()):
        getattr(visit, verb)(by=by, now=at(f"2026-12-01 9:{10 + number}"))
    steps = list(visit.steps.all())
    assert [(step.status, step.by) for step in sorted(steps, key=lambda step: step.id)] == [
        ("scheduled", cast.desk.user),
        ("confirmed", cast.desk.user),
        ("checked_in", cast.desk.user),
        ("seated", cast.hygienist.user),
        ("completed", cast.dentist.user),
        ("checked_out", cast.desk.user),
    ]
    assert visit.history.count() == 6


def test_cancelling_needs_a_reason(cast, book):
    visit = book()
    for reason in ("", "   ", None):
        with pytest.raises(ValidationError):
            visit.cancel(by=cast.desk, because=reason)
    assert visit.cancel(by=cast.desk, because="Has a cold").cancel_reason == "Has a cold"


@pytest.mark.parametrize(
    ("verbs", "before"),
    [
        (["confirm"], Status.SCHEDULED),
        (["check_in"], Status.SCHEDULED),
        (["confirm", "check_in"], Status.CONFIRMED),
        (["check_in", "seat"], Status.CHECKED_IN),
        (["check_in", "seat", "complete"], Status.SEATED),
        (["check_in", "seat", "complete", "check_out"], Status.COMPLETED),
    ],
)
def test_a_wrong_click_can_be_taken_back(cast, book, verbs, before):
    visit = book()
    for verb in verbs:
        take(visit, verb, cast.manager)
    assert visit.step_back(by=cast.manager).status == before


def test_there_is_nothing_to_take_back_at_the_start(cast, book):
    with pytest.raises(OutOfOrder):
        book().step_back(by=cast.desk)


def test_the_workflow_is_not_bound_to_the_clock(cast, book):
    visit = book("2027-06-01 9:00")
    for verb in ("check_in", "seat", "complete", "check_out"):
        take(visit, verb, cast.manager)
    assert visit.status == Status.CHECKED_OUT


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("receptionist", {"confirm", "check-in", "check-out", "no-show", "cancel"}),
        ("hygienist", {"seat", "complete"}),
        ("dentist", {"seat", "complete"}),
        ("assistant", {"seat", "complete"}),
        ("biller", set()),
        ("manager", {"confirm", "check-in", "seat", "complete", "check-out", "no-show", "cancel"}),
    ],
)
def test_each_role_may_take_its_steps(cast, book, sign_in, role, allowed):
    visit = book()
    client = sign_in(role)
    for path in ("confirm", "check-in", "seat", "complete", "check-out", "no-show", "cancel"):
        status = client.post(f"/visits/{visit.pk}/{path}/", {"reason": "Ill"}).status_code
        assert (status != 403) is (path in allowed), path


def test_undoing_check_out_leaves_the_time_that_was_given_back(cast, book, at):
    visit = book()
    visit.check_in(by=cast.manager)
    visit.seat(by=cast.manager)
    visit.complete(by=cast.manager, now=at("2026-12-01 9:10"))
    visit.check_out(by=cast.manager, now=at("2026-12-01 9:12"))
    book("2026-12-01 9:10", patient=cast.grace)
    assert visit.step_back(by=cast.manager).status == "completed"


def test_a_visit_that_was_moved_after_confirming_is_not_confirmed_by_undoing_check_in(cast, book, at):
    visit = book()
    visit.confirm(by=cast.desk)
    visit.reschedule(by=cast.desk, starts_at=at("2026-12-01 11:00"))
    visit.check_in(by=cast.desk)
    assert visit.step_back(by=cast.desk).status == "scheduled"
    assert [step.status for step in visit.steps.order_by("id")] == [
        "scheduled", "confirmed", "scheduled", "checked_in", "scheduled"]
