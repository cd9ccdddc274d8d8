"""Every route declares its rule, and every role gets exactly what the rule says: 403 for a role, 404 for a foreign row."""

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from charting.models import ClinicalNote, Finding, PerioExam
from clinic.models import Document, Fee, LetterTemplate, Notification, Patient, PortalAccess, PortalInvitation
from config.roles import ROLES
from milestones.models import Evidence, Milestone, Task, TaskUpdate, TimeEntry
from scheduling.models import AppointmentTypeCode, Block, Feed, FreedSlot, HoursException, Offer, Series, WaitlistEntry
from treatment.models import (
    CareTeamMember,
    Consent,
    Goal,
    GoalIntervention,
    Intervention,
    Phase,
    Procedure,
    TreatmentPlan,
)

pytestmark = pytest.mark.wide

BY_THE_DOZEN = {
    "series": Series, "entry": WaitlistEntry, "slot": FreedSlot, "offer": Offer, "feed": Feed, "exception": HoursException,
    "finding": Finding, "note": ClinicalNote,
    "exam": PerioExam,
    "plan": TreatmentPlan, "procedure": Procedure, "consent": Consent, "member": CareTeamMember, "goal": Goal,
    "serving": GoalIntervention, "phase": Phase, "intervention": Intervention, "milestone": Milestone,
    "task": Task, "update": TaskUpdate, "evidence": Evidence, "time": TimeEntry,
    "access": PortalAccess, "invitation": PortalInvitation}
# Routes of other packages, one by one, with who guards them. None yet.
OF_OTHERS = {}
PEOPLE = [*sorted(set(ROLES) - {"coach", "patient"}), "coach", "patient"]


