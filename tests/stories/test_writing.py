"""Writing once, whatever the hand does: double clicks, reloads, two tabs, no JavaScript."""
from datetime import time, timedelta

import pytest

from clinic.models import MedicalHistory, Patient
from scheduling import slots
from scheduling.models import Appointment

pytestmark = pytest.mark.story


def book_page(clone, patient):
    return (f"/visits/book/?patient={patient.pk}&appointment_type={clone.exam.pk}"
            f"&at={clone.clinic.today() + timedelta(days=3)}T09:00")


def test_a_double_click_on_book_makes_one_visit(screen, clone):
    desk = screen("receptionist").open(book_page(clone, clone.ada))
    desk.page.locator("#visit-form .form-buttons [type=submit]").dblclick()
    desk.toast("Booked: Exam")
    assert Appointment.objects.filter(patient=clone.ada).count() == 1


def test_a_reload_of_the_answer_writes_nothing_again(screen, clone):
    desk = screen("receptionist")
    desk.expect(r"status of 409")
    desk.open(book_page(clone, clone.ada))
    desk.page.locator("#visit-form .form-buttons [type=submit]").click()
    desk.toast("Booked: Exam")
    desk.page.reload()
    assert Appointment.objects.filter(patient=clone.ada).count() == 1
    desk.open(book_page(clone, clone.ada))
    desk.page.locator("#visit-form .form-buttons [type=submit]").click()
    desk.sees("Nothing was saved.")
    desk.look("a time that is taken")
    desk.page.reload()
    desk.sees("Nothing was saved.")
    assert Appointment.objects.filter(patient=clone.ada).count() == 1


def test_the_second_of_two_tabs_is_told_and_loses_nothing(screen, clone):
    desk = screen("receptionist")
    desk.expect(r"status of 409")
    form = f"/patients/{clone.ada.pk}/edit/"
    desk.open(form)
    second = desk.context.new_page()
    second.goto(desk.url + form)
    desk.page.locator("[name=preferred_name]").fill("Countess")
    desk.go("Control+Enter")
    second.locator("[name=city]").fill("Marylebone")
    with second.expect_navigation():
        second.keyboard.press("Control+Enter")
    second.get_by_text("both can stand").first.wait_for()
    with second.expect_navigation():
        second.keyboard.press("Control+Enter")
    ada = Patient.objects.get(pk=clone.ada.pk)
    assert (ada.preferred_name, ada.city) == ("Countess", "Marylebone")


def test_both_wrote_one_field_and_a_choice_by_keys_decides(screen, clone):
    desk = screen("receptionist")
    desk.expect(r"status of 409")
    form = f"/patients/{clone.ada.pk}/edit/"
    desk.open(form)
    clone.ada.change(by=clone.manager, city="Ockham", line1="Their street")
    desk.page.locator("[name=city]").fill("Marylebone")
    desk.go("Control+Enter")
    desk.sees("Nothing of yours is lost")
    desk.look("two people wrote in one field")
    desk.page.get_by_label("City: what you typed").focus()
    desk.page.keyboard.press("ArrowRight")
    desk.go("Control+Enter")
    ada = Patient.objects.get(pk=clone.ada.pk)
    assert (ada.city, ada.line1) == ("Ockham", "Their street")


def test_an_allergy_stands_in_red_on_every_page_of_that_patient(screen, clone):
    visit = Appointment.book(
        by=clone.desk, patient=clone.ada, operatory=clone.operatories[0], provider=clone.drill,
        appointment_type=clone.exam, starts_at=slots.wall(clone.clinic.today(), time(9), clone.clinic.zone))
    desk = screen("receptionist").open(f"/patients/{clone.ada.pk}/medical-history/edit/")
    desk.page.locator("[name=allergies-0-substance]").fill("Penicillin")
    desk.page.locator("[name=allergies-0-severity]").select_option("severe")
    desk.go("Control+Enter")
    desk.toast("Medical history saved.")
    pages = [f"/patients/{clone.ada.pk}/{page}" for page in ("", "edit/", "medical-history/", "medical-history/edit/", "history/")]
    pages += [f"/visits/{visit.pk}/{page}" for page in ("", "move/", "check-in/", "cancel/", "exit/")]
    pages += [f"/visits/book/?patient={clone.ada.pk}", f"/visits/walk-in/?patient={clone.ada.pk}", "/today/"]
    for page in pages:
        desk.open(page)
        chip = desk.page.locator(".chip.tone-red", has_text="Penicillin").first
        assert chip.is_visible(), f"no alert on {page}"
    desk.open("/schedule/")
    assert desk.page.locator(".card .card-alert.text-red").count() == 1
    assert MedicalHistory.objects.filter(patient=clone.ada).count() == 1


def test_a_patient_is_registered_and_booked_without_javascript(screen, clone):
    desk = screen("receptionist", js=False).open("/patients/new/")
    page = desk.page
    page.locator("[name=first_name]").fill("Annie")
    page.locator("[name=last_name]").fill("Easley")
    page.locator("[name=date_of_birth]").fill("4/23/1933")
    page.get_by_role("button", name="Register").click()
    assert "Annie Easley" in page.locator(".patient-name").inner_text()
    page.get_by_role("link", name="Book").click()
    page.locator("[name=appointment_type]").select_option(label="Exam")
    page.locator("[name=day]").fill("+3d")
    page.locator("[name=time]").fill("9:00")
    page.locator("#visit-form .form-buttons [type=submit]").click()
    assert "Exam" in page.locator(".visit-list").inner_text()
    assert Appointment.objects.filter(patient__last_name="Easley").count() == 1
