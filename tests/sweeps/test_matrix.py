"""The written matrix (docs/access.md) and the rules that the code declares say the same, both ways."""

import re
from pathlib import Path

from config.roles import ROLES
from tests.sweeps.test_endpoints import OPERATIONS
from tests.sweeps.test_routes import OURS

TEXT = (Path(__file__).resolve().parent.parent.parent / "docs" / "access.md").read_text()
OPEN = {"Before sign-in": "public", "In the middle of": "held", "For everybody": "signed_in"}


def written():
    """{page or endpoint: the roles that it answers, or "public", "held", "signed_in"}"""
    found = {}
    for title, rule in OPEN.items():
        section = TEXT.split(f"## {title}")[1].split("## ")[0]
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", section), rule)
    head, _, *rows = TEXT.split("## By role")[1].strip().splitlines()
    roles = [cell.strip() for cell in head.strip("|").split("|")][1:]
    for row in rows:
        name, *marks = [cell.strip() for cell in row.strip("|").split("|")]
        found[name.strip("`")] = {role for role, mark in zip(roles, marks, strict=True) if mark}
    return found


def declared():
    """The same out of the code."""
    rules = {name: view.rule for name, _, view in OURS if not name.endswith("None")}
    rules |= {f"{method} {re.sub(r'{[^}]*:', '{', path)}": rule for method, path, rule in OPERATIONS}
    return {
        name: rule if rule in OPEN.values() else {role for role in ROLES if rule in ROLES[role]}
        for name, rule in rules.items()
    }


def test_the_matrix_names_every_route_and_says_what_the_rules_say():
    told, known = written(), declared()
    assert set(told) - set(known) == set()
    assert set(known) - set(told) == set()
    assert {name: (told[name], known[name]) for name in known if told[name] != known[name]} == {}
