"""A periodontal exam by key presses alone, killed in the middle, saved, compared; and as a plain form."""
import os
import random
from datetime import timedelta

import pytest
from django.utils import timezone

from charting.models import Draft, Finding, PerioExam
from charting.perio import PATHS, ToothFigures, site_order

pytestmark = pytest.mark.story
KILLS = 20 if "CAMPAIGN" in os.environ else 3


def address(clone):
    return f"/patients/{clone.ada.pk}/perio/"


def whole_mouth():
    return site_order(PATHS["around"][1], {position: str(position) for position in range(1, 33)})


def begin(screen, clone, role="hygienist", **more):
    hygienist = screen(role, **more).open(address(clone))
    hygienist.go("n")
    hygienist.page.locator("[data-perio-grid]:focus").wait_for()
    return hygienist


def kept(hygienist):
    hygienist.page.locator("[data-perio-kept]", has_text="Kept as you type").wait_for()


def test_a_full_exam_of_192_sites_goes_in_by_keys_and_is_closed(screen, clone):
    hygienist = begin(screen, clone)
    hygienist.look("an empty exam")
    chance = random.Random(1)
    depths = [chance.choice((2, 3, 3, 4, 5, 11)) for _ in range(192)]
    for depth in depths:
        for key in (("+", str(depth - 10)) if depth > 9 else (str(depth),)):
            hygienist.press(key)
        if depth == 5:
            hygienist.press("b")
    hygienist.sees("192/192")
    hygienist.look("a full exam")
    hygienist.page.get_by_role("button", name="Save and close").focus()
    hygienist.go("Enter")
    exam = PerioExam.objects.get()
    figures = exam.figures
    assert [figures[key].pd[site] for key, site in whole_mouth()] == depths
    assert exam.bleeding_sites == depths.count(5)
    assert exam.status == "closed"
    assert Draft.find(clone.hygienist, clone.ada, "perio") is None
    hygienist.look("a closed exam")


def test_killed_at_a_random_site_at_most_the_last_key_is_lost(screen, clone):
    chance = random.Random(2)
    typed = []
    hygienist = begin(screen, clone)
    hygienist.expect("409")  # what was under way when the page died may arrive after the next one was opened
    for _ in range(KILLS):
        if len(typed) > 150:  # the mouth is nearly full: another exam
            Draft.objects.all().delete()
            typed = []
            hygienist.open(f"{address(clone)}new/")
        for _ in range(chance.randint(5, 40)):
            key = str(chance.randint(1, 9))
            typed.append(int(key))
            hygienist.page.wait_for_timeout(20)  # fifty keys a second, faster than anybody speaks
            hygienist.press(key)
        with hygienist.context.expect_page() as opened:  # another tab, and the one that typed is killed without a word
            hygienist.page.evaluate("() => window.open('about:blank')")
        hygienist.page.close(run_before_unload=False)
        hygienist.page = opened.value
        hygienist.keys = hygienist.page.keyboard
        hygienist.open(f"{address(clone)}new/")
        hygienist.page.locator("[data-perio-grid]:focus").wait_for()
        order = whole_mouth()
        there = hygienist.page.evaluate(
            "() => [...document.querySelectorAll('tr.row-pd td[data-at]')].filter(cell => cell.textContent)"
            ".map(cell => [cell.dataset.at, Number(cell.textContent)])")
        found = dict(there)
        held = [found.get(f"{key}:{site}") for key, site in order]
        count = sum(value is not None for value in held)
        assert count >= len(typed) - 1
        assert held[:count] == typed[:count]
        typed = typed[:count]


def test_letters_arrows_skips_and_the_other_measures(screen, clone):
    Finding.enter(by=clone.dentist, patient=clone.ada, items=[{"tooth": "1", "condition": "missing"}])
    hygienist = begin(screen, clone)
    hygienist.press("3", "b", "s", "Space", "4", "p", "5", "Backspace", "6", "c")
    hygienist.press("g")
    hygienist.press("Home", "1", "-", "2", "0")
    hygienist.press("m", "Home", "2")
    hygienist.press("f", "Home", "1", "2")
    hygienist.press("l", "Home", "7")
    kept(hygienist)
    hygienist.page.wait_for_timeout(300)
    teeth = Draft.objects.get().content["teeth"]
    assert teeth["2"]["pd"][:3] == [3, None, 4]
    assert (teeth["2"]["bleeding"][0], teeth["2"]["suppuration"][0], teeth["2"]["plaque"][2]) == (True, True, True)
    assert (teeth["3"]["pd"][0], teeth["3"]["calculus"][0]) == (6, True)
    assert teeth["2"]["gm"][:3] == [1, -2, 0]
    assert teeth["2"]["mobility"] == 2
    assert teeth["2"]["furcation"] == {"b": 1, "m": 2}
    assert teeth["2"]["mgj"][0] == 7
    assert "1" not in teeth


def test_two_windows_of_one_author_lose_nothing_of_either(screen, clone):
    hygienist = begin(screen, clone)
    hygienist.expect("409")
    hygienist.press("3")
    kept(hygienist)
    other = hygienist.context.new_page()
    other.goto(hygienist.page.url)
    other.locator("[data-perio-grid]:focus").wait_for()
    other.keyboard.press("End")
    for _ in range(3):
        other.keyboard.press("Space")
    other.keyboard.press("4")
    other.locator("[data-perio-kept]", has_text="Kept as you type").wait_for()
    hygienist.page.bring_to_front()
    hygienist.press("5")
    hygienist.page.locator('td[data-at="2:1"]', has_text="4").wait_for()
    kept(hygienist)
    hygienist.page.wait_for_timeout(300)
    teeth = Draft.objects.get().content["teeth"]
    assert (teeth["1"]["pd"][:2], teeth["2"]["pd"][1]) == ([3, 5], 4)


def test_without_javascript_the_plain_form_saves(screen, clone):
    page = screen("hygienist", js=False).open(f"{address(clone)}new/").page
    page.get_by_role("link", name="The same as a plain form").click()
    page.fill("[name=pd-3-facial]", "3 2 4")
    page.fill("[name=marks-3-facial]", "b - -")
    page.get_by_role("button", name="Save and close").click()
    page.get_by_text("3 of 192").wait_for()
    assert PerioExam.objects.get().bleeding_sites == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_exams_are_legible_in_both_themes(screen, clone, scheme):
    for depth, days in ((3, 400), (5, 0)):
        PerioExam.start(
            by=clone.hygienist, patient=clone.ada, exam_date=clone.clinic.today() - timedelta(days=days),
            teeth={str(key): ToothFigures(pd=[depth] * 6, gm=[1] * 6, bleeding=[True] * 6) for key in range(2, 32)},
        ).close(by=clone.hygienist, now=timezone.now())
    dentist = screen("dentist", scheme=scheme).open(address(clone))
    only = ["color-contrast"] if scheme == "dark" else None  # nothing else differs
    dentist.look(f"the list, {scheme}", only)
    dentist.open(f"/perio-exams/{PerioExam.objects.order_by('exam_date').last().pk}/")
    dentist.page.select_option("#against", index=1)
    dentist.sees("Changed by 2 mm and more")
    dentist.look(f"two exams, {scheme}", only)
    dentist.page.get_by_role("button", name="Confirm").click()
    dentist.toast("Diagnosis confirmed")
    assert dentist.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
