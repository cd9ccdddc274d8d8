"""The admin is for managers (and, for other packages, the superuser): every page of it, for every role."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from clinic.db.records import Fact, Recorded
from clinic.web.back_office import RecordAdmin
from config.roles import ROLES

pytestmark = pytest.mark.wide

PEOPLE = [*sorted(set(ROLES) - {"manager", "patient"}), "patient"]
OURS = [model for model in admin.site._registry if issubclass(model, Recorded | Fact)]


def pages():
    yield reverse("admin:index")
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"admin:{name}_changelist")
        yield reverse(f"admin:{name}_add")
    for app in {model._meta.app_label for model in admin.site._registry}:
        yield reverse("admin:app_list", args=[app])
    yield reverse("admin:autocomplete")


@pytest.mark.parametrize("role", PEOPLE)
def test_nobody_but_a_manager_opens_a_page_of_it(cast, sign_in, role):
    client = sign_in(role)
    assert {client.get(page).status_code for page in pages()} == {403}


def test_a_stranger_is_led_to_the_sign_in_page(cast):
    for page in pages():
        assert Client().get(page).url.startswith("/sign-in/")


def test_a_manager_opens_what_is_theirs(cast, sign_in):
    client = sign_in("manager")
    for model in OURS:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200


def test_every_record_is_administered_by_our_base_class():
    assert len(OURS) >= 14
    assert [model.__name__ for model in OURS if not isinstance(admin.site._registry[model], RecordAdmin)] == []


def test_nothing_can_be_deleted_or_done_in_bulk(cast, rf):
    request = rf.get("/")
    request.actor, request.user = cast.manager, cast.user("manager")
    for model in OURS:
        page = admin.site._registry[model]
        assert not page.has_delete_permission(request)
        assert page.get_actions(request) == {}


def test_sign_in_and_passwords_are_not_the_admins():
    names = {pattern.name for pattern in admin.site.get_urls() if hasattr(pattern, "name")}
    assert not names & {"login", "logout", "password_change", "jsi18n", "view_on_site"}
