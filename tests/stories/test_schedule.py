"""The schedule by keyboard and by mouse; the server decides, and says why not."""
from datetime import timedelta

import pytest
from django.utils import timezone

from scheduling.models import Appointment, Block

pytestmark = pytest.mark.story


@pytest.fixture
def tomorrow(clone):
    return clone.clinic.today() + timedelta(days=1)


@pytest.fixture
def wall(clone, tomorrow):
    """`wall(9, 30)`: that time tomorrow, by the clinic's clock."""
    def moment(hour, minute=0):
        return timezone.datetime(tomorrow.year, tomorrow.month, tomorrow.day, hour, minute, tzinfo=clone.clinic.zone)
    return moment


@pytest.fixture
def visits(clone, wall):
    """Ada at 9 in operatory 1 with Dr. Drill, Grace at 10 in operatory 2 with Dr. Bridge."""
    shared = {"by": clone.desk, "appointment_type": clone.exam}
    return (
        Appointment.book(patient=clone.ada, operatory=clone.operatories[0], provider=clone.drill, starts_at=wall(9), **shared),
        Appointment.book(patient=clone.grace, operatory=clone.operatories[1], provider=clone.bridge, starts_at=wall(10), **shared))


def now(visit):
    return Appointment.objects.get(pk=visit.pk)


def card(desk, visit):
    return desk.page.locator(f'[data-card="{visit.pk}"]')


def focus_on(desk, visit):
    """Walk the grid with arrows until the visit has the focus."""
    for _ in range(20):
        if desk.page.evaluate("() => document.activeElement.dataset.card || ''") == str(visit.pk):
            return
        desk.press("ArrowDown")
    raise AssertionError("arrows do not reach the visit")


def test_arrows_choose_a_free_cell_and_enter_books_it(screen, clone, visits, tomorrow, wall):
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    desk.look("the day")
    desk.press("ArrowDown", "ArrowRight", "ArrowRight")
    assert desk.focused().endswith("Operatory 3: book")
    while not desk.focused().startswith("11:00"):
        desk.press("ArrowDown")
    desk.go("Enter")
    desk.write("hop")
    desk.page.locator(".options [role=option]", has_text="Hopper").wait_for()
    desk.go("Enter")
    desk.go("Control+Enter")
    desk.toast("Booked: Exam")
    booked = Appointment.objects.get(patient=clone.grace, operatory=clone.operatories[2])
    assert booked.starts_at == wall(11)


def test_m_carries_a_visit_and_plus_lengthens_it(screen, clone, visits, tomorrow, wall):
    ada, _ = visits
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    focus_on(desk, ada)
    desk.press("m", "ArrowRight", "ArrowRight", "ArrowDown", "Enter")
    desk.toast("Moved to 9:10, Operatory 3.")
    assert (now(ada).starts_at, now(ada).operatory) == (wall(9, 10), clone.operatories[2])
    focus_on(desk, ada)
    with desk.page.expect_response(lambda answer: "/drop/" in answer.url):
        desk.press("+")
    desk.page.locator(f'[data-card="{ada.pk}"].for-8').wait_for()
    assert now(ada).minutes == 40


def test_a_taken_time_is_refused_and_the_visit_stays_where_it_was(screen, clone, visits, tomorrow, wall):
    ada, _ = visits
    desk = screen("receptionist")
    desk.expect(r"status of 409")
    desk.open(f"/schedule/?day={tomorrow}")
    focus_on(desk, ada)
    desk.press("m", "ArrowRight", *["ArrowDown"] * 6, "Enter")
    desk.toast("Operatory 2 is taken 10:00-10:30. It stays where it was.")
    assert (now(ada).starts_at, now(ada).operatory) == (wall(9), clone.operatories[0])
    card(desk, ada).and_(desk.page.locator(".at-24")).wait_for()
    desk.look("the refusal")


def test_escape_puts_a_carried_visit_back(screen, visits, tomorrow, wall):
    ada, _ = visits
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    focus_on(desk, ada)
    desk.press("m", "ArrowDown", "ArrowRight", "Escape")
    card(desk, ada).and_(desk.page.locator(".at-24")).wait_for()
    assert now(ada).version == ada.version


def test_a_card_can_be_dragged_and_stretched_with_the_mouse(screen, clone, visits, tomorrow, wall):
    ada, _ = visits
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    box = card(desk, ada).bounding_box()
    column = desk.page.locator("[data-column]").nth(2).bounding_box()
    hour = desk.page.evaluate("() => document.querySelector('[data-column]').clientHeight / 12")
    mouse = desk.page.mouse
    mouse.move(box["x"] + 40, box["y"] + 10)
    mouse.down()
    mouse.move(box["x"] + 80, box["y"] + 30, steps=3)
    mouse.move(column["x"] + 40, box["y"] + 10 + hour, steps=5)
    mouse.up()
    desk.toast("Moved to 10:00, Operatory 3.")
    assert (now(ada).starts_at, now(ada).operatory) == (wall(10), clone.operatories[2])
    box = card(desk, ada).bounding_box()
    mouse.move(box["x"] + 40, box["y"] + box["height"] - 3)
    mouse.down()
    with desk.page.expect_response(lambda answer: "/drop/" in answer.url):
        mouse.move(box["x"] + 40, box["y"] + box["height"] - 3 + hour / 2, steps=5)
        mouse.up()
    desk.page.locator(f'[data-card="{ada.pk}"].for-12').wait_for()
    assert now(ada).minutes == 60


