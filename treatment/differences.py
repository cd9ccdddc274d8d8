"""What differs between two frozen copies of a plan, in words that people read."""
from typing import NamedTuple

from treatment.models.goal import SMART, Goal
from treatment.models.plan import TreatmentPlan

PLAN = {
    "title": "title", "treatment_type": "type", "provider": "responsible provider", "start_date": "start",
    "target_end_date": "target end", "diagnosis_codes": "diagnoses", "presenting_problems": "presenting problems", "notes": "notes",
    "review_frequency_days": "days between reviews"}
GOAL = {
    "goal_type": "level", "parent_id": "belongs to", "description": "wording", "measurable_criteria": "reached when",
    "baseline_value": "baseline", "target_value": "target", "measure": "measured by", "target_date": "target date",
    "priority": "priority", **{name: name.replace("_", "-") for name in SMART}, "interventions": "interventions"}
PROCEDURE = {
    "code": "code", "place": "place", "phase": "phase", "provider": "provider", "diagnosis": "diagnosis", "fee": "fee",
    "estimated_visits": "estimated visits", "description": "description"}
CHOICES = {"treatment_type": TreatmentPlan.Type, "goal_type": Goal.Type, "measure": Goal.Measure}


class Difference(NamedTuple):
    """What was added (+), taken out (-) or changed (~); of what was changed `fields`: [(name, before, after)]."""

    sign: str
    what: str
    fields: list


def differences(old, new):
    """[Difference] between the contents of two PlanVersions, `old` the earlier one."""
    names = {row["id"]: row["description"] for content in (old, new) for row in content["goals"]}
    found = _changed("The plan", PLAN, old["plan"], new["plan"], names)
    found += _rows("Phase", {"name": "name"}, old["phases"], new["phases"], names, lambda row: row["name"])
    found += _rows("", PROCEDURE, old["procedures"], new["procedures"], names,
                   lambda row: " ".join(part for part in (row["code"], row["place"], row["description"]) if part))
    found += _rows("Goal", GOAL, old["goals"], new["goals"], names, lambda row: row["description"])
    was, now = ({row.get("title", ""): row for row in content["sections"]} for content in (old, new))
    found += [Difference("+" if title not in was else "~", title, []) for title, row in now.items() if was.get(title) != row]
    return found + [Difference("-", title, []) for title in was if title not in now]


def _rows(kind, labels, old, new, names, named):
    """Of rows with keys: which came, which went, and what changed in those that stayed."""
    def called(row):
        return f"{kind} “{_short(named(row))}”" if kind else named(row)

    before, after = ({row["id"]: row for row in rows} for rows in (old, new))
    found = [Difference("+", called(row), []) for key, row in after.items() if key not in before]
    found += [Difference("-", called(row), []) for key, row in before.items() if key not in after]
    for key, row in after.items():
        if key in before:
            found += _changed(called(row), labels, before[key], row, names)
    return found


def _changed(what, labels, old, new, names):
    fields = [(label, _said(name, old.get(name), names), _said(name, new.get(name), names))
              for name, label in labels.items() if old.get(name) != new.get(name)]
    return [Difference("~", what, fields)] if fields else []


def _said(name, value, names):
    if value in (None, "", [], {}):
        return ""
    if name in CHOICES:
        return dict(CHOICES[name].choices).get(value, value)
    if name == "parent_id":
        return names.get(value, "")
    if isinstance(value, dict):
        return "; ".join(_said("", text, names) for text in value.values() if text)
    if isinstance(value, list):
        return ", ".join(_item(each) for each in value)
    return str(value)


def _item(each):
    if isinstance(each, dict):
        return " ".join(str(text) for text in each.values() if text)
    return " ".join(str(part) for part in each if part) if isinstance(each, list) else str(each)


def _short(text):
    return text if len(text) <= 60 else f"{text[:59]}…"
