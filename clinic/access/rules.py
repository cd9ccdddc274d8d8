"""Who may open what. Every view says it with one `@rule`; a view without one is refused and fails the sweep test."""
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404

OBJECT_RULES = {
    # What hangs on a row of its own is asked of guardian: {verb: guardian's permission}.
    "clinic.view_growth": "clinic.coach_clinic",
    "clinic.use_portal": "clinic.act_for_patient",
}


def may(actor, verb, obj=None):
    """Whether this actor may do this, and to this object.

    `verb` is a permission name, `app.verb`. An object of another clinic is never allowed.
    """
    if actor is None or verb not in actor.permissions:
        return False
    if obj is None:
        return True
    if verb in OBJECT_RULES and actor.user is not None:
        return actor.user.has_perm(OBJECT_RULES[verb], obj)
    clinic_id = obj.pk if obj._meta.label == "clinic.Clinic" else obj.clinic_id
    return clinic_id == actor.clinic_id


def rule(verb):
    """Declare the permission that a view needs: `@rule("clinic.view_patient")`.

    Without it the answer is 403: the role may not do this at all. Which rows, `visible_to` decides: 404.
    """
    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if not may(request.actor, verb):
                raise PermissionDenied
            return view(request, *args, **kwargs)
        guarded.rule = verb
        return guarded
    return decorate


def signed_in(view):
    """For what every signed-in user may do with their own account; the rule's name is `signed_in`."""
    view.rule = "signed_in"
    return view


def held(*states):
    """Let the holder of a session in that is held back in one of these states; see `clinic.access.door`.

    Alone it makes a page that is open in these states only; under `@signed_in` it opens that page in them too.
    """
    def decorate(view):
        view.held = states
        if not hasattr(view, "rule"):
            view.rule = "held"
        return view
    return decorate


def public(view):
    """For the few pages before sign-in; the rule's name is `public`."""
    view = login_not_required(view)
    view.rule = "public"
    return view


def find(queryset, actor, **lookup):
    """The one row that this actor may know of; else 404, whether it exists or not."""
    try:
        return queryset.visible_to(actor).get(**lookup)
    except queryset.model.DoesNotExist:
        raise Http404 from None
