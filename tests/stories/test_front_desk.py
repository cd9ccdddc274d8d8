"""The front desk by keyboard: a series of visits, a wish to come sooner, and the time that another visit leaves."""
from datetime import timedelta

import pytest
from django.utils import timezone

from scheduling.models import Appointment, FreedSlot, Series, WaitlistEntry

pytestmark = pytest.mark.story


@pytest.fixture
def soon(clone):
    """`soon(7, 10)`: ten o'clock in a week, by the clinic's clock."""
    today = clone.clinic.today()

    def moment(days, hour):
        day = today + timedelta(days=days)
        return timezone.datetime(day.year, day.month, day.day, hour, tzinfo=clone.clinic.zone)
    return moment


def exam(clone, patient, at):
    return Appointment.book(by=clone.desk, patient=patient, operatory=clone.operatories[0], provider=clone.drill,
                            appointment_type=clone.exam, starts_at=at)


def test_a_series_is_booked_in_one_go_and_what_is_taken_is_decided_first(screen, clone, soon):
    exam(clone, clone.grace, soon(14, 10))
    desk = screen("receptionist").open(
        f"/visits/book/?patient={clone.ada.pk}&appointment_type={clone.exam.pk}&provider={clone.drill.pk}"
        f"&operatory={clone.operatories[0].pk}&at={soon(7, 10).isoformat()}")
    desk.page.get_by_text("Repeat", exact=True).click()
    desk.page.get_by_label("Visits in all").fill("3")
    desk.page.get_by_label("One every … weeks").fill("1")
    desk.go("Enter")
    desk.look("the plan")
    assert desk.page.get_by_text("1 time is taken.").is_visible()
    desk.go("Enter")  # the closest free time has the focus
    assert desk.page.get_by_text("All 3 times are free.").is_visible()
    desk.go("Enter")
    desk.toast("Booked: 3 visits, every week.")
    assert Series.objects.get().standing().count() == 3


def test_a_freed_time_goes_to_who_waits(screen, clone, soon):
    later = exam(clone, clone.ada, soon(28, 10))
    freed = exam(clone, clone.grace, soon(7, 10))
    desk = screen("receptionist").open(f"/visits/{later.pk}/")
    desk.go("w")
    desk.go("Control+Enter")
    desk.toast("Ada Lovelace is on the waitlist.")
    desk.open(f"/visits/{freed.pk}/cancel/")
    desk.write("Ill")
    desk.go("Enter")
    FreedSlot.objects.get().advance(by=clone.system)
    desk.open("/waitlist/times/")
    desk.look("the freed time")
    assert desk.page.get_by_text("Ada Lovelace").first.is_visible()
    desk.go("t")
    desk.toast("Booked: Ada Lovelace")
    assert Appointment.objects.get(pk=later.pk).starts_at == soon(7, 10)
    assert WaitlistEntry.objects.get().status == "booked"


def test_who_missed_a_visit_is_called_and_the_call_is_noted(screen, clone, soon):
    missed = exam(clone, clone.grace, soon(-3, 10))
    missed.no_show(by=clone.desk)
    desk = screen("receptionist").open("/queues/")
    desk.look("work")
    desk.page.get_by_role("link", name="Cancelled and missed").click()
    desk.page.get_by_role("link", name="Hopper, Grace").click()
    desk.page.get_by_role("heading", name="Call Grace Hopper").wait_for()
    desk.press("ArrowDown")
    desk.go("Control+Enter")
    desk.toast("Noted: Grace Hopper.")
    assert desk.page.get_by_text("1 ×, left a message").is_visible()
