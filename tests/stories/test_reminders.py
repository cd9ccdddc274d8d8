"""Stories: a patient answers a message on a phone, and the desk sees it, in the bell and on the board."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import PatientLink
from scheduling.models import Appointment, Reminder

pytestmark = pytest.mark.story


@pytest.fixture
def sent(clone):
    """`sent()`: the path of a link that was sent about Ada's visit in two days."""

    def send():
        clone.clinic.change(by=clone.manager, phone="+1 201 555 0100", address="1 Quay Street\nHarbour")
        at = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
        visit = Appointment.book(
            by=clone.desk, patient=clone.ada, operatory=clone.operatories[0], provider=clone.drill,
            appointment_type=clone.exam, starts_at=at)  # fmt: skip
        reminder = Reminder.ask(visit)
        reminder.claim(timezone.now())
        reminder.link, secret = PatientLink.issue(clone.ada, reminder.PURPOSE, expires_at=at)
        reminder.save()
        reminder.end("sent")
        return f"/v/{secret}/"

    return send


def test_a_patient_asks_for_another_time_and_the_desk_hears_of_it(screen, sent):
    path = sent()
    phone = screen(width=390, height=780).open(path)
    assert phone.path() == "/v/"
    phone.look("the visit, on a phone")
    phone.page.emulate_media(color_scheme="dark")
    phone.look("the visit, on a phone in the dark", only=["color-contrast"])
    phone.page.get_by_text("I need another time").click()
    phone.page.get_by_label("When does it suit you?").fill("Fridays after four")
    phone.look("asking for another time")
    phone.page.get_by_role("button", name="Ask for another time").click()
    phone.sees("Thank you for telling us")
    phone.look("after asking for another time")

    desk = screen("receptionist").open("/today/")
    desk.page.get_by_label("Notifications, 1 new").wait_for()
    desk.go("g", "n")
    desk.page.get_by_role("button", name="A patient asks for another time").click()
    desk.sees("Fridays after four")
    desk.look("the visit with the wish")
    desk.open("/today/").go("u")
    desk.sees("Another time wanted")
    desk.look("the board")
    desk.press("j")
    desk.go("f")
    desk.toast("is confirmed")
    desk.sees("Everybody who is booked for these days has confirmed.")


def test_a_patient_confirms_without_javascript(screen, sent):
    phone = screen(width=390, height=780, js=False).open(sent())
    phone.page.get_by_role("button", name="I am coming").click()
    phone.sees("Thank you, we expect you")
    assert Appointment.objects.get().status == "confirmed"


def test_a_call_is_logged_by_keys(screen, sent):
    sent()
    desk = screen("receptionist").open("/visits/unconfirmed/")
    desk.press("j")
    desk.go("l")
    desk.look("logging a call")
    desk.press("ArrowDown")
    desk.go("Control+Enter")
    assert desk.path() == "/visits/unconfirmed/"
    desk.sees("Left a message")
