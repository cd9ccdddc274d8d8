"""What managers edit of the practice, and what they only look at."""
from dataclasses import replace

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse

from clinic.access import guessing
from clinic.access.actor import Actor
from clinic.access.source import network_of
from clinic.models import (
    AccessEvent,
    Account,
    Clinic,
    Coaching,
    DiagnosisCode,
    Fee,
    FeeSchedule,
    MedicalHistory,
    Membership,
    Operatory,
    Patient,
    PortalAccess,
    ProcedureCode,
    Provider,
    User,
)
from clinic.models.membership import ELSEWHERE
from clinic.web.back_office import ColourForm, RecordAdmin, RecordForm, RecordRows, RowForm, ShownAdmin
from clinic.web.once import once

ROLES = [(name, name.capitalize()) for name in sorted(set(settings.ROLE_PERMISSIONS) - {"coach", "patient"})]
admin.site.unregister(Group)  # roles are in config/roles.py, not in rows that somebody could edit


@admin.register(Clinic)
class ClinicAdmin(RecordAdmin):
    """The practice itself; another one is made by `create_practice`."""

    list_display = ["name", "time_zone", "country"]
    fields = [
        "name", "time_zone", "tooth_numbering", "country", "region", "currency", "phone", "email", "address", "opened_on",
        "medical_review_months", "closed_through", "requires_second_factor"]

    def has_add_permission(self, request, obj=None):
        return False

    def screen_of(self, obj):
        return reverse("clinic:practice")


@admin.register(Operatory)
class OperatoryAdmin(RecordAdmin):
    list_display = ["name", "sequence", "is_hygiene", "is_active"]
    fields = ["name", "sequence", "is_hygiene", "is_active"]
    search_fields = ["name"]


@admin.register(Provider)
class ProviderAdmin(RecordAdmin):
    list_display = ["name", "short_name", "kind", "user", "is_active"]
    list_select_related = ["user"]
    list_filter = ["kind", "is_active"]
    form = ColourForm
    fields = ["name", "short_name", "kind", "user", "colour", "sequence", "is_active"]
    search_fields = ["name"]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "user":
            field.empty_label = "Has no sign-in"
        return field


class ByItsSearch:
    """Found by the model's own search: the start of a code, or words of its description."""

    search_fields = ["code"]  # that there is a search at all
    search_help_text = "Code or words"

    def get_search_results(self, request, queryset, search_term):
        return (queryset.search(search_term) if search_term.strip() else queryset), False


class EditionFilter(admin.AllValuesFieldListFilter):
    def choices(self, changelist):
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "Our own words"}


@admin.register(ProcedureCode)
class ProcedureCodeAdmin(ByItsSearch, RecordAdmin):
    """The catalogue. A licensed list comes in by the command `import_cdt`."""

    list_display = ["code", "description", "category", "treatment_area", "minutes", "fee", "edition", "is_active"]
    list_filter = ["is_active", ("edition", EditionFilter), "category", "treatment_area"]
    fields = [
        "code", "description", "category", "treatment_area", "minutes", "fee", "edition", "effective_from", "effective_to",
        "is_active"]


class CodeField(forms.Field):
    """A procedure code, typed. `codes`: those that there are, read once for the whole table."""

    widget = forms.TextInput

    def __init__(self, codes, **kwargs):
        self.codes = codes
        super().__init__(**kwargs)

    def prepare_value(self, value):
        row = self.codes.get(value)
        return value if row is None else str(row) if self.disabled else row.code

    def to_python(self, value):
        text = value.strip().upper() if isinstance(value, str) else value  # a line that stands keeps its key
        row = self.codes.get(text)
        if text and (row is None or not (row.is_active or self.disabled)):
            raise forms.ValidationError(f"There is no code {text} in use.")
        return row

    def has_changed(self, initial, data):
        return not self.disabled and bool(data and data.strip())


