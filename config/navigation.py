"""The shell around every signed-in page: what stands in the rail, for whom, under which key."""
from django.urls import reverse

from clinic.access.hats import name_of

RAIL = [
    # label, route, icon, key, permission
    ("Today", "scheduling:today", "sun", "t", "scheduling.view_schedule"),
    ("Schedule", "scheduling:schedule", "calendar-days", "s", "scheduling.view_schedule"),
    ("Patients", "clinic:patients", "users", "p", "clinic.search_patients"),
    ("Practice", "clinic:practice", "building-2", "r", "clinic.view_clinic"),
]


def shell(request):
    """Context for `base.html`: rail, search, the clinics between which this person may switch."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return {"shell": None}
    app = request.resolver_match.view_name if request.resolver_match else ""
    rail = [
        {"label": label, "url": reverse(route), "icon": icon, "key": key, "current": _is_current(route, app)}
        for label, route, icon, key, permission in RAIL if permission in actor.permissions]
    may_search = "clinic.search_patients" in actor.permissions
    return {"shell": {
        "nav": rail,
        "actor": actor,
        "clinics": [{"id": name_of(hat), "name": hat.patient.name if hat.patient else hat.clinic.name,
                     "current": hat == actor} for hat in request.hats],
        "search_url": reverse("clinic:patients") if may_search else "",
        "search_results_url": reverse("clinic:search") if may_search else "",
        "page_view": request.page_view,
    }}


SECTIONS = {
    "scheduling:today": {"scheduling:today", "scheduling:exit_card"},
    "scheduling:schedule": {"scheduling:schedule", "scheduling:week", "scheduling:book", "scheduling:visit"},
}


def _is_current(route, view_name):
    if route == "clinic:patients":
        return view_name.startswith(("clinic:patient", "clinic:account", "clinic:medical"))
    return view_name in SECTIONS.get(route, {route})
