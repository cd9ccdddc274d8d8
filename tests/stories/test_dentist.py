"""The dentist's story: a crown and a filling planned from the chart, presented, signed, done and documented."""
import os

import pytest

from charting.models import ClinicalNote, Finding
from clinic.catalogue import load_starter
from treatment.models import Consent, ProcedureNote, TreatmentPlan
from treatment.starter import load_rules

pytestmark = pytest.mark.story


@pytest.fixture
def codes(clone):
    load_starter(clone.system)
    load_rules(by=clone.system)


@pytest.mark.parametrize("scheme", ["light", "dark"] if "CAMPAIGN" in os.environ else ["light"])
def test_a_dentist_plans_presents_takes_consent_completes_and_documents(screen, clone, codes, scheme):
    dentist = screen("dentist", scheme=scheme).open(f"/patients/{clone.ada.pk}/chart/")
    dentist.write("14 crown plan; 19 mo comp plan")
    dentist.page.locator("#preview", has_text="planned").wait_for()
    dentist.press("Enter")
    dentist.page.locator(".finding-list", has_text="planned").wait_for()
    dentist.press("Escape", "g")
    dentist.go("l")
    dentist.look("the plans of a patient")
    dentist.press("j")
    dentist.go("Enter")
    dentist.sees("1,583.00")
    dentist.look("a draft")
    dentist.go("p")
    dentist.toast("The plan is presented")
    takes_consent(dentist)
    dentist.page.get_by_role("link", name="The plan", exact=True).click()
    dentist.page.locator("h1", has_text="Plan of").wait_for()
    dentist.go("y")
    dentist.toast("The plan is accepted")
    completes_the_crown(dentist)
    plan = TreatmentPlan.objects.get()
    assert (plan.status, plan.number) == ("active", 2)
    assert Consent.objects.get().is_intact
    assert set(Finding.objects.filter(resolved_on=None).values_list("tooth", "status")) == {("14", "completed"), ("19", "planned")}
    note = ClinicalNote.objects.get()
    assert note.body.startswith("# Crown, tooth 14")
    assert ProcedureNote.objects.get(note=note).procedure.tooth == "14"


def takes_consent(dentist):
    dentist.go("s")
    dentist.look("a consent")
    dentist.page.fill("[name=explained]", "Risks, an onlay instead, the fees.")
    field = dentist.page.locator("canvas")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    dentist.page.mouse.move(box["x"] + 40, box["y"] + 60)
    dentist.page.mouse.down()
    for step in range(1, 12):
        dentist.page.mouse.move(box["x"] + 40 + 20 * step, box["y"] + 60 + (15 if step % 2 else -15))
    dentist.page.mouse.up()
    dentist.page.get_by_text("Signed", exact=True).wait_for()
    dentist.go("Control+Enter")
    dentist.toast("The consent is taken")
    dentist.look("a signed consent")


def completes_the_crown(dentist):
    tick = dentist.page.get_by_role("checkbox").first
    tick.focus()
    dentist.press("Space", "Escape")
    dentist.look("an accepted plan")
    dentist.go("c")
    dentist.toast("D2740: completed")
    dentist.look("the note on it")
    dentist.go("Control+Enter")
    dentist.toast("Saved")


def test_a_line_that_cannot_be_read_stays_and_its_word_is_marked(screen, clone, codes):
    plan = TreatmentPlan.draw_up(
        by=clone.dentist, patient=clone.ada, title="T" * 200, provider=clone.drill, start_date=clone.clinic.today())
    dentist = screen("dentist").open(f"/plans/{plan.pk}/")
    dentist.press("n")
    dentist.write("14 crown; 19 mo compp")
    dentist.page.locator("#preview mark", has_text="compp").wait_for()
    dentist.look("a fault in the line")
    dentist.expect("422")
    dentist.go("Enter")
    assert dentist.page.input_value("#entry") == "14 crown; 19 mo compp"
    assert dentist.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_without_javascript_a_plan_is_drawn_up_and_a_procedure_planned(screen, clone, codes):
    page = screen("dentist", js=False).open(f"/patients/{clone.ada.pk}/plans/new/").page
    page.fill("[name=title]", "Crown")
    page.get_by_role("button", name="Draw up").click()
    page.get_by_role("link", name="Form").click()
    page.fill("[name=code]", "d2740")
    page.fill("[name=tooth]", "14")
    page.get_by_role("button", name="Plan", exact=True).click()
    page.get_by_text("Crown, all ceramic").first.wait_for()
    page.get_by_role("button", name="Present").click()
    plan = TreatmentPlan.objects.get()
    assert (plan.status, plan.procedures.get().tooth) == ("proposed", "14")