class FeeForm(RowForm):
    """One fee. Its code is typed in a new line and stands fast in an old one."""

    codes = {}  # by code and by key; set by the table

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["procedure_code"] = CodeField(
            self.codes, label="Code", disabled=not self.instance._state.adding)
        field.widget.attrs["aria-label"] = "Code"
        if not field.disabled:
            field.widget.attrs |= {"list": "fees-suggestions", "autocomplete": "off", "placeholder": "Such as D2740"}


class FeeRows(RecordRows):
    model = Fee
    form = FeeForm
    fields = ["procedure_code", "amount", "is_active", "seen_version"]
    once_each = "procedure_code"

    def get_formset(self, request, obj=None, **kwargs):
        made = super().get_formset(request, obj, **kwargs)
        codes = list(ProcedureCode.objects.visible_to(request.actor))
        made.form.codes = {row.code: row for row in codes} | {row.pk: row for row in codes}
        made.suggestions = [(row.code, row.description) for row in codes if row.is_active]
        return made


@admin.register(FeeSchedule)
class FeeScheduleAdmin(RecordAdmin):
    list_display = ["name", "since", "note", "is_active"]
    list_filter = ["is_active"]
    fields = ["name", "since", "note", "is_active"]
    search_fields = ["name"]
    inlines = [FeeRows]


@admin.register(DiagnosisCode)
class DiagnosisCodeAdmin(ByItsSearch, ShownAdmin):
    """ICD-10-CM, for looking up; a new release comes with the product."""

    of_patients = False
    list_display = ["code", "description", "is_billable", "effective_from", "effective_to"]
    list_filter = ["is_billable"]
    fields = ["code", "description", "is_billable", "release", "effective_from", "effective_to"]

    def _may(self, request, verb, obj=None):
        return super()._may(request, verb)  # a public list is no clinic's


