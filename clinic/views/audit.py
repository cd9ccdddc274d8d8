"""For managers: who looked at what and when, in the whole practice, and who signs in."""
from datetime import datetime, time, timedelta

from django import forms
from django.db.models import Count, Max, OuterRef, Subquery
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic.access.rules import rule
from clinic.audit.looks import Kind, look
from clinic.models import AccessEvent, Membership, Patient, User
from clinic.web.asked import key
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.fields import RowField, TypedDateField

PAGE = 50
MOST = 100_000  # lines of one file
UNUSED = timedelta(days=90)


class LookFilter(forms.Form):
    """By whom, at whom, when, what kind."""

    who = RowField(User.objects.none(), required=False, empty_label="Anybody")
    chart_number = forms.CharField(label="Patient's chart number", max_length=20, required=False)
    kind = forms.ChoiceField(label="What", choices=[("", "Anything"), *AccessEvent.Kind.choices], required=False)
    since = TypedDateField(label="From", required=False)
    until = TypedDateField(label="Until", required=False)

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["who"].queryset = User.objects.visible_to(actor).order_by("name")
        for name in ("since", "until"):
            self.fields[name].at(actor.clinic)

    def found(self):
        """The looks that are asked for, newest first; nothing when the question makes no sense."""
        rows = AccessEvent.objects.visible_to(self.actor)
        if not self.is_valid():
            return rows.none()
        data, zone = self.cleaned_data, self.actor.clinic.zone
        if data["who"]:
            rows = rows.filter(by=data["who"])
        if data["chart_number"]:
            rows = rows.filter(patient__in=Patient.objects.visible_to(self.actor).filter(
                chart_number=data["chart_number"].strip().lstrip("#")))
        if data["kind"]:
            rows = rows.filter(kind=data["kind"])
        if data["since"]:
            rows = rows.filter(at__gte=datetime.combine(data["since"], time(0), tzinfo=zone))
        if data["until"]:
            rows = rows.filter(at__lt=datetime.combine(data["until"] + timedelta(days=1), time(0), tzinfo=zone))
        return rows.select_related("by", "patient").order_by("-at", "-id")


@rule("clinic.manage")
@require_safe
def access_log(request):
    """Every look, search, print, export and refusal of the practice, to be filtered, and as CSV."""
    form = LookFilter(request.GET or None, actor=request.actor)
    rows = form.found() if form.is_bound else AccessEvent.objects.visible_to(request.actor).select_related(
        "by", "patient").order_by("-at", "-id")
    if wants_csv(request):
        rows = rows[:MOST]
        head = ["when", "who", "what", "page", "patient", "chart number", "patients named", "way", "from", "request"]
        return csv_answer(request, "access-log", head, (_line(row) for row in rows.iterator(2000)), count=rows.count())
    if before := request.GET.get("before"):
        rows = rows.filter(pk__lt=key(before))
    rows = list(rows[:PAGE + 1])
    look(request, Kind.LIST, rows=len({row.patient_id for row in rows if row.patient_id}))
    query = request.GET.copy()
    query.pop("before", None)
    return render(request, "clinic/access_log.html", {
        "form": form, "rows": rows[:PAGE], "query": query.urlencode(), "older": rows[PAGE - 1].pk if len(rows) > PAGE else None})


def _line(row):
    return [
        timezone.localtime(row.at).isoformat(timespec="seconds"), row.by or "the installation", row.get_kind_display(), row.page,
        row.patient.name if row.patient else "", row.patient.chart_number if row.patient else "", row.rows, row.via,
        row.source or "", row.request_id]


@rule("clinic.manage")
@require_safe
def sign_ins(request):
    """Who belongs to the practice and when they last signed in; accounts that nobody uses; failed sign-ins."""
    now = timezone.now()
    events = AccessEvent.objects.filter(by=OuterRef("user"))
    last = events.filter(kind=Kind.SIGN_IN).order_by().values("by").annotate(at=Max("at")).values("at")
    failed = events.filter(kind=Kind.SIGN_IN_FAILED, at__gt=now - timedelta(days=30)).order_by().values("by").annotate(
        count=Count("pk")).values("count")
    rows = list(Membership.objects.visible_to(request.actor).current().select_related("user").prefetch_related(
        "roles__group").annotate(last=Subquery(last), failed=Subquery(failed)).order_by("user__name"))
    for row in rows:
        row.is_unused = row.user.is_active and (row.last is None or row.last < now - UNUSED) and row.created_at < now - UNUSED
    return render(request, "clinic/sign_ins.html", {
        "rows": rows, "unused": sum(row.is_unused for row in rows), "unused_days": UNUSED.days})
