"""The shell around every signed-in page: what stands in the rail, for whom, under which key."""
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse

from clinic.access.actor import Actor
from clinic.access.hats import name_of

RAIL = [
    # label, route, icon, key, permission
    ("Today", "scheduling:today", "sun", "t", "scheduling.view_schedule"),
    ("Schedule", "scheduling:schedule", "calendar-days", "s", "scheduling.view_schedule"),
    ("Patients", "clinic:patients", "users", "p", "clinic.search_patients"),
    ("Work", "clinic:work", "inbox", "w", "clinic.use_staff_pages"),
    ("Practice", "clinic:practice", "building-2", "r", "clinic.view_clinic"),
    ("Administration", "admin:index", "settings-2", "a", "clinic.manage"),
]


class Link(NamedTuple):
    """One word of the rail."""

    label: str
    url: str
    icon: str
    key: str
    current: bool


@lru_cache(maxsize=256)
def rail(permissions, view_name):
    """The rail of whoever holds these permissions, on this page."""
    return tuple(
        Link(label, reverse(route), icon, key, _is_current(route, view_name))
        for label, route, icon, key, permission in RAIL if permission in permissions)


def shell(request):
    """Context for `base.html`: rail, search, the clinics between which this person may switch."""
    actor = getattr(request, "actor", None)
    if actor is None and getattr(request, "user", None) and request.user.is_superuser:
        return {"shell": _installation(request)}
    if actor is None:
        return {"shell": None}
    view_name = request.resolver_match.view_name if request.resolver_match else ""
    may_search = "clinic.search_patients" in actor.permissions
    return {"shell": {
        "nav": rail(actor.permissions, view_name),
        "actor": actor,
        "clinics": [{"id": name_of(hat), "name": hat.patient.name if hat.patient else hat.clinic.name,
                     "current": hat == actor} for hat in request.hats],
        "search_url": reverse("clinic:patients") if may_search else "",
        "search_results_url": reverse("clinic:search") if may_search else "",
        "bell_url": reverse("clinic:bell") if "clinic.use_staff_pages" in actor.permissions else "",
        "bell_seconds": 6 * settings.POLL_SECONDS,
        "page_view": request.page_view,
    }}


def _installation(request):
    """The shell of the installation's superuser, who is a member of no clinic."""
    return {
        "nav": (Link("Administration", reverse("admin:index"), "settings-2", "a", True),),
        "actor": Actor(user=request.user, clinic=None), "clinics": [], "search_url": "", "search_results_url": "",
        "page_view": request.page_view}


SECTIONS = {
    "clinic:practice": {
        "clinic:practice", "clinic:procedure_codes", "clinic:access_log", "clinic:changes", "clinic:sign_ins", "scheduling:feeds",
        "scheduling:hours", "clinic:letter_templates", "clinic:letter_template_new", "clinic:letter_template_edit"},
    "clinic:work": {
        "clinic:work", "scheduling:waitlist", "scheduling:freed_times", "scheduling:missed", "scheduling:unscheduled",
        "scheduling:waitlist_new", "charting:unsigned"},
    "scheduling:today": {"scheduling:today", "scheduling:exit_card", "scheduling:unconfirmed", "scheduling:called"},
    "scheduling:schedule": {
        "scheduling:schedule", "scheduling:week", "scheduling:book", "scheduling:visit", "scheduling:find", "scheduling:together",
        "scheduling:together_book"},
}


def _is_current(route, view_name):
    if route == "clinic:patients":
        of_patients = ("clinic:patient", "clinic:account", "clinic:medical", "clinic:document", "charting:")
        letters = ("clinic:letter", "clinic:letter_keep", "clinic:letter_print")
        return view_name in letters or (view_name.startswith(of_patients) and view_name not in SECTIONS["clinic:work"])
    if route == "admin:index":
        return view_name.startswith("admin:")
    return view_name in SECTIONS.get(route, {route})
