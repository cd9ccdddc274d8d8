"""What patients read is there in Spanish, every sentence of it, and the compiled catalogue says what the written one does."""

import ast
import gettext
import re
from pathlib import Path

from django.conf import settings
from django.template import engines
from django.templatetags.i18n import BlockTranslateNode
from django.utils import translation

HOME = Path(settings.BASE_DIR)
CATALOGUE = HOME / "config" / "locale" / "es" / "LC_MESSAGES"
APPS = ("clinic", "scheduling", "charting", "treatment", "milestones", "billing", "config")
NAMES = {"_", "gettext", "gettext_lazy", "gettext_noop"}


def written():
    """{sentence: its translation} of the catalogue as it is written."""
    found = {}
    for entry in re.split(r"\n\n", (CATALOGUE / "django.po").read_text()):
        parts = {name: "".join(map(ast.literal_eval, re.findall(r'"(?:[^"\\]|\\.)*"', text)))
                 for name, text in re.findall(r'^(msgid|msgstr) ((?:"(?:[^"\\]|\\.)*"\s*)+)', entry, re.MULTILINE)}
        found[parts["msgid"]] = parts["msgstr"]
    return found


def in_code():
    for app in APPS:
        for path in (HOME / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                named = isinstance(node, ast.Call) and getattr(node.func, "id", "") in NAMES
                if named and node.args and isinstance(node.args[0], ast.Constant):
                    yield node.args[0].value


def in_templates():
    engine = engines["django"].engine
    for path in (HOME / "templates").rglob("*"):
        text = path.read_text() if path.suffix in (".html", ".txt") else ""
        if "{% load" in text and "i18n" in text:
            yield from (words for _, words in re.findall(r"{% translate (['\"])(.+?)\1", text))
            template = engine.get_template(str(path.relative_to(HOME / "templates")))
            for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
                yield node.render_token_list(node.singular)[0]


def test_every_sentence_that_patients_read_is_there_in_spanish():
    asked = {*in_code(), *in_templates()}
    assert len(asked) > 80
    assert {sentence for sentence in asked if not written().get(sentence)} == set()
    assert set(written()) - {""} - asked == set(), "nobody says this any more"


def test_the_compiled_catalogue_is_that_of_the_written_one():
    with (CATALOGUE / "django.mo").open("rb") as compiled:
        found = gettext.GNUTranslations(compiled)
    assert {sentence: found.gettext(sentence) for sentence in written() if sentence} == {
        sentence: text for sentence, text in written().items() if sentence}


def test_what_is_filled_in_is_the_same_in_both():
    holes = re.compile(r"%\(\w+\)s|\{\w+\}")
    assert {one for one, other in written().items() if one and sorted(holes.findall(one)) != sorted(holes.findall(other))} == set()


def test_a_patient_who_reads_spanish_does(cast, sign_in):
    cast.ada.change(by=cast.desk, language="es")
    assert "Hola, Ada" in sign_in("patient").get("/my/").content.decode()
    assert "Hola" not in sign_in("receptionist").get(f"/patients/{cast.ada.pk}/").content.decode()
    assert translation.get_language() == "en-us"
