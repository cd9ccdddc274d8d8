"""The bell, the list behind it, and what one is told."""
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from clinic.access.rules import find, rule
from clinic.forms import NotificationForm
from clinic.models import Notification
from clinic.web.once import once


@rule("clinic.use_staff_pages")
@require_safe
def bell(request):
    """How many are new, when that changed since `?after=`; else 204."""
    unread, token = Notification.objects.visible_to(request.actor).unread().count_and_token()
    if request.GET.get("after") == token:
        return HttpResponse(status=204)
    response = render(request, "clinic/_bell.html", {"unread": unread})
    response["X-Change-Token"] = token
    return response


@rule("clinic.use_staff_pages")
@require_safe
def notifications(request):
    """What one was told, the newest first."""
    rows = Notification.objects.visible_to(request.actor)
    return render(request, "clinic/notifications.html", {
        "page": Paginator(rows, 50).get_page(request.GET.get("page")), "some_are_new": rows.unread().exists()})


@rule("clinic.use_staff_pages")
@require_POST
@once
def notification_open(request, notification_id):
    """It is read; on to where it leads."""
    row = find(Notification.objects, request.actor, pk=notification_id)
    Notification.objects.filter(pk=row.pk).mark_read()
    return HttpResponseRedirect(urlsplit(row.url)._replace(scheme="", netloc="").geturl())


@rule("clinic.use_staff_pages")
@require_POST
@once
def notifications_read(request):
    """All are read."""
    Notification.objects.visible_to(request.actor).mark_read()
    return redirect("clinic:notifications")


@rule("clinic.use_staff_pages")
@require_POST
@once
def notification_choices(request):
    """Choose of what one is told, and how."""
    form = NotificationForm(request.POST, actor=request.actor)
    if not form.is_valid():
        raise ValidationError("Choose from the lists how you are told of each kind.")
    form.save()
    messages.success(request, "From now on you are told as you chose.")
    return redirect("clinic:own_account")
