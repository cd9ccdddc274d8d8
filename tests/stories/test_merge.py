"""One person, registered twice: merged by keyboard, and taken apart again."""

from datetime import datetime

import pytest

from clinic.models import MedicalHistory, Patient
from scheduling.models import Appointment

pytestmark = pytest.mark.story


@pytest.fixture
def twin(clone):
    latex = {"allergies": [{"substance": "Latex", "reaction": "rash", "severity": "severe"}]}
    iodine = {"allergies": [{"substance": "Iodine", "reaction": "", "severity": ""}], "medications": [
        {"name": "Ramipril", "dose": "5 mg", "reason": "blood pressure"}]}  # fmt: skip
    MedicalHistory.write(patient=clone.ada, content=latex, by=clone.desk, seen_number=0)
    twin = Patient.register(
        by=clone.desk, first_name="Ada Augusta Wilhelmina", last_name="Byron-Lovelace of Ockham Park",
        date_of_birth=clone.ada.date_of_birth, phone="+12015550123", email="ada@byron.example", line1="12 St James's Square",
        city="Springfield")  # fmt: skip
    MedicalHistory.write(patient=twin, content=iodine, by=clone.desk, seen_number=0)
    return twin


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_manager_merges_two_records_and_takes_them_apart(screen, clone, twin, scheme):
    boss = screen("manager", scheme=scheme).open(f"/patients/{clone.ada.pk}/merge/")
    boss.sees("They look alike")
    boss.look("whom to merge with")
    boss.page.get_by_role("link", name="Byron-Lovelace").first.focus()
    boss.go("Enter")
    boss.sees("Their medical histories differ")
    boss.sees("Iodine")
    boss.look("two records side by side")
    boss.page.get_by_label("The joined medical history holds for this person").focus()
    boss.press("Space", "Tab")
    boss.write("Registered twice under two names")
    boss.go("Control+Enter")
    boss.toast("is merged into this patient")
    stays = Patient.objects.get(pk=twin.pk).person
    boss.sees("includes #")
    boss.look("a patient who holds another")
    Appointment.book(
        by=clone.desk, patient=stays, operatory=clone.operatories[0], provider=clone.drill, appointment_type=clone.exam,
        starts_at=datetime(clone.clinic.today().year + 1, 3, 1, 9, tzinfo=clone.clinic.zone))  # fmt: skip
    boss.page.get_by_role("link", name="includes #").focus()
    boss.go("Enter")
    boss.sees("Say whose each thing is")
    boss.look("taken apart")
    for group in boss.page.locator("fieldset").all():
        group.locator("input[type=radio]").first.check()
    boss.page.get_by_label("Why").fill("Mother and daughter")
    boss.page.get_by_label("Why").focus()
    boss.go("Control+Enter")
    boss.toast("are two again")
    assert Patient.objects.get(pk=twin.pk).merged_into is None