def routes(patterns=None, prefix="", space=""):
    """(name, path template, view) of every address."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", prefix + str(pattern.pattern), pattern.callback
        elif pattern.namespace not in ("api", "admin"):  # test_endpoints.py and test_back_office.py walk those
            inner = f"{pattern.namespace}:" if pattern.namespace else space
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern), inner)


ROUTES = sorted(routes())
OURS = [(name, path, view) for name, path, view in ROUTES if name not in OF_OTHERS]


def test_every_route_declares_a_rule_or_is_listed_as_another_packages():
    assert [name for name, _, view in OURS if not hasattr(view, "rule")] == []
    assert set(OF_OTHERS) <= {name for name, _, _ in ROUTES}


def test_every_rule_is_a_permission_that_some_role_holds():
    known = set().union(*ROLES.values()) | {"public", "signed_in", "held"}
    assert {view.rule for _, _, view in OURS} <= known


def test_every_permission_in_the_map_is_asked_for_somewhere():
    import re
    from pathlib import Path

    text = "".join(
        path.read_text()
        for folder in ("clinic", "scheduling", "charting", "treatment", "milestones", "config", "templates")
        for path in Path(folder).rglob("*.*")
        if path.suffix in (".py", ".html") and path.name != "roles.py"
    )
    unused = {
        verb
        for verb in set().union(*ROLES.values())
        if verb not in text and f"perms.{verb}" not in text and not re.search(rf'step\("{verb.split(".")[1]}"\)', text)
    }
    # Asked for by the admin of managers, which follows Django's codenames.
    administered = {
        f"{model._meta.app_label}.{verb}_{model._meta.model_name}"
        for verb in ("view", "add", "change")
        for model in (*admin.site._registry, Fee, AppointmentTypeCode)
    }
    assert unused - administered <= {
        "clinic.view_account",
        "clinic.add_account",
        "clinic.view_provider",
        "clinic.view_operatory",
        "clinic.manage",
        "clinic.change_clinic",
        "scheduling.manage",
        "scheduling.view_appointmenttype",
        "scheduling.change_block",
        "scheduling.check_out",
        "scheduling.reactivate",
        "scheduling.step_back",
        "clinic.view_growth",
        # The public names that the API tells; plans and milestones ask for them.
        "treatment.read",
        "milestone.create",
        "milestone.update",
    }


@pytest.fixture
def house(furnished, cast):
    """The addresses of this clinic's rows and of the other's: {placeholder: (own key, foreign key)}."""
    mine, theirs = furnished
    blocks = [Block.objects.filter(clinic=one.clinic).first() for one in (cast, cast.outsider)]
    return {
        "<uuid:patient_id>": (cast.ada.pk, cast.outsider.ada.pk),
        "<uuid:account_id>": (cast.ada.account_id, cast.outsider.ada.account_id),
        "<uuid:visit_id>": (mine.pk, theirs.pk),
        "<uuid:block_id>": tuple(block.pk for block in blocks),
        "<uuid:document_id>": tuple(Document.objects.filter(clinic=one.clinic).first().pk for one in (cast, cast.outsider)),
        "<int:number>": (1, 1),
        "<slug:verb>": ("redraft", "redraft"),
        "<slug:step_name>": ("reopen", "reopen"),
        **{
            f"<uuid:{name}_id>": tuple(model.objects.filter(clinic=one.clinic).first().pk for one in (cast, cast.outsider))
            for name, model in BY_THE_DOZEN.items()
        },
        "<uuid:template_id>": tuple(
            LetterTemplate.objects.get(clinic=one.clinic).pk for one in (cast, cast.outsider)
        ),
        "<uuid:notification_id>": (
            Notification.objects.filter(clinic=cast.clinic).first().pk,
            Notification.objects.filter(clinic=cast.outsider.clinic).first().pk,
        ),
        "<str:secret>": ("nobodys-secret", "nobodys-secret"),
    }


def address(path, house, foreign=False):
    for placeholder, keys in house.items():
        path = path.replace(placeholder, str(keys[foreign]))
    return f"/{path}"


# What a stranger gets from public routes that are no pages.
PUBLIC = {
    "scheduling:feed": (404,),
    "clinic:sign_in_with_passkey": (405,),
    "clinic:passkey_options": (405,),
    "clinic:reset_link": (302,),
    "clinic:address_link": (302,),
    "scheduling:answer_link": (302,),
    "scheduling:offer_link": (302,),
    "clinic:portal_invitation": (302,),
    "clinic:portal_code": (302,),
}


def may(role, rule):
    return rule in ("public", "signed_in", "held") or rule in ROLES[role]


# After these somebody may be signed out, or wait for the password.
ENDS = re.compile("sign_in|sign_out|session|unlock|password|second_factor|switch|reset|address|passkey")


@pytest.mark.parametrize("role", PEOPLE)
def test_each_role_gets_what_the_rule_says(house, sign_in, role):
    wrong, client = [], sign_in(role)
    for name, path, view in OURS:
        for method in ("get", "post"):
            status = getattr(client, method)(address(path, house)).status_code
            if ENDS.search(name):
                client = sign_in(role)
            if (status == 403) is may(role, view.rule) or status >= 500:
                wrong.append((name, method, status))
    assert wrong == []


@pytest.mark.parametrize("role", ["manager", "patient", "coach"])
def test_a_row_of_another_clinic_is_not_found_by_any_route(house, sign_in, role):
    wrong, client = [], sign_in(role)
    for name, path, view in OURS:
        if "<uuid" not in path:
            continue
        for method in ("get", "post"):
            answer = getattr(client, method)(address(path, house, foreign=True))
            expected = 404 if may(role, view.rule) else 403
            if answer.status_code != expected and answer.status_code != 405:
                wrong.append((name, method, answer.status_code))
            assert b"Lovelace" not in answer.content
    assert wrong == []


def test_a_stranger_reaches_only_the_public_pages(house):
    for name, path, view in OURS:
        answer = Client().get(address(path, house))
        if view.rule == "public":
            assert answer.status_code in PUBLIC.get(name, (200,)), name
        else:
            assert answer.url.startswith("/my/sign-in/" if view.rule == "clinic.use_portal" else "/sign-in/"), name


def test_every_post_that_writes_rows_is_done_once():
    own_account = {
        "clinic:sign_in",
        "clinic:sign_out",
        "clinic:sign_out_everywhere",
        "clinic:password_change",
        "clinic:switch_clinic",
        "clinic:second_factor",
        "clinic:sign_in_with_passkey",
        "clinic:passkey_options",
        "clinic:unlock",
        "clinic:session_seen",
        "clinic:session_lock",
        "clinic:forgotten",
        "clinic:reset",
        "clinic:confirm",
        "clinic:address_change",
        "clinic:address_confirm",
        "clinic:session_end",
        "clinic:sessions_end_others",
        "clinic:second_factor_setup",
        "clinic:app_remove",
        "clinic:passkey_to_add",
        "clinic:passkey_remove",
        "clinic:recovery_codes",
        "clinic:portal_sign_in",
        "clinic:portal_code",
        "clinic:portal_sign_out",
    }
    links = {"scheduling:answer", "scheduling:offer", "clinic:portal_join"}  # a link is used once, whoever sends it how often
    reads = {
        "clinic:patient_likely_duplicates", "clinic:letter_print", "scheduling:together", "charting:preview", "charting:perio_keep",
        "charting:notes", "charting:note", "treatment:preview", "treatment:book"}
    writes = [(name, view) for name, _, view in OURS if name not in own_account | links | reads and accepts_post(view)]
    assert len(writes) > 10
    assert [name for name, view in writes if not getattr(view, "once", False) and not wraps_once(view)] == []


def accepts_post(view):
    request = type("Probe", (), {"method": "POST"})
    names = []
    while view is not None:
        names.append(view)
        view = getattr(view, "__wrapped__", None)
    source = __import__("inspect").getsource(names[-1])
    return "request.POST" in source or "@require_POST" in source or request is None


def wraps_once(view):
    while view is not None:
        if getattr(view, "once", False):
            return True
        view = getattr(view, "__wrapped__", None)
    return False


def test_patients_of_other_clinics_never_appear_in_any_list(house, sign_in, cast):
    Patient.register(
        by=cast.outsider.desk, first_name="Planted", last_name="Token-Zebra", date_of_birth=cast.ada.date_of_birth
    )
    client = sign_in("manager")
    for name, path, _ in OURS:
        if "<uuid" not in path:
            assert b"Zebra" not in client.get(f"/{path}", {"q": "zebra", "day": "2026-12-01"}).content, name
