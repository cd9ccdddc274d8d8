"""The address of the house: everyone's first page."""
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from clinic.access.rules import signed_in

FIRST_PAGE = {"staff": "scheduling:today", "portal": "clinic:portal", "coach": "clinic:practice"}


@signed_in
@require_safe
def home(request):
    """Lead to the first page of the hat one wears; somebody without one is told whom to ask."""
    if request.actor is None and request.user.is_superuser:
        return redirect("admin:index")
    if request.actor is None:
        return render(request, "config/no_clinic.html", status=403)
    return redirect(FIRST_PAGE[request.actor.hat])