class MembershipForm(RecordForm):
    """Who works here, in which roles, from when to when. A new one is named by e-mail address."""

    email = forms.EmailField(label="E-mail", help_text="With this they sign in.")
    name = forms.CharField(max_length=120, help_text="Not needed for somebody who has a sign-in already.", required=False)
    roles = forms.MultipleChoiceField(choices=ROLES, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Membership
        fields = ["since", "until"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.fields.pop("until", None)
            self.initial.setdefault("since", self.actor.clinic.today())
        else:
            for name in ("email", "name", "since"):
                self.fields.pop(name, None)
            self.initial["roles"] = list(self.instance.roles.filter(is_held=True).values_list("group__name", flat=True))

    def clean(self):
        data = super().clean()
        if self.instance._state.adding and data.get("email"):
            user = User.objects.filter(email=data["email"].lower()).first()
            if user is None and not data.get("name"):
                self.add_error("name", "Write the name: nobody signs in with this address yet.")
            if user is not None and Membership.objects.filter(clinic=self.actor.clinic, user=user, until=None).exists():
                self.add_error("email", "This person is a member of this clinic already.")
            if user is not None and user.has_a_part_elsewhere(self.actor.clinic):
                self.add_error("email", ELSEWHERE)
            elif user is not None and (user.is_superuser or not user.is_active):
                self.add_error("email", "This address can't become a member.")
        today = self.actor.clinic.today()
        for name in ("since", "until"):
            if data.get(name) and data[name] > today:
                self.add_error(name, "Access begins and ends on the day when it is saved, so this can't lie ahead.")
        if data.get("until") and data["until"] < self.instance.since:
            self.add_error("until", "The membership ends before it began.")
        return data


@admin.register(Membership)
class MembershipAdmin(RecordAdmin):
    """Memberships. Nobody changes their own: another manager does."""

    form = MembershipForm
    list_display = ["person", "held_roles", "since", "until"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__email"]
    fields = ["email", "name", "roles", "since", "until"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("roles__group")

    def get_fields(self, request, obj=None):
        if obj is None:
            return ["email", "name", "roles", "since", "seen_version"]
        if not self.has_change_permission(request, obj):
            return ["person", "held_roles", "since", "until"]
        return ["person", "roles", "until", "seen_version", "because"]

    def get_readonly_fields(self, request, obj=None):
        return [] if obj is None else ["person", "held_roles", "since", "until"] if not self.has_change_permission(
            request, obj) else ["person"]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (
            obj is None or (obj.user_id != request.user.pk and obj.until is None))

    @admin.display(description="Who", ordering="user__name")
    def person(self, obj):
        return f"{obj.user.name}, {obj.user.email}"

    @admin.display(description="Roles")
    def held_roles(self, obj):
        return ", ".join(sorted(role.group.name for role in obj.roles.all() if role.is_held))

    def save_model(self, request, obj, form, change):
        data, by = form.cleaned_data, self.by(request)
        if not change:
            made = Membership.invite(
                email=data["email"], name=data["name"], clinic=by.clinic, roles=data["roles"], since=data["since"], by=by,
                site=f"{request.scheme}://{request.get_host()}")
            obj.pk, obj.user = made.pk, made.user
            return
        if "roles" in form.changed():
            obj.set_roles(data["roles"], by=by, because=data["because"])
        if data.get("until"):
            obj.end(by=by, because=data["because"], on=data["until"])


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """Who signs in here. Somebody who also works in another clinic is only looked at; access there is not ours to end."""

    list_display = ["name", "email", "is_active", "works_elsewhere"]
    search_fields = ["name", "email"]
    fields = readonly_fields = ["name", "email", "is_active", "works_elsewhere", "is_locked_out", "has_second_factor"]
    actions = None
    view_on_site = False
    ACTS = {
        "disable": ("Disable", "is disabled: every session and token ended."),
        "enable": ("Enable", "may sign in again."),
        "unlock": ("Unlock", "may try to sign in at once, also from this place."),
        "sign_out_everywhere": ("Sign out everywhere", "is signed out on every machine."),
        "reset_second_factor": ("Take away the second step", "signs in with the password alone, until a new one is set up."),
    }

    def get_queryset(self, request):
        if request.actor is None:
            return User.objects.all() if request.user.is_superuser else User.objects.none()
        mine = {"user": OuterRef("pk"), "until": None}
        elsewhere = Exists(Membership.objects.exclude(clinic=request.actor.clinic_id).filter(**mine)) | Exists(
            Coaching.objects.filter(**mine)) | Exists(PortalAccess.objects.filter(**mine))
        here = Exists(Membership.objects.filter(clinic=request.actor.clinic_id, **mine))
        return User.objects.visible_to(request.actor).annotate(elsewhere=elsewhere, here=here).order_by("name")

    @admin.display(boolean=True, description="works elsewhere too")
    def works_elsewhere(self, obj):
        return getattr(obj, "elsewhere", False)

    @admin.display(boolean=True, description="locked out")
    def is_locked_out(self, obj):
        return obj.is_locked_out

    @admin.display(boolean=True, description="has a second factor")
    def has_second_factor(self, obj):
        return obj.has_second_factor

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("clinic.view_user")

    has_module_permission = has_view_permission

    def has_add_permission(self, request):
        return False

    has_change_permission = has_delete_permission = lambda self, request, obj=None: False

    def get_urls(self):
        return [path("<uuid:key>/act/<slug:verb>/", self.admin_site.admin_view(once(self.act)), name="clinic_user_act"),
                *super().get_urls()]

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        verbs = []
        if self._may_act(request, obj):
            verbs = [("disable" if obj.is_active else "enable"), "sign_out_everywhere"]
            verbs += ["unlock"] if obj.is_locked_out or guessing.source_is_locked(request) else []
            verbs += ["reset_second_factor"] if obj.has_second_factor else []
        context["acts"] = [(self.ACTS[verb][0], reverse("admin:clinic_user_act", args=[obj.pk, verb])) for verb in verbs]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _may_act(self, request, obj):
        if request.actor is None:
            return request.user.is_superuser
        return request.user.has_perm("clinic.change_user") and obj.here and not obj.elsewhere and obj.pk != request.user.pk

    def act(self, request, key, verb):
        """Ask why, then call the user's verb."""
        user = self.get_queryset(request).filter(pk=key).first()
        if user is None or verb not in self.ACTS:
            raise Http404
        if not self._may_act(request, user):
            raise PermissionDenied
        label, done = self.ACTS[verb]
        because = request.POST.get("because", "").strip()[:200]
        if request.method == "POST" and because:
            # A practice shares one source: somebody who is unlocked from here must be able to sign in from here.
            more = {"source": network_of(request)} if verb == "unlock" else {}
            getattr(user, verb)(by=self._by(request), because=because, **more)
            messages.success(request, f"{user.name} {done}")
            return redirect("admin:clinic_user_change", user.pk)
        return render(request, "admin/act.html", {
            **self.admin_site.each_context(request), "title": f"{label}: {user.name}", "label": label, "opts": self.opts,
            "object": user, "missing": request.method == "POST"}, status=422 if request.method == "POST" else 200)

    def _by(self, request):
        return replace(request.actor or Actor(user=request.user, clinic=None, request_id=request.request_id), via="admin")

    history_view = RecordAdmin.history_view
    lookup_allowed = RecordAdmin.lookup_allowed
    _get_obj_does_not_exist_redirect = RecordAdmin._get_obj_does_not_exist_redirect


# Looked at here, worked with on their screens.


@admin.register(Patient)
class PatientAdmin(ShownAdmin):
    list_display = ["sort_name", "chart_number", "date_of_birth", "status"]
    fields = ["name", "chart_number", "date_of_birth", "status", "account", "primary_provider", "created_at", "updated_at"]
    search_fields = ["chart_number"]
    search_help_text = "Name, phone, birth date or chart number"
    screen = "clinic:patient"

    def get_search_results(self, request, queryset, search_term):
        return (queryset.matching(search_term) if search_term.strip() else queryset), False

    def patient_of(self, obj):
        return obj


@admin.register(Account)
class AccountAdmin(ShownAdmin):
    list_display = ["name", "phone", "email"]
    fields = ["name", "phone", "email", "line1", "line2", "city", "region", "postal_code", "country", "holder"]
    search_fields = ["name"]
    screen = "clinic:account"

    def patient_of(self, obj):
        return obj.holder


@admin.register(MedicalHistory)
class MedicalHistoryAdmin(ShownAdmin):
    """Dates and numbers only: what was told is read on its own page."""

    list_display = ["patient", "number", "kind", "reviewed_on", "by"]
    list_select_related = ["patient", "by"]
    fields = ["patient", "number", "kind", "reviewed_on", "by", "at"]

    def screen_of(self, obj):
        return f"{reverse('clinic:medical_history', args=[obj.patient_id])}?version={obj.number}"

    def history_view(self, request, object_id, extra_context=None):
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        return redirect(self.screen_of(obj))


@admin.register(PortalAccess)
class PortalAccessAdmin(ShownAdmin):
    list_display = ["patient", "user", "relationship", "since", "until"]
    list_select_related = ["patient", "user"]
    fields = ["patient", "user", "relationship", "since", "until"]

    def screen_of(self, obj):
        return reverse("clinic:patient", args=[obj.patient_id])


@admin.register(AccessEvent)
class AccessEventAdmin(ShownAdmin):
    """Who looked at what, newest first."""

    list_display = ["at", "by", "kind", "patient", "rows", "page", "via"]
    list_select_related = ["by", "patient"]
    list_filter = ["kind", "via"]
    fields = ["at", "by", "kind", "patient", "rows", "page", "via", "hat", "source", "request_id"]
    ordering = ["-at", "-id"]

    def screen_of(self, obj):
        return reverse("clinic:patient_history", args=[obj.patient_id]) if obj.patient_id else ""

    def history_view(self, request, object_id, extra_context=None):
        raise Http404