def test_a_visit_opens_in_a_drawer_and_its_step_leads_back_to_the_day(screen, visits, tomorrow):
    ada, _ = visits
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    focus_on(desk, ada)
    desk.press("Enter")
    desk.page.locator("#drawer [data-drawer-title]").wait_for()
    desk.look("the drawer of a visit")
    desk.go("f")
    desk.toast("Ada Lovelace is confirmed.")
    assert desk.path() == f"/schedule/?day={tomorrow}"
    assert now(ada).status == "confirmed"


def test_d_opens_the_month_and_takes_a_typed_day(screen, tomorrow, clone):
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    desk.press("d")
    assert desk.focused_name() == "day"
    desk.look("the month")
    desk.write("+2w")
    desk.go("Enter")
    assert f"{clone.clinic.today() + timedelta(days=14):%-d %b %Y}" in desk.page.locator("h1").inner_text()
    desk.go("[")
    desk.go("t")
    assert f"{clone.clinic.today():%-d %b %Y}" in desk.page.locator("h1").inner_text()


def test_what_somebody_else_changes_appears_by_itself(screen, clone, visits, tomorrow, wall):
    ada, _ = visits
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    focus_on(desk, ada)
    ada.reschedule(by=clone.manager, operatory=clone.operatories[2])
    desk.page.locator(f'[data-column="{clone.operatories[2].pk}"] [data-card="{ada.pk}"]').wait_for(timeout=6000)
    assert desk.page.evaluate("() => document.activeElement.dataset.card") == str(ada.pk)  # and the focus stays


def test_time_is_blocked_by_keys_alone(screen, clone, visits, tomorrow, wall):
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    desk.press("ArrowDown", "ArrowRight", "ArrowRight")
    while not desk.focused().startswith("11:00"):
        desk.press("ArrowDown")
    desk.press(*["Shift+ArrowDown"] * 5)
    assert desk.focused() == "11:00-12:00, Operatory 3: book"
    desk.go("Shift+B")
    desk.write("Repair")
    desk.go("Control+Enter")
    desk.toast("Repair is blocked.")
    block = Block.objects.get(clinic=clone.clinic, title="Repair")
    assert (block.starts_at, block.ends_at, block.operatory) == (wall(11), wall(12), clone.operatories[2])


def test_a_dragged_time_is_booked_or_blocked_and_a_block_is_dragged_on(screen, clone, visits, tomorrow, wall):
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    column = desk.page.locator("[data-column]").nth(2).bounding_box()
    top = desk.page.locator("#schedule").bounding_box()["y"]
    mouse = desk.page.mouse
    mouse.move(column["x"] + 40, top + 90)
    mouse.down()
    mouse.move(column["x"] + 40, top + 150, steps=5)
    mouse.up()
    desk.page.locator(".menu:popover-open", has_text="Block").wait_for()
    desk.look("what a dragged time is for")
    desk.press("ArrowDown")
    desk.go("Enter")
    desk.write("Repair")
    desk.go("Control+Enter")
    desk.toast("Repair is blocked.")
    block = Block.objects.get(clinic=clone.clinic, title="Repair")
    box = card(desk, block).bounding_box()
    hour = desk.page.evaluate("() => document.querySelector('[data-column]').clientHeight / 12")
    with desk.page.expect_response(lambda answer: "/drop/" in answer.url):
        mouse.move(box["x"] + 40, box["y"] + 10)
        mouse.down()
        mouse.move(box["x"] + 40, box["y"] + 10 + hour, steps=5)
        mouse.up()
    moved = Block.objects.get(pk=block.pk)
    assert moved.starts_at - block.starts_at == moved.ends_at - block.ends_at == timedelta(hours=1)


def test_the_month_is_walked_by_arrows_and_opens_a_day(screen):
    desk = screen("receptionist").open("/schedule/month/?day=2026-12-10")
    desk.look("the month's load")
    desk.press("ArrowRight")
    assert "Monday, 30 November" in desk.focused()
    desk.press("ArrowDown", "ArrowRight")
    assert "Tuesday, 8 December" in desk.focused()
    desk.go("Enter")
    assert desk.path() == "/schedule/?day=2026-12-08"


def test_a_note_and_the_look_of_the_schedule_are_chosen_by_keys(screen, visits, tomorrow):
    desk = screen("receptionist").open(f"/schedule/?day={tomorrow}")
    desk.go("a")
    desk.write("Compressor at 14:00")
    desk.go("Control+Enter")
    desk.page.locator(".day-note", has_text="Compressor at 14:00").wait_for()
    desk.press("v")
    desk.look("how it is drawn")
    desk.page.locator("#drawn button[value=status]").focus()
    desk.go("Enter")
    desk.press("v")
    desk.page.locator("#drawn button[value='5']").focus()
    desk.go("Enter")
    desk.page.locator("#schedule.zoom-5").wait_for()
    desk.look("steps of five minutes")
