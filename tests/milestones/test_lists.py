"""The lists of what waits: own tasks, approvals, updates; and the rates of the practice."""
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from milestones.models import Task, TaskUpdate


def test_own_tasks_are_those_that_one_has_to_do_the_late_ones_first(cast, milestone, today, sign_in):
    for title, days, role in (("Later", 9, "assistant"), ("Late", -2, "assistant"), ("Hers", 1, "hygienist")):
        Task.add(by=cast.dentist, milestone=milestone, title=title, assignee=cast.user(role), due_date=today + timedelta(days=days))
    client = sign_in("assistant")
    page = client.get("/tasks/mine/").content.decode()
    assert page.index("Late") < page.index("Later")
    assert "Hers" not in page
    assert "1 of them late" in client.get("/queues/").content.decode()


def test_what_lacks_only_the_patients_approval_is_listed(cast, put_in, sign_in):
    put_in("Ready", requires_approval=True)
    put_in("Not yet", requires_approval=True, requires_evidence=True)
    put_in("No matter")
    page = sign_in("coordinator").get("/milestones/waiting/").content.decode()
    assert "Ready" in page
    assert "Not yet" not in page
    assert "No matter" not in page


def test_updates_are_reviewed_from_their_list(cast, milestone, sign_in):
    task = Task.add(by=cast.dentist, milestone=milestone, title="Photos", assignee=cast.user("assistant"))
    update = TaskUpdate.tell(by=cast.actor("assistant"), task=task, note="All six", percent=100)
    client = sign_in("dentist")
    assert "All six" in client.get("/milestones/to-review/").content.decode()
    client.post(f"/task-updates/{update.pk}/review/", {"decision": "rejected", "reason": "One is blurred"})
    assert "All six" not in client.get("/milestones/to-review/").content.decode()


@pytest.mark.parametrize(("by", "name"), [
    ("milestone_type", "Custom"), ("treatment_type", "General"), ("provider", "Dr. Dana Drill"), ("month", "-"),
    ("nonsense", "Custom")])
def test_the_rates_are_told_in_a_sentence_and_by_what_is_asked(cast, put_in, today, sign_in, by, name):
    put_in("Reached late").achieve(by=cast.dentist)
    put_in("Reached").achieve(by=cast.dentist, on=today - timedelta(days=1))
    put_in("Missed").miss(by=cast.dentist)
    page = sign_in("biller").get(f"/milestones/rates/?by={by}&first=-1w&last=someday").content.decode()
    assert name in page
    assert "1 on time and 1 late, by 1 day in the median; 1 was missed" in " ".join(page.split())


def test_rates_without_anything_due_say_so(cast, sign_in):
    page = sign_in("manager").get("/milestones/rates/").content.decode()
    assert "Of 0 milestones" in page
    assert "No milestone was due" in page


@pytest.mark.parametrize("path", ["/tasks/mine/", "/milestones/waiting/", "/milestones/rates/", "/milestones/to-review/"])
def test_a_list_costs_the_same_with_one_row_and_with_thirty(cast, put_in, sign_in, path):
    def more(number):
        row = put_in(f"x {number}", requires_approval=True)
        task = Task.add(by=cast.dentist, milestone=row, title=f"x {number}", assignee=cast.user("dentist"))
        TaskUpdate.tell(by=cast.dentist, task=task, note="x", percent=10)

    more(0)
    client, counts = sign_in("dentist"), []
    for number in range(2):
        client.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        counts.append(len(asked))
        if not number:
            for each in range(1, 30):
                more(each)
    assert counts[0] == counts[1]


def test_plans_at_risk_are_listed_with_their_reasons_the_late_ones_first(cast, plan, put_in, draw_up, today, sign_in):
    put_in("Slipped a little")
    late = draw_up("Long over", start_date=today - timedelta(days=90), target_end_date=today - timedelta(days=40))
    late.activate(by=cast.dentist)
    draw_up("Fine").activate(by=cast.dentist)
    client = sign_in("receptionist")
    page = client.get("/plans/at-risk/").content.decode()
    assert page.index("Long over") < page.index("Slipped a little")
    assert "Fine" not in page
    assert "The plan was to end 40 days ago." in page
    assert "1 of them late" in client.get("/queues/").content.decode()
    assert "Long over" not in client.get("/plans/at-risk/", {"provider": str(cast.bridge.pk)}).content.decode()
    rows = b"".join(client.get("/plans/at-risk/", {"format": "csv"}).streaming_content).decode().splitlines()
    assert len(rows) == 3


def test_rates_are_drawn_with_every_figure_in_the_table(cast, put_in, today, sign_in):
    put_in("Reached late").achieve(by=cast.dentist)
    put_in("<b>Missed</b>").miss(by=cast.dentist)
    page = sign_in("manager").get("/milestones/rates/", {"by": "provider"}).content.decode()
    assert 'class="rate-chart"' in page
    assert "1 late, 1 missed" in page
    assert 'role="img" aria-label="What became of them. The table has every figure."' in page
