"""The tooth chart by keyboard, by mouse, and without JavaScript."""
import pytest

from charting.chart import Chart
from charting.grammar import read
from charting.models import Finding

pytestmark = pytest.mark.story


def address(clone):
    return f"/patients/{clone.ada.pk}/chart/"


def charted(clone):
    return sorted(Finding.objects.in_force().values_list("tooth", "surfaces", "condition", "material"))


def wait_for(hygienist, words):
    hygienist.page.locator(".finding-list", has_text=words).first.wait_for()


def test_a_hygienist_charts_without_the_mouse_and_takes_back_a_slip(screen, clone):
    hygienist = screen("hygienist").open(f"/patients/{clone.ada.pk}/")
    hygienist.page.locator(".chart-mini", has_text="no tooth has been examined").wait_for()
    hygienist.look("the overview with its chart")
    hygienist.go("g", "c")
    hygienist.look("a chart of which nothing is known")
    hygienist.write("14 mod comp; 3 crown pfm; 19 caries o")
    hygienist.page.locator("#preview", has_text="MOD restoration, composite, here").wait_for()
    hygienist.look("the preview")
    hygienist.press("Enter")
    wait_for(hygienist, "O caries")
    assert hygienist.focused_name() == "entry"
    hygienist.write("30 am")
    hygienist.page.locator("[data-completion=am]").wait_for()
    hygienist.press("Tab")
    hygienist.write("mo")
    hygienist.press("Enter")
    wait_for(hygienist, "MO restoration, amalgam")
    hygienist.look("a chart with findings")
    hygienist.page.locator("[data-chart]").focus()
    hygienist.press("u")
    hygienist.page.locator(".finding-list", has_text="amalgam").wait_for(state="detached")
    assert charted(clone) == [("14", "MOD", "restoration", "composite"), ("19", "O", "caries", ""), ("3", "", "crown", "pfm")]


def test_what_is_not_understood_stays_typed_and_is_marked(screen, clone):
    dentist = screen("dentist").open(address(clone))
    dentist.expect("422")
    dentist.write("14 mod cmop")
    dentist.page.locator("#preview mark", has_text="cmop").wait_for()
    dentist.press("Enter")
    dentist.page.locator("#preview mark", has_text="cmop").wait_for()
    assert dentist.page.locator("#entry").input_value() == "14 mod cmop"
    dentist.look("an entry that is not understood")
    dentist.write("; 3 crown pfm")
    dentist.page.locator("[data-completion=comp][data-cut]").wait_for()
    dentist.press("Tab")
    assert dentist.page.locator("#entry").input_value() == "14 mod comp; 3 crown pfm"
    dentist.press("Enter")
    wait_for(dentist, "MOD restoration")
    assert len(charted(clone)) == 2


def test_arrows_walk_the_teeth_and_their_surfaces_and_space_writes_them(screen, clone):
    dentist = screen("dentist").open(address(clone))
    dentist.press("Tab", "Tab")
    while not dentist.focused().startswith("1, upper right third molar"):
        dentist.press("Tab")
    dentist.press("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown")
    assert dentist.focused().startswith("3 ")
    name = dentist.focused()
    dentist.press("Space")
    assert dentist.page.locator("#entry").input_value().startswith("3 ")
    assert dentist.focused_name() == "entry", name
    dentist.write("caries")
    dentist.press("Enter")
    wait_for(dentist, "caries")
    ((tooth, surfaces, condition, _),) = charted(clone)
    assert (tooth, condition, len(surfaces)) == ("3", "caries", 1)


def test_with_the_mouse_surfaces_and_words_make_the_same_entry(screen, clone):
    dentist = screen("dentist").open(address(clone))
    for surface in "MO":
        dentist.page.locator(f'a.surface[data-tooth="14"][data-surface="{surface}"]').first.click(force=True)
    dentist.page.get_by_role("button", name="comp", exact=True).click()
    assert dentist.page.locator("#entry").input_value().split() == ["14", "mo", "comp"]
    dentist.page.get_by_role("button", name="Chart", exact=True).click()
    wait_for(dentist, "MO restoration, composite")
    dentist.page.locator('a[data-tooth="14"]:not(.surface)').click()
    dentist.page.locator("#tooth", has_text="upper left first molar").wait_for()
    dentist.look("a tooth's story")
    assert charted(clone) == [("14", "MO", "restoration", "composite")]


def test_without_javascript_the_line_and_the_form_of_a_tooth_chart(screen, clone):
    page = screen("dentist", js=False).open(address(clone)).page
    page.fill("#entry", "1 missing")
    page.get_by_role("button", name="Chart", exact=True).click()
    page.goto(page.url + "?tooth=14")
    page.get_by_text("Chart something here").click()
    page.select_option("[name=condition]", "caries")
    page.get_by_label("Occlusal", exact=True).check()
    page.locator(".chart-form [type=submit]").click()
    page.locator(".finding-list", has_text="O caries").first.wait_for()
    assert charted(clone) == [("1", "", "missing", ""), ("14", "O", "caries", "")]


def test_a_chart_that_could_not_be_loaded_does_not_look_healthy(screen, clone):
    Finding.enter(by=clone.dentist, patient=clone.ada, items=[{"tooth": "14", "condition": "caries", "surfaces": "O"}])
    desk = screen("receptionist")
    desk.expect("500|Failed to load")
    desk.page.route("**/chart/panel/", lambda route: route.fulfill(status=500, body=""))
    desk.open(f"/patients/{clone.ada.pk}/")
    desk.sees("The chart is not loaded")
    assert desk.page.locator(".odontogram").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chart_is_legible_in_both_themes_and_needs_no_sideways_scroll(screen, clone, scheme):
    language = Chart(clone.dentist, clone.ada).language
    entry = "all sound; 14 mod comp; 3 crown pfm; 19 caries o; 1 missing; 16 impacted; 20-22 bridge; 30 implant; 4 rct; 12 watch"
    Finding.enter(by=clone.dentist, patient=clone.ada, items=[item.values() for item in read(entry, language)])
    clone.ada.change(by=clone.desk, last_name="Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh")
    dentist = screen("dentist", scheme=scheme).open(address(clone))
    dentist.look(f"a full chart, {scheme}")
    assert dentist.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
