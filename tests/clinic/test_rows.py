"""What is drawn once and used many times: rows with blanks, and the kept parts of the shell."""

import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client
from django.utils.html import escape

from clinic.listing import Look
from clinic.web.rows import Rows
from tests.factories import PatientFactory

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
KEPT = re.compile(r"{% kept ?([^%]*)%}(.*?){% endkept %}", re.S)
NAMES = re.compile(r"{{ ?([a-z_.]+)|{% (?:if|elif|for \w+(?:, \w+)* in) (?:not )?([a-z_.]+)")
# Loop variables of kept parts, which come out of their keys.
LOOPS = {"item", "at", "text", "rows", "name", "head"}


def test_a_kept_part_is_drawn_once_for_each_key():
    template = Template("{% kept key %}{{ key }}-{{ other }}{% endkept %}")
    assert template.render(Context({"key": 1, "other": "first"})) == "1-first"
    assert template.render(Context({"key": 1, "other": "second"})) == "1-first"
    assert template.render(Context({"key": 2, "other": "second"})) == "2-second"


def test_kept_parts_do_not_pile_up():
    template = Template("{% kept key %}{{ key }}{% endkept %}")
    for key in range(1200):
        template.render(Context({"key": key}))
    assert len(template.nodelist[0].drawn) <= template.nodelist[0].MOST


def test_no_kept_part_of_any_page_names_what_is_not_in_its_keys():
    seen = 0
    for path in TEMPLATES.rglob("*.html"):
        for keys, body in KEPT.findall(path.read_text()):
            seen += 1
            for match in NAMES.finditer(body):
                name = match.group(1) or match.group(2)
                assert name in keys.split() or name.split(".")[0] in LOOPS, (path, name)
            assert "{% once" not in body, path
            assert "csrf" not in body, path
    assert seen > 5


def test_two_people_never_get_each_others_page(cast, sign_in):
    """The shell keeps parts of itself between answers: none of them may be somebody's own."""
    pages = {role: sign_in(role).get("/practice/").content.decode() for role in ("receptionist", "dentist", "biller")}
    for role, page in pages.items():
        assert cast.user(role).name in page
        for other in pages.keys() - {role}:
            assert cast.user(other).email not in page
    assert 'name="q"' in pages["receptionist"]
    coach = sign_in("coach").get("/practice/").content.decode()
    assert 'name="q"' not in coach
    assert "/schedule/" not in coach


@pytest.mark.parametrize("nasty", ["{0}", "{name}", "⟦phone⟧", "%(name)s", '"><b>x</b>', "O'Neil & Söhne"])
def test_a_name_stands_in_the_list_as_it_was_typed(cast, desk_client, nasty):
    PatientFactory(by=cast.system, first_name=nasty, last_name=f"{nasty}Zz", preferred_name=nasty)
    page = desk_client.get("/patients/").content.decode()
    assert escape(f"{nasty}Zz, {nasty}") in page
    assert "<b>x</b>" not in page


def test_a_look_is_drawn_once_with_its_keys_in_the_addresses(db):
    rows = Rows("clinic/_patient_row.html", keys=["pk"], texts=["name", "born", "age", "phone", "chart_number"])
    look = Look(has_preferred=False, status_word="")
    values = {"pk": "THE-KEY", "name": "100 %s", "preferred": "", "born": "", "age": "", "phone": "", "chart_number": ""}
    page = rows.fill(look, values)
    assert page.count("/patients/THE-KEY/") == 2
    assert "100 %s" in page
    assert page == rows.fill(look, values)
    assert len(rows.forms) == 1
    assert "Inactive" in rows.fill(look._replace(status_word="Inactive"), values)
    assert len(rows.forms) == 2


def test_signed_out_people_get_no_kept_shell(cast):
    assert "Search patients" not in Client().get("/practice/", follow=True).content.decode()
