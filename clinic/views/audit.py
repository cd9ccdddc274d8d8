"""For managers: who looked at what and when, who changed what, in the whole practice, and who signs in."""
from datetime import datetime, time, timedelta

from django import forms
from django.db.models import Count, Max, OuterRef, Subquery
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic.access.rules import rule
from clinic.audit import past
from clinic.audit.changes import WAYS
from clinic.audit.looks import Kind, look
from clinic.models import AccessEvent, Membership, Patient, User
from clinic.web.asked import key, moment
from clinic.web.csv_out import csv_answer, wants_csv
from clinic.web.fields import RowField, TypedDateField

PAGE = 50
MOST = 100_000  # lines of one file
AT_ONCE = 500
UNUSED = timedelta(days=90)


class LogFilter(forms.Form):
    """By whom, of which patient, when."""

    who = RowField(User.objects.none(), required=False, empty_label="Anybody")
    chart_number = forms.CharField(label="Patient's chart number", max_length=20, required=False)
    since = TypedDateField(label="From", required=False)
    until = TypedDateField(label="Until", required=False)

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["who"].queryset = User.objects.visible_to(actor).order_by("name")
        for name in ("since", "until"):
            self.fields[name].at(actor.clinic)

    def patients(self):
        """Those of the chart number, of whom there is one or none."""
        return Patient.objects.visible_to(self.actor).filter(
            chart_number=self.cleaned_data["chart_number"].strip().lstrip("#"))

    def midnights(self):
        """From which moment on, and up to which: midnight by the clinic's clock; None where nothing is said."""
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        return tuple(day and datetime.combine(day, time(0), tzinfo=self.actor.clinic.zone) for day in (
            since, until and until + timedelta(days=1)))


class LookFilter(LogFilter):
    """And what kind of look."""

    kind = forms.ChoiceField(label="What", choices=[("", "Anything"), *AccessEvent.Kind.choices], required=False)

    def found(self):
        """The looks that are asked for, newest first; nothing when the question makes no sense."""
        rows = AccessEvent.objects.visible_to(self.actor)
        if not self.is_valid():
            return rows.none()
        data, (since, until) = self.cleaned_data, self.midnights()
        if data["who"]:
            rows = rows.filter(by=data["who"])
        if data["chart_number"]:
            rows = rows.filter(patient__in=self.patients())
        if data["kind"]:
            rows = rows.filter(kind=data["kind"])
        if since:
            rows = rows.filter(at__gte=since)
        if until:
            rows = rows.filter(at__lt=until)
        return rows.select_related("by", "patient").order_by("-at", "-id")


class ChangeFilter(LogFilter):
    """And what was changed, by which way in."""

    kind = forms.ChoiceField(label="What", required=False)
    way = forms.ChoiceField(label="Way in", choices=[("", "Any"), *WAYS.items()], required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", "Anything"), *((name, kind.words) for name, kind in past.kinds().items())]

    def asked(self, before=None):
        """The question; None when it makes no sense, or nobody has this chart number."""
        if not self.is_bound:
            return past.Asked(before=before)
        if not self.is_valid():
            return None
        data, (since, until), patient = self.cleaned_data, self.midnights(), None
        if data["chart_number"]:
            patient = self.patients().values_list("merged_into", "pk").first()
            if patient is None:
                return None
        return past.Asked(
            who=data["who"], patient=patient and (patient[0] or patient[1]), kind=data["kind"], way=data["way"], since=since,
            until=until, before=before)


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


@rule("clinic.manage")
@require_safe
def changes(request):
    """Every change of every record of the practice, to be filtered, and as CSV."""
    form = ChangeFilter(request.GET or None, actor=request.actor)
    before = (moment(request.GET.get("at")), key(request.GET["before"])) if request.GET.get("before") else None
    if before and (before[0] is None or before[0].tzinfo is None):
        raise Http404
    asked, csv = form.asked(before), wants_csv(request)
    found = past.entries(request.actor.clinic, asked, MOST if csv else PAGE + 1) if asked else []
    people = len({entry.person for entry in found if entry.person})
    if csv:
        head = ["when", "who", "way", "what", "which", "patient", "chart number", "why", "field", "before", "after"]
        return csv_answer(request, "changes", head, _change_lines(found), count=people)
    look(request, Kind.LIST, rows=people)
    query = request.GET.copy()
    for name in ("before", "at"):
        query.pop(name, None)
    return render(request, "clinic/changes.html", {
        "form": form, "lines": past.lines_of(found[:PAGE]), "query": query.urlencode(), "ways": WAYS,
        "older": found[PAGE - 1] if len(found) > PAGE else None})


def _change_lines(found):
    """A line for each field that changed, and one for a change that names none; read a few hundred at a time."""
    for start in range(0, len(found), AT_ONCE):
        for line in past.lines_of(found[start:start + AT_ONCE]):
            change, patient = line.change, line.patient
            for field, old, new in change.fields or [("", "", "")]:
                yield [
                    timezone.localtime(change.at).isoformat(timespec="seconds"), change.who, WAYS.get(change.via, change.via),
                    line.entry.kind.words, change.what, patient.name if patient else "", patient.chart_number if patient else "",
                    change.why, field, old, new]


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
    if wants_csv(request):
        return csv_answer(request, "sign-ins", ["name", "roles", "last sign-in", "failed in 30 days", "state"], (
            [row.user.name, ", ".join(role.group.name for role in row.roles.all() if role.is_held),
             row.last and timezone.localtime(row.last).isoformat(timespec="seconds"), row.failed or 0,
             "disabled" if not row.user.is_active else "unused" if row.is_unused else "in use" if row.last else "not yet"]
            for row in rows), count=0)
    return render(request, "clinic/sign_ins.html", {
        "rows": rows, "unused": sum(row.is_unused for row in rows), "unused_days": UNUSED.days})
