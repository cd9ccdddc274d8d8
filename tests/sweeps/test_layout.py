"""The house keeps its order: imports, foreign keys, migrations, addresses and templates run one way."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

ORDER = ["clinic", "scheduling", "charting", "treatment", "milestones", "billing", "config"]
ROOT = Path(__file__).resolve().parent.parent.parent
TOP = {
    "manage.py",
    "config",
    "clinic",
    "scheduling",
    "charting",
    "treatment",
    "milestones",
    "billing",
    "templates",
    "static",
    "tests",
    "requirements.txt",
    "README.md",
    "pyproject.toml",
    "bin",
    "docs",
    "var",
}
FILES = {
    "__init__",
    "apps",
    "models",
    "forms",
    "views",
    "portal",
    "api",
    "urls",
    "admin",
    "tasks",
    "signals",
    "receivers",
    "hooks",
}


def later(app):
    return ORDER[ORDER.index(app) + 1 :]


def test_the_top_level_holds_nothing_else():
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - TOP == set()


@pytest.mark.parametrize("app", ORDER[:-1])
def test_no_model_points_to_a_later_app(app):
    for model in apps.get_app_config(app).get_models():
        for field in model._meta.get_fields():
            if field.is_relation and field.concrete and field.related_model:
                assert field.related_model._meta.app_label not in later(app), f"{model.__name__}.{field.name}"


def test_no_migration_depends_on_a_later_app():
    for (app, name), migration in MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items():
        if app in ORDER:
            assert not {dependency for dependency, _ in migration.dependencies} & set(later(app)), (app, name)


@pytest.mark.parametrize("app", ORDER[:-1])
def test_no_template_names_a_later_app(app):
    for path in (ROOT / "templates" / app).rglob("*"):
        if path.is_file():
            for name in later(app):
                assert not re.search(rf"""(url|include|extends|static)\s+["']{name}[:/]""", path.read_text()), path


@pytest.mark.parametrize("app", ORDER[:-1])
def test_no_code_names_a_later_app_in_a_text(app):
    for path in (ROOT / app).rglob("*.py"):
        for name in later(app):
            assert not re.search(rf"""["']{name}[.:][A-Za-z_]+["']""", path.read_text()), path


def test_static_files_lie_under_their_apps_name():
    assert {path.name for path in (ROOT / "static").iterdir()} <= set(ORDER)


def test_templates_are_named_for_a_noun_and_lie_under_their_apps_name():
    assert {path.name for path in (ROOT / "templates").iterdir() if path.is_dir()} <= {
        *ORDER,
        "admin",
        "cotton",
        "django",
    }


def test_no_module_is_a_drawer_for_anything():
    forbidden = {"utils", "helpers", "services", "common", "misc", "tools"}
    assert [path for app in ORDER for path in (ROOT / app).rglob("*.py") if path.stem in forbidden] == []


def test_no_template_holds_inline_script_style_or_handler():
    for path in (ROOT / "templates").rglob("*.html"):
        assert not re.search(r'\sstyle="|\son[a-z]+="|<script>|<style>|hx-on|javascript:', path.read_text()), path
