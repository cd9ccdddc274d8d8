"""Blocks: time kept free of visits."""
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.rules import find, rule
from clinic.db.refusals import Refused
from clinic.web.asked import moment, whole
from clinic.web.once import once
from scheduling.forms import BlockForm, tell
from scheduling.models import Block
from scheduling.offers import posted_place
from scheduling.refusals import TimeTaken


@rule("scheduling.add_block")
@require_http_methods(["GET", "HEAD", "POST"])
@once
def block_new(request):
    """Keep a time free; refused where visits stand, and says which."""
    form = BlockForm(request.POST or None, actor=request.actor, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            block = Block.place(by=request.actor, **form.values())
        except ValidationError as error:
            tell(form, error, starts_at="day")
        except TimeTaken as error:
            form.add_error(None, f"{error} Move that visit first.")
        else:
            messages.success(request, f"{block.title} is blocked.")
            return redirect(_schedule_of(block))
    return render(request, "scheduling/block_form.html", {"form": form}, status=422 if form.errors else 200)


@rule("scheduling.change_block")
@require_safe
def block(request, block_id):
    """A block, and the button that opens its time again."""
    return render(request, "scheduling/_block_drawer.html" if request.htmx else "scheduling/block.html", {
        "blocked": find(Block.objects.current().select_related("operatory", "provider"), request.actor, pk=block_id)})


@rule("scheduling.change_block")
@require_POST
@once
def block_drop(request, block_id):
    """A block was dropped or pushed by keys: new start, length, column. A refusal is one line."""
    block = find(Block.objects.current().select_related("clinic"), request.actor, pk=block_id)
    try:
        block.move(by=request.actor, version=whole(request.POST.get("version")), **posted_place(request))
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    return redirect(_schedule_of(block))


@rule("scheduling.change_block")
@require_POST
@once
def block_withdraw(request, block_id):
    """Open the time for visits again."""
    block = find(Block.objects.current().select_related("clinic"), request.actor, pk=block_id)
    block.withdraw(by=request.actor)
    messages.success(request, f"{block.title} is no longer blocked.")
    return redirect(_schedule_of(block))


def _schedule_of(block):
    day = block.starts_at.astimezone(block.clinic.zone).date()
    return f"{reverse('scheduling:schedule')}?day={day}" + ("&by=provider" if block.provider_id else "")


def _initial(request):
    initial = {name: request.GET.get(name) for name in ("operatory", "provider") if request.GET.get(name)}
    at = moment(request.GET.get("at"))
    if at is None:
        return initial | {"day": request.actor.clinic.today()}
    until = moment(request.GET.get("until"))
    return initial | {"day": at.date(), "starts": at.time(), "ends": until.time() if until else None}
