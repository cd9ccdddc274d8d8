"""What managers edit of milestones in the admin."""
from uuid import uuid4

import pytest
from django.urls import reverse

from milestones.models import MilestoneSet, MilestoneTemplate

pytestmark = pytest.mark.wide


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


@pytest.fixture
def general(cast):
    return next(row for row in MilestoneSet.load_starter(by=cast.system) if row.treatment_type == "GENERAL")


def url(kind, page="changelist", *args):
    return reverse(f"admin:milestones_{kind}_{page}", args=args)


def set_form(row, **values):
    """The set's form as the page shows it, with an empty line at the end of its table."""
    rows = list(row.rows.all())
    form = {"usual_months": row.usual_months, "seen_version": row.version, "because": "As we work", "once": str(uuid4()),
            "rows-TOTAL_FORMS": len(rows) + 1, "rows-INITIAL_FORMS": len(rows)}
    for number, each in enumerate(rows):
        shown = {"id": each.pk, "sequence": each.sequence, "milestone_type": each.milestone_type, "name": each.name,
                 "months": each.months, "percent": each.percent, "seen_version": each.version, "is_active": "on"}
        form |= {f"rows-{number}-{name}": "" if value is None else value for name, value in shown.items()}
    return form | {f"rows-{len(rows)}-sequence": 1, f"rows-{len(rows)}-milestone_type": "CUSTOM"} | values


def test_a_set_is_changed_row_by_row_each_with_its_history(cast, manager, general):
    sent = set_form(general, **{
        "usual_months": 9, "rows-1-percent": 40, "rows-2-is_active": "", "rows-3-name": "Wrap-up", "rows-3-months": 8,
        "rows-3-sequence": 4, "rows-3-charge_amount": "99.50", "rows-3-is_active": "on"})
    answer = manager.post(url("milestoneset", "change", general.pk), sent)
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    rows = list(general.rows.all())
    assert [(row.name, row.percent, row.months, row.is_active, row.version) for row in rows] == [
        ("Treatment start", 0, None, True, 1), ("Half-way review", 40, None, True, 2), ("Treatment complete", 100, None, False, 2),
        ("Wrap-up", None, 8, True, 1)]
    assert str(rows[3].charge_amount) == "99.50"
    newest = rows[1].history.latest("version")
    assert (newest.history_change_reason, newest.history_via, newest.history_user) == ("As we work", "admin", cast.user("manager"))
    assert MilestoneSet.objects.get(pk=general.pk).usual_months == 9


@pytest.mark.parametrize(("wrong", "said"), [
    ({"rows-0-months": 1}, "Say either how many months"), ({"rows-0-percent": ""}, "Say either how many months"),
    ({"rows-0-percent": 900}, "200"), ({"rows-0-charge_amount": "-1"}, "not below zero"), ({"usual_months": 0}, "1")])
def test_a_row_that_makes_no_sense_is_told_and_nothing_is_saved(manager, general, wrong, said):
    answer = manager.post(url("milestoneset", "change", general.pk), set_form(general, **wrong))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert {row.version for row in general.rows.all()} == {1}


def test_a_kind_has_one_set_and_keeps_its_kind(manager, general):
    form = {"treatment_type": "GENERAL", "usual_months": 3, "rows-TOTAL_FORMS": 0, "rows-INITIAL_FORMS": 0, "once": str(uuid4())}
    answer = manager.post(url("milestoneset", "add"), form)
    assert answer.status_code == 422
    assert "There is a set for this kind of treatment already" in answer.content.decode()
    manager.post(url("milestoneset", "change", general.pk), set_form(general, treatment_type="IMPLANT", usual_months=2))
    assert MilestoneSet.objects.get(pk=general.pk).treatment_type == "GENERAL"


def row_form(row, **values):
    return {"sequence": row.sequence, "milestone_type": row.milestone_type, "name": row.name, "description": "",
            "completion_criteria": row.completion_criteria, "percent": row.percent, "months": "", "charge_amount": "", "tasks": "",
            "is_active": "on", "seen_version": row.version, "because": "Clearer", "once": str(uuid4()), **values}


def test_tasks_are_written_a_line_each_and_read_back_the_same(manager, general):
    row = general.rows.first()
    page = manager.get(url("milestonetemplate", "change", row.pk))
    assert "Check that records and consent are there | 7 | 1" in page.content.decode()
    text = "Call\r\nSend records | 30 | 2 | By mail | or fax\r\n\r\nPhoto||"
    assert manager.post(url("milestonetemplate", "change", row.pk), row_form(row, tasks=text)).status_code == 302
    row.refresh_from_db()
    assert row.tasks == [
        {"title": "Call", "days_before": 0, "weight": 1, "description": ""},
        {"title": "Send records", "days_before": 30, "weight": 2, "description": "By mail | or fax"},
        {"title": "Photo", "days_before": 0, "weight": 1, "description": ""}]
    shown = manager.get(url("milestonetemplate", "change", row.pk)).context["adminform"].form["tasks"].value()
    assert shown == "Call | 0 | 1\nSend records | 30 | 2 | By mail | or fax\nPhoto | 0 | 1"
    again = manager.post(url("milestonetemplate", "change", row.pk), row_form(row, tasks=shown))
    assert again.status_code == 302
    assert MilestoneTemplate.objects.get(pk=row.pk).version == row.version  # nothing was changed


@pytest.mark.parametrize("tasks", ["| 3", "Call | soon", "Call | 3 | -1", "Call | 3 | 101", "Call | 2000", "x" * 201])
def test_tasks_that_make_no_sense_are_told_beside_their_field(manager, general, tasks):
    row = general.rows.first()
    answer = manager.post(url("milestonetemplate", "change", row.pk), row_form(row, tasks=tasks))
    assert answer.status_code == 422
    assert answer.context["adminform"].form.errors["tasks"]


def test_rows_are_listed_by_their_set_and_added_in_its_table_alone(manager, general):
    assert manager.get(url("milestonetemplate"), {"milestone_set__treatment_type": "GENERAL"}).context["cl"].result_count == 3
    assert manager.get(url("milestonetemplate", "add")).status_code == 403
