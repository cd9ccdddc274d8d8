"""How the schedule is drawn at one workstation: kept in a cookie there, because it hangs on the screen and not on the person."""
from typing import NamedTuple

COOKIE, A_YEAR = "schedule", 366 * 24 * 3600
COLOURS = {"type": "Type", "provider": "Provider", "status": "Status"}
ZOOMS = {5: "5 min", 10: "10 min", 15: "15 min"}


class View(NamedTuple):
    """What the colour of a card tells, and how many minutes a step of the grid has."""

    colour: str = "type"
    zoom: int = 10


def asked_view(request):
    """What the address asks for, else what this workstation used last."""
    colour, _, zoom = request.COOKIES.get(COOKIE, "").partition(".")
    return View(
        _known(COLOURS, request.GET.get("colour"), colour) or View().colour,
        int(_known(ZOOMS, request.GET.get("zoom"), zoom) or View().zoom))


def keep(response, request, view):
    """Use it here from now on, when the address chose it."""
    if {"colour", "zoom"} & set(request.GET):
        response.set_cookie(
            COOKIE, f"{view.colour}.{view.zoom}", max_age=A_YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")
    return response


def _known(choices, *texts):
    """The first of these texts that is a choice."""
    known = {str(choice) for choice in choices}
    return next((text for text in texts if text in known), None)
