"""The practice as its people see it: where it is, who works here, what it does."""
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic import hooks
from clinic.access.rules import may, rule
from clinic.db.prepared import PreparedFor
from clinic.models import Membership, Operatory, ProcedureCode, Provider
from clinic.web.csv_out import csv_answer, wants_csv

CODES = PreparedFor(lambda actor, blank: ProcedureCode.objects.visible_to(actor).current(
    blank("today", ProcedureCode, "effective_from")))


@rule("clinic.view_clinic")
@require_safe
def practice(request):
    """Address and hours of the house; for staff also the team and the rooms."""
    actor, staff = request.actor, request.actor.hat == "staff"
    return render(request, "clinic/practice.html", {
        "clinic": actor.clinic,
        "providers": Provider.objects.filter(clinic=actor.clinic).current(),
        "operatories": Operatory.objects.visible_to(actor).current() if staff else [],
        "memberships": Membership.objects.visible_to(actor).current().select_related("user").prefetch_related(
            "roles__group").order_by("user__name") if staff else [],
        "links": [link for found in hooks.practice_links(actor) for link in found],
        "may_manage": may(actor, "clinic.manage"),
        "may_see_codes": may(actor, "clinic.view_procedurecode"),
    })


@rule("clinic.view_procedurecode")
@require_safe
def procedure_codes(request):
    """The catalogue: codes in our own plain words or in those of a licensed list, with area, minutes and fee."""
    codes = CODES(request.actor, today=request.actor.clinic.today())
    if wants_csv(request):
        return csv_answer(request, "procedure-codes", ["code", "what it is", "kind", "where", "minutes", "fee", "edition"], (
            [row.code, row.description, row.get_category_display(), row.get_treatment_area_display(), row.minutes, row.fee,
             row.edition] for row in codes), count=0)
    return render(request, "clinic/procedure_codes.html", {
        "codes": codes, "editions": sorted({row.edition for row in codes if row.edition})})


@rule("clinic.use_staff_pages")
@require_safe
def work(request):
    """What waits for somebody here to do it, list by list; what is late comes first."""
    queues = [queue for found in hooks.work_queues(request.actor) for queue in found]
    return render(request, "clinic/work.html", {"queues": sorted(queues, key=lambda queue: (not queue.is_late, not queue.count))})
